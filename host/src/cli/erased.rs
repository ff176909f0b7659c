//! How the commands speak of an execution whose log was erased.

use refrain::log::Attestation;
use refrain::replay::SignatureCheck;
use refrain::store::ExecutionRecord;
use serde_json::value::RawValue;

use super::coded::refuse;
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

/// Who has signed what is attested, in a sentence that follows on [`sentence`]. Whether
/// the signature holds is the audit's business.
pub(super) fn signer(attestation: &Attestation) -> Text {
    match &attestation.signature {
        Some(signature) => text!("; signed with the key {}", signature.key.fingerprint()),
        None => text!("; not signed"),
    }
}

/// Who vouches for what is attested, in a sentence.
pub(super) fn vouched(signature: &SignatureCheck) -> Text {
    match signature {
        SignatureCheck::Unsigned => {
            text!("It is not signed, so by itself it proves nothing")
        }
        SignatureCheck::Untrusted { key } => text!(
            "That is signed with the key {}, which --trust does not name, so it proves only that the holder of this key says so",
            key
        ),
        SignatureCheck::Trusted { key } => text!("That is signed with the trusted key {}", key),
        SignatureCheck::Bad { key } => {
            text!("The key {} has not signed that", key)
        }
        _ => text!("A newer program knows who vouches for that"),
    }
}

/// Refuses to go on with an execution whose log is erased.
pub(super) fn refuse(record: &ExecutionRecord) -> anyhow::Result<()> {
    if record.erased.is_some() {
        refuse!(
            "log_erased",
            "the log of {} is erased: nothing can follow on it",
            record.id
        );
    }
    Ok(())
}
