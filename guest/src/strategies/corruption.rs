//! The faults that a log can have, one at a time, and where each is found.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::contract::{
    CancelRequested, Event, EventKind, ItemDigest, NodeFailure, Origin, StallReason,
    WorkflowFailure,
};
use crate::notation::goes_its_own_way;

/// What was done to a log. Where nothing else is said, the other events keep
/// their sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// An event is missing, and its sequence too.
    Gap,
    /// An event stands twice, with the same sequence.
    Duplicate,
    /// A fact says to be a decision, or the other way round.
    WrongOrigin,
    /// An answer presents another fence.
    WrongFence,
    /// A result stands a second time, as the next event.
    NotInFlight,
    /// A fact follows the end.
    AfterEnd,
    /// An event names a node that there is not.
    UnknownNode,
    /// An event names the attempt after the right one.
    WrongAttempt,
    /// An event is earlier than the one before it.
    BackInTime,
    /// A payload is no JSON.
    BadPayload,
    /// Event 1 names another workflow text.
    OtherWorkflow,
    /// A decision is missing, and what follows is numbered anew.
    DroppedDecision,
    /// A decision says something else.
    EditedDecision,
    /// A decision stands a second time, and what follows is numbered anew.
    InsertedDecision,
    /// Two neighbouring decisions stand in the other order.
    SwappedDecisions,
}

/// Who must find a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// Every reader: the event may not stand where it stands.
    Reading,
    /// Who replays as law 2 has it: the event could stand there, but is not
    /// what is decided. A reader may find it too, there or later.
    Replaying,
}

/// A log, and the sequence at which its fault must be found.
type Corrupted = (Vec<Event>, u64);

impl Corruption {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Gap,
        Self::Duplicate,
        Self::WrongOrigin,
        Self::WrongFence,
        Self::NotInFlight,
        Self::AfterEnd,
        Self::UnknownNode,
        Self::WrongAttempt,
        Self::BackInTime,
        Self::BadPayload,
        Self::OtherWorkflow,
        Self::DroppedDecision,
        Self::EditedDecision,
        Self::InsertedDecision,
        Self::SwappedDecisions,
    ];

    /// Who must find it.
    #[must_use]
    pub const fn found_by(self) -> FoundBy {
        match self {
            Self::Gap
            | Self::Duplicate
            | Self::WrongOrigin
            | Self::WrongFence
            | Self::NotInFlight
            | Self::AfterEnd
            | Self::UnknownNode
            | Self::WrongAttempt
            | Self::BackInTime
            | Self::BadPayload
            | Self::OtherWorkflow => FoundBy::Reading,
            Self::DroppedDecision
            | Self::EditedDecision
            | Self::InsertedDecision
            | Self::SwappedDecisions => FoundBy::Replaying,
        }
    }

    /// The log with this fault at one of the places where it can be; none
    /// where there is no such place.
    pub(super) fn of(self, log: &[Event], pick: usize) -> Option<Corrupted> {
        match self {
            Self::Gap => {
                let at = place(log, pick, |at| at + 1 < log.len())?;
                Some((without(log, at), log[at + 1].sequence))
            }
            Self::Duplicate => {
                let at = place(log, pick, |_| true)?;
                Some((with(log, at + 1, log[at].clone()), log[at].sequence))
            }
            Self::WrongOrigin => edited(log, pick, |event| {
                event.origin = match event.origin {
                    Origin::Fact => Origin::Decision,
                    Origin::Decision => Origin::Fact,
                };
                true
            }),
            Self::WrongFence => edited(log, pick, |event| {
                fence(&mut event.kind).map(add_one).is_some()
            }),
            Self::NotInFlight => {
                let is_result = |kind: &EventKind| matches!(kind, EventKind::NodeCompleted(_));
                let at = place(log, pick, |at| {
                    log[at].origin == Origin::Fact && is_result(&log[at].kind)
                })?;
                Some((
                    renumbered(with(log, at + 1, log[at].clone())),
                    log[at].sequence + 1,
                ))
            }
            Self::AfterEnd => after_end(log),
            Self::UnknownNode => edited(log, pick, |event| match node(&mut event.kind) {
                Some(node) => {
                    "nobody".clone_into(node);
                    true
                }
                None => false,
            }),
            Self::WrongAttempt => edited(log, pick, |event| {
                attempt(&mut event.kind)
                    .map(|attempt| *attempt += 1)
                    .is_some()
            }),
            Self::BackInTime => {
                let at = place(log, pick, |at| at > 0 && log[at - 1].at > 0)?;
                let mut log = log.to_vec();
                log[at].at = log[at - 1].at - 1;
                let found_at = log[at].sequence;
                Some((log, found_at))
            }
            Self::BadPayload => edited(log, pick, |event| match payload(&mut event.kind) {
                Some(payload) => {
                    payload.insert(0, '{');
                    true
                }
                None => false,
            }),
            Self::OtherWorkflow => {
                let mut log = log.to_vec();
                let EventKind::WorkflowStarted(started) = &mut log[0].kind else {
                    return None;
                };
                started.workflow_digest = "0".repeat(64);
                Some((log, 1))
            }
            Self::DroppedDecision => {
                let at = place(log, pick, |at| is_missed(log, at))?;
                Some((renumbered(without(log, at)), log[at].sequence))
            }
            Self::EditedDecision => edited(log, pick, |event| {
                event.origin == Origin::Decision && edit(&mut event.kind)
            }),
            Self::InsertedDecision => {
                let at = place(log, pick, |at| log[at].origin == Origin::Decision)?;
                Some((
                    renumbered(with(log, at + 1, log[at].clone())),
                    log[at].sequence + 1,
                ))
            }
            Self::SwappedDecisions => {
                let is_decision =
                    |at: usize| log.get(at).is_some_and(|it| it.origin == Origin::Decision);
                let at = place(log, pick, |at| is_decision(at) && is_decision(at + 1))?;
                let mut log = log.to_vec();
                log.swap(at, at + 1);
                let found_at = log[at + 1].sequence;
                Some((renumbered(log), found_at))
            }
        }
    }
}

