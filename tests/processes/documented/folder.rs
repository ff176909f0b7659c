//! The folder in which the commands of a page are typed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use refrain_tests::binary;
use refrain_tests::component::workspace;
use tempfile::TempDir;

use super::page::Page;

/// How the page of newcomers has it, who have nothing installed.
const FROM_SOURCE: &str = "cargo run -q -- ";

/// How many seconds a command may take.
const SECONDS: &str = "60";

/// What `timeout` says of one that took longer.
const TOOK_LONGER: i32 = 124;

/// A folder, and where in it one is.
pub(super) struct Folder {
    _kept: TempDir,
    here: PathBuf,
}

impl Folder {
    /// A new one with the files of the page. Pages at the root of the repository are for
    /// people who have a clone of it; all others need nothing but `refrain`.
    pub(super) fn of(page: &Page) -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        if !page.name.contains('/') {
            copy(&workspace(), kept.path());
        }
        for (name, text) in &page.files {
            fs::write(kept.path().join(name), text).expect("a file is written");
        }
        let here = kept.path().to_owned();
        Self { _kept: kept, here }
    }

    /// What the command prints, on both ways, in the order of a terminal.
    pub(super) fn types(&mut self, command: &str) -> Result<String, String> {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.here.push(folder);
            return match self.here.is_dir() {
                true => Ok(String::new()),
                false => Err(format!("there is no folder {folder}")),
            };
        }
        let command = command.replace(FROM_SOURCE, "refrain ");
        let programs = binary::path().parent().expect("it is in a folder");
        let path = env::var("PATH").expect("a path");
        let output = binary::in_folder(Command::new("timeout"), &self.here)
            .args([SECONDS, "bash", "-c", &format!("exec 2>&1; {command}")])
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("USER", "ada")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(TOOK_LONGER) => Err(format!("did not end within {SECONDS} s:\n{said}")),
            Some(126 | 127) => Err(format!("there is no such program:\n{said}")),
            _ => Ok(said),
        }
    }
}

/// What a command leaves that is typed at the root of a clone, as the README has it.
const DATABASE: &str = "refrain.db";

/// Copy what is in the repository: no folder of builds, no hidden file, no database of who
/// has tried the examples.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a file");
        let name = entry.file_name();
        let is_of_the_clone = |name: &str| !name.starts_with('.') && !name.starts_with(DATABASE);
        let is_left_out = name == "target" || !is_of_the_clone(&name.to_string_lossy());
        let (from, to) = (entry.path(), to.join(&name));
        if is_left_out {
            continue;
        }
        if from.is_dir() {
            fs::create_dir(&to).expect("a folder is made");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file is copied");
        }
    }
}
