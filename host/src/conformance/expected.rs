//! What an auditor has to say of a log.

use serde::{Deserialize, Serialize};

use crate::guest::Library;
use crate::replay::{
    Audit, AuditError, Auditor, DivergenceCode, LinkState, Missing, SignatureCheck, Together,
    Verdict, from_export,
};

/// The answer of an audit of one log, as far as all auditors agree on it. Sentences are no
/// part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Expected {
    /// The conclusion. `None`: the log cannot be audited, because a scheduler that it names is
    /// not at hand.
    pub verdict: Option<Verdict>,
    /// The exit code of `refrain audit --file`.
    pub exit: u8,
    /// The event that is the first fault; 0: the fault is before the events. `None` if there
    /// is none.
    pub sequence: Option<u64>,
    /// How many decisions came out the same before.
    pub decisions: u64,
    /// What is wrong, in a word. `None` if nothing is.
    pub code: Option<DivergenceCode>,
    /// Whether the log ends where a turn's budget cut its scheduler off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owed_a_step: bool,
    /// Of a log that is said to be erased: who vouches for that, with no key trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureWord>,
    /// Of a child or a fork that is given with the log that it names: how they compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkState>,
    /// The events that logs which are given together name of one another, and that are not
    /// there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// What errors call a log of a kit.
const PLACE: &str = "the kit";

/// Who vouches for an attestation, in a word: see [`SignatureCheck`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureWord {
    /// Nobody.
    Unsigned,
    /// The holder of a key that nobody named as trusted.
    Untrusted,
    /// The holder of a key that is trusted.
    Trusted,
    /// It is signed in a way that this program cannot check.
    NotChecked,
    /// The signature does not hold.
    Bad,
}

impl Expected {
    /// What this audit says. An error that is about no log is handed back.
    ///
    /// # Errors
    /// The audit was not done, and not for the lack of a scheduler.
    pub fn of(audit: Result<Audit, AuditError>) -> Result<Self, AuditError> {
        match audit {
            Ok(audit) => Ok(Self::said(&audit)),
            Err(AuditError::Guest(_) | AuditError::Brought { .. }) => Ok(Self {
                exit: 2,
                ..Self::default()
            }),
            Err(error) => Err(error),
        }
    }

    /// What an audit says of each of these logs, which are given together. The library has
    /// the schedulers that they name and do not bring.
    ///
    /// # Errors
    /// An audit was not done, and not for the lack of a scheduler.
    pub fn of_together(library: &mut Library, logs: &[Vec<u8>]) -> Result<Vec<Self>, AuditError> {
        let together = Together::read(1, logs, |log| from_export(log.as_slice(), PLACE).ok()?.ok());
        let mut auditor = Auditor::new(library).with_together(&together);
        let logs = logs.iter();
        logs.map(|log| Self::of(auditor.audit_export(log.as_slice(), PLACE)))
            .collect()
    }

    fn said(audit: &Audit) -> Self {
        let divergence = audit.divergence.as_ref();
        let link = audit.child_of.as_ref().or(audit.forked_from.as_ref());
        Self {
            verdict: Some(audit.verdict),
            exit: match audit.verdict {
                verdict if verdict.is_good() => 0,
                Verdict::Newer => 2,
                _ => 1,
            },
            sequence: divergence.map(|it| it.sequence),
            decisions: audit.decisions,
            code: divergence.map(|it| it.code),
            owed_a_step: audit.owed_a_step,
            signature: audit.signature.as_ref().map(|check| match check {
                SignatureCheck::Unsigned => SignatureWord::Unsigned,
                SignatureCheck::Untrusted { .. } => SignatureWord::Untrusted,
                SignatureCheck::Trusted { .. } => SignatureWord::Trusted,
                SignatureCheck::NotChecked { .. } => SignatureWord::NotChecked,
                SignatureCheck::Bad { .. } => SignatureWord::Bad,
            }),
            link: link
                .map(|it| it.link)
                .filter(|link| *link != LinkState::OriginMissing),
            missing: audit.missing.clone(),
        }
    }
}
