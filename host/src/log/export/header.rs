//! The first line of an export: what the file is about, and what follows.

use serde_json::Value;

use super::error::ExportError;
use crate::log::chain::FORMAT;
use crate::log::digest::hex;
use crate::log::field::{Sink, Source};
use crate::log::json::{JsonError, Reader, Writer};
use crate::log::{Attestation, Head};

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

impl Header {
    /// The line, without its end.
    pub(super) fn write(&self) -> String {
        let Header {
            execution_id,
            workflow,
            guest_digest,
            head,
            owed_a_step,
            erased,
            components,
        } = self;
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
        line.finish()
    }

    /// The header that a line is.
    ///
    /// # Errors
    ///
    /// What is wrong with that line.
    pub(super) fn read(text: &str) -> Result<Self, ExportError> {
        let no_header = |problem| Err(ExportError::Format { problem });
        let read = || -> Result<Result<Header, ExportError>, JsonError> {
            let mut reader = Reader::new(text, Vec::new())?;
            // First of all: another format may have other fields.
            let format = reader.text("format")?;
            if is_newer(&format) {
                return Ok(Err(ExportError::NewerFormat { format }));
            }
            if format != FORMAT {
                return Ok(no_header(format!("the format is {format:?}")));
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
        read().unwrap_or_else(|error| no_header(error.to_string()))
    }
}

/// Whether a later version of the format has this name.
fn is_newer(format: &str) -> bool {
    let (name, version) = FORMAT.rsplit_once('/').unwrap_or((FORMAT, ""));
    let version_of = |text: &str| text.parse::<u64>().ok();
    let found = format
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('/'));
    found.and_then(version_of) > version_of(version)
}
