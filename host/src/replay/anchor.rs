//! Heads that were noted elsewhere (law 4), and what they say of a log.
//!
//! A log whose tail was cut off together with the record of its head is whole
//! in itself, and audits clean: a write-ahead log that lost its end, a file
//! that was restored from an older backup. Only a head that was noted somewhere else
//! shows that something is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::anchor_file::{AnchorError, Noted, read};
use super::divergence::Divergence;
use super::integrity::Finding;
use super::source::Recording;
use super::verdict::{AnchorCheck, SignatureCheck, Verdict};
use crate::id::ExecutionId;
use crate::log::digest::hex;
use crate::log::{Anchor, AnchorSignature, Head};
use crate::signing::PublicKey;

/// Heads by their executions, in the order in which they were noted. Logs may have gone
/// on since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(BTreeMap<ExecutionId, Vec<Noted>>);

impl Anchors {
    /// The heads in a document: a file of anchors, one a line ([`Anchor::from_json`]); a
    /// list of executions of the command line, or one of them; or the header of an export,
    /// whatever follows it. `place` names the document in what is found.
    ///
    /// # Errors
    /// The text is something else, with the line where a file of anchors is damaged.
    pub fn read(text: &str, place: &str) -> Result<Self, AnchorError> {
        let mut anchors = Self::default();
        for noted in read(text, place)? {
            let of = anchors.0.entry(noted.anchor.execution_id);
            of.or_default().push(noted);
        }
        Ok(anchors)
    }

    /// These, and then the others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for (id, noted) in others.0 {
            self.0.entry(id).or_default().extend(noted);
        }
        self
    }

    /// The executions whose heads these are.
    pub fn executions(&self) -> impl Iterator<Item = ExecutionId> {
        self.0.keys().copied()
    }

    /// Whether this head stands there already, vouched for by this key, or by nobody.
    #[must_use]
    pub fn holds(&self, id: ExecutionId, head: Head, key: Option<&PublicKey>) -> bool {
        let signer = |it: &Anchor| match &it.signature {
            Some(AnchorSignature::Ed25519(it)) => Some(it.key),
            _ => None,
        };
        let noted = self.0.get(&id).into_iter().flatten();
        noted
            .map(|it| &it.anchor)
            .any(|it| it.head == head && signer(it).as_ref() == key)
    }

    /// Checks that the log, which is whole in itself, still has its noted heads. A head
    /// under a signature that does not hold is nobody's word, and is left aside.
    pub(super) fn check(&self, recording: &Recording) -> Result<(), Finding> {
        let noted = self.0.get(&recording.execution_id).into_iter().flatten();
        for Noted { anchor, .. } in noted.filter(|it| !is_bad(&it.anchor)) {
            check(anchor.head, recording)?;
        }
        Ok(())
    }

    /// What the anchors of this log say of it: the first signature that does not hold, else
    /// the best of them.
    pub(super) fn told_of(
        &self,
        recording: &Recording,
        trusted: &BTreeSet<PublicKey>,
    ) -> Option<AnchorCheck> {
        let noted = self.0.get(&recording.execution_id)?;
        let last = recording.plain().count() as u64;
        let told = noted.iter().map(|it| told(it, last, trusted));
        told.max_by_key(|it| (trust_in(&it.signature), it.sequence))
    }

    /// The finding about an execution that is not there at all.
    pub(super) fn missing(&self, id: ExecutionId) -> Option<Finding> {
        let noted = self.0.get(&id)?.iter().map(|it| &it.anchor);
        let last = noted.max_by_key(|it| (!is_bad(it), it.head.sequence))?;
        Some(cut(0, last.head))
    }
}

fn check(noted: Head, recording: &Recording) -> Result<(), Finding> {
    let place = noted.sequence.checked_sub(1);
    let held = match place {
        None => Some(Head::default()),
        Some(place) => usize::try_from(place)
            .ok()
            .and_then(|place| recording.plain().nth(place))
            .map(|(_, head)| head),
    };
    match held {
        None => Err(cut(recording.plain().count() as u64, noted)),
        Some(held) if held.hash != noted.hash => Err((
            Verdict::Tampered,
            Divergence::between(
                noted.sequence,
                format!(
                    "event {} is another than the anchored head names",
                    noted.sequence
                ),
                Some(hex(&noted.hash).into()),
                Some(hex(&held.hash).into()),
            )
            .into(),
        )),
        Some(_) => Ok(()),
    }
}

fn told(noted: &Noted, last: u64, trusted: &BTreeSet<PublicKey>) -> AnchorCheck {
    let Noted { place, anchor, .. } = noted;
    AnchorCheck {
        place: place.clone(),
        sequence: anchor.head.sequence,
        at: noted.has_time.then_some(anchor.at),
        complete: anchor.head.sequence == last,
        signature: signature_of(anchor, trusted),
    }
}

fn signature_of(anchor: &Anchor, trusted: &BTreeSet<PublicKey>) -> SignatureCheck {
    let signature = match &anchor.signature {
        None => return SignatureCheck::Unsigned,
        Some(AnchorSignature::Other { algorithm, .. }) => {
            let algorithm = algorithm.clone();
            return SignatureCheck::NotChecked { algorithm };
        }
        Some(AnchorSignature::Ed25519(signature)) => signature,
    };
    let key = signature.key.fingerprint();
    match anchor.is_signed_by(signature) {
        false => SignatureCheck::Bad { key },
        true if trusted.contains(&signature.key) => SignatureCheck::Trusted { key },
        true => SignatureCheck::Untrusted { key },
    }
}

fn is_bad(anchor: &Anchor) -> bool {
    matches!(&anchor.signature, Some(AnchorSignature::Ed25519(it)) if !anchor.is_signed_by(it))
}

/// One that does not hold is told before all others.
fn trust_in(signature: &SignatureCheck) -> u8 {
    match signature {
        SignatureCheck::Bad { .. } => 4,
        SignatureCheck::Trusted { .. } => 3,
        SignatureCheck::Untrusted { .. } => 2,
        SignatureCheck::NotChecked { .. } => 1,
        SignatureCheck::Unsigned => 0,
    }
}

fn cut(ends: u64, noted: Head) -> Finding {
    let ends_with = match ends {
        0 => "the execution is not there at all".to_owned(),
        _ => format!("the log ends with event {ends}"),
    };
    let message = format!(
        "event {} is missing: {ends_with}, and its anchored head is event {}",
        ends + 1,
        noted.sequence
    );
    (
        Verdict::Tampered,
        Divergence::plain(ends + 1, message).into(),
    )
}
