//! `refrain guest`: the scheduler component, its version and digest; and the contract.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::guest::{ComponentError, Library, LibraryError, NoPorts};
use serde::Serialize;

use super::coded::{OrCoded, refuse};
use super::output::{self, Form};
use super::text::{Text, counted, text};
use super::toolchains::{self, Toolchain};
use super::{Answer, contract, failure, files, guests, placed};

/// Show the built-in scheduler component, check another, or write it or its contract to a file
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    form: Form,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Is this component one that Refrain can run?
    ///
    /// Of one that imports what a guest may not, all such imports are named, and what makes a
    /// component without them with the usual tools.
    Check {
        /// The component
        #[arg(value_name = "FILE.wasm")]
        file: PathBuf,
        #[command(flatten)]
        form: Form,
    },
    /// Write the built-in component to a file
    Export {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the contract of schedulers and hosts (WIT), or write it to a file or a folder
    Wit {
        /// Where to: `FILE.wasm` becomes a component-encoded WIT file, `FILE.wit` one text, and
        /// anything else a folder with its six files
        #[arg(long, short, value_name = "FILE.wasm|FILE.wit|FOLDER")]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    match &arguments.command {
        None => show_built_in(&mut library, arguments.form.json),
        Some(Command::Check { file, form }) => check(&mut library, file, form.json),
        Some(Command::Export { file }) => export(&library, file),
        Some(Command::Wit { output: None }) => {
            output::data(&Text::laid_out(&contract::one_text()));
            Ok(Answer::Good)
        }
        Some(Command::Wit { output: Some(path) }) => write_contract(path),
    }
}

fn show_built_in(library: &mut Library, json: bool) -> anyhow::Result<Answer> {
    let digest = library.built_in().to_owned();
    let description = library.instance::<NoPorts>(&digest)?.describe()?;
    let bytes = library.bytes(&digest).map_or(0, <[u8]>::len);
    if json {
        output::document(
            &serde_json::json!({ "name": description.name, "version": description.version, "digest": digest, "bytes": bytes }),
        )?;
    } else {
        output::data(&text!(
            "{} {}\ndigest  {}\nbytes   {}\n",
            description.name,
            description.version,
            digest,
            bytes
        ));
    }
    Ok(Answer::Good)
}

/// What was found of a component.
#[derive(Default, Serialize)]
struct Checked {
    valid: bool,
    name: Option<String>,
    version: Option<String>,
    digest: Option<String>,
    /// What keeps it from being a guest.
    problem: Option<String>,
    /// The imports that no guest may have.
    refused_imports: Vec<String>,
    /// What makes components without them.
    remedies: Vec<Toolchain>,
}

fn check(library: &mut Library, file: &Path, json: bool) -> anyhow::Result<Answer> {
    let bytes = files::component(file)?;
    let checked = match described(library, bytes) {
        Ok(checked) => checked,
        Err(problem) => refused(&problem),
    };
    match json {
        true => output::document(&checked)?,
        false => output::data(&checked.text(file)),
    }
    Ok(Answer::good_if(checked.valid))
}

/// Name, version and digest of a component, once it has shown that it runs.
fn described(library: &mut Library, bytes: Vec<u8>) -> anyhow::Result<Checked> {
    let digest = library.add(bytes)?;
    let description = library.instance::<NoPorts>(&digest)?.describe()?;
    Ok(Checked {
        valid: true,
        name: Some(description.name),
        version: Some(description.version),
        digest: Some(digest),
        ..Checked::default()
    })
}

fn refused(problem: &anyhow::Error) -> Checked {
    let refused_imports = match problem.downcast_ref() {
        Some(LibraryError::Refused {
            reason: ComponentError::UndeclaredImports { imports, .. },
            ..
        }) => imports.clone(),
        _ => Vec::new(),
    };
    Checked {
        problem: Some(failure::line(problem)),
        remedies: toolchains::without(&refused_imports).to_vec(),
        refused_imports,
        ..Checked::default()
    }
}

impl Checked {
    fn text(&self, file: &Path) -> Text {
        let known = (&self.name, &self.version, &self.digest);
        if let (Some(name), Some(version), Some(digest)) = known {
            return text!(
                "{} is a scheduler component: {} {}\ndigest  {}\n",
                file,
                name,
                version,
                digest
            );
        }
        let problem = self.problem.as_deref().unwrap_or_default();
        let mut text = text!("{} cannot be used: {}\n", file, Text::lines(problem));
        if !self.refused_imports.is_empty() {
            let count = counted(self.refused_imports.len() as u64, "import");
            text.push(&text!("{} refused:\n", count));
        }
        for import in &self.refused_imports {
            text.push(&text!("  {}\n", import));
        }
        if !self.remedies.is_empty() {
            text.push(&text!("what makes a component without WASI:\n"));
        }
        for toolchain in &self.remedies {
            let language = Text::word(toolchain.language).padded(10);
            text.push(&text!("  {}  {}\n", language, toolchain.remedy));
        }
        text
    }
}

/// Writes the contract in the form that the name of the path asks for.
fn write_contract(path: &Path) -> anyhow::Result<Answer> {
    match path.extension().and_then(|it| it.to_str()) {
        Some("wasm") => {
            let encoded = contract::encoded()?;
            placed::write(path, None, |out| out.write_all(&encoded))?;
        }
        Some("wit") => placed::write(path, None, |out| {
            out.write_all(contract::one_text().as_bytes())
        })?,
        _ => write_folder(path)?,
    }
    output::say(&text!("the contract is in {}", path));
    Ok(Answer::Good)
}

fn write_folder(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        refuse!(
            "usage",
            "{} is a file, and its name ends neither in .wasm nor in .wit; name one that does, or a folder",
            folder.display()
        );
    }
    fs::create_dir_all(folder).or_coded("unwritable", || {
        format!("cannot make the folder {}", folder.display())
    })?;
    for (name, text) in contract::FILES {
        placed::write(&folder.join(name), None, |out| {
            out.write_all(text.as_bytes())
        })?;
    }
    Ok(())
}

fn export(library: &Library, file: &Path) -> anyhow::Result<Answer> {
    let bytes = library
        .bytes(library.built_in())
        .context("the built-in component is not in the library")?;
    placed::write(file, None, |out| out.write_all(bytes))?;
    output::say(&text!("the built-in component is in {}", file));
    Ok(Answer::Good)
}
