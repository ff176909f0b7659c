//! `refrain init`: a folder to begin with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Answer;
use super::coded::coded;
use super::output::{self, Form};
use super::text::{Text, text};
use super::to_type;

/// The files, each with its text.
const FILES: [(&str, &str); 3] = [
    (WORKFLOW, include_str!("init/workflow.json")),
    (TEST, include_str!("init/workflow.test.yaml")),
    (".gitignore", include_str!("init/gitignore")),
];

const WORKFLOW: &str = "workflow.json";
const TEST: &str = "workflow.test.yaml";

/// Make a workflow to begin with, its test, and a `.gitignore` for the database
///
/// Nothing that is there is overwritten.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder, which is made; this one, unless said
    #[arg(value_name = "NAME")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let folder = arguments.folder.as_deref().unwrap_or(Path::new("."));
    for (name, _) in FILES {
        let path = folder.join(name);
        // Also a link that leads nowhere.
        if path.symlink_metadata().is_ok() {
            return Err(coded(
                "file_exists",
                format!(
                    "there is a file {} already, and nothing was written; name a folder that is new, as in `refrain init NAME`",
                    path.display()
                ),
            ));
        }
    }
    fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        write_new(&path, text).map_err(|error| not_written(&path, &error))?;
    }
    if arguments.form.json {
        let files = FILES.map(|(name, _)| folder.join(name).display().to_string());
        output::document(&json!({ "folder": folder.display().to_string(), "files": files }))?;
    } else {
        for (name, _) in FILES {
            output::data(&text!("{}\n", folder.join(name).display().to_string()));
        }
    }
    output::say(&what_next(arguments.folder.as_deref()));
    Ok(Answer::Good)
}

/// Somebody may have made the file a moment ago.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn not_written(path: &Path, error: &io::Error) -> anyhow::Error {
    coded(
        "not_written",
        format!("cannot write {}: {error}", path.display()),
    )
}

fn what_next(folder: Option<&Path>) -> Text {
    let enter = match folder {
        Some(folder) => text!("{}\n  ", to_type::enter(folder.as_os_str())),
        None => Text::new(),
    };
    text!(
        "now type:\n  {}{}\n  {}",
        enter,
        text!("refrain test {}", TEST),
        text!("refrain run {}", WORKFLOW)
    )
}
