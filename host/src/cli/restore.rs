//! `refrain restore`.

use std::path::PathBuf;

use serde_json::json;

use super::Answer;
use super::database::Database;
use super::output::{self, Form};
use super::text::{Text, text};

/// Put a backup in the place of the database
///
/// No program may have the database open. What stood there is moved aside, with the
/// log of changes next to it, which would otherwise be worked into the backup.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The backup: a Refrain database, which stays as it is
    from: PathBuf,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let (to, aside) = arguments.database.restore_from(&arguments.from)?;
    if arguments.form.json {
        output::document(&json!({
            "database": to.display().to_string(),
            "backup": arguments.from.display().to_string(),
            "kept": aside.as_ref().map(|aside| aside.display().to_string()),
        }))?;
    }
    let aside = aside.map_or(Text::new(), |aside| {
        text!("; what stood there is kept as {}", aside)
    });
    output::say(&text!(
        "{} is restored from {}{}",
        to,
        arguments.from,
        aside
    ));
    Ok(Answer::Good)
}
