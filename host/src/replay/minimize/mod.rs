//! A log that diverges, or on which a guest fails, becomes the smallest workflow and log of
//! which the same is wrong.
//!
//! A log is what an execution begins with and what the world did; its decisions follow from
//! these. So a part of it is left out, the rest is offered to a scheduler anew, and what it
//! decides is the log of another execution, as honest as any. If the guest that was asked
//! leaves that log in the same way as the first one, then the part was not needed. What is
//! compared stands in `failure`, and an audit of the smaller log finds it.
//!
//! The modules, from the bottom up; each may use those above it in this list.

// What has to stay the same.
mod failure;
// What facts say, and what can be left out of them.
mod facts;
// A log as something that can be made smaller.
mod case;
// It becomes a log again.
mod play;
mod written;
// A test of schedulers is made of it.
mod search;
mod table;
// What can be left out, or be simpler: nodes and edges, kinds, places in JSON, items of lists,
// words.
mod nodes;
mod kinds;
mod spots;
mod items;
mod names;
// What is tried, and in which order.
mod passes;

use std::sync::Arc;

use case::Case;
use failure::Failure;
use play::Reference;
use search::{Candidate, Search};
pub use search::{Progress, Size};
use serde::Serialize;

use super::audit::Auditor;
use super::divergence::Divergence;
use super::source::{Claimed, Recording};
use super::verdict::{Audit, AuditError, Verdict};
use crate::guest::Library;
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind};

/// A log that was made smaller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Minimized {
    /// The smaller log.
    pub recording: Arc<Recording>,
    /// What its audit says, which asked the same guest as that of the whole log.
    pub audit: Audit,
    /// What the audit of the whole log said.
    pub audit_before: Audit,
    /// Who has decided what is in it.
    pub written: Written,
    /// The size of the whole log.
    pub before: Size,
    /// Its own size.
    pub after: Size,
    /// How many smaller logs were tried.
    pub tried: u64,
    /// Whether everything was tried. If not, it may say more than is needed, also of what
    /// workers have answered.
    pub is_complete: bool,
    /// The log as a table in the notation of the scheduler's own tests, or why it cannot be
    /// written so.
    pub table: Result<String, String>,
}

/// Who has decided what is in a smaller log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Written {
    /// The guest that the log names: an audit with that one finds nothing wrong.
    ByItsGuest,
    /// The guest that was asked, up to the event at which something is wrong: that event is
    /// as the log had it.
    ByAskedGuest,
}

/// Why a log could not be made smaller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MinimizeError {
    /// The guest decides what the log says.
    #[error("nothing is wrong with the log: the guest decides what it says")]
    NothingWrong,
    /// The log itself is not sound, whichever guest is asked.
    #[error("the log itself is not sound, so that no part of it can be trusted: {0}")]
    Unsound(String),
    /// The log is erased.
    #[error("the log is erased: no guest can be asked about it any more")]
    Erased,
    /// The log is of a newer program, or its guest cannot know something in it.
    #[error("the log holds something newer: {0}")]
    Newer(String),
    /// The log cannot be made anew of its beginning and its facts.
    #[error(
        "what is wrong with the log at event {sequence} does not show in a log that is made anew of its beginning and its facts, so that nothing can be left out"
    )]
    NotReproduced {
        /// The event.
        sequence: u64,
    },
    /// It could not be audited.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Makes a log smaller, as long as `go_on` says so. `asked` is the digest of a guest of the
/// library; `None` if the guests that the log names are asked. These have to be in the
/// library as well; where another one is asked and they are not, see
/// [`Written::ByAskedGuest`].
///
/// # Errors
/// [`MinimizeError`] if there is nothing to be made smaller, or that cannot be.
pub fn minimize(
    library: &mut Library,
    recording: &Recording,
    asked: Option<&str>,
    go_on: &mut dyn FnMut(Progress) -> bool,
) -> Result<Minimized, MinimizeError> {
    let log = Arc::new(alone(recording));
    let copy = library.clone();
    let mut auditor = Auditor::new(library);
    if let Some(asked) = asked {
        auditor = auditor.with_guest(asked.to_owned());
    }
    let audit_before = auditor.audit_alone(&log)?;
    let (failure, divergence) = fault(&audit_before)?;
    let sequence = divergence.sequence;
    let not_reproduced = MinimizeError::NotReproduced { sequence };
    let Some(whole) = Whole::of(&log, divergence, audit_before.verdict) else {
        return Err(not_reproduced);
    };
    let before = whole.size(&log);
    let Some((reference, best, written)) = whole.begun(&copy, &mut auditor, asked, &failure)?
    else {
        return Err(not_reproduced);
    };
    let mut search = Search {
        auditor,
        reference,
        failure,
        go_on,
        best,
        tried: 0,
        is_over: false,
    };
    passes::shrink(&mut search)?;
    let Search {
        best,
        tried,
        is_over,
        ..
    } = search;
    Ok(Minimized {
        written,
        before,
        after: best.size(),
        tried,
        is_complete: !is_over,
        table: table::of(&best),
        recording: best.recording,
        audit: best.audit,
        audit_before,
    })
}

