//! The walk along a log: every decision is asked for again.
//!
//! Wherever event k is a decision, the guest sees events 1 to k − 1 and the
//! clock reading of event k, and what it then appends must be exactly what the
//! log goes on with (law 2). Between turns, and at the end, it must have
//! nothing to add.

use std::sync::Arc;

use super::asked_guest::{AskedGuest, Stop, found};
use super::divergence::{Divergence, DivergenceCode};
use super::family::Inputs;
use super::guests::{Guests, Reuse};
use super::ports::{Mismatch, ordered_by};
use super::queue::ExpectedQueue;
use super::source::{Claimed, Recording};
use super::store_claims::Replayed;
use super::verdict::Verdict;
use crate::log::effect::on_host_stall;
use crate::model::{Event, EventKind, Origin, Outcome};
use crate::store::{ItemRecord, Timestamp};

/// One log under audit.
pub(super) struct Walk<'a, 'l> {
    /// The guest that has the execution at this place of the log.
    guest: AskedGuest<'a, 'l>,
    /// The guest to ask instead of those that the log names.
    other: Option<String>,
    recording: Arc<Recording>,
    queue: ExpectedQueue,
    /// What its guest ordered for children.
    inputs: Inputs,
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
        let digest = other.clone().unwrap_or(named);
        Ok(Self {
            guest: AskedGuest::new(guests, digest, Arc::clone(&recording), reuse)?,
            other,
            recording,
            queue: ExpectedQueue::default(),
            inputs: Inputs::new(),
            decisions: 0,
            host_stalled: false,
            settled: None,
            last: None,
            owed_a_step: false,
        })
    }

    /// The walk is over, and nothing was found.
    pub(super) fn over(self) {
        self.guest.over();
    }

    /// Whether a guest took part that had played other logs before.
    pub(super) fn is_reused(&self) -> bool {
        self.guest.reused
    }

    /// Replay the whole log, and compare the store with it, if it comes from
    /// one. `reach` hears how many events are behind, again and again.
    pub(super) fn replay_all(&mut self, reach: impl FnMut(usize)) -> Result<(), Stop> {
        let at = self.replay_heard(reach)?;
        let recording = Arc::clone(&self.recording);
        let outcome = self.at_the_end(at)?;
        // What a guest says that the host stalled is not what the store goes by.
        let outcome = outcome.filter(|_| !self.host_stalled);
        let replayed = Replayed {
            recording: &recording,
            queue: &self.queue,
            guest_digest: match self.other {
                Some(_) => None,
                None => Some(&self.guest.digest),
            },
            owed_a_step: self.owed_a_step,
            last: self.last.as_ref(),
        };
        match &recording.claimed {
            Claimed::Store {
                record,
                simulated,
                items,
                labels,
                ..
            } => match replayed.difference((record, *simulated), (items, labels), outcome) {
                Some(divergence) => found(Verdict::Divergent, divergence),
                None => Ok(()),
            },
            Claimed::Header { .. } => Ok(()),
        }
    }

    /// Replay all events. What may be missing at their end is not asked. Answers the
    /// time of the last.
    pub(super) fn replay_events(&mut self) -> Result<Timestamp, Stop> {
        self.replay_heard(|_| ())
    }

    fn replay_heard(&mut self, mut reach: impl FnMut(usize)) -> Result<Timestamp, Stop> {
        let recording = Arc::clone(&self.recording);
        let mut at = None;
        while let Some(next) = recording
            .events
            .get(self.guest.done)
            .map(|stored| &stored.event)
        {
            if let Some(at) = at.filter(|at| *at < next.at && !goes_its_own_way(&next.kind)) {
                self.nothing_to_add(at)?;
            }
            match next.origin {
                Origin::Fact => self.take_fact(next)?,
                Origin::Decision => self.ask_again(next)?,
            }
            at = Some(next.at);
            reach(self.guest.done);
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

    /// The inputs that its guest ordered for children.
    pub(super) fn take_inputs(&mut self) -> Inputs {
        std::mem::take(&mut self.inputs)
    }

    /// How many decisions came out the same.
    pub(super) fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The world says what it says; whether that is legal here the guest tells
    /// with its next answer.
    fn take_fact(&mut self, fact: &Event) -> Result<(), Stop> {
        self.settled = None;
        self.last = None;
        self.guest.show_next();
        self.queue.apply(fact, &[]);
        if let Some(stalled) = on_host_stall(&fact.kind) {
            self.host_stalled = stalled;
        }
        if let EventKind::GuestChanged(changed) = &fact.kind
            && self.other.is_none()
        {
            self.guest.hand_over(changed.guest_digest.to_string())?;
        }
        Ok(())
    }

    /// The log has a decision next: the guest must come to the same, and to as
    /// many more as follow from it.
    fn ask_again(&mut self, next: &Event) -> Result<(), Stop> {
        let outcome = self.guest.step(next.at)?;
        self.last = Some(outcome.clone());
        self.settled = (!outcome.more).then_some((next.at, outcome));
        let ports = self.guest.ports();
        let batch = ports.batch();
        if batch.is_empty() {
            let code = DivergenceCode::NoDecision;
            return self
                .guest
                .diverges(code, "the guest decides nothing here", None);
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
                    Divergence::plain(event.sequence, message).coded(DivergenceCode::OtherOrder),
                );
            }
            self.queue.apply(event, orders);
        }
        self.inputs.extend(ports.inputs_of_children());
        self.decisions += batch.len() as u64;
        self.guest.done = ports.revealed();
        Ok(())
    }

    /// With the clock still at `at`, the guest must have no more to decide: it
    /// has just said so, or it is asked. None where a host's stall left it
    /// without a word.
    fn nothing_to_add(&mut self, at: Timestamp) -> Result<Option<Outcome>, Stop> {
        if let Some((_, outcome)) = self.settled.as_ref().filter(|(then, _)| *then == at) {
            return Ok(Some(outcome.clone()));
        }
        match self.guest.step(at) {
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
        let (answer, mismatch) = self.guest.asked(at);
        match mismatch {
            Some(Mismatch::Decision(event))
                if event.sequence == self.recording.events.len() as u64 + 1 =>
            {
                self.owed_a_step = true;
                Ok(None)
            }
            mismatch => match self.guest.judged(answer, mismatch) {
                Err(Stop::Found(finding)) if finding.0 == Verdict::Divergent => {
                    self.owed_a_step = true;
                    Ok(None)
                }
                answered => answered.map(Some),
            },
        }
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
