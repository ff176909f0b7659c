//! The walk along a log: every decision is asked for again.
//!
//! Wherever event k is a decision, the guest sees events 1 to k − 1 and the
//! clock reading of event k, and what it then appends must be exactly what the
//! log goes on with (law 2). Between turns, and at the end, it must have
//! nothing to add.

use std::sync::Arc;

use serde_json::{Value, json};

use super::divergence::{Compared, Divergence, node_of};
use super::guests::{Guests, Reuse};
use super::integrity::Finding;
use super::player::Player;
use super::ports::{Mismatch, ordered_by};
use super::queue::ExpectedQueue;
use super::source::{Claimed, Recording};
use super::store_claims::Replayed;
use super::verdict::{AuditError, Verdict};
use crate::guest::{CallError, LibraryError};
use crate::log::effect::on_host_stall;
use crate::log::json::write_event;
use crate::model::{Event, EventKind, Origin, Outcome, SchedulerError};
use crate::store::{ItemRecord, Timestamp};

/// Why a walk ends early.
pub(super) enum Stop {
    /// Something is wrong with the log.
    Found(Finding),
    /// The audit cannot be done.
    Failed(AuditError),
}

impl From<LibraryError> for Stop {
    fn from(error: LibraryError) -> Self {
        Self::Failed(error.into())
    }
}

/// One log under audit.
pub(super) struct Walk<'a, 'l> {
    guests: &'a mut Guests<'l>,
    reuse: Reuse,
    /// Whether a guest took part that had played other logs before.
    pub(super) reused: bool,
    /// The guest to ask instead of those that the log names.
    other: Option<String>,
    recording: Arc<Recording>,
    /// The guest that has the execution at this place of the log.
    player: Player,
    guest_digest: String,
    queue: ExpectedQueue,
    /// Events behind us.
    done: usize,
    decisions: u64,
    /// The host saw the guest fail, and nobody has lifted the stall yet.
    host_stalled: bool,
    /// What the guest said when it had decided all that there was at this
    /// time; none once it has seen more.
    settled: Option<(Timestamp, Outcome)>,
    /// What it said last, if nothing stands behind that.
    last: Option<Outcome>,
    /// The log ends where a turn's budget cut the guest off.
    owed_a_step: bool,
}

impl<'a, 'l> Walk<'a, 'l> {
    /// Stand before event 1, which must be `workflow_started`.
    pub(super) fn start(
        guests: &'a mut Guests<'l>,
        other: Option<String>,
        recording: Arc<Recording>,
        reuse: Reuse,
    ) -> Result<Self, Stop> {
        let named = recording.first_guest().unwrap_or_default();
        let guest_digest = other.clone().unwrap_or(named);
        let (player, reused) = guests.player(&guest_digest, &recording, reuse)?;
        let queue = ExpectedQueue::default();
        Ok(Self {
            guests,
            reuse,
            reused,
            other,
            recording,
            player,
            guest_digest,
            queue,
            done: 0,
            decisions: 0,
            host_stalled: false,
            settled: None,
            last: None,
            owed_a_step: false,
        })
    }

    /// The walk is over, and nothing was found.
    pub(super) fn over(self) {
        self.guests.put_back(&self.guest_digest, self.player);
    }

    /// Replay the whole log, and compare the store with it, if it comes from
    /// one.
    pub(super) fn replay_all(&mut self) -> Result<(), Stop> {
        let at = self.replay_events()?;
        let recording = Arc::clone(&self.recording);
        let outcome = self.at_the_end(at)?;
        // What a guest says that the host stalled is not what the store goes by.
        let outcome = outcome.filter(|_| !self.host_stalled);
        let replayed = Replayed {
            recording: &recording,
            queue: &self.queue,
            guest_digest: match self.other {
                Some(_) => None,
                None => Some(&self.guest_digest),
            },
            owed_a_step: self.owed_a_step,
            last: self.last.as_ref(),
        };
        match &recording.claimed {
            Claimed::Store {
                record,
                simulated,
                items,
            } => match replayed.difference((record, *simulated), items, outcome) {
                Some(divergence) => found(Verdict::Divergent, divergence),
                None => Ok(()),
            },
            Claimed::Header { .. } => Ok(()),
        }
    }