/// What was done, after "then".
impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "an event is removed",
            Self::Duplicate => "an event is doubled",
            Self::WrongOrigin => "an event says to be of the other author",
            Self::WrongFence => "an event presents another fence",
            Self::NotInFlight => "a result is repeated",
            Self::AfterEnd => "a fact follows the end",
            Self::UnknownNode => "an event names a node that there is not",
            Self::WrongAttempt => "an event names the next attempt",
            Self::BackInTime => "an event is earlier than the one before it",
            Self::BadPayload => "a payload is no JSON",
            Self::OtherWorkflow => "event 1 names another workflow text",
            Self::DroppedDecision => "a decision is dropped",
            Self::EditedDecision => "a decision is edited",
            Self::InsertedDecision => "a decision is repeated",
            Self::SwappedDecisions => "two decisions are swapped",
        })
    }
}

// ---- places ------------------------------------------------------------------

/// One of the places of which this holds.
fn place(log: &[Event], pick: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let places: Vec<usize> = (0..log.len()).filter(|at| holds(*at)).collect();
    Some(places[pick.checked_rem(places.len())?])
}

/// Whether a decision is missed at once where it is left out: because another
/// comes in its place, or because of its time an event stays that it had to
/// follow, and then time goes on, or the log ends. (One that time alone brought
/// about is missed only later.)
fn is_missed(log: &[Event], at: usize) -> bool {
    if log[at].origin == Origin::Fact {
        return false;
    }
    let was_due = at > 0 && log[at - 1].at == log[at].at;
    match log.get(at + 1) {
        // Where a fork goes its own way, what is missing is missing there by right.
        Some(next) if goes_its_own_way(next) => false,
        Some(next) if next.at == log[at].at => next.origin == Origin::Decision,
        Some(_) | None => was_due,
    }
}

fn without(log: &[Event], at: usize) -> Vec<Event> {
    let mut log = log.to_vec();
    log.remove(at);
    log
}

fn with(log: &[Event], at: usize, event: Event) -> Vec<Event> {
    let mut log = log.to_vec();
    log.insert(at, event);
    log
}

fn renumbered(mut log: Vec<Event>) -> Vec<Event> {
    for (sequence, event) in (1..).zip(&mut log) {
        event.sequence = sequence;
    }
    log
}

fn after_end(log: &[Event]) -> Option<Corrupted> {
    let last = log.last()?;
    let has_ended = matches!(
        last.kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    );
    let fact = Event {
        sequence: last.sequence + 1,
        at: last.at,
        origin: Origin::Fact,
        kind: EventKind::CancelRequested(CancelRequested {
            reason: None,
            by: None,
        }),
    };
    has_ended.then(|| (with(log, log.len(), fact), last.sequence + 1))
}

/// One of the events that can be edited so; `edit` says whether it did.
fn edited(log: &[Event], pick: usize, edit: impl Fn(&mut Event) -> bool) -> Option<Corrupted> {
    let at = place(log, pick, |at| edit(&mut log[at].clone()))?;
    let mut log = log.to_vec();
    edit(&mut log[at]);
    let found_at = log[at].sequence;
    Some((log, found_at))
}

