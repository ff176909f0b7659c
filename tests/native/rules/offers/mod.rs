//! Events that no honest guest or host would write where they stand. Each is
//! refused, in the words of the rule that it breaks; so an audit can rely on
//! it that what is in a log was legal there.

mod early;
mod full;
mod room;
mod settling;

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{
    Event, EventKind, GuestChanged, ItemDigest, NodeScheduled, NodeSkipped, NodeTimedOut,
    OperatorNote, Origin, RetryScheduled, SkipReason, WorkflowCompleted,
};
use refrain_guest::digest::digest_of_text;
use refrain_guest::snapshot;
use refrain_guest::workflow;
use refrain_tests::notation::{Graph, Memory, play};

use crate::rules::transitions::Replay;

/// The answer to an event, offered after the first `events` of a table's log.
fn offer_after(table: &str, events: usize, at: u64, kind: EventKind) -> Result<(), String> {
    let world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
    let mut replay = Replay::of(&world, events.min(world.events.len()));
    let event = Event {
        sequence: replay.machine.sequence() + 1,
        at,
        origin: Origin::Decision,
        kind,
    };
    apply(&mut replay.machine, &event).map_err(|illegal| illegal.reason)
}

const WHOLE: usize = usize::MAX;

#[track_caller]
fn refused(table: &str, events: usize, at: u64, kind: EventKind, expected: &str) {
    let answer = offer_after(table, events, at, kind.clone());
    let reason = answer.expect_err(&format!("{kind:?} is taken"));
    assert!(reason.contains(expected), "{kind:?}: {reason}");
}

fn schedule(node_id: &str, attempt: u32) -> EventKind {
    EventKind::NodeScheduled(NodeScheduled {
        node_id: node_id.to_owned(),
        queue: "general".to_owned(),
        attempt,
        item_digest: ItemDigest::default(),
    })
}

fn retry(node_id: &str, attempt: u32) -> EventKind {
    EventKind::RetryScheduled(RetryScheduled {
        node_id: node_id.to_owned(),
        attempt,
        delay_ms: 0,
        item_digest: ItemDigest::default(),
    })
}

fn time_out(node_id: &str, attempt: u32) -> EventKind {
    EventKind::NodeTimedOut(NodeTimedOut {
        node_id: node_id.to_owned(),
        attempt,
        timeout_ms: 5_000,
    })
}

fn skip(node_id: &str, reason: SkipReason) -> EventKind {
    EventKind::NodeSkipped(NodeSkipped {
        node_id: node_id.to_owned(),
        reason,
    })
}

fn completed() -> EventKind {
    EventKind::WorkflowCompleted(WorkflowCompleted {
        final_state: "{}".to_owned(),
    })
}

#[test]
fn r05_orders_are_of_the_next_attempt_of_a_node_for_workers() {
    let plain = "a -> b\n0 tick => schedule a";
    refused(
        plain,
        1,
        0,
        schedule("a", 2),
        "the next attempt of node `a` is 1, not 2",
    );
    refused(
        plain,
        1,
        0,
        retry("a", 1),
        "its first attempt is ordered by node_scheduled",
    );
    let wait = "t: wait timer {\"timeout_secs\":1}\nt -> a\n0 tick => wait t";
    refused(wait, 1, 0, schedule("t", 1), "it has no work items");
    let reopened = "a -> end\na: tool retry=no_retry\nb: tool\na -> b\n0 tick => schedule a\n0 fail a => exhaust a, failed";
    refused(reopened, 4, 0, retry("a", 2), "has used all its 1 attempts");
}

