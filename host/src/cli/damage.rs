//! What cannot be read, or must not be believed, reported next to all that can.

use refrain::model::Status;
use refrain::names;
use refrain::store::{Damaged, ExecutionRecord, Many, Tampering};
use serde::Serialize;

use super::database::Database;
use super::output::{self, Paint};
use super::text::{Text, text};

/// Name what could not be read; what could, and whether that is all.
pub(super) fn named<T>(many: Many<T>) -> (Vec<T>, bool) {
    for damaged in &many.damaged {
        output::say(&text!("error: {}", damaged.to_string()));
    }
    (many.found, many.damaged.is_empty())
}

/// A damaged row, as JSON documents have it.
#[derive(Serialize)]
pub(super) struct DamagedDocument<'a> {
    execution_id: Option<String>,
    place: &'a str,
    message: &'a str,
}

impl<'a> DamagedDocument<'a> {
    pub(super) fn of(damaged: &'a Damaged) -> Self {
        Self {
            execution_id: damaged.execution.map(|id| id.to_string()),
            place: &damaged.place,
            message: &damaged.detail,
        }
    }
}

/// Where a log was tampered with, as JSON documents have it.
#[derive(Serialize)]
pub(super) struct TamperedDocument<'a> {
    sequence: u64,
    message: &'a str,
}

impl<'a> TamperedDocument<'a> {
    pub(super) fn of(tampering: &'a Tampering) -> Self {
        Self {
            sequence: tampering.sequence,
            message: &tampering.message,
        }
    }
}

/// What an execution is, in a word or three: its status, unless its log is not
/// to be believed.
pub(super) fn standing(record: &ExecutionRecord) -> (Text, Paint) {
    match &record.tampering {
        Some(tampering) => (
            text!("tampered at {}", tampering.sequence),
            Paint::of_status(Status::Failed),
        ),
        None => {
            let erased = match record.erased {
                Some(_) => text!(", erased"),
                None => Text::new(),
            };
            let status = names::status(record.status);
            (
                text!("{}{}", status, erased),
                Paint::of_status(record.status),
            )
        }
    }
}

/// Why an execution is set aside, and what lifts that, if it is.
pub(super) fn why_set_aside(record: &ExecutionRecord, database: &Database) -> Option<Text> {
    let tampering = record.tampering.as_ref()?;
    Some(text!(
        "it is set aside, because its log is tampered with at event {}: {}; restore a backup or mend it, then this checks it anew: {}",
        tampering.sequence,
        tampering.message,
        database.command("resume", &[record.id.to_string()])
    ))
}
