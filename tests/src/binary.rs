//! The binary `refrain`, as a person has it.
//!
//! Cargo builds another package's binary for nobody's tests, so the first test
//! that needs it asks cargo; for a build that is there already that is a look.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The binary, built like the test that asks for it.
#[must_use]
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let built = build("--bin", "refrain").expect("the binary builds, since the workspace did");
        built.join(format!("refrain{}", env::consts::EXE_SUFFIX))
    })
}

/// An example of the library that is a program, built like the test that asks for it.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let built = build("--example", name).expect("the example builds");
    let program = format!("{name}{}", env::consts::EXE_SUFFIX);
    built.join("examples").join(program)
}

/// A command that runs the binary in `folder`: without colours, and without
/// what the environment says of databases and logs.
#[must_use]
pub fn refrain(folder: &Path) -> Command {
    in_folder(Command::new(path()), folder)
}

/// The same, with the signals that stop a program as a terminal leaves them.
/// Tests that were started in the background or by `nohup` have some of them
/// ignored, and a program that inherits that goes by it.
#[must_use]
pub fn refrain_at_a_terminal(folder: &Path) -> Command {
    let mut command = Command::new("env");
    command
        .arg("--default-signal=HUP,INT,QUIT,TERM")
        .arg(path());
    in_folder(command, folder)
}

/// The same for any program: as a person types it in this folder.
#[must_use]
pub fn in_folder(mut command: Command, folder: &Path) -> Command {
    command
        .current_dir(folder)
        .env_remove("REFRAIN_DB")
        .env_remove("RUST_LOG")
        .env("NO_COLOR", "1");
    command
}

/// Stdout of a run, as text.
#[must_use]
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Stderr of a run, as text.
#[must_use]
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Build a program of the workspace, and tell the folder of the profile.
fn build(kind: &str, name: &str) -> Result<PathBuf> {
    // target/PROFILE/deps/TEST
    let test = env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("the test is in no target folder")?;
    let target = folder
        .parent()
        .context("the profile's folder is in no target folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The whole workspace, as the tests were built: another selection could
    // ask for other features, and build all dependencies anew.
    let mut build = Command::new(cargo);
    // What cargo tells this test of its own package would look to build
    // scripts like a change of theirs.
    for (name, _) in env::vars_os().filter(|(name, _)| of_a_package(name)) {
        build.env_remove(name);
    }
    let built = build
        .args([
            "build",
            "--quiet",
            "--workspace",
            kind,
            name,
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(target)
        .current_dir(crate::component::workspace())
        .output()?;
    ensure!(
        built.status.success(),
        "cargo does not build the binary: {}",
        stderr(&built)
    );
    Ok(folder.to_owned())
}

fn of_a_package(variable: &OsStr) -> bool {
    variable
        .to_str()
        .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}
