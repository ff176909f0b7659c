//! The node transition table, row by row: each is taken in a history, and what
//! is no row is refused.
//!
//! Histories are tables of the notation, made to take the rare rows. Which row
//! an event takes is concluded from the states around it, and must be what the
//! table says; so a row that nobody takes, and a step that leads elsewhere,
//! both show.

mod refused;

use std::collections::BTreeSet;
use std::sync::Arc;

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{Event, EventKind, NodeState, SkipReason, StallReason, Status};
use refrain_guest::digest::digest_of_text;
use refrain_guest::machine::Machine;
use refrain_guest::node::{Step, name};
use refrain_guest::state::NodeRecord;
use refrain_guest::workflow;
use refrain_tests::notation::{Memory, play};

const STATES: [NodeState; 11] = [
    NodeState::Pending,
    NodeState::Ready,
    NodeState::Scheduled,
    NodeState::Running,
    NodeState::Failing,
    NodeState::BackingOff,
    NodeState::Waiting,
    NodeState::Completed,
    NodeState::Failed,
    NodeState::Skipped,
    NodeState::Cancelled,
];

const HISTORIES: &[&str] = &[
    // Attempts: in flight, cancelled in each way, retried, spent.
    r#"
    s -> a, s -> b, s -> c, s -> d, s -> e
    e: tool timeout=1
    f: finalizer success
    0000 tick            => schedule s
    0000 complete s      => schedule a, schedule b, schedule c, schedule d, schedule e
    0000 claim b; claim e
    0000 fail c          => retry c @2000
    0000 fail d fatal    => exhaust d
    1000 tick            => timeout e, retry e @3000
    2000 claim c
    2000 cancel          => cancel a, cancel b, cancel c, cancel e, skip f run_on, cancelled
    "#,
    "a -> end\n0000 tick => schedule a\n0000 release a\n0001 complete a => completed",
    "a -> end\n0000 tick => schedule a\n0000 fail a => retry a\n0001 cancel => cancel a, cancelled",
    // Waits, settlements, and what is not reached.
    r#"
    p: parallel {"branches":["t","w","h","x","l"]}
    t: wait timer {"timeout_secs":1}
    w: wait external_event {"correlation_key":"k"}
    h: human_approval {"timeout_secs":1}
    x: wait timer {"timeout_secs":60}
    l: limit_exceeded
    h -> n, l -> m
    0000 tick     => settle p, interrupt h, exhaust l, wait t, wait w, wait x
    0001 signal k => settle w
    0002 skip m   => skip m by_operator
    1000 tick     => exhaust h, fire t, settle t
    1001 cancel   => cancel x, cancelled
    "#,
    "s -> a if state.x, a -> b\n0000 tick => schedule s\n0000 complete s => skip a, skip b, completed",
    // Children: one comes to nothing, is tried again, repeated, and lost for good.
    r#"
    s: subgraph {"repeat":{"while":"last.more","max":5}}
    s -> n
    0000 tick           => request s
    0001 end s failed
    2001 tick           => request s
    2002 end s {"more":true} => request s
    2003 end s          => schedule n
    "#,
    "h: human_approval\nh -> n\n0000 tick => interrupt h\n0001 approve h => settle h, schedule n",
    // Operators: a ready node, a failed one, and one that stalls its execution.
    r#"
    s -> a, s -> b
    limits 1 8
    a: tool retry=no_retry
    0000 tick       => schedule s
    0001 complete s => schedule a
    0002 skip b     => skip b by_operator
    0003 fail a     => exhaust a, failed
    "#,
    r#"
    s -> a, s -> b, s -> c
    policy ask {"max_attempts":1,"on_exhausted":"pause"}
    a: tool retry=ask
    b: tool retry=no_retry
    0000 tick       => schedule s
    0001 complete s => schedule a, schedule b, schedule c
    0002 fail b     => exhaust b
    0003 skip b     => skip b by_operator
    0004 fail a     => stall a
    0005 retry a    => retry a @5
    0006 fail a     => stall a
    0007 skip a     => skip a by_operator
    "#,
    r#"
    a -> b
    policy ask {"max_attempts":1,"on_exhausted":"pause"}
    a: tool retry=ask
    0000 tick   => schedule a
    0001 fail a => stall a
    0002 cancel => cancel a, cancelled
    "#,
    r#"
    s -> a, s -> b
    a: tool retry=no_retry
    0000 tick       => schedule s
    0001 complete s => schedule a, schedule b
    0002 fail a     => exhaust a
    0003 retry a    => retry a @3
    "#,
    // A fork begins anew what was under way.
    r#"
    p: parallel {"branches":["a","w"]}
    w: wait timer {"timeout_secs":60}
    0000 tick           => settle p, schedule a, wait w
    0001 claim a
    0002 cut 5; fork    => wait w
    "#,
    // Maps: one waits for its instances until enough have completed, one fails.
    r#"
    s -> m, s -> n, s -> o
    input {"items":[0,1]}
    m: map {"complete_after":1}
    n: map retry=no_retry
    o: map {"over":"input.none"}
    0000 tick          => schedule s
    0001 complete s    => expand m 2, schedule m[0], schedule m[1], expand n 2, schedule n[0], schedule n[1], exhaust o
    0002 complete m[0] => settle m
    0003 fail n[0]     => exhaust n[0], exhaust n, cancel n[1]
    0004 skip n        => skip n by_operator
    0005 complete m[1] => failed
    "#,
    // A finalizer that is to be retried, until another ending passes it over.
    r#"
    a -> end
    a: tool retry=no_retry
    f: finalizer failure retry=no_retry
    g: finalizer failure
    0000 tick    => schedule a
    0001 fail a  => exhaust a, schedule f, schedule g
    0002 fail f  => exhaust f
    0003 pause; retry f
    0004 cancel  => cancel g
    0005 unpause => skip f run_on, cancelled
    "#,
];

