//! An export as it is read, line by line.

use std::io::BufRead;

use super::lines::{Line, Lines};
use super::{ExportError, Header};
use crate::limits::EXPORT_COMPONENTS_BYTES_MAX;
use crate::log::component::{self, Component};
use crate::log::{KeptEvent, json};

/// Reads an export: an iterator over its events, which ends with an error
/// where the file does not hold what its header says.
#[derive(Debug)]
pub struct ExportReader<R> {
    lines: Lines<R>,
    header: Header,
    components: Vec<Component>,
    /// The line before event 1.
    before: u64,
    ended: bool,
}

impl<R: BufRead> ExportReader<R> {
    /// Read the header, and the components that it names.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no export.
    pub fn new(from: R) -> Result<Self, ExportError> {
        let mut lines = Lines::new(from);
        let header = match lines.next_line()? {
            Some(Line { text, .. }) => Header::read(&text.map_err(no_header)?)?,
            None => {
                return Err(ExportError::Format {
                    problem: "it is empty".to_owned(),
                });
            }
        };
        let components = read_components(&mut lines, &header)?;
        Ok(Self {
            before: lines.number(),
            lines,
            header,
            components,
            ended: false,
        })
    }

    /// Takes the components out, each with the digest that it was held against.
    pub fn take_components(&mut self) -> Vec<Component> {
        std::mem::take(&mut self.components)
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<KeptEvent>, ExportError> {
        let events = self.header.head.sequence;
        let next = self.lines.number() + 1 - self.before;
        let Some(Line { text, ended }) = self.lines.next_line()? else {
            let line = self.lines.number() + 1;
            return if next > events {
                Ok(None)
            } else {
                Err(ExportError::Cut {
                    line,
                    next,
                    events,
                    found: "nothing follows",
                })
            };
        };
        let line = self.lines.number();
        if next > events {
            return Err(ExportError::Surplus { line, events });
        }
        match text.and_then(|text| read_event(&text, line)) {
            Err(_) if !ended => Err(ExportError::Cut {
                line,
                next,
                events,
                found: "only a part of it does",
            }),
            read => read.map(Some),
        }
    }
}

fn read_event(text: &str, line: u64) -> Result<KeptEvent, ExportError> {
    json::read_kept(text).map_err(|source| match source.is_newer {
        true => ExportError::Newer { line, source },
        false => ExportError::Line { line, source },
    })
}

/// A first line that is no text is no header: the file is something else.
fn no_header(error: ExportError) -> ExportError {
    match error {
        ExportError::Encoding { .. } => ExportError::Format {
            problem: "it is no text in UTF-8".to_owned(),
        },
        error => error,
    }
}

impl<R: BufRead> Iterator for ExportReader<R> {
    type Item = Result<KeptEvent, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_event().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn read_components<R: BufRead>(
    lines: &mut Lines<R>,
    header: &Header,
) -> Result<Vec<Component>, ExportError> {
    let mut components = Vec::new();
    let mut bytes = 0;
    for digest in &header.components {
        let line = lines.number() + 1;
        let text = lines.next_line()?.map(|line| line.text);
        let text = text.transpose()?.unwrap_or_default();
        let component = component::read(&text, digest)
            .map_err(|source| ExportError::Component { line, source })?;
        bytes += component.bytes.len();
        if bytes > EXPORT_COMPONENTS_BYTES_MAX {
            return Err(ExportError::Components { line });
        }
        components.push(component);
    }
    Ok(components)
}
