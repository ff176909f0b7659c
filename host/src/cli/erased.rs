//! How the commands speak of an execution whose log was erased.

use anyhow::bail;
use refrain::log::Attestation;
use refrain::store::ExecutionRecord;
use serde_json::value::RawValue;

use super::text::{Text, text};
use super::time::stamp;

/// The attestation as JSON documents have it; `null`, if the log is whole.
pub(super) fn document(erased: Option<&Attestation>) -> Option<Box<RawValue>> {
    let json = erased?.to_json();
    // What the library writes is JSON.
    RawValue::from_string(json).ok()
}

/// What is attested, in a sentence without its end.
pub(super) fn sentence(attestation: &Attestation) -> Text {
    text!(
        "erased by {} on {}, when its audit said {}; what it said is gone for good",
        attestation.by,
        stamp(attestation.at),
        attestation.verdict.word()
    )
}

/// Refuses to go on with an execution whose log is erased.
pub(super) fn refuse(record: &ExecutionRecord) -> anyhow::Result<()> {
    if record.erased.is_some() {
        bail!(
            "the log of {} is erased: nothing can follow on it",
            record.id
        );
    }
    Ok(())
}