/// One history, replayed: the machine, and the states before each event.
pub(crate) struct Replay<'a> {
    pub(crate) world: &'a Memory,
    pub(crate) machine: Machine,
}

impl<'a> Replay<'a> {
    /// The first `events` of a world.
    pub(crate) fn of(world: &'a Memory, events: usize) -> Self {
        let plan = Arc::new(workflow::parse(&world.workflow).expect("it was played"));
        let digest = digest_of_text(&world.workflow);
        let machine = start(plan, &digest, &world.events[0]).expect("it was played");
        let mut replay = Self { world, machine };
        for event in &world.events[1..events] {
            apply(&mut replay.machine, event).expect("it was played");
        }
        replay
    }

    fn nodes(&self) -> Vec<NodeRecord> {
        self.machine.state().nodes.clone()
    }
}

#[test]
fn every_row_of_the_table_is_taken() {
    let mut taken = BTreeSet::new();
    for table in HISTORIES {
        let world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
        let mut replay = Replay::of(&world, 1);
        take_start(&replay, &mut taken);
        for event in &replay.world.events[1..] {
            let before = replay.nodes();
            apply(&mut replay.machine, event).expect("it was played");
            take(&replay, event, &before, &mut taken);
        }
    }
    let rows = STATES.into_iter().flat_map(|state| {
        let steps = Step::ALL.into_iter();
        steps.filter_map(move |step| step.leads(state).map(|_| row(state, step)))
    });
    // Of an instance alone: the tables of maps have it.
    let of_instances = row(NodeState::Cancelled, Step::Reopen);
    let rows = rows.filter(|row| *row != of_instances);
    let never: Vec<String> = rows.filter(|row| !taken.contains(row)).collect();
    assert!(never.is_empty(), "no history takes {never:?}");
}

fn row(state: NodeState, step: Step) -> String {
    format!("({}, {step:?})", name(state))
}

/// Event 1 reaches the start node.
fn take_start(replay: &Replay<'_>, taken: &mut BTreeSet<String>) {
    let reached = replay.nodes().iter().any(|it| it.state == NodeState::Ready);
    assert!(reached, "event 1 reaches the start node");
    taken.insert(row(NodeState::Pending, Step::Reach));
}

