//! Whether a program can be a worker, as far as its file tells: found out before anything
//! starts, because an attempt whose program does not start fails for good.

use std::env;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::failure::curable_by;
use super::text::{Text, text};

/// Refuses the program of this queue's worker if the system could not start it.
pub(super) fn check(queue: &str, program: &str) -> anyhow::Result<()> {
    let Some((why, remedy)) = unstartable(program) else {
        return Ok(());
    };
    Err(curable_by(
        "invalid_worker",
        format!("the worker of the queue {queue:?} cannot be started: {why}"),
        remedy,
    ))
}

/// Why a program cannot be started, and what helps. `None` if nothing speaks against it.
fn unstartable(program: &str) -> Option<(String, Text)> {
    match program.contains('/') {
        true => unstartable_file(program),
        false => unfound(program),
    }
}

fn unstartable_file(program: &str) -> Option<(String, Text)> {
    let path = Path::new(program);
    if path.is_dir() {
        let remedy = text!("name the program in it");
        return Some((format!("{program:?} is a folder"), remedy));
    }
    if !path.exists() {
        let remedy = text!("correct the path: it starts from the folder that this is typed in");
        return Some((format!("there is no file {program:?}"), remedy));
    }
    (!is_executable(path)).then(|| {
        let words = shlex::try_join(["chmod", "+x", program]);
        let remedy = match words {
            Ok(command) => text!("`{}` makes it a program", command),
            // Of a name with a NUL in it there is no file.
            Err(_) => text!("make it executable"),
        };
        (format!("the file {program:?} is not executable"), remedy)
    })
}

fn unfound(program: &str) -> Option<(String, Text)> {
    // Without a PATH, the system has one of its own.
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|folder| folder.join(program));
    if places.any(|place: PathBuf| place.is_file() && is_executable(&place)) {
        return None;
    }
    let remedy = match Path::new(program).is_file() {
        true => text!("name the file in this folder by its path: ./{}", program),
        false => text!("correct its name, or give its path, with a slash in it"),
    };
    Some((
        format!("no program {program:?} is in a folder of PATH"),
        remedy,
    ))
}

fn is_executable(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}
