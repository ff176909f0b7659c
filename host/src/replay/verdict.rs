//! The answer of an audit: a verdict, or the reason why there is none.

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::divergence::{Advice, Compared, Divergence};
use super::missing::Missing;
use super::rule::Rule;
use crate::guest::{ComponentError, LibraryError};
use crate::log::{Attestation, Timestamp};
use crate::model::Digest;
use crate::store::StoreError;
use crate::time::rfc3339;

/// The conclusion of an audit about one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The log is whole and legal, and its guest decides the same.
    Clean,
    /// The log is erased: its chain is whole, and what is left of it is legal. No guest
    /// can be asked any more. An attestation says what its audit said before, and
    /// [`Audit::signature`] who vouches for that: without a signature it proves nothing.
    Erased,
    /// The guest decides something else, or the store says something else than the log.
    Divergent,
    /// An event was edited, removed, inserted or moved.
    Tampered,
    /// An event may not stand where it stands.
    Illegal,
    /// The log does not decode.
    Unreadable,
    /// The log has an event of a kind that this program does not know, or something that
    /// its guest cannot know, so that nothing can be said of it: a newer one can.
    Newer,
}

impl Verdict {
    /// Whether nothing is wrong with a log of this verdict.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Clean | Self::Erased)
    }

    /// The verdict in a word, as it is written in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Erased => "erased",
            Self::Divergent => "divergent",
            Self::Tampered => "tampered",
            Self::Illegal => "illegal",
            Self::Unreadable => "unreadable",
            Self::Newer => "newer",
        }
    }
}

/// Who vouches for an attestation or an anchor. A key is named by its
/// [fingerprint](crate::signing::PublicKey::fingerprint).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureCheck {
    /// Nobody has signed it: it proves nothing.
    Unsigned,
    /// It is signed with a key that nobody named as trusted. It proves that the
    /// holder of this key says so.
    Untrusted {
        /// The key.
        key: String,
    },
    /// It is signed with a key that was named as trusted.
    Trusted {
        /// The key.
        key: String,
    },
    /// It is signed in a way that this program cannot check: nothing is known of it.
    NotChecked {
        /// The algorithm.
        algorithm: String,
    },
    /// The signature is not that of its key over this of this execution: one of the
    /// three was changed, or it was taken from elsewhere.
    Bad {
        /// The key that is said to have signed it.
        key: String,
    },
}

/// What an anchor says of a log (law 4): that it was whole up to an event, at a time, and
/// who vouches for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AnchorCheck {
    /// Where the anchor stands: a file and a line.
    pub place: String,
    /// The event whose hash it names.
    pub sequence: u64,
    /// When it was noted. `None` where the document does not say.
    #[serde(serialize_with = "as_time")]
    pub at: Option<Timestamp>,
    /// Whether that is the log's last event. If not, the log has gone on since, and
    /// nothing vouches for what came later.
    pub complete: bool,
    /// Who vouches for it. A signature that does not hold says nothing of the log, and
    /// much of the anchors.
    pub signature: SignatureCheck,
}

fn as_time<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    at.and_then(rfc3339).serialize(to)
}

/// The audit of one execution.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// The execution. `None` if even that cannot be read.
    pub execution_id: Option<String>,
    /// The conclusion of the audit.
    pub verdict: Verdict,
    /// The number of events in the log, as far as it can be read.
    pub events: u64,
    /// The hash of the last of them, which is the log's head. `None` if the log cannot be
    /// read, or is empty.
    pub head: Option<Digest>,
    /// The number of decisions that were asked for again and came out the same.
    pub decisions: u64,
    /// Whether the log ends where a turn's budget cut its guest off, so that the
    /// execution is owed a step. Nothing is wrong with that. The store or the export's
    /// header claims it outside of the log, and the guest confirms it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owed_a_step: bool,
    /// The execution that it was forked from, and whether both logs agree in what they
    /// have in common (law 11). `None` if it is of no fork.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<Link>,
    /// The children of which the store owes something to this execution, or this execution
    /// something to them: what is due in the next turn (law 3).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owed_children: Vec<String>,
    /// For a child: its link with its parent (law 11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_of: Option<Link>,
    /// The events that other logs at hand name of this one, or this one of them, and that
    /// are not there: what they say was not compared (law 11).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// That the log was erased, by whom, and what its audit said before. `None` if it
    /// is whole.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_json")]
    pub erased: Option<Attestation>,
    /// Who vouches for that. `None` if the log is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureCheck>,
    /// What the anchors that the auditor was given say of it
    /// ([`Auditor::with_anchors`](super::Auditor::with_anchors)): a signature that does not
    /// hold, else the best of them. `None` if none is of this execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorCheck>,
    /// The first fault. `None` if there is none.
    pub divergence: Option<Divergence>,
}

