//! Who vouches for what is attested of an erased log.
//!
//! Whether the guest of an erased log decided so cannot be found out any more. What is
//! left is the word of the person or program that audited it, and that is worth as much
//! as the key that signed it. Which keys are trusted the auditor's user says, and no log.

use std::collections::BTreeSet;

use super::divergence::Divergence;
use super::integrity::Finding;
use super::source::{Claimed, Recording};
use super::verdict::{SignatureCheck, Verdict};
use crate::signing::PublicKey;

/// Who vouches for what is said of this log's erasure. `None` if it is said to be whole.
pub(super) fn check(
    recording: &Recording,
    trusted: &BTreeSet<PublicKey>,
) -> Option<SignatureCheck> {
    let attestation = recording.claimed.attestation()?;
    let Some(signature) = attestation.signature else {
        return Some(SignatureCheck::Unsigned);
    };
    let key = signature.key.fingerprint();
    Some(if !attestation.is_signed_for(recording.execution_id) {
        SignatureCheck::Bad { key }
    } else if trusted.contains(&signature.key) {
        SignatureCheck::Trusted { key }
    } else {
        SignatureCheck::Untrusted { key }
    })
}

/// A signature that does not hold is a fault, whichever keys are trusted.
pub(super) fn holds(recording: &Recording, check: Option<&SignatureCheck>) -> Result<(), Finding> {
    let Some(SignatureCheck::Bad { key }) = check else {
        return Ok(());
    };
    let place = match recording.claimed {
        Claimed::Store { .. } => "in the execution's record",
        Claimed::Header { .. } => "in the header, line 1",
    };
    let message = format!(
        "the attestation {place}, is not what the key {key} has signed for this execution: it was changed, or it is that of another execution, or its signature was changed"
    );
    Err((Verdict::Tampered, Divergence::plain(0, message).into()))
}
