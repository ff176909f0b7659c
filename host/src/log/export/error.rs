//! Why a file is no whole export, with the line at which that shows.

use std::io;

use crate::limits::{EXPORT_COMPONENTS_BYTES_MAX, EXPORT_LINE_BYTES_MAX};
use crate::log::chain::FORMAT;
use crate::log::json::JsonError;

/// This file is no whole export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It could not be read.
    #[error("line {line} could not be read: {source}")]
    Io {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("this is no exported log of the format {FORMAT}: line 1: {problem}")]
    Format {
        /// What is wrong with the first line.
        problem: String,
    },
    /// It is a log in the format of a newer program.
    #[error(
        "line 1 cannot be read: the format {format} is newer than this program, which reads {FORMAT}; use a newer Refrain for it"
    )]
    NewerFormat {
        /// The format.
        format: String,
    },
    /// A line is no event.
    #[error("line {line} is no event, export the log again: {source}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: JsonError,
    },
    /// A line is not the component that the header names there.
    #[error("line {line} is no component, export the log again: {source}")]
    Component {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: JsonError,
    },
    /// The components come to more bytes than are read.
    #[error(
        "line {line} is one component too many: those of one export may have {EXPORT_COMPONENTS_BYTES_MAX} bytes together; \
         export the log without them"
    )]
    Components {
        /// The line, from 1.
        line: u64,
    },
    /// A line is an event of a newer program.
    #[error("line {line} cannot be read: {source}")]
    Newer {
        /// The line, from 1.
        line: u64,
        /// What is newer.
        source: JsonError,
    },
    /// A line is longer than any event.
    #[error(
        "line {line} is longer than {EXPORT_LINE_BYTES_MAX} bytes, and no event is; export the log again"
    )]
    Long {
        /// The line, from 1.
        line: u64,
    },
    /// A line is no text.
    #[error("line {line} is no text in UTF-8, export the log again")]
    Encoding {
        /// The line, from 1.
        line: u64,
    },
    /// The end is missing.
    #[error(
        "the file is cut: line {line} should be event {next} of {events}, and {found}; export the log again"
    )]
    Cut {
        /// The line at which something is missing, from 1.
        line: u64,
        /// Which event should stand there.
        next: u64,
        /// How many there should be.
        events: u64,
        /// What stands there instead.
        found: &'static str,
    },
    /// There is more than the header says.
    #[error(
        "line {line} is one too many: the header says that there are {events} events; export the log again"
    )]
    Surplus {
        /// The line, from 1.
        line: u64,
        /// How many events there should be.
        events: u64,
    },
}

impl ExportError {
    /// The line that it is about, from 1; the one after the last where the end
    /// is missing.
    #[must_use]
    pub fn line(&self) -> u64 {
        match self {
            Self::Format { .. } | Self::NewerFormat { .. } => 1,
            Self::Io { line, .. }
            | Self::Line { line, .. }
            | Self::Component { line, .. }
            | Self::Components { line }
            | Self::Newer { line, .. }
            | Self::Long { line }
            | Self::Encoding { line, .. }
            | Self::Cut { line, .. }
            | Self::Surplus { line, .. } => *line,
        }
    }
}