/// What is asked about instead of what the log is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WhatIf {
    /// Nothing: the log is held against its own guest.
    Nothing,
    /// What another guest would have decided.
    OtherGuest,
    /// What its guest would have decided from another beginning.
    OtherBeginning,
}

impl Audit {
    /// Takes what was found, with the rule that it is about and what to do next. Where
    /// something else was asked about than what the log is of, a divergence is nothing bad.
    pub(super) fn conclude(&mut self, finding: (Verdict, Box<Divergence>), asked: WhatIf) {
        let (verdict, mut found) = (finding.0, *finding.1);
        let is_of_store = found.compared == Some(Compared::LogWithStore);
        let (law, advice) = match verdict {
            Verdict::Newer => (None, Advice::UseNewer),
            Verdict::Divergent if is_of_store => (Some(3), Advice::RestoreBackup),
            Verdict::Divergent if asked == WhatIf::OtherGuest => (Some(2), Advice::KeepGuest),
            Verdict::Divergent | Verdict::Illegal if asked == WhatIf::OtherBeginning => {
                (Some(2), Advice::KeepBeginning)
            }
            Verdict::Divergent | Verdict::Illegal => (Some(2), Advice::CompareCopies),
            _ => (Some(4), Advice::CompareCopies),
        };
        found.rule = found.rule.or(law.map(Rule::Law));
        found.advice = advice;
        (self.verdict, self.divergence) = (verdict, Some(found));
    }

    /// Whether nothing is wrong with the log, and a key that was named as trusted has
    /// signed its last event: it is *signed and complete*, where another good one is only
    /// *whole* in itself.
    #[must_use]
    pub fn is_signed_and_complete(&self) -> bool {
        let trusted = |it: &AnchorCheck| {
            it.complete && matches!(it.signature, SignatureCheck::Trusted { .. })
        };
        self.verdict.is_good() && self.anchor.as_ref().is_some_and(trusted)
    }
}

fn as_json<S: Serializer>(erased: &Option<Attestation>, to: S) -> Result<S::Ok, S::Error> {
    let json = erased.as_ref().map(Attestation::to_json);
    let raw = json.map(RawValue::from_string).transpose();
    raw.map_err(S::Error::custom)?.serialize(to)
}

/// The link of a fork with its origin, or of a child with its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Link {
    /// The execution that it was forked from, or that asked for it.
    pub execution_id: String,
    /// The last event that both have in common; of a parent, the event that asks for it.
    pub sequence: u64,
    /// Whether the two logs were compared.
    pub link: LinkState,
}

/// Whether the log of a fork was compared with that of its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkState {
    /// They agree in what they have in common. Of a child also: it began as its parent's
    /// guest ordered it, and ended as its parent was told.
    Linked,
    /// Of a child: they agree, as far as they can be compared. One of them is erased, or the
    /// parent's guest is not at hand, so that nobody knows the input that was ordered.
    PartlyCompared,
    /// They agree in what is there. One of them ends before an event that the other one
    /// names: see [`Audit::missing`].
    Cut,
    /// They do not agree.
    Broken,
    /// The origin's log is not at hand.
    OriginMissing,
    /// The origin's log is at hand, and is not whole itself.
    OriginUnsound,
}

/// The reason why an audit could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A guest is not at hand, or does not run.
    #[error(transparent)]
    Guest(#[from] LibraryError),
    /// The store has something else than a guest under this digest.
    #[error("the component that is stored as {digest} is none: {reason}")]
    Component {
        /// Its digest.
        digest: String,
        /// Why not.
        #[source]
        reason: ComponentError,
    },
    /// An export brings something else than a guest under this digest.
    #[error("the component {digest} that the export brings cannot be used: {reason}")]
    Brought {
        /// Its digest.
        digest: String,
        /// Why not.
        #[source]
        reason: ComponentError,
    },
    /// The beginning of a log cannot be changed so, or its guest refuses the workflow then.
    #[error("the beginning of {execution} cannot be changed so: {problem}")]
    Change {
        /// The execution.
        execution: String,
        /// Why not, with the places in the workflow.
        problem: String,
    },
    /// The store, or the file, could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
