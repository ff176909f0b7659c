//! Where do two guests part? Asked of many logs at once: what is the smallest beginning of a
//! log on which they decide differently?
//!
//! Each log is replayed with both, exactly as it was recorded. They have seen the same events
//! up to the first decision in which one of them leaves the log, and so the log need not be
//! of either of them. Behind that decision they would have seen different logs, and nothing
//! is said of it. Because a log only grows, the first place in each log is the smallest
//! beginning of that log, and no search by halves is needed.

use std::sync::Arc;

use serde::Serialize;

use super::audit::Auditor;
use super::blank::unreadable;
use super::divergence::Divergence;
use super::source::Reading;
use super::threads::in_threads;
use super::verdict::{Audit, AuditError, Verdict};
use super::what_if::Outcome;
use crate::guest::Library;

/// What two guests made of one log.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Bisected {
    /// The execution. `None` if even that cannot be read.
    pub execution_id: Option<String>,
    /// The number of events in the log, as far as it can be read.
    pub events: u64,
    /// What came of asking both.
    pub outcome: Parting,
    /// After so many events they decide differently, or only one of them takes what the log
    /// has next. `None` if they do not part.
    pub after: Option<u64>,
    /// Where the first of the two leaves the log. `None` if it decides what the log says.
    pub good: Option<Divergence>,
    /// Where the second leaves it.
    pub bad: Option<Divergence>,
}

/// What came of asking two guests about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Parting {
    /// Both decide what the log says.
    Same,
    /// They decide differently.
    Parts,
    /// Both leave the log at the same place and in the same way. What they would decide
    /// later is not known.
    LeaveTogether,
    /// The log itself is not sound, whichever guest is asked.
    Unsound,
    /// The log is erased, and no guest can be asked about it.
    Erased,
    /// The log is of a newer program, or one of the guests cannot know something in it.
    Newer,
}

impl Bisected {
    fn of(good: Audit, bad: Audit) -> Self {
        let outcome = parting(&good, &bad);
        let places = [&good, &bad].map(|audit| audit.divergence.as_ref());
        let first = places.iter().flatten().map(|it| it.sequence).min();
        Self {
            after: first
                .filter(|_| outcome == Parting::Parts)
                .map(|first| first.saturating_sub(1)),
            outcome,
            execution_id: good.execution_id,
            events: good.events,
            good: good.divergence,
            bad: bad.divergence,
        }
    }
}

fn parting(good: &Audit, bad: &Audit) -> Parting {
    let outcomes = [good, bad].map(Outcome::of);
    let is_any = |outcome| outcomes.contains(&outcome);
    if is_any(Outcome::Unsound) {
        return Parting::Unsound;
    }
    if is_any(Outcome::Erased) {
        return Parting::Erased;
    }
    if is_any(Outcome::Newer) {
        return Parting::Newer;
    }
    match (&good.divergence, &bad.divergence) {
        (None, None) => Parting::Same,
        (Some(left), Some(right)) if said(good.verdict, left) == said(bad.verdict, right) => {
            Parting::LeaveTogether
        }
        _ => Parting::Parts,
    }
}

/// What a guest does where it leaves the log.
fn said(verdict: Verdict, it: &Divergence) -> impl PartialEq {
    (
        verdict,
        it.sequence,
        it.code,
        it.expected.clone(),
        it.cause.clone(),
    )
}

/// Asks two guests of the library, by their digests, about many logs, on several threads:
/// one for each of `workers`, which is what a thread needs of its own to `read` a log. The
/// answers stand in the order of the logs; `None` where there is no log to be read.
///
/// # Panics
/// When `read` does.
pub fn bisect_many<L: Sync, W: Send>(
    library: &Library,
    workers: Vec<W>,
    logs: &[L],
    (good, bad): (&str, &str),
    read: impl Fn(&mut W, &L) -> Result<Option<Reading>, AuditError> + Sync,
) -> Vec<Result<Option<Bisected>, AuditError>> {
    in_threads(workers, logs, |mut worker, take_next| {
        let mut libraries = [library.clone(), library.clone()];
        let [first, second] = &mut libraries;
        let mut good = Auditor::new(first).with_guest(good.to_owned());
        let mut bad = Auditor::new(second).with_guest(bad.to_owned());
        let mut one = |log: &L| match read(&mut worker, log)? {
            None => Ok(None),
            Some(Err(found)) => {
                let audit = unreadable(found);
                Ok(Some(Bisected::of(audit.clone(), audit)))
            }
            Some(Ok(recording)) => {
                let recording = Arc::new(recording);
                let good = good.audit_alone(&recording)?;
                Ok(Some(Bisected::of(good, bad.audit_alone(&recording)?)))
            }
        };
        while take_next(&mut one) {}
    })
}
