//! `refrain backup`.

use std::path::PathBuf;

use serde_json::json;

use super::database::Database;
use super::text::text;
use super::{Answer, output};

/// Copy the database, also while others work on it
///
/// The copy is of one moment, and checked to be whole. It replaces nothing.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the copy goes: a file that is not there yet
    to: PathBuf,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let from = arguments.database.backup_to(&arguments.to)?;
    if arguments.json {
        output::document(&json!({
            "database": from.display().to_string(),
            "backup": arguments.to.display().to_string(),
        }))?;
    }
    output::say(&text!("{} is copied to {}", from, arguments.to));
    Ok(Answer::Good)
}
