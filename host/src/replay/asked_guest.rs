//! One place of a log, and the guest that is asked there. What the guest answers is
//! compared with what the log goes on with; where the two differ, the [`Divergence`] says
//! what was expected, what was found, and what a fresh instance says of the state.

use std::sync::Arc;

use serde_json::{Value, json};

use super::divergence::{Compared, Divergence, DivergenceCode, node_of};
use super::guests::{Guests, Reuse};
use super::integrity::Finding;
use super::player::Player;
use super::ports::{Mismatch, ReplayPorts, ordered_by};
use super::rule::Rule;
use super::source::Recording;
use super::verdict::{AuditError, Verdict};
use crate::guest::{CallError, GuestFailure, LibraryError};
use crate::log::json::write_event;
use crate::model::{Event, Outcome, SchedulerError};
use crate::store::Timestamp;

/// Why a walk ends early.
pub(super) enum Stop {
    /// Something is wrong with the log.
    Found(Finding),
    /// The audit cannot be done.
    Failed(AuditError),
}

impl Stop {
    /// The same; what was found has this cause.
    fn because(mut self, cause: String) -> Self {
        if let Self::Found((_, divergence)) = &mut self {
            divergence.cause = Some(cause);
        }
        self
    }
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Self::Found(finding)
    }
}

impl From<LibraryError> for Stop {
    fn from(error: LibraryError) -> Self {
        Self::Failed(error.into())
    }
}

/// A guest that has the execution, at a place of its log.
pub(super) struct AskedGuest<'a, 'l> {
    guests: &'a mut Guests<'l>,
    reuse: Reuse,
    /// Whether a guest took part that had played other logs before.
    pub(super) reused: bool,
    recording: Arc<Recording>,
    player: Player,
    pub(super) digest: String,
    /// How many events are behind it.
    pub(super) done: usize,
}

impl<'a, 'l> AskedGuest<'a, 'l> {
    /// The guest of this digest, before event 1.
    pub(super) fn new(
        guests: &'a mut Guests<'l>,
        digest: String,
        recording: Arc<Recording>,
        reuse: Reuse,
    ) -> Result<Self, LibraryError> {
        let (player, reused) = guests.player(&digest, &recording, reuse)?;
        Ok(Self {
            guests,
            reuse,
            reused,
            recording,
            player,
            digest,
            done: 0,
        })
    }

    /// Nothing more is asked.
    pub(super) fn over(self) {
        self.guests.put_back(&self.digest, self.player);
    }

    /// The next event is a fact: the guest sees it.
    pub(super) fn show_next(&mut self) {
        self.done += 1;
        self.player.show_first(self.done);
    }

    /// The execution is handed to another guest, which has seen the same events.
    pub(super) fn hand_over(&mut self, digest: String) -> Result<(), LibraryError> {
        let (player, reused) = self.guests.player(&digest, &self.recording, self.reuse)?;
        self.reused |= reused;
        let before = std::mem::replace(&mut self.player, player);
        self.guests.put_back(&self.digest, before);
        self.digest = digest;
        self.player.show_first(self.done);
        Ok(())
    }

    /// What it did when it was asked last.
    pub(super) fn ports(&self) -> &ReplayPorts {
        self.player.ports()
    }

    /// Asks the guest. Whatever it does must stand in the log.
    pub(super) fn step(&mut self, at: Timestamp) -> Result<Outcome, Stop> {
        let (answer, mismatch) = self.asked(at);
        self.judged(answer, mismatch)
    }

    /// Asks the guest: what it answers, and what it did that does not stand in the log.
    pub(super) fn asked(
        &mut self,
        at: Timestamp,
    ) -> (Result<Outcome, CallError>, Option<Mismatch>) {
        let answer = self.player.step(at);
        (answer, self.player.ports().mismatch().cloned())
    }

    /// What follows from what the guest answered and did.
    pub(super) fn judged(
        &mut self,
        answer: Result<Outcome, CallError>,
        mismatch: Option<Mismatch>,
    ) -> Result<Outcome, Stop> {
        if let Some(mismatch) = mismatch {
            return self.mismatched(&mismatch);
        }
        match answer {
            Ok(outcome) => Ok(outcome),
            Err(CallError::Store(error)) => Err(Stop::Failed(error.into())),
            Err(CallError::Scheduler(SchedulerError::Illegal(illegal))) => {
                let mut divergence = Divergence::plain(illegal.sequence, illegal.reason);
                divergence.cause = Some(format!("{:?}", illegal.code));
                divergence.found = self.event_json(illegal.sequence);
                found(Verdict::Illegal, divergence)
            }
            Err(CallError::Newer(newer)) => {
                let sequence = newer.sequence.unwrap_or(self.done as u64 + 1);
                let divergence = Divergence::plain(sequence, newer.to_string());
                found(Verdict::Newer, divergence)
            }
            Err(error) => {
                let message = format!("the guest gives no answer: {error}");
                self.diverges(DivergenceCode::GuestFailed, &message, None)
                    .map_err(|stop| stop.because(cause_of(&error)))
            }
        }
    }

