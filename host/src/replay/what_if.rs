//! What would another guest have decided? Asked of many logs at once.
//!
//! The *exact* mode: each log is replayed as it was recorded, decision by decision, with
//! another guest or another beginning ([`Change`](super::Change)), and the first decision
//! that would be another ends it. Nothing of the log is left out, and nothing is
//! invented: from there on the other guest would have seen other facts.

use serde::Serialize;

use super::audit::Auditor;
use super::threads::in_threads;
use super::verdict::{Audit, AuditError, Verdict};
use crate::guest::Library;

/// Audits many logs on several threads, one for each of `workers`: what a thread needs of
/// its own, such as a store to read from. `set_up` says how its auditor asks, and `one`
/// audits one log. The answers stand in the order of the logs. Each thread has instances of
/// its own of the library's guests, whose code all share.
///
/// # Panics
/// When `set_up` or `one` does.
pub fn audit_many<L: Sync, W: Send, R: Send>(
    library: &Library,
    workers: Vec<W>,
    logs: &[L],
    set_up: impl for<'a> Fn(Auditor<'a>) -> Auditor<'a> + Sync,
    one: impl Fn(&mut Auditor<'_>, &mut W, &L) -> Result<R, AuditError> + Sync,
) -> Vec<Result<R, AuditError>> {
    in_threads(workers, logs, |mut worker, take_next| {
        let mut library = library.clone();
        let mut auditor = set_up(Auditor::new(&mut library));
        while take_next(&mut |log| one(&mut auditor, &mut worker, log)) {}
    })
}

/// What came of asking another guest about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It would decide the same.
    Same,
    /// It would decide otherwise, or not take what the log has.
    Diverges,
    /// The log itself is not sound, whichever guest is asked.
    Unsound,
    /// The log is erased, and no guest can be asked about it.
    Erased,
    /// The log is of a newer program, or the guest cannot know something in it.
    Newer,
}

impl Outcome {
    /// What this audit with another guest comes to.
    #[must_use]
    pub fn of(audit: &Audit) -> Self {
        match audit.verdict {
            Verdict::Clean => Self::Same,
            Verdict::Erased => Self::Erased,
            Verdict::Divergent | Verdict::Illegal => Self::Diverges,
            Verdict::Tampered | Verdict::Unreadable => Self::Unsound,
            Verdict::Newer => Self::Newer,
        }
    }
}

/// How many logs came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The guest would decide the same.
    pub same: usize,
    /// It would decide otherwise.
    pub diverge: usize,
    /// The log itself is not sound.
    pub unsound: usize,
    /// The log is erased.
    pub erased: usize,
    /// The log is of a newer program.
    pub newer: usize,
    /// The events of all these logs.
    pub events: u64,
    /// The decisions that came out the same.
    pub decisions: u64,
}

impl Summary {
    /// Counts these audits.
    #[must_use]
    pub fn of<'a>(audits: impl IntoIterator<Item = &'a Audit>) -> Self {
        let mut summary = Self::default();
        for audit in audits {
            *match Outcome::of(audit) {
                Outcome::Same => &mut summary.same,
                Outcome::Diverges => &mut summary.diverge,
                Outcome::Unsound => &mut summary.unsound,
                Outcome::Erased => &mut summary.erased,
                Outcome::Newer => &mut summary.newer,
            } += 1;
            summary.events += audit.events;
            summary.decisions += audit.decisions;
        }
        summary
    }

    /// Whether nothing would be otherwise, and each log is sound.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.diverge == 0 && self.unsound == 0
    }
}