/// Conclude which steps an event took, and hold them against the table.
fn take(replay: &Replay<'_>, event: &Event, before: &[NodeRecord], taken: &mut BTreeSet<String>) {
    let plan = replay.machine.plan();
    let subject = of_node(event).and_then(|(id, step)| Some((plan.find(id)?.0 as usize, step)));
    for (at, (was, is)) in before.iter().zip(&replay.nodes()).enumerate() {
        let steps = match subject {
            Some((of, step)) if of == at => steps_of(step, was.state),
            _ if was.wait_result.is_none() && is.wait_result.is_some() => vec![Step::Receive],
            _ if was.state != is.state => vec![of_many(event)],
            _ => continue,
        };
        let end = steps.into_iter().fold(was.state, |state, step| {
            taken.insert(row(state, step));
            let next = step.leads(state);
            next.unwrap_or_else(|| panic!("{event:?} took {}", row(state, step)))
        });
        assert_eq!(end, is.state, "{event:?}");
    }
}

/// A finalizer is reached by its order.
fn steps_of(step: Step, state: NodeState) -> Vec<Step> {
    match (step, state) {
        (Step::Schedule, NodeState::Pending) => vec![Step::Reach, step],
        _ => vec![step],
    }
}

/// The step that an event lets nodes take that it does not name.
fn of_many(event: &Event) -> Step {
    match event.kind {
        EventKind::ExecutionForked(_) => Step::BeginAnew,
        _ => Step::Reach,
    }
}

/// The node that an event is about, and the step that it takes. None: it takes
/// no step of the node that it names, or names none.
fn of_node(event: &Event) -> Option<(&str, Step)> {
    Some(match &event.kind {
        EventKind::NodeScheduled(it) => (&it.node_id, Step::Schedule),
        EventKind::RetryScheduled(it) => (&it.node_id, Step::Retry),
        EventKind::NodeStarted(it) => (&it.node_id, Step::Start),
        EventKind::NodeCompleted(it) => (&it.node_id, Step::Complete),
        EventKind::NodeSettled(it) => (&it.node_id, Step::Settle),
        EventKind::NodeFailed(it) => (&it.node_id, Step::Fail),
        EventKind::LeaseExpired(it) => (&it.node_id, Step::Fail),
        EventKind::NodeReleased(it) => (&it.node_id, Step::Release),
        EventKind::NodeTimedOut(it) => (&it.node_id, Step::TimeOut),
        EventKind::NodeExhausted(it) => (&it.node_id, Step::Exhaust),
        EventKind::InterruptRaised(it) => (&it.node_id, Step::Wait),
        EventKind::TimerCreated(it) => (&it.node_id, Step::Wait),
        EventKind::MapExpanded(it) => (&it.node_id, Step::Wait),
        EventKind::ChildRequested(it) => (&it.node_id, Step::Request),
        EventKind::ChildRefused(it) => (&it.node_id, Step::LoseChild),
        EventKind::ChildEnded(it) => match (it.status, it.output.as_deref()) {
            (Status::Completed, Some("{}")) => (&it.node_id, Step::Settle),
            // It goes round once more.
            (Status::Completed, _) => (&it.node_id, Step::BeginAnew),
            _ => (&it.node_id, Step::LoseChild),
        },
        EventKind::ApprovalReceived(it) => (&it.node_id, Step::Receive),
        EventKind::TimerFired(it) => (&it.node_id, Step::Receive),
        EventKind::RetryRequested(it) => (&it.node_id, Step::Reopen),
        EventKind::NodeSkipped(it) if it.reason == SkipReason::ByOperator => {
            (&it.node_id, Step::Skip)
        }
        EventKind::NodeSkipped(it) => (&it.node_id, Step::PassOver),
        EventKind::NodeCancelled(it) => (&it.node_id, Step::Cancel),
        EventKind::Stalled(it) => match &it.reason {
            StallReason::AttemptsExhausted(it) => (&it.node_id, Step::Stall),
            StallReason::BudgetExceeded(_) => return None,
        },
        _ => return None,
    })
}