/// The log without what is claimed besides.
fn alone(recording: &Recording) -> Recording {
    Recording {
        claimed: Claimed::Header {
            guest_digest: recording.first_guest().unwrap_or_default(),
            owed_a_step: recording.claimed.says_owed_a_step(),
            erased: recording.claimed.attestation().cloned(),
        },
        components: Vec::new(),
        ..recording.clone()
    }
}

/// What is wrong with a log.
fn fault(audit: &Audit) -> Result<(Failure, &Divergence), MinimizeError> {
    let told = || {
        let found = audit.divergence.as_ref();
        found.map_or_else(String::new, |found| found.message.clone())
    };
    match (audit.verdict, Failure::of(audit), audit.divergence.as_ref()) {
        (Verdict::Erased, ..) => Err(MinimizeError::Erased),
        (Verdict::Newer, ..) => Err(MinimizeError::Newer(told())),
        (Verdict::Tampered | Verdict::Unreadable, ..) => Err(MinimizeError::Unsound(told())),
        // It may not stand there whatever a guest says.
        (Verdict::Illegal, Some(failure), _) if !failure.is_of_guest() => {
            Err(MinimizeError::Unsound(told()))
        }
        (_, Some(failure), Some(divergence)) => Ok((failure, divergence)),
        _ => Err(MinimizeError::NothingWrong),
    }
}

/// The log up to the place where something is wrong.
struct Whole {
    case: Case,
    /// The same, ending as the log does.
    ending: Case,
    /// The guest that has decided there.
    own: Digest,
    id: ExecutionId,
    /// The events of the whole log.
    events: usize,
}

impl Whole {
    fn of(log: &Recording, divergence: &Divergence, verdict: Verdict) -> Option<Self> {
        let sequence = divergence.sequence;
        let own = log.events.iter().map(|stored| &stored.event);
        let own = own.take_while(|event| event.sequence < sequence.max(2));
        let own = own.filter_map(|event| match &event.kind {
            EventKind::WorkflowStarted(started) => Some(started.guest_digest),
            EventKind::GuestChanged(changed) => Some(changed.guest_digest),
            _ => None,
        });
        let case = Case::of(log, divergence)?;
        let is_change = |fact: &EventKind| matches!(fact, EventKind::GuestChanged(_));
        let case = case.without_kinds(is_change);
        let ending = case
            .clone()
            .ending_as(log.event(sequence), verdict, divergence);
        let mut id = [0; 16];
        id.copy_from_slice(&log.head.hash[..16]);
        Some(Self {
            case,
            ending,
            own: own.last()?,
            id: ExecutionId::from_bytes(id),
            events: log.events.len(),
        })
    }

    fn size(&self, log: &Recording) -> Size {
        search::size(log.events.len(), &log.workflow, &self.case)
    }

    /// The log as it is made anew, of which the same is wrong: by its own guest, or else by
    /// the one that is asked. `None` if that is not to be had.
    fn begun(
        &self,
        library: &Library,
        auditor: &mut Auditor<'_>,
        asked: Option<&str>,
        failure: &Failure,
    ) -> Result<Option<(Reference, Candidate, Written)>, AuditError> {
        let own = self.own.to_string();
        let asked = asked.unwrap_or(&own);
        let is_known = library.bytes(&own).is_some();
        let reference =
            |digest: &str| Reference::new(library.clone(), digest.to_owned(), self.own, self.id);
        let mut ways = Vec::new();
        if asked != own && is_known {
            ways.push((reference(&own), &self.case, Written::ByItsGuest));
        }
        ways.push((
            reference(asked).that_may_fail(),
            &self.ending,
            Written::ByAskedGuest,
        ));
        for (mut reference, case, written) in ways {
            reference.bound(self.events);
            // A fork's log does not follow from its facts alone.
            for case in [case.clone(), case.clone().unforked()] {
                let asked = (&mut *auditor, &mut reference);
                if let Some(found) = Candidate::of(&case, asked, failure)? {
                    return Ok(Some((reference, found, written)));
                }
            }
        }
        Ok(None)
    }
}