// ---- fields ------------------------------------------------------------------

fn add_one(number: &mut u64) {
    *number += 1;
}

/// The fence of an answer.
fn fence(kind: &mut EventKind) -> Option<&mut u64> {
    match kind {
        EventKind::NodeCompleted(it) => Some(&mut it.fence),
        EventKind::NodeFailed(it) => Some(&mut it.fence),
        EventKind::LeaseExpired(it) => Some(&mut it.fence),
        EventKind::NodeReleased(it) => Some(&mut it.fence),
        _ => None,
    }
}

fn attempt(kind: &mut EventKind) -> Option<&mut u32> {
    match kind {
        EventKind::NodeScheduled(it) => Some(&mut it.attempt),
        EventKind::RetryScheduled(it) => Some(&mut it.attempt),
        EventKind::NodeStarted(it) => Some(&mut it.attempt),
        EventKind::NodeCompleted(it) => Some(&mut it.attempt),
        EventKind::NodeFailed(it) => Some(&mut it.attempt),
        EventKind::LeaseExpired(it) => Some(&mut it.attempt),
        EventKind::NodeReleased(it) => Some(&mut it.attempt),
        EventKind::NodeTimedOut(it) => Some(&mut it.attempt),
        EventKind::NodeExhausted(it) => Some(&mut it.attempts),
        _ => None,
    }
}

fn node(kind: &mut EventKind) -> Option<&mut String> {
    match kind {
        EventKind::NodeScheduled(it) => Some(&mut it.node_id),
        EventKind::NodeStarted(it) => Some(&mut it.node_id),
        EventKind::NodeCompleted(it) => Some(&mut it.node_id),
        EventKind::NodeSettled(it) => Some(&mut it.node_id),
        EventKind::NodeFailed(it) => Some(&mut it.node_id),
        EventKind::LeaseExpired(it) => Some(&mut it.node_id),
        EventKind::NodeReleased(it) => Some(&mut it.node_id),
        EventKind::NodeTimedOut(it) => Some(&mut it.node_id),
        EventKind::NodeExhausted(it) => Some(&mut it.node_id),
        EventKind::NodeSkipped(it) => Some(&mut it.node_id),
        EventKind::NodeCancelled(it) => Some(&mut it.node_id),
        EventKind::RetryScheduled(it) => Some(&mut it.node_id),
        EventKind::InterruptRaised(it) => Some(&mut it.node_id),
        EventKind::ApprovalReceived(it) => Some(&mut it.node_id),
        EventKind::TimerCreated(it) => Some(&mut it.node_id),
        EventKind::TimerFired(it) => Some(&mut it.node_id),
        EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => Some(&mut it.node_id),
        EventKind::Stalled(it) => match &mut it.reason {
            StallReason::AttemptsExhausted(it) => Some(&mut it.node_id),
            StallReason::BudgetExceeded(_) => None,
        },
        _ => None,
    }
}

/// A payload that the world sent or that a decision passes on.
fn payload(kind: &mut EventKind) -> Option<&mut String> {
    match kind {
        EventKind::WorkflowStarted(it) => Some(&mut it.initial_input),
        EventKind::NodeCompleted(it) => Some(&mut it.state_patch),
        EventKind::NodeSettled(it) => Some(&mut it.state_patch),
        EventKind::ExternalEventReceived(it) => Some(&mut it.payload),
        EventKind::ApprovalReceived(it) => it.state_patch.as_mut(),
        _ => None,
    }
}

/// Let a decision say something else, where the state does not depend on it.
fn edit(kind: &mut EventKind) -> bool {
    match kind {
        EventKind::NodeScheduled(it) => it.item_digest = ItemDigest::from_bytes([0xff; 32]),
        EventKind::RetryScheduled(it) => add_one(&mut it.delay_ms),
        EventKind::NodeSettled(it) => it.output.push(' '),
        EventKind::NodeExhausted(it) => it.cause = NodeFailure::AttemptFailed("another".to_owned()),
        EventKind::InterruptRaised(it) => it.reason.push('!'),
        EventKind::Stalled(it) => match &mut it.reason {
            StallReason::AttemptsExhausted(it) => {
                it.cause = NodeFailure::AttemptFailed("another".to_owned());
            }
            StallReason::BudgetExceeded(it) => it.spent.push('0'),
        },
        EventKind::WorkflowCompleted(it) => it.final_state = "{}  ".to_owned(),
        EventKind::WorkflowFailed(it) => it.cause = WorkflowFailure::Timeout(1),
        EventKind::WorkflowCancelled(it) => it.reason = Some("another".to_owned()),
        _ => return false,
    }
    true
}
