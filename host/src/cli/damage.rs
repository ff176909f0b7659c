//! What cannot be read, or must not be believed, reported next to all that can.

use refrain::ErrorRemedy;
use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::names;
use refrain::store::{Damaged, ExecutionRecord, Many, SqliteStore, Tampering, at_one_moment};
use serde::Serialize;

use super::database::{self, Database};
use super::output::{self, Paint};
use super::remedy;
use super::text::{Text, text};

/// Name what could not be read, and after the last of it what helps; what could be read,
/// and whether that is all.
pub(super) fn named<T>(many: Many<T>) -> (Vec<T>, bool) {
    for damaged in &many.damaged {
        output::tell(&text!("error: {}", damaged.to_string()));
    }
    let is_whole = many.damaged.is_empty();
    if !is_whole {
        let helps = remedy::of_error(ErrorRemedy::RestoreBackup, &Database::opened());
        output::say(&text!("  remedy: {}", helps));
    }
    (many.found, is_whole)
}

/// The store that holds an execution, for reading, and its record, with what is wrong
/// with its log, if anything is: the log is held against its chain. It is read whole for
/// that, and no scheduler is asked.
pub(super) fn checked(
    database: &Database,
    id: ExecutionId,
) -> anyhow::Result<(SqliteStore, ExecutionRecord)> {
    let (mut store, _) = database.holding(id)?;
    let record = at_one_moment(&mut store, |store| {
        let mut record = database::record(store, id)?;
        if record.erased.is_none() && record.tampering.is_none() {
            record.tampering = match refrain::tampering(store, &record) {
                // The next one to read the log meets it, and says so.
                Err(error) if error.is_of_one() => None,
                found => found?,
            };
        }
        Ok::<_, anyhow::Error>(record)
    })?;
    Ok((store, record))
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

/// Why an execution is set aside, and what lifts that, if it is; nothing of that without a
/// database.
pub(super) fn why_set_aside<'d>(
    record: &ExecutionRecord,
    database: impl Into<Option<&'d Database>>,
) -> Option<Text> {
    let tampering = record.tampering.as_ref()?;
    let set_aside = database.into().map(|database| {
        text!(
            "; it is set aside until a backup is restored, or it is mended, and this checks it anew: {}",
            database.command("resume", &[record.id.to_string()])
        )
    });
    Some(text!(
        "its log is tampered with at event {}: {}{}",
        tampering.sequence,
        tampering.message,
        set_aside.unwrap_or_default()
    ))
}
