//! What is no row of the table is refused, whatever the kind of the node.

use std::collections::{BTreeMap, BTreeSet};

use refrain_guest::apply::apply;
use refrain_guest::contract::{
    ApprovalDecision, ApprovalReceived, CancelReason, ChildRefusal, ChildRefused, ChildRequested,
    Event, EventKind, InterruptRaised, ItemDigest, NodeCancelled, NodeCompleted, NodeExhausted,
    NodeFailed, NodeFailure, NodeReleased, NodeRequest, NodeScheduled, NodeSettled, NodeSkipped,
    NodeStarted, NodeState, NodeTimedOut, Origin, RetryScheduled, SkipReason, StallReason, Stalled,
    TimerCreated, TimerFired, WorkflowName,
};
use refrain_guest::node::{Step, name};
use refrain_guest::workflow::plan::Kind;
use refrain_tests::notation::{Memory, play};

use super::{HISTORIES, Replay, STATES, row};

/// Where a node is in some state: so far into this history, the node of this index.
#[derive(Clone, Copy)]
struct Place<'a> {
    world: &'a Memory,
    events: usize,
    node: usize,
    state: NodeState,
}

#[test]
fn what_is_no_row_of_the_table_is_refused() {
    let played = HISTORIES.iter().map(|table| play(table));
    let worlds: Vec<Memory> = played
        .map(|played| played.unwrap_or_else(|error| panic!("{error}")).world)
        .collect();
    let mut tried = BTreeSet::new();
    for place in places(&worlds) {
        for step in no_rows(place.state) {
            if let Some(kind) = offer(place, step) {
                is_refused(place, kind, step);
                tried.insert(row(place.state, step));
            }
        }
    }
    for state in STATES {
        // A node is reached by the edges that others settle, and begins anew where its
        // execution is a fork: no event asks that of one node.
        let of_one = |step: &Step| !matches!(step, Step::Reach | Step::BeginAnew);
        for step in no_rows(state).filter(of_one) {
            let row = row(state, step);
            assert!(tried.contains(&row), "{row} is never tried");
        }
    }
}

fn no_rows(state: NodeState) -> impl Iterator<Item = Step> {
    let steps = Step::ALL.into_iter();
    steps.filter(move |step| step.leads(state).is_none())
}

/// The first place for each state of each kind of node, before its end.
fn places(worlds: &[Memory]) -> Vec<Place<'_>> {
    let mut places = BTreeMap::new();
    for world in worlds {
        let mut replay = Replay::of(world, 1);
        for events in 1..world.events.len() {
            for (node, record) in replay.nodes().iter().enumerate() {
                let key = (
                    name(record.state),
                    kind_name(&replay.machine.plan().nodes[node].kind),
                );
                let state = record.state;
                places.entry(key).or_insert(Place {
                    world,
                    events,
                    node,
                    state,
                });
            }
            let event = &world.events[events];
            apply(&mut replay.machine, event).expect("it was played");
        }
    }
    places.into_values().collect()
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Work(work) if work.finalizer.is_some() => "finalizer",
        Kind::Work(_) => "work",
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) | Kind::Terminate(_) => {
            "settles at once"
        }
        Kind::Wait(_) => "wait",
        Kind::HumanApproval(_) => "approval",
        Kind::Map(_) => "map",
        Kind::Subgraph(_) => "subgraph",
        Kind::LimitExceeded { .. } => "limit",
    }
}

fn is_refused(place: Place<'_>, kind: EventKind, step: Step) {
    let mut replay = Replay::of(place.world, place.events);
    let event = Event {
        sequence: replay.machine.sequence() + 1,
        at: replay.machine.state().at.0,
        origin: origin(step),
        kind,
    };
    let before = format!("{:?}", replay.machine.state());
    let answer = apply(&mut replay.machine, &event);
    let row = row(place.state, step);
    assert!(answer.is_err(), "{row} is taken by {event:?}");
    let after = format!("{:?}", replay.machine.state());
    assert_eq!(before, after, "{row}: what is refused changes nothing");
}

fn origin(step: Step) -> Origin {
    match step {
        Step::Start | Step::Complete | Step::Release | Step::Fail | Step::Reopen => Origin::Fact,
        // Of what a node can be given, a person's answer names the node.
        Step::Receive | Step::LoseChild => Origin::Fact,
        _ => Origin::Decision,
    }
}

