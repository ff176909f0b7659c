//! The export of a log: NDJSON, one header line and one event a line.
//!
//! An export can be audited with no database at hand. The header is believed
//! only as far as event 1 binds it, and that is the audit's business: the
//! reader returns what the lines say, and refuses what is no export, what is
//! cut, and lines that are no events.
//!
//! # The format
//!
//! | line | what it is |
//! |---|---|
//! | 1 | the header: `format`, `execution_id`, `workflow` (its text), `guest_digest`, `events`, `head`; and only where it is so `owed_a_step`, `erased`, `components` |
//! | then | one line for each digest in `components`: `{"component":…,"bytes":…,"zlib":…}`, the digest, how many bytes it has, and these in zlib (RFC 1950) and base64 (RFC 4648) |
//! | then | one line for each event, in [its JSON form](crate::log::json), with `salt` and `hash` |
//!
//! With the components that its log names, an export is all that an auditor needs.
//!
//! The log of an erased execution has `erased` in its header: the
//! [`Attestation`]. Each of its events has only its plain fields, and `commitment` in
//! the place of `salt`: 64 hexadecimal digits, which the chain takes as the hash of
//! what was erased.

use std::io::{self, BufRead, Read, Write};

use serde_json::Value;

use crate::limits::{EXPORT_COMPONENTS_BYTES_MAX, EXPORT_LINE_BYTES_MAX};
use crate::log::digest::hex;
use crate::log::field::{Sink, Source};
use crate::log::json::{self, JsonError, Reader, Writer};
use crate::log::{Attestation, ErasedEvent, Head, KeptEvent, StoredEvent, component};

/// The format that this module writes and reads.
pub use crate::log::chain::FORMAT;
pub use crate::log::component::Component;

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The execution.
    pub execution_id: String,
    /// The workflow's text as registered. It is a string in the header, not
    /// an object: event 1 binds its digest, byte for byte.
    pub workflow: String,
    /// The guest that the execution started with, 64 hexadecimal digits.
    pub guest_digest: String,
    /// The last event, and the chain hash up to it.
    pub head: Head,
    /// Whether the execution is owed a step: its log ends where a turn's budget cut
    /// it off. Written only where it is so.
    pub owed_a_step: bool,
    /// That the log was erased. `None` if it is whole.
    pub erased: Option<Attestation>,
    /// The digests of the components that follow, each on a line, in this order.
    pub components: Vec<String>,
}

/// Writes an export.
#[derive(Debug)]
pub struct ExportWriter<W> {
    to: W,
}

