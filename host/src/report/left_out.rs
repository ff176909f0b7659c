//! Logs without what executions were given and have said.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::erase::{EraseError, Eraser, attest};
use crate::log::json::{write_erased, write_event};
use crate::log::{StoredEvent, chain};
use crate::model::EventKind;
use crate::replay::{Audit, Claimed, Recording};

/// What stands for each text, number and truth value that is masked.
const MASK: &str = "***";

/// Why a log is not to be had without what was said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOutError {
    /// It has not ended.
    #[error(
        "{0} has not ended, and only of what has ended the log can be told without what was said; cancel it, wait for its end, or leave nothing out"
    )]
    NotEnded(crate::ExecutionId),
    /// It cannot be attested what its audit said.
    #[error(transparent)]
    Unattested(#[from] EraseError),
}

/// The same log as [`erase`](crate::erase::erase) leaves it: without erasable fields and
/// salts, with commitments in their place, and with an attestation of what its audit said.
/// The log itself is left as it is. One that was erased before is answered as it is.
///
/// # Errors
/// [`LeftOutError`] if the execution has not ended, or its log is not sound.
pub fn without_payloads(
    recording: &Recording,
    audit: &Audit,
    eraser: &Eraser<'_>,
) -> Result<Recording, LeftOutError> {
    if recording.is_erased() {
        return Ok(recording.clone());
    }
    let last = recording.events.last().map(|it| &it.event.kind);
    if !last.is_some_and(EventKind::is_terminal) {
        return Err(LeftOutError::NotEnded(recording.execution_id));
    }
    let guest = recording.guests().last().unwrap_or_default();
    let id = recording.execution_id;
    let attestation = attest(id, &guest, recording.head, audit, eraser)?;
    Ok(Recording {
        execution_id: id,
        head: recording.head,
        events: Vec::new(),
        erased: recording.events.iter().map(chain::erased).collect(),
        broken_link: recording.broken_link.clone(),
        broken_off: recording.broken_off.clone(),
        workflow: recording.workflow.clone(),
        claimed: Claimed::Header {
            guest_digest: recording.first_guest().unwrap_or_default(),
            owed_a_step: false,
            erased: Some(attestation),
        },
        // No guest can be asked about what is left.
        components: Vec::new(),
    })
}

/// The fields of an event that [`without_payloads`] leaves out, with each text, number and
/// truth value in them masked. The names of members and the lengths of lists stay.
#[must_use]
pub fn masked_fields(event: &StoredEvent) -> BTreeMap<String, Value> {
    let fields_of = |json: &str| -> BTreeMap<String, Box<RawValue>> {
        // What the library writes is an object.
        serde_json::from_str(json).unwrap_or_default()
    };
    let left = fields_of(&write_erased(&chain::erased(event)));
    let all = fields_of(&write_event(&event.event)).into_iter();
    // Digests of what is left out say nothing to a person.
    let out = all.filter(|(name, _)| !left.contains_key(name) && !name.ends_with("digest"));
    let masked = out.map(|(name, value)| {
        let value = serde_json::from_str(value.get()).unwrap_or_default();
        (name, masked(value))
    });
    masked.collect()
}

/// A line of the masked fields of an event. `None` if it has none.
pub(super) fn masked_line(event: &StoredEvent) -> Option<String> {
    let fields = masked_fields(event);
    let line = json!({ "sequence": event.event.sequence, "fields": fields });
    (!fields.is_empty()).then(|| format!("{line}\n"))
}

/// The depth is that of JSON, which is bounded.
fn masked(value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => MASK.into(),
        Value::Array(elements) => elements.into_iter().map(masked).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(name, it)| (name, masked(it))).collect())
        }
    }
}