    fn mismatched(&mut self, mismatch: &Mismatch) -> Result<Outcome, Stop> {
        match mismatch {
            Mismatch::Decision(event) => self.diverges(
                DivergenceCode::OtherDecision,
                "the guest decides otherwise",
                Some(event),
            ),
            Mismatch::Head { expected } => self.diverges(
                DivergenceCode::OtherDecision,
                &format!("the guest takes event {expected} for the last one of the log"),
                None,
            ),
            Mismatch::Order { item, digest } => {
                let message = format!(
                    "the guest orders an item for {:?} that its decision does not name",
                    item.node_id
                );
                let expected = json!({ "node_id": item.node_id, "attempt": item.attempt, "item_digest": digest });
                self.misordered(&item.node_id, message, Some(expected))
            }
            Mismatch::Child(fault) => self.diverges(DivergenceCode::OtherOrder, fault, None),
            Mismatch::Unlawful { item, fault } => {
                let message = format!(
                    "the guest orders what the workflow does not hold: the work item of attempt {} of node {:?} {fault}",
                    item.attempt, item.node_id
                );
                self.misordered(&item.node_id, message, None)
            }
        }
    }

    /// What the guest orders may not be ordered, or is not what it decided.
    fn misordered<T>(
        &mut self,
        node: &str,
        message: String,
        expected: Option<Value>,
    ) -> Result<T, Stop> {
        let sequence = self.ordering_event(node);
        let found = self.event_json(sequence);
        self.concluded(
            Divergence {
                expected,
                found,
                rule: Some(Rule::Scheduling(5)),
                ..Divergence::plain(sequence, message).coded(DivergenceCode::OtherOrder)
            },
            None,
        )
    }

    /// The decision of the last batch that orders this node's item, or the
    /// batch's first.
    fn ordering_event(&self, node: &str) -> u64 {
        let batch = self.player.ports().batch();
        let named = batch
            .iter()
            .find(|stored| ordered_by(&stored.event.kind).is_some_and(|(id, ..)| id == node));
        named
            .or(batch.first())
            .map_or(self.done as u64 + 1, |stored| stored.event.sequence)
    }

    /// The log and the guest part: at what the guest decided, or else at the
    /// event after those it has seen.
    pub(super) fn diverges<T>(
        &mut self,
        code: DivergenceCode,
        message: &str,
        expected: Option<&Event>,
    ) -> Result<T, Stop> {
        let rule = expected.and_then(|event| Rule::of_decision(&event.kind));
        let sequence = expected.map_or(self.player.ports().revealed() as u64 + 1, |event| {
            event.sequence
        });
        let found = self.event_json(sequence);
        let node = expected
            .and_then(|event| node_of(&event.kind))
            .map(str::to_owned)
            .or_else(|| self.node_at(sequence));
        // One that is there, and has no JSON form, is not missing.
        let message = match expected {
            Some(_) if self.recording.event(sequence).is_none() => {
                format!("{message}: the log ends before event {sequence}, which is missing")
            }
            _ => format!("{message}, at event {sequence}"),
        };
        let expected = expected.and_then(|event| as_json(&write_event(event)));
        let divergence = Divergence::between(sequence, message, expected, found)
            .compared(Compared::GuestWithLog);
        self.concluded(
            Divergence {
                rule,
                ..divergence.coded(code)
            },
            node,
        )
    }

    /// A divergence, with what a fresh instance says of the state just before
    /// it. One that cannot say anything leaves that out.
    fn concluded<T>(
        &mut self,
        mut divergence: Divergence,
        node: Option<String>,
    ) -> Result<T, Stop> {
        let fresh = self
            .guests
            .player(&self.digest, &self.recording, Reuse::Forbidden);
        if let Ok((mut player, _)) = fresh {
            player.show_first(self.done);
            divergence.state_hash = player.inspect().ok().map(|inspection| inspection.hash);
            divergence.explanation = node.and_then(|node| player.explain(&node).ok());
            let reason = divergence
                .explanation
                .as_ref()
                .and_then(|it| it.reasons.first());
            let named = reason.and_then(|it| Rule::of_cause(&it.cause));
            divergence.rule = divergence.rule.or(named);
        }
        found(Verdict::Divergent, divergence)
    }

    fn event_json(&self, sequence: u64) -> Option<Value> {
        self.recording
            .event(sequence)
            .and_then(|event| as_json(&write_event(event)))
    }

    fn node_at(&self, sequence: u64) -> Option<String> {
        self.recording
            .event(sequence)
            .and_then(|event| node_of(&event.kind))
            .map(str::to_owned)
    }
}

/// The walk ends with this finding.
pub(super) fn found<T>(verdict: Verdict, divergence: Divergence) -> Result<T, Stop> {
    Err(Stop::Found((verdict, Box::new(divergence))))
}

/// How a guest failed, in a word: the same word for the same failure elsewhere.
fn cause_of(error: &CallError) -> String {
    let told = match error {
        CallError::Guest(GuestFailure::Trapped(trap)) => return format!("Trapped {trap:?}"),
        CallError::Guest(failure) => format!("{failure:?}"),
        CallError::Scheduler(refusal) => format!("{refusal:?}"),
        CallError::Store(_) | CallError::Newer(_) => format!("{error:?}"),
    };
    let end = told.find(|c: char| !c.is_alphanumeric());
    told[..end.unwrap_or(told.len())].to_owned()
}

fn as_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
