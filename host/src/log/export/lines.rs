//! A file as lines of bounded length.

use std::io::{BufRead, Read};

use super::ExportError;
use crate::limits::EXPORT_LINE_BYTES_MAX;

/// Lines of bounded length, counted from 1.
#[derive(Debug)]
pub(super) struct Lines<R> {
    from: R,
    line: u64,
}

pub(super) struct Line {
    /// Its text; an error if its bytes are none.
    pub(super) text: Result<String, ExportError>,
    /// Whether the line has its line break: the last of a cut file has not.
    pub(super) ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: 0 }
    }

    /// The number of the line that was read last, from 1; 0 if none was.
    pub(super) fn number(&self) -> u64 {
        self.line
    }

    /// The next line. `None` if the file has ended.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, ExportError> {
        let line = self.line + 1;
        let mut bytes = Vec::new();
        self.from
            .by_ref()
            .take(EXPORT_LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ExportError::Io { line, source })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line = line;
        if bytes.len() > EXPORT_LINE_BYTES_MAX {
            return Err(ExportError::Long { line });
        }
        let ended = bytes.pop_if(|last| *last == b'\n').is_some();
        // With replaced characters, lines of other bytes would come to the same event.
        let text = String::from_utf8(bytes).map_err(|_| ExportError::Encoding { line });
        Ok(Some(Line { text, ended }))
    }
}
