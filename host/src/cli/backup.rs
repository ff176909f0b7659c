//! `refrain backup`.

use std::path::PathBuf;

use serde_json::json;

use super::Answer;
use super::database::{Database, file_of_simulations};
use super::output::{self, Form};
use super::text::text;

/// Copy the database, also while others work on it
///
/// The copy is of one moment, and checked to be whole. It replaces nothing. Simulations
/// are in a database of their own, and are left out.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the copy goes: a file that is not there yet
    to: PathBuf,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let from = arguments.database.backup_to(&arguments.to)?;
    let left_out = arguments.database.simulations();
    if arguments.form.json {
        output::document(&json!({
            "database": from.display().to_string(),
            "backup": arguments.to.display().to_string(),
            "left_out": left_out.as_ref().map(|it| it.path().display().to_string()),
        }))?;
    }
    output::say(&text!("{} is copied to {}", from, arguments.to));
    if let Some(simulations) = left_out {
        output::say(&text!(
            "{}, in which simulations run, is left out; to copy it too, type: {}",
            simulations.path(),
            simulations.command("backup", &[file_of_simulations(&arguments.to)])
        ));
    }
    Ok(Answer::Good)
}
