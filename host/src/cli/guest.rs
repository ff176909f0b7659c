//! `refrain guest`: the scheduler component, its version and digest.

use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::guest::{Library, NoPorts};
use serde_json::json;

use super::output::{self, Form};
use super::text::{Text, text};
use super::{Answer, failure, files, guests, placed};

/// Show the built-in scheduler component, check another, or write it to a file
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
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    match &arguments.command {
        None => show_built_in(&mut library, arguments.form.json),
        Some(Command::Check { file, form }) => check(&mut library, file, form.json),
        Some(Command::Export { file }) => export(&library, file),
    }
}

fn show_built_in(library: &mut Library, json: bool) -> anyhow::Result<Answer> {
    let digest = library.built_in().to_owned();
    let description = library.instance::<NoPorts>(&digest)?.describe()?;
    let bytes = library.bytes(&digest).map_or(0, <[u8]>::len);
    if json {
        output::document(
            &json!({ "name": description.name, "version": description.version, "digest": digest, "bytes": bytes }),
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

fn check(library: &mut Library, file: &Path, json: bool) -> anyhow::Result<Answer> {
    let bytes = files::component(file)?;
    let checked = described(library, bytes);
    match (checked, json) {
        (Ok((name, version, digest)), true) => {
            output::document(
                &json!({ "valid": true, "name": name, "version": version, "digest": digest, "problem": null }),
            )?;
            Ok(Answer::Good)
        }
        (Ok((name, version, digest)), false) => {
            output::data(&text!(
                "{} is a scheduler component: {} {}\ndigest  {}\n",
                file,
                name,
                version,
                digest
            ));
            Ok(Answer::Good)
        }
        (Err(problem), true) => {
            output::document(
                &json!({ "valid": false, "name": null, "version": null, "digest": null, "problem": failure::line(&problem) }),
            )?;
            Ok(Answer::Bad)
        }
        (Err(problem), false) => {
            let problem = Text::lines(&failure::line(&problem));
            output::data(&text!("{} cannot be used: {}\n", file, problem));
            Ok(Answer::Bad)
        }
    }
}

/// Name, version and digest of a component, once it has shown that it runs.
fn described(library: &mut Library, bytes: Vec<u8>) -> anyhow::Result<(String, String, String)> {
    let digest = library.add(bytes)?;
    let description = library.instance::<NoPorts>(&digest)?.describe()?;
    Ok((description.name, description.version, digest))
}

fn export(library: &Library, file: &Path) -> anyhow::Result<Answer> {
    let bytes = library
        .bytes(library.built_in())
        .context("the built-in component is not in the library")?;
    placed::write(file, None, |out| out.write_all(bytes))?;
    output::say(&text!("the built-in component is in {}", file));
    Ok(Answer::Good)
}