    /// Replay all events. What may be missing at their end is not asked. Answers the
    /// time of the last.
    pub(super) fn replay_events(&mut self) -> Result<Timestamp, Stop> {
        let recording = Arc::clone(&self.recording);
        let mut at = None;
        while let Some(next) = recording.events.get(self.done).map(|stored| &stored.event) {
            if let Some(at) = at.filter(|at| *at < next.at && !goes_its_own_way(&next.kind)) {
                self.nothing_to_add(at)?;
            }
            match next.origin {
                Origin::Fact => self.take_fact(next)?,
                Origin::Decision => self.ask_again(next)?,
            }
            at = Some(next.at);
        }
        Ok(at.unwrap_or(0))
    }

    /// The work items that there are after what was replayed.
    pub(super) fn into_items(self) -> Vec<ItemRecord> {
        self.queue.into_items()
    }

    /// Whether the log ends where a turn's budget cut the guest off.
    pub(super) fn owed_a_step(&self) -> bool {
        self.owed_a_step
    }

    /// How many decisions came out the same.
    pub(super) fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The world says what it says; whether that is legal here the guest tells
    /// with its next answer.
    fn take_fact(&mut self, fact: &Event) -> Result<(), Stop> {
        self.done += 1;
        self.settled = None;
        self.last = None;
        self.player.show_first(self.done);
        self.queue.apply(fact, &[]);
        if let Some(stalled) = on_host_stall(&fact.kind) {
            self.host_stalled = stalled;
        }
        if let EventKind::GuestChanged(changed) = &fact.kind
            && self.other.is_none()
        {
            let next = changed.guest_digest.to_string();
            let (player, reused) = self.guests.player(&next, &self.recording, self.reuse)?;
            self.reused |= reused;
            let before = std::mem::replace(&mut self.player, player);
            self.guests.put_back(&self.guest_digest, before);
            self.guest_digest = next;
            self.player.show_first(self.done);
        }
        Ok(())
    }

    /// The log has a decision next: the guest must come to the same, and to as
    /// many more as follow from it.
    fn ask_again(&mut self, next: &Event) -> Result<(), Stop> {
        let outcome = self.step(next.at)?;
        self.last = Some(outcome.clone());
        self.settled = (!outcome.more).then_some((next.at, outcome));
        let ports = self.player.ports();
        let batch = ports.batch();
        if batch.is_empty() {
            return self.diverges("the guest decides nothing here", None);
        }
        let orders = ports.orders();
        for event in batch.iter().map(|stored| &stored.event) {
            let ordered = |node| orders.iter().any(|item| item.node_id == node);
            if let Some((node, _, digest)) =
                ordered_by(&event.kind).filter(|(node, ..)| !ordered(*node))
            {
                let message = format!(
                    "the guest decides to schedule {node:?}, and does not order the item {digest}"
                );
                return found(
                    Verdict::Divergent,
                    Divergence::plain(event.sequence, message),
                );
            }
            self.queue.apply(event, orders);
        }
        self.decisions += batch.len() as u64;
        self.done = ports.revealed();
        Ok(())
    }