/// The event that asks for the step, with all that can be right about it.
#[rustfmt::skip]
fn offer(place: Place<'_>, step: Step) -> Option<EventKind> {
    let replay = Replay::of(place.world, place.events);
    let record = &replay.machine.state().nodes[place.node];
    let (node_id, attempt, fence) = (replay.machine.plan().nodes[place.node].id.clone(), record.attempt, record.fence);
    let (null, item_digest) = ("null".to_owned(), ItemDigest::default());
    Some(match step {
        Step::Reach | Step::BeginAnew => return None,
        Step::Schedule => EventKind::NodeScheduled(NodeScheduled { node_id, queue: "tool".into(), attempt: 1, item_digest }),
        Step::Retry => EventKind::RetryScheduled(RetryScheduled { node_id, attempt: attempt + 1, delay_ms: 0, item_digest }),
        Step::Start => EventKind::NodeStarted(NodeStarted { node_id, worker_id: "w".into(), attempt }),
        Step::Complete => EventKind::NodeCompleted(NodeCompleted {
            node_id, attempt, fence, output: null, state_patch: "{}".into(), duration_ms: 0, chosen_target: None,
            gen_ai: None, telemetry: None, edited_by: None,
        }),
        Step::Settle => EventKind::NodeSettled(NodeSettled { node_id, output: null, state_patch: "{}".into(), chosen_target: None }),
        Step::Release => EventKind::NodeReleased(NodeReleased { node_id, attempt, fence, by: None }),
        Step::Fail => EventKind::NodeFailed(NodeFailed { node_id, attempt, fence, error: "boom".into(), error_class: None, retryable: true, retry_after_ms: None }),
        Step::TimeOut => EventKind::NodeTimedOut(NodeTimedOut { node_id, attempt, timeout_ms: 1 }),
        Step::Exhaust => EventKind::NodeExhausted(NodeExhausted { node_id, attempts: attempt, cause: NodeFailure::LeaseExpired }),
        Step::Wait => match &replay.machine.plan().nodes[place.node].kind {
            Kind::Wait(wait) => EventKind::TimerCreated(TimerCreated { node_id, fire_at: None, correlation_key: wait.correlation_key.as_ref().and_then(|key| key.literal()).map(str::to_owned) }),
            _ => EventKind::InterruptRaised(InterruptRaised { node_id, reason: "May it?".into(), expires_at: None }),
        },
        Step::Receive => EventKind::ApprovalReceived(ApprovalReceived { node_id, user_id: "ada".into(), decision: ApprovalDecision::Approved, comment: None, state_patch: None, by: None }),
        Step::Stall => EventKind::Stalled(Stalled { reason: StallReason::AttemptsExhausted(NodeExhausted { node_id, attempts: attempt, cause: NodeFailure::LeaseExpired }) }),
        Step::Reopen => EventKind::RetryRequested(NodeRequest { node_id, reason: None, by: None }),
        Step::Request => EventKind::ChildRequested(ChildRequested {
            node_id, attempt: attempt + 1, iteration: 0,
            workflow: Some(WorkflowName { workflow_id: "child".into(), version: "1.0.0".into() }),
        }),
        Step::LoseChild => EventKind::ChildRefused(ChildRefused { node_id, attempt, iteration: 0, code: ChildRefusal::TooDeep }),
        Step::PassOver => EventKind::NodeSkipped(NodeSkipped { node_id, reason: SkipReason::Unreached }),
        Step::Skip => EventKind::NodeSkipped(NodeSkipped { node_id, reason: SkipReason::ByOperator }),
        Step::Cancel => EventKind::NodeCancelled(NodeCancelled { node_id, reason: CancelReason::CancelRequested }),
    })
}

/// A timer that has fired is its node's answer too.
#[test]
fn a_timer_fires_for_nobody_who_does_not_wait() {
    let played = play(
        "t: wait timer {\"timeout_secs\":1}\nt -> a\n1000 tick => wait t\n2000 tick => fire t, settle t, schedule a",
    );
    let world = played.unwrap_or_else(|error| panic!("{error}")).world;
    let timer = |node_id: &str| {
        EventKind::TimerFired(TimerFired {
            node_id: node_id.to_owned(),
            correlation_key: None,
        })
    };
    for (events, node_id) in [(1, "t"), (4, "t"), (4, "a")] {
        let mut replay = Replay::of(&world, events);
        let event = Event {
            sequence: replay.machine.sequence() + 1,
            at: 2000,
            origin: Origin::Decision,
            kind: timer(node_id),
        };
        let answer = apply(&mut replay.machine, &event);
        assert!(
            answer.is_err(),
            "after event {events}, a timer fires for {node_id}"
        );
    }
}
