//! The search for a smaller log: one is tried after another, and kept if the same is still
//! wrong with it.
//!
//! Parts are left out as *delta debugging* does it (Zeller and Hildebrandt, "Simplifying and
//! Isolating Failure-Inducing Input", 2002): first large pieces, then smaller ones, down to
//! single parts. Of that algorithm's two tests only that of the complement is made, piece by
//! piece from the first to the last: what is needed is mostly in few places of a log.

use std::ops::Range;
use std::sync::Arc;

use super::case::{Case, Turn};
use super::failure::Failure;
use super::play::{Played, Reference};
use super::written;
use crate::log::canonical;
use crate::replay::audit::Auditor;
use crate::replay::source::Recording;
use crate::replay::verdict::{Audit, AuditError};

/// How large a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Size {
    /// Its events.
    pub events: u64,
    /// The nodes of its workflow.
    pub nodes: u64,
    /// The bytes of its workflow, of its input and of what the world has said.
    pub bytes: u64,
}

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many smaller logs were tried.
    pub tried: u64,
    /// The size of the smallest that shows the same.
    pub size: Size,
}

/// A log of which the same is wrong.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) case: Case,
    pub(super) played: Played,
    pub(super) recording: Arc<Recording>,
    pub(super) audit: Audit,
}

/// The search, and the best that it has found.
pub(super) struct Search<'a, 'l> {
    pub(super) auditor: Auditor<'l>,
    pub(super) reference: Reference,
    pub(super) failure: Failure,
    /// Whether to go on.
    pub(super) go_on: &'a mut dyn FnMut(Progress) -> bool,
    pub(super) best: Candidate,
    pub(super) tried: u64,
    /// It was told not to go on.
    pub(super) is_over: bool,
}

/// As many tests as one sweep over large logs may make, times their events.
const EVENTS_PER_SWEEP: usize = 400_000;

/// As many pieces are tried at the least, however long the log is.
const PIECES_MIN: usize = 8;

impl Candidate {
    /// The log of this case, if this failure shows in it.
    pub(super) fn of(
        case: &Case,
        (auditor, reference): (&mut Auditor<'_>, &mut Reference),
        failure: &Failure,
    ) -> Result<Option<Self>, AuditError> {
        let Some(played) = reference.play(case)? else {
            return Ok(None);
        };
        for recording in written::recordings(case, &played) {
            let audit = auditor.audit_alone(&recording)?;
            if Failure::of(&audit).as_ref() == Some(failure) {
                return Ok(Some(Self {
                    case: case.clone(),
                    played: played.clone(),
                    recording,
                    audit,
                }));
            }
        }
        Ok(None)
    }

    pub(super) fn size(&self) -> Size {
        let Recording {
            events, workflow, ..
        } = &*self.recording;
        size(events.len(), workflow, &self.case)
    }

    /// The case without facts that were not taken, turns in which nothing happened, and all
    /// that came after the place where the fault shows.
    fn tidied(&self) -> Case {
        let sequence = self.audit.divergence.as_ref().map_or(0, |it| it.sequence);
        let turns = self.played.turns.iter();
        let seen = turns.take_while(|turn| (turn.facts.start as u64) < sequence);
        let is_idle =
            |turn: &Turn, decisions: Range<usize>| turn.facts.is_empty() && decisions.is_empty();
        let kept = seen
            .enumerate()
            .filter(|(place, turn)| *place == 0 || !is_idle(&turn.taken, turn.decisions()));
        let kept: Vec<Turn> = kept.map(|(_, turn)| turn.taken.clone()).collect();
        Case {
            turns: kept,
            ..self.case.clone()
        }
    }
}

/// The size of a log of this case.
pub(super) fn size(events: usize, workflow: &str, case: &Case) -> Size {
    let given = workflow.len() + case.started.initial_input.len();
    let facts = case.facts().map(canonical::kind_length);
    Size {
        events: events as u64,
        nodes: case.nodes().count() as u64,
        bytes: (given + facts.sum::<usize>()) as u64,
    }
}

impl Search<'_, '_> {
    /// Tries this case: if the same is wrong with it, it is the best from now on.
    pub(super) fn holds(&mut self, case: &Case) -> Result<bool, AuditError> {
        if !self.holds_as_it_is(case)? {
            return Ok(false);
        }
        let tidied = self.best.tidied();
        if tidied != self.best.case {
            self.holds_as_it_is(&tidied)?;
        }
        Ok(true)
    }

    fn holds_as_it_is(&mut self, case: &Case) -> Result<bool, AuditError> {
        if self.is_over || *case == self.best.case {
            return Ok(false);
        }
        let progress = Progress {
            tried: self.tried,
            size: self.best.size(),
        };
        if !(self.go_on)(progress) {
            self.is_over = true;
            return Ok(false);
        }
        self.tried += 1;
        let asked = (&mut self.auditor, &mut self.reference);
        let found = Candidate::of(case, asked, &self.failure)?;
        let is_one = found.is_some();
        if let Some(found) = found {
            self.reference.bound(found.recording.events.len());
            self.best = found;
        }
        Ok(is_one)
    }

    /// Leaves out as many parts as can be. `parts` says how many there are, and `without`
    /// makes a case without those that are marked; `None` if that makes none.
    pub(super) fn sweep(
        &mut self,
        parts: impl Fn(&Candidate) -> usize,
        without: impl Fn(&Candidate, &[bool]) -> Option<Case>,
    ) -> Result<(), AuditError> {
        let mut piece = parts(&self.best).div_ceil(2);
        while piece > 0 && !self.is_over {
            let base = self.best.clone();
            let count = parts(&base);
            piece = piece.min(count);
            if piece == 0 || count.div_ceil(piece) > self.pieces_max() {
                return Ok(());
            }
            let mut removed = vec![false; count];
            for first in (0..count).step_by(piece) {
                let end = (first + piece).min(count);
                removed[first..end].fill(true);
                let holds = match without(&base, &removed) {
                    Some(case) => self.holds(&case)?,
                    None => false,
                };
                if !holds {
                    removed[first..end].fill(false);
                }
            }
            piece /= 2;
        }
        Ok(())
    }

    /// Into how many pieces a log of the size of the best is cut at the most.
    fn pieces_max(&self) -> usize {
        let events = self.best.recording.events.len();
        (EVENTS_PER_SWEEP / events.max(1)).max(PIECES_MIN)
    }
}