#[test]
fn r20_a_retry_by_an_operator_is_ordered_as_a_retry_and_needs_room() {
    let table = "
        s -> a, s -> b
        limits 1 8
        a: tool retry=no_retry
        0 tick        => schedule s
        0 complete s  => schedule a
        0 fail a      => exhaust a, schedule b
        0 retry a
        ";
    refused(
        table,
        WHOLE,
        0,
        retry("a", 2),
        "1 nodes are in flight, as many as may be",
    );
    let alone = "
        s -> a, s -> b
        a: tool retry=no_retry
        b: wait timer {\"timeout_secs\":9}
        0 tick        => schedule s
        0 complete s  => schedule a, wait b
        0 fail a      => exhaust a
        0 retry a     => retry a
        ";
    let before_its_order = 10;
    refused(
        alone,
        before_its_order,
        0,
        schedule("a", 2),
        "ordered by retry_scheduled",
    );
    assert_eq!(
        offer_after(alone, before_its_order, 0, retry("a", 2)),
        Ok(())
    );
}

#[test]
fn r04_no_order_exceeds_the_concurrency() {
    let table = "s -> a, s -> b\nlimits 1 8\n0 tick => schedule s\n0 complete s => schedule a";
    refused(
        table,
        WHOLE,
        0,
        schedule("b", 1),
        "1 nodes are in flight, as many as may be",
    );
}

#[test]
fn r17_r18_nothing_is_ordered_while_held_or_ending() {
    refused(
        "a -> b\n0 pause",
        WHOLE,
        0,
        schedule("a", 1),
        "paused: no work item may be ordered",
    );
    let ending = "
        s -> a, s -> b
        limits 1 8
        f: finalizer always
        0 tick       => schedule s
        0 complete s => schedule a
        0 cancel     => cancel a, schedule f
        ";
    refused(
        ending,
        WHOLE,
        0,
        schedule("b", 1),
        "node `b` may not be dispatched any more",
    );
}

#[test]
fn r14_no_timeout_passes_before_its_time() {
    let table = "a -> b\na: tool timeout=5\n0 tick => schedule a\n1 claim a";
    refused(
        table,
        WHOLE,
        5000,
        time_out("a", 1),
        "has time until 5001 ms; it is 5000 ms",
    );
    refused(
        table,
        WHOLE,
        5001,
        time_out("a", 2),
        "attempt 1 of node `a` runs, not attempt 2",
    );
    assert_eq!(offer_after(table, WHOLE, 5001, time_out("a", 1)), Ok(()));
    let untimed = "a -> b\n0 tick => schedule a\n0 claim a";
    refused(
        untimed,
        WHOLE,
        9999,
        time_out("a", 1),
        "node `a` has no timeout",
    );
    refused(
        untimed,
        WHOLE,
        9999,
        EventKind::WorkflowTimedOut,
        "no timeout of the workflow runs",
    );
    let timed = "a -> b\ntimeout 5\n0 tick => schedule a";
    refused(
        timed,
        WHOLE,
        4999,
        EventKind::WorkflowTimedOut,
        "has time until 5000 ms",
    );
    assert_eq!(
        offer_after(timed, WHOLE, 5000, EventKind::WorkflowTimedOut),
        Ok(())
    );
}

#[test]
fn r16_no_end_comes_while_something_can_be_done() {
    refused(
        "a -> b\n0 tick => schedule a",
        1,
        0,
        completed(),
        "may not end as completed here",
    );
    refused(
        "a -> b\n0 tick => schedule a",
        WHOLE,
        0,
        completed(),
        "(under way: a)",
    );
    let settles = "p: parallel\np -> a\n0 tick => settle p, schedule a";
    refused(settles, 1, 0, completed(), "may not end as completed here");
    let finalizer = "a -> end\nf: finalizer success\n0 tick => schedule a";
    refused(
        finalizer,
        1,
        0,
        skip("f", SkipReason::RunOn),
        "the time of finalizer `f` has not come",
    );
    refused(
        finalizer,
        1,
        0,
        schedule("f", 1),
        "the time of finalizer `f` has not come",
    );
    refused(
        finalizer,
        1,
        0,
        skip("f", SkipReason::Unreached),
        "it may not be skipped as unreached",
    );
    refused(
        finalizer,
        1,
        0,
        skip("a", SkipReason::RunOn),
        "node `a` is no finalizer",
    );
    refused(
        finalizer,
        1,
        0,
        skip("a", SkipReason::ByOperator),
        "no operator asked",
    );
}

#[test]
fn law2_facts_are_the_hosts_and_decisions_the_guests() {
    let table = "a -> b\n0 tick => schedule a";
    let world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
    let wrong = |origin, kind| {
        let mut replay = Replay::of(&world, 1);
        let event = Event {
            sequence: 2,
            at: 0,
            origin,
            kind,
        };
        apply(&mut replay.machine, &event).map_err(|illegal| illegal.reason)
    };
    let decision = wrong(Origin::Fact, schedule("a", 1));
    assert_eq!(
        decision,
        Err("only the guest may author this event: it is a decision".to_owned())
    );
    let note = OperatorNote {
        reason: None,
        by: None,
    };
    let fact = wrong(Origin::Decision, EventKind::ExecutionPaused(note));
    assert_eq!(
        fact,
        Err("only the host may author this event: it is a fact".to_owned())
    );
}

#[test]
fn r04_an_execution_in_which_nothing_could_run_does_not_start() {
    for (limits, starts) in [("1 1", true), ("0 1", false), ("1 0", false)] {
        let graph = Graph::read(["a -> b", &format!("limits {limits}")]).expect("a graph");
        let world = Memory::new(&graph, 0);
        let plan = workflow::parse(&world.workflow)
            .expect("it is valid")
            .into();
        let machine = start(plan, &digest_of_text(&world.workflow), &world.start(&graph));
        assert_eq!(machine.is_ok(), starts, "{limits}");
    }
}

#[test]
fn law10_the_guest_is_the_one_that_the_log_names_last() {
    let world = play("a -> b\n0 tick => schedule a\n0 claim a")
        .unwrap_or_else(|error| panic!("{error}"))
        .world;
    let mut machine = Replay::of(&world, 2).machine;
    assert_eq!(snapshot::take(&machine).guest_digest, "0".repeat(64));
    let changed = apply(
        &mut machine,
        &Event {
            sequence: 3,
            at: 0,
            origin: Origin::Fact,
            kind: EventKind::GuestChanged(GuestChanged {
                guest_digest: "1".repeat(64),
                by: None,
            }),
        },
    );
    assert_eq!(changed, Ok(()));
    assert_eq!(snapshot::take(&machine).guest_digest, "1".repeat(64));
}
