//! The beginning of a log, replayed as the log of another execution: what a fork has
//! in common with its origin.

use std::sync::Arc;

use super::asked_guest::Stop;
use super::divergence::Divergence;
use super::guests::{Guests, Reuse};
use super::integrity::{self, Finding};
use super::source::Recording;
use super::verdict::{AuditError, Verdict};
use super::walk::Walk;
use crate::guest::Library;
use crate::store::ItemRecord;

/// Why a log cannot be gone on from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unfit {
    /// What an audit says of it.
    pub verdict: Verdict,
    /// The first place where it is not what it should be.
    pub divergence: Box<Divergence>,
}

impl From<Finding> for Unfit {
    fn from((verdict, divergence): Finding) -> Self {
        Self {
            verdict,
            divergence,
        }
    }
}

/// Checks all of a log that needs no guest: laws 1, 4, 5 and 6.
///
/// # Errors
/// [`Unfit`] with the first fault.
pub fn check_log(recording: &Recording) -> Result<(), Unfit> {
    Ok(integrity::check(recording)?)
}

/// Replays the beginning of a log with the guests that it names, which the library must
/// have. What may be missing at its end is not asked (law 2). Answers the work items that
/// there are then: a log has their digests only.
///
/// # Errors
/// [`AuditError`] if it cannot be done.
pub fn replay_beginning(
    library: &mut Library,
    beginning: Recording,
) -> Result<Result<Vec<ItemRecord>, Unfit>, AuditError> {
    if let Err(unfit) = check_log(&beginning) {
        return Ok(Err(unfit));
    }
    match replayed(&mut Guests::new(library), Arc::new(beginning)) {
        Ok(items) => Ok(Ok(items)),
        Err(Stop::Found(finding)) => Ok(Err(finding.into())),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn replayed(guests: &mut Guests<'_>, beginning: Arc<Recording>) -> Result<Vec<ItemRecord>, Stop> {
    let mut walk = Walk::start(guests, None, beginning, Reuse::Forbidden)?;
    walk.replay_events()?;
    Ok(walk.into_items())
}
