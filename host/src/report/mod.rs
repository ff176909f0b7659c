//! A report: executions in one HTML file that any browser opens, without a network.
//!
//! The file holds logs, the scheduler components that they name, pictures of the workflows
//! and a script. The script has the scheduler decide everything again, in the browser, and
//! shows what the execution was like behind each event.
//!
//! ```
//! use refrain::report::{Holds, Report};
//! # use refrain::replay::from_export;
//! # let golden = std::fs::read_dir("../tests/golden")?.next().ok_or("there are golden logs")??;
//! # let text = std::fs::read(golden.path().join("completed.ndjson"))?;
//! # let recording = from_export(&text[..], "log.ndjson")?.map_err(|it| it.message)?;
//! let mut report = Report::new(1_767_225_600_000, Holds::Payloads);
//! report.add(&recording, None)?;
//! let page = report.write(Vec::new())?;
//! assert!(page.starts_with(b"<!doctype html>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the file may do
//!
//! Its content policy ([`policy`]) allows one script and one style, by their digests, workers
//! that are made of that script, and WebAssembly; nothing may be loaded, sent or framed. What
//! a log says is data in the file: it stands in blocks that no browser reads as markup or
//! script, and the script shows it as text.

// What the browser may do with the file.
mod policy;
// Data in the file.
mod blocks;
// Logs without what was said.
mod left_out;
// The file as a whole.
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};

pub use left_out::{LeftOutError, masked_fields, without_payloads};
pub use page::{Holds, SCRIPT, STYLE};
pub use policy::{digest_of, policy};

use page::{Contents, Entry};

use crate::limits::{REPORT_BYTES_MAX, REPORT_EVENTS_MAX};
use crate::log::{StoredEvent, Timestamp};
use crate::replay::Recording;

/// What cannot be put into a report.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportError {
    /// There are too many events.
    #[error(
        "a report holds at most {REPORT_EVENTS_MAX} events, and these are {events}; put fewer executions into it"
    )]
    Events {
        /// How many there would be.
        events: u64,
    },
    /// There are too many bytes.
    #[error(
        "a report holds logs of at most {REPORT_BYTES_MAX} bytes, and these come to {bytes}; put fewer executions into it, or leave out what was said"
    )]
    Bytes {
        /// How many there would be.
        bytes: usize,
    },
    /// A log that holds what was said is for a report that does not.
    #[error("the log of {0} holds what was said, and the report is to be without it")]
    HoldsPayloads(crate::ExecutionId),
}

/// A report that is being put together.
#[derive(Debug)]
pub struct Report {
    contents: Contents,
    events: u64,
    bytes: usize,
}

impl Report {
    /// A report without executions.
    #[must_use]
    pub fn new(made_at: Timestamp, holds: Holds) -> Self {
        Self {
            contents: Contents {
                made_at,
                holds,
                entries: Vec::new(),
                components: BTreeMap::new(),
            },
            events: 0,
            bytes: 0,
        }
    }

    /// Puts in an execution: its log, with the components that it names, and the graph of its
    /// workflow, as SVG.
    ///
    /// # Errors
    /// [`ReportError`] if it is too large, or holds what the report is to be without.
    pub fn add(&mut self, recording: &Recording, picture: Option<&str>) -> Result<(), ReportError> {
        if self.contents.holds != Holds::Payloads && !recording.is_erased() {
            return Err(ReportError::HoldsPayloads(recording.execution_id));
        }
        let events = self.events + recording.plain().count() as u64;
        if events > REPORT_EVENTS_MAX {
            return Err(ReportError::Events { events });
        }
        let export = blocks::Export::of(recording);
        let bytes = self.bytes + export.log.len();
        if bytes > REPORT_BYTES_MAX {
            return Err(ReportError::Bytes { bytes });
        }
        (self.events, self.bytes) = (events, bytes);
        let digests = export.components.iter().map(|(digest, _)| digest.clone());
        self.contents.entries.push(Entry {
            title: title(recording),
            log: blocks::packed(&export.log),
            picture: picture.map(|picture| blocks::packed(picture.as_bytes())),
            masked: None,
            components: digests.collect(),
        });
        self.contents.components.extend(export.components);
        Ok(())
    }

    /// Puts masked fields next to the log that was put in last, and is without them.
    pub fn add_masked(&mut self, events: &[StoredEvent]) {
        if let Some(entry) = self.contents.entries.last_mut() {
            let lines: String = events.iter().filter_map(left_out::masked_line).collect();
            entry.masked = Some(blocks::packed(lines.as_bytes()));
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write<W: Write>(&self, to: W) -> io::Result<W> {
        page::write(&self.contents, to)
    }
}

/// The workflow and the id of an execution.
fn title(recording: &Recording) -> String {
    use crate::model::EventKind;
    let first = recording.plain().next().map(|(event, _)| &event.kind);
    let id = recording.execution_id;
    match first {
        Some(EventKind::WorkflowStarted(it)) => {
            format!("{} {}, {id}", it.workflow_id, it.workflow_version)
        }
        _ => id.to_string(),
    }
}