impl<W: Write> ExportWriter<W> {
    /// Begin with the header.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn new(mut to: W, header: &Header) -> io::Result<Self> {
        let Header {
            execution_id,
            workflow,
            guest_digest,
            head,
            owed_a_step,
            erased,
            components,
        } = header;
        let mut line = Writer::new();
        line.text("format", FORMAT);
        line.text("execution_id", execution_id);
        line.text("workflow", workflow);
        line.text("guest_digest", guest_digest);
        line.number("events", head.sequence);
        line.digest("head", &head.hash);
        if *owed_a_step {
            line.flag("owed_a_step", true);
        }
        if let Some(attestation) = erased {
            line.field("erased", &attestation.to_json());
        }
        if !components.is_empty() {
            line.field(
                "components",
                &Value::from(components.as_slice()).to_string(),
            );
        }
        writeln!(to, "{}", line.finish())?;
        Ok(Self { to })
    }

    /// Go on with the next of the header's components.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn component(&mut self, component: &Component) -> io::Result<()> {
        writeln!(self.to, "{}", component::write(component))
    }

    /// Go on with the next event.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn event(&mut self, event: &StoredEvent) -> io::Result<()> {
        writeln!(self.to, "{}", json::write_stored(event))
    }

    /// Go on with the next event of an erased log.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn erased(&mut self, event: &ErasedEvent) -> io::Result<()> {
        writeln!(self.to, "{}", json::write_erased(event))
    }

    /// End.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}

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
    #[error(
        "this is no exported log of the format {FORMAT}, which `refrain export` writes: line 1: {problem}"
    )]
    Format {
        /// What is wrong with the first line.
        problem: String,
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
            Self::Format { .. } => 1,
            Self::Io { line, .. }
            | Self::Line { line, .. }
            | Self::Component { line, .. }
            | Self::Components { line }
            | Self::Newer { line, .. }
            | Self::Long { line }
            | Self::Cut { line, .. }
            | Self::Surplus { line, .. } => *line,
        }
    }
}

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
        let mut lines = Lines { from, line: 0 };
        let header = match lines.next_line()? {
            Some(Line { text, .. }) => {
                read_header(&text).map_err(|problem| ExportError::Format { problem })?
            }
            None => {
                return Err(ExportError::Format {
                    problem: "it is empty".to_owned(),
                });
            }
        };
        let components = read_components(&mut lines, &header)?;
        Ok(Self {
            before: lines.line,
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
        let next = self.lines.line + 1 - self.before;
        let Some(Line { text, ended }) = self.lines.next_line()? else {
            let line = self.lines.line + 1;
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
        let line = self.lines.line;
        if next > events {
            return Err(ExportError::Surplus { line, events });
        }
        match json::read_kept(&text) {
            Ok(event) => Ok(Some(event)),
            Err(_) if !ended => Err(ExportError::Cut {
                line,
                next,
                events,
                found: "only a part of it does",
            }),
            Err(source) if source.is_newer => Err(ExportError::Newer { line, source }),
            Err(source) => Err(ExportError::Line { line, source }),
        }
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
        let line = lines.line + 1;
        let text = lines.next_line()?.map(|line| line.text).unwrap_or_default();
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

fn read_header(text: &str) -> Result<Header, String> {
    let read = || -> Result<Result<Header, String>, JsonError> {
        let mut reader = Reader::new(text, Vec::new())?;
        // First of all: another format may have other fields.
        let format = reader.text("format")?;
        if format != FORMAT {
            return Ok(Err(format!("the format is {format:?}")));
        }
        let header = Header {
            execution_id: reader.text("execution_id")?,
            workflow: reader.text("workflow")?,
            guest_digest: hex(&reader.hash("guest_digest")?),
            head: Head {
                sequence: reader.number("events", u64::MAX)?,
                hash: reader.hash("head")?,
            },
            owed_a_step: reader.present("owed_a_step")? && reader.flag("owed_a_step")?,
            erased: match reader.present("erased")? {
                true => Some(reader.record("erased", Attestation::read)?),
                false => None,
            },
            components: match reader.present("components")? {
                true => reader.texts("components")?,
                false => Vec::new(),
            },
        };
        reader.end().map(|()| Ok(header))
    };
    read().unwrap_or_else(|error| Err(error.to_string()))
}

/// Lines of bounded length, counted from 1.
#[derive(Debug)]
struct Lines<R> {
    from: R,
    line: u64,
}

struct Line {
    text: String,
    /// Whether the line has its line break: the last of a cut file has not.
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    fn next_line(&mut self) -> Result<Option<Line>, ExportError> {
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
        // Replaced characters are no valid line either, and the error then
        // names the field that they are in.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Some(Line { text, ended }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::AttestedVerdict;
    use crate::log::digest::digest;
    use crate::log::samples;
    use crate::model::Digest;

    fn header() -> Header {
        Header {
            execution_id: "exec_00000000000000000000000000000001".into(),
            workflow: "{ \"id\": \"claims\",\n  \"version\": \"1.0.0\" }\n".into(),
            guest_digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
            head: samples::log()
                .last()
                .map(StoredEvent::head)
                .unwrap_or_default(),
            owed_a_step: false,
            erased: None,
            components: Vec::new(),
        }
    }

    fn attestation() -> Attestation {
        Attestation {
            at: 1_767_225_600_000,
            verdict: AttestedVerdict::Clean,
            guest_digest: Digest([1; 32]),
            head: header().head,
            by: "ada".to_owned(),
        }
    }

    fn export() -> String {
        let mut writer = ExportWriter::new(Vec::new(), &header()).unwrap();
        for event in samples::log() {
            writer.event(&event).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    fn read(text: &str) -> Result<(Header, Vec<KeptEvent>), ExportError> {
        let reader = ExportReader::new(text.as_bytes())?;
        let header = reader.header().clone();
        Ok((header, reader.collect::<Result<_, _>>()?))
    }

    fn whole() -> Vec<KeptEvent> {
        samples::log().into_iter().map(KeptEvent::Whole).collect()
    }

    #[test]
    fn an_export_comes_back() {
        let text = export();
        assert_eq!(text.lines().count(), samples::log().len() + 1);
        assert_eq!(read(&text).unwrap(), (header(), whole()));
    }

    #[test]
    fn law4_an_export_of_an_erased_log_comes_back() {
        let header = Header {
            erased: Some(attestation()),
            ..header()
        };
        let log: Vec<_> = samples::log().iter().map(samples::erased).collect();
        let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
        for event in &log {
            writer.erased(event).unwrap();
        }
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        let log = log.into_iter().map(KeptEvent::Erased).collect();
        assert_eq!(read(&text).unwrap(), (header, log));
        assert!(!text.contains("salt"), "{text}");
    }

    #[test]
    fn an_export_brings_its_components() {
        let component = |bytes: &[u8]| Component {
            digest: digest(bytes),
            bytes: bytes.to_vec(),
        };
        let components = [component(b"\0asm one"), component(b"\0asm two")];
        let header = Header {
            components: components.iter().map(|it| it.digest.clone()).collect(),
            ..header()
        };
        let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
        for component in &components {
            writer.component(component).unwrap();
        }
        for event in samples::log() {
            writer.event(&event).unwrap();
        }
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(read(&text).unwrap(), (header, whole()));
        let mut reader = ExportReader::new(text.as_bytes()).unwrap();
        assert_eq!(reader.take_components(), components);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let swapped = [&lines[..1], &[lines[2], lines[1]], &lines[3..]].concat();
        for (text, expected) in [
            (
                swapped.concat(),
                "line 2 is no component, export the log again: field `component`: the header names",
            ),
            (
                lines[..2].concat(),
                "line 3 is no component, export the log again: field `the whole line`",
            ),
            (
                lines[..5].concat(),
                "the file is cut: line 6 should be event 3 of",
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_no_export_is_named() {
        let lines: Vec<String> = export().lines().map(|line| format!("{line}\n")).collect();
        let (all, events) = (lines.concat(), samples::log().len());
        let half = &all[..all.len() - lines[events].len() / 2];
        for (text, expected) in [
            (String::new(), "this is no exported log of the format refrain-log/2, which `refrain export` writes: line 1: it is empty".to_owned()),
            ("SQLite format 3\0".into(), "this is no exported log of the format refrain-log/2, which `refrain export` writes: line 1: field `the whole line`: it should be one JSON object".into()),
            (all.replacen("log/2", "log/3", 1), "this is no exported log of the format refrain-log/2, which `refrain export` writes: line 1: the format is \"refrain-log/3\"".into()),
            (lines[1..].concat(), "this is no exported log of the format refrain-log/2, which `refrain export` writes: line 1: field `format`: 2 should be a string".into()),
            (lines[..7].concat(), format!("the file is cut: line 8 should be event 7 of {events}, and nothing follows")),
            (half.to_owned(), format!("the file is cut: line {} should be event {events} of {events}, and only a part of it does", events + 1)),
            (all.replacen("\"node_started\"", "\"node strated\"", 1), "line 5 is no event, export the log again: field `type`: node strated should be one of".into()),
            (all.replacen("\"node_started\"", "\"node_melted\"", 1), "line 5 cannot be read: field `type`: node_melted is newer than this program".into()),
            (all.replacen("\"salt\":\"04", "\"slat\":\"04", 1), "line 5 is no event, export the log again: field `salt`: it is missing".into()),
            (format!("{all}{}", lines[3]), format!("line {} is one too many: the header says that there are {events} events", events + 2)),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