    /// With the clock still at `at`, the guest must have no more to decide: it
    /// has just said so, or it is asked. None where a host's stall left it
    /// without a word.
    fn nothing_to_add(&mut self, at: Timestamp) -> Result<Option<Outcome>, Stop> {
        if let Some((_, outcome)) = self.settled.as_ref().filter(|(then, _)| *then == at) {
            return Ok(Some(outcome.clone()));
        }
        match self.step(at) {
            Ok(outcome) => Ok(Some(outcome)),
            // The host saw it fail then; that it fails again, or does again what
            // it may not, is no news.
            Err(Stop::Found(finding)) if self.host_stalled && finding.0 == Verdict::Divergent => {
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// At the log's end the guest must have no more to decide either, unless it
    /// is said besides the log that the execution is owed a step. Then what it
    /// decides next may be missing, as a whole; and of a guest that fails at that
    /// step, the host's stall.
    fn at_the_end(&mut self, at: Timestamp) -> Result<Option<Outcome>, Stop> {
        if self.settled.is_some() || !self.recording.claimed.says_owed_a_step() {
            return self.nothing_to_add(at);
        }
        let answer = self.player.step(at);
        match self.player.ports().mismatch().cloned() {
            Some(Mismatch::Decision(event))
                if event.sequence == self.recording.events.len() as u64 + 1 =>
            {
                self.owed_a_step = true;
                Ok(None)
            }
            mismatch => match self.answered(answer, mismatch) {
                Err(Stop::Found(finding)) if finding.0 == Verdict::Divergent => {
                    self.owed_a_step = true;
                    Ok(None)
                }
                answered => answered.map(Some),
            },
        }
    }

    /// Ask the guest. Whatever it does must stand in the log.
    fn step(&mut self, at: Timestamp) -> Result<Outcome, Stop> {
        let answer = self.player.step(at);
        let mismatch = self.player.ports().mismatch().cloned();
        self.answered(answer, mismatch)
    }

    fn answered(
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
                divergence.found = self.event_json(illegal.sequence);
                found(Verdict::Illegal, divergence)
            }
            Err(CallError::Newer(newer)) => {
                let sequence = newer.sequence.unwrap_or(self.done as u64 + 1);
                let divergence = Divergence::plain(sequence, newer.to_string());
                found(Verdict::Newer, divergence)
            }
            Err(error) => self.diverges(&format!("the guest gives no answer: {error}"), None),
        }
    }

    fn mismatched(&mut self, mismatch: &Mismatch) -> Result<Outcome, Stop> {
        match mismatch {
            Mismatch::Decision(event) => self.diverges("the guest decides otherwise", Some(event)),
            Mismatch::Head { expected } => self.diverges(
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
                ..Divergence::plain(sequence, message)
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
    fn diverges<T>(&mut self, message: &str, expected: Option<&Event>) -> Result<T, Stop> {
        let sequence = expected.map_or(self.player.ports().revealed() as u64 + 1, |event| {
            event.sequence
        });
        let found = self.event_json(sequence);
        let node = expected
            .and_then(|event| node_of(&event.kind))
            .map(str::to_owned)
            .or_else(|| self.node_at(sequence));
        let message = match (&found, expected) {
            (None, Some(_)) => {
                format!("{message}: the log ends before event {sequence}, which is missing")
            }
            _ => format!("{message}, at event {sequence}"),
        };
        let expected = expected.and_then(|event| as_json(&write_event(event)));
        self.concluded(
            Divergence::between(sequence, message, expected, found)
                .compared(Compared::GuestWithLog),
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
            .player(&self.guest_digest, &self.recording, Reuse::Forbidden);
        if let Ok((mut player, _)) = fresh {
            player.show_first(self.done);
            divergence.state_hash = player.inspect().ok().map(|inspection| inspection.hash);
            divergence.explanation = node.and_then(|node| player.explain(&node).ok());
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

/// Whether a fork goes its own way with an event of this kind (law 11). Before it
/// nothing is missing, whatever was not decided yet: law 2 says so.
fn goes_its_own_way(kind: &EventKind) -> bool {
    match kind {
        EventKind::ExecutionForked(_) => true,
        EventKind::NodeCompleted(it) => it.edited_by.is_some(),
        _ => false,
    }
}

fn found<T>(verdict: Verdict, divergence: Divergence) -> Result<T, Stop> {
    Err(Stop::Found((verdict, Box::new(divergence))))
}

fn as_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
