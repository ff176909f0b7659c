//! The faults that a log can have, one at a time, and where each is found.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::fmt;

use super::fields::{add_one, attempt, edit, fence, iteration, node, payload};
use crate::contract::{CancelRequested, Event, EventKind, Origin};
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
    /// What is said of a child is of another iteration.
    WrongIteration,
    /// The end of another child is told.
    OtherChild,
    /// A child is started, or its end is told, a second time, as the next event.
    ChildToldTwice,
    /// A map is expanded once more, as the next event.
    ExpandedTwice,
    /// A map is expanded to another number of instances.
    WrongCount,
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
    pub const ALL: [Self; 20] = [
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
        Self::WrongIteration,
        Self::OtherChild,
        Self::ChildToldTwice,
        Self::ExpandedTwice,
        Self::WrongCount,
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
            | Self::OtherWorkflow
            | Self::WrongIteration
            | Self::OtherChild
            | Self::ChildToldTwice
            | Self::ExpandedTwice
            | Self::WrongCount => FoundBy::Reading,
            Self::DroppedDecision
            | Self::EditedDecision
            | Self::InsertedDecision
            | Self::SwappedDecisions => FoundBy::Replaying,
        }
    }

    /// The log with this fault at one of the places where it can be; none
    /// where there is no such place.
    pub(super) fn of(self, log: &[Event], pick: usize) -> Option<Corrupted> {
        let is_decision = |at: usize| log[at].origin == Origin::Decision;
        let is_result =
            |at: usize| !is_decision(at) && matches!(log[at].kind, EventKind::NodeCompleted(_));
        match self {
            Self::Gap => gap(log, pick),
            Self::Duplicate => doubled(log, pick),
            Self::WrongOrigin => edited(log, pick, change_origin),
            Self::WrongFence => edited(log, pick, |event| {
                fence(&mut event.kind).map(add_one).is_some()
            }),
            Self::NotInFlight => repeated(log, pick, is_result),
            Self::AfterEnd => after_end(log),
            Self::UnknownNode => edited(log, pick, |event| {
                let node = node(&mut event.kind);
                node.map(|node| "nobody".clone_into(node)).is_some()
            }),
            Self::WrongAttempt => edited(log, pick, |event| {
                attempt(&mut event.kind)
                    .map(|attempt| *attempt += 1)
                    .is_some()
            }),
            Self::BackInTime => back_in_time(log, pick),
            Self::BadPayload => edited(log, pick, |event| {
                let payload = payload(&mut event.kind);
                payload.map(|payload| payload.insert(0, '{')).is_some()
            }),
            Self::OtherWorkflow => other_workflow(log),
            Self::DroppedDecision => dropped(log, pick),
            Self::EditedDecision => edited(log, pick, |event| {
                event.origin == Origin::Decision && edit(&mut event.kind)
            }),
            Self::InsertedDecision => repeated(log, pick, is_decision),
            Self::SwappedDecisions => swapped(log, pick),
            Self::WrongIteration => edited(log, pick, |event| {
                iteration(&mut event.kind).map(|it| *it += 1).is_some()
            }),
            Self::OtherChild => edited(log, pick, name_another_child),
            Self::ChildToldTwice => repeated(log, pick, |at| {
                let kind = &log[at].kind;
                matches!(kind, EventKind::ChildStarted(_) | EventKind::ChildEnded(_))
            }),
            Self::ExpandedTwice => repeated(log, pick, |at| {
                matches!(log[at].kind, EventKind::MapExpanded(_))
            }),
            Self::WrongCount => edited(log, pick, add_an_instance),
        }
    }
}

/// A child that nobody has asked for.
const ANOTHER_CHILD: &str = "exec_00000000000000000000000000000bad";

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
            Self::WrongIteration => "what is said of a child is of another iteration",
            Self::OtherChild => "the end of another child is told",
            Self::ChildToldTwice => "what is said of a child is repeated",
            Self::ExpandedTwice => "a map is expanded twice",
            Self::WrongCount => "a map is expanded to another number",
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

// ---- faults ------------------------------------------------------------------

fn gap(log: &[Event], pick: usize) -> Option<Corrupted> {
    let at = place(log, pick, |at| at + 1 < log.len())?;
    Some((without(log, at), log[at + 1].sequence))
}

fn doubled(log: &[Event], pick: usize) -> Option<Corrupted> {
    let at = place(log, pick, |_| true)?;
    Some((with(log, at + 1, log[at].clone()), log[at].sequence))
}

/// Repeats one of the events of which this holds, as the next event.
fn repeated(log: &[Event], pick: usize, holds: impl Fn(usize) -> bool) -> Option<Corrupted> {
    let at = place(log, pick, holds)?;
    let found_at = log[at].sequence + 1;
    Some((renumbered(with(log, at + 1, log[at].clone())), found_at))
}

fn back_in_time(log: &[Event], pick: usize) -> Option<Corrupted> {
    let at = place(log, pick, |at| at > 0 && log[at - 1].at > 0)?;
    let mut log = log.to_vec();
    log[at].at = log[at - 1].at - 1;
    let found_at = log[at].sequence;
    Some((log, found_at))
}

fn other_workflow(log: &[Event]) -> Option<Corrupted> {
    let mut log = log.to_vec();
    let EventKind::WorkflowStarted(started) = &mut log[0].kind else {
        return None;
    };
    started.workflow_digest = "0".repeat(64);
    Some((log, 1))
}

fn dropped(log: &[Event], pick: usize) -> Option<Corrupted> {
    let at = place(log, pick, |at| is_missed(log, at))?;
    Some((renumbered(without(log, at)), log[at].sequence))
}

fn swapped(log: &[Event], pick: usize) -> Option<Corrupted> {
    let is_decision = |at: usize| log.get(at).is_some_and(|it| it.origin == Origin::Decision);
    let at = place(log, pick, |at| is_decision(at) && is_decision(at + 1))?;
    let mut log = log.to_vec();
    log.swap(at, at + 1);
    let found_at = log[at + 1].sequence;
    Some((renumbered(log), found_at))
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

fn change_origin(event: &mut Event) -> bool {
    event.origin = match event.origin {
        Origin::Fact => Origin::Decision,
        Origin::Decision => Origin::Fact,
    };
    true
}

fn name_another_child(event: &mut Event) -> bool {
    let EventKind::ChildEnded(it) = &mut event.kind else {
        return false;
    };
    ANOTHER_CHILD.clone_into(&mut it.child_id);
    true
}

fn add_an_instance(event: &mut Event) -> bool {
    let EventKind::MapExpanded(it) = &mut event.kind else {
        return false;
    };
    it.count += 1;
    true
}
