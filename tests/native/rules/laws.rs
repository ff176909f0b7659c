//! The laws, as far as the core alone can keep them.

use std::sync::Arc;

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{
    CancelReason, Event, EventKind, ItemDigest, NextStep, NodeCancelled, NodeExhausted,
    NodeFailure, NodeScheduled, NodeSkipped, NodeTimedOut, Origin, ReasonCause, SchedulerError,
    SkipReason, Snapshot, WorkflowCompleted,
};
use refrain_guest::decide::decide;
use refrain_guest::digest::digest_of_text;
use refrain_guest::inspect::inspect;
use refrain_guest::machine::Machine;
use refrain_guest::notation::facts;
use refrain_guest::shell::Scheduler;
use refrain_guest::snapshot;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow::{self, Plan};
use refrain_tests::notation::{Action, EXECUTION, Memory, check, play};

#[test]
fn law9_a_stall_by_the_host_decides_nothing_until_it_is_lifted() {
    check(
        r#"
        a -> b
        0000 tick       => schedule a
        0010 claim a
        0020 stall
        0020 status     => stalled
        0020 wake       => never
        0030 complete a
        0040 explain b  => ready "stalled: the guest failed twice (lift)"
        0050 lift       => schedule b
        0060 lift       => refused ~"not stalled"
        "#,
    );
}

#[test]
fn law6_nothing_follows_an_end() {
    check(
        r#"
        a -> end
        0000 tick       => schedule a
        0010 complete a => completed
        0020 signal k 1 => refused ~"nothing follows an end"
        0030 cancel     => refused
        0040 complete a => refused
        "#,
    );
}

#[test]
fn law7_late_and_stale_answers_are_refused() {
    check(
        r#"
        a -> b
        0000 tick                            => schedule a
        0010 claim a by=w1
        0020 claim a by=w2                   => refused ~"node `a` is running"
        0030 complete a fence=99             => refused ~"comes too late"
        0040 expire a                        => retry a @2040
        2040 claim a by=w2
        2050 complete a attempt=1 fence=3    => refused ~"held by attempt 2"
        2060 complete a                      => schedule b
        2070 complete a attempt=2 fence=6    => refused ~"node `a` is completed"
        "#,
    );
}

#[test]
fn law9_every_state_is_explained_with_names_and_numbers() {
    check(
        r#"
        s -> a, s -> w, a -> b
        a: tool timeout=5
        w: wait either {"correlation_key":"k","timeout_secs":60}
        00000 tick        => schedule s
        00000 explain s   => scheduled "attempt 1 waits on general since 0 (work general)"
        00000 explain b   => pending "needs a, pending"
        00010 complete s  => schedule a, wait w
        00010 explain s   => completed "completed by w1 at attempt 1"
        00010 explain w   => waiting "waits for k (signal k) | wait ends at 60010"
        00020 claim a     
        00020 explain a   => running ~"w1 at attempt 1 since 20"
        00020 explain a   => running ~"times out at 5020"
        00030 fail a io   => retry a @2030
        00030 explain a   => backing_off ~"not before 2030 | attempt 2 waits on tool"
        00030 explain a   => backing_off ~"attempt 2 of 3 io: boom"
        00040 pause
        00040 explain a   => backing_off ~"paused (unpause)"
        "#,
    );
    let mut world = play("a -> end\n0000 tick => schedule a")
        .expect("the table holds")
        .world;
    let unknown = Scheduler::new().explain(&mut world, EXECUTION, "nobody");
    assert_eq!(
        unknown,
        Err(SchedulerError::UnknownNode("nobody".to_owned()))
    );
}

#[test]
fn law9_nothing_is_foretold_of_a_failure_while_the_execution_is_held() {
    check(
        r#"
        a -> b
        00000 tick      => schedule a
        00010 claim a; pause; fail a
        00010 explain a => failing "attempt 1 of 3: boom | paused (unpause)"
        00020 unpause   => retry a @2020
        "#,
    );
}

#[test]
fn law9_what_the_scheduler_settles_while_paused_is_foretold() {
    let mut world = play("a -> c\nc: parallel\n0000 tick => schedule a\n0010 claim a; pause")
        .expect("the table holds")
        .world;
    let action = Action::read("complete a").expect("an action");
    for kind in facts(&world, &action).expect("it can be said") {
        world.append_fact(world.fact(kind));
    }
    let explained = Scheduler::new().explain(&mut world, EXECUTION, "c");
    let reasons = explained.expect("an explanation").reasons;
    assert_eq!(reasons[0].cause, ReasonCause::NextStep(NextStep::Settle));
}

#[test]
fn law9_r16_a_finalizer_tells_what_it_waits_for() {
    check(
        r#"
        a -> end, f -> g
        f: finalizer always
        g: finalizer always
        h: finalizer always
        limits 1 8
        00000 tick       => schedule a
        00000 explain f  => pending "not at the end: 1 under way, 0 ready"
        00010 complete a => schedule f
        00010 explain g  => pending "1 earlier finalizers"
        00010 explain h  => pending "1 of 1 in flight"
        00020 claim f; pause; complete f
        00020 explain h  => pending "paused (unpause)"
        00030 unpause    => schedule h
        "#,
    );
}

#[test]
fn law9_r16_what_a_finalizer_waits_for_is_counted() {
    check(
        r#"
        s -> a, s -> b, s -> p -> c
        p: parallel
        f: finalizer always
        0 tick              => schedule s
        0 claim s
        1 complete s; stall
        1 explain f         => pending ~"not at the end: 0 under way, 3 ready"
        2 lift              => schedule a, schedule b, settle p, schedule c
        "#,
    );
}

#[test]
fn law9_a_skip_that_was_asked_for_is_foretold() {
    check(
        r#"
        a -> b
        00000 tick       => schedule a
        00010 stall; skip b
        00010 explain b  => pending ~"skipped once lifted"
        00020 lift       => skip b by_operator
        "#,
    );
}

/// Decisions that no guest may make where they stand.
#[test]
fn law2_decisions_that_may_not_stand_are_refused() {
    let world = play("a -> b, b -> f\nf: finalizer always\n0000 tick => schedule a\n0010 claim a")
        .expect("the table holds")
        .world;
    let (plan, digest) = planned(&world);
    let node_id = || "b".to_owned();
    let rows: [(EventKind, &str); 9] = [
        (
            EventKind::WorkflowCompleted(WorkflowCompleted {
                final_state: "{}".to_owned(),
            }),
            "may not end as completed here (under way: a)",
        ),
        (
            EventKind::WorkflowTimedOut,
            "no timeout of the workflow runs",
        ),
        (
            EventKind::NodeScheduled(NodeScheduled {
                node_id: node_id(),
                queue: "general".to_owned(),
                attempt: 1,
                item_digest: ItemDigest::default(),
            }),
            "node `b` is pending: it cannot be scheduled",
        ),
        (
            EventKind::NodeSkipped(NodeSkipped {
                node_id: node_id(),
                reason: SkipReason::Unreached,
            }),
            "can still be reached",
        ),
        (
            EventKind::NodeSkipped(NodeSkipped {
                node_id: node_id(),
                reason: SkipReason::ByOperator,
            }),
            "no operator asked",
        ),
        (
            EventKind::NodeSkipped(NodeSkipped {
                node_id: "f".to_owned(),
                reason: SkipReason::RunOn,
            }),
            "the time of finalizer `f` has not come",
        ),
        (
            EventKind::NodeCancelled(NodeCancelled {
                node_id: "a".to_owned(),
                reason: CancelReason::CancelRequested,
            }),
            "nothing asks for node `a` to be cancelled",
        ),
        (
            EventKind::NodeTimedOut(NodeTimedOut {
                node_id: "a".to_owned(),
                attempt: 1,
                timeout_ms: 1,
            }),
            "node `a` has no timeout",
        ),
        (
            EventKind::NodeExhausted(NodeExhausted {
                node_id: "a".to_owned(),
                attempts: 1,
                cause: NodeFailure::LeaseExpired,
            }),
            "node `a` is running: it cannot fail for good",
        ),
    ];
    for (kind, why) in rows {
        let mut machine = applied(&plan, &digest, &world.events);
        let before = inspect(&machine);
        let sequence = machine.sequence() + 1;
        let event = Event {
            sequence,
            at: 10,
            origin: Origin::Decision,
            kind,
        };
        let illegal = apply(&mut machine, &event).expect_err("a decision out of place");
        assert!(illegal.reason.contains(why), "{}", illegal.reason);
        assert_eq!((illegal.sequence, inspect(&machine)), (sequence, before));
    }
}

pub(crate) fn planned(world: &Memory) -> (Arc<Plan>, String) {
    let plan = workflow::parse(&world.workflow).expect("a valid workflow");
    (Arc::new(plan), digest_of_text(&world.workflow))
}

fn applied(plan: &Arc<Plan>, digest: &str, events: &[Event]) -> Machine {
    let mut machine = start(plan.clone(), digest, &events[0]).expect("a legal start");
    for event in &events[1..] {
        apply(&mut machine, event).expect("a legal event");
    }
    machine
}

/// Everything that can happen, in one execution: a log worth mistreating.
pub(crate) const EVENTFUL: &str = r#"
    s -> a, s -> c, s -> h, s -> w, s -> t, a -> j, c -> j, h -> j, w -> j, t -> j, j -> z, s -> x if state.never, z -> f
    policy ask {"max_attempts":1,"on_exhausted":"pause"}
    a: tool timeout=5
    h: human_approval {"timeout_secs":60,"fallback_node":"b"}
    w: wait external_event {"correlation_key":"k"}
    t: wait timer {"timeout_secs":1}
    z: tool retry=ask
    j: join
    f: finalizer always
    00000 tick                    => schedule s
    00010 complete s {"go":true}  => schedule a, schedule c, interrupt h, wait t, wait w, skip x
    00020 claim a by=w1
    00030 signal k {"k":1}; pause => settle w
    00040 approve h               => settle h, skip b
    01010 unpause                 => fire t, settle t
    05020 tick                    => timeout a, retry a @7020
    07020 expire a                => retry a @11020
    07030 skip c                  => cancel c by_operator
    11020 complete a              => settle j, schedule z
    11030 fail z                  => stall z
    11040 retry z                 => retry z @11040
    11050 fail z                  => stall z
    11060 skip z                  => skip z by_operator, schedule f
    11070 complete f              => completed {"go":true,"k":1}
"#;

#[test]
fn law3_a_snapshot_and_the_rest_is_the_whole_log() {
    let world = play(EVENTFUL).expect("the table holds").world;
    let (plan, digest) = planned(&world);
    let after = |events: &[Event]| applied(&plan, &digest, events);
    let whole = inspect(&after(&world.events));
    for length in 1..=world.events.len() {
        let (seen, rest) = world.events.split_at(length);
        let snapshot = snapshot::take(&after(seen));
        let mut machine =
            snapshot::restore(plan.clone(), &digest, &snapshot).expect("a snapshot of our own");
        assert_eq!(
            inspect(&machine),
            inspect(&after(seen)),
            "restored at {length}"
        );
        assert_eq!(
            decide(&machine, Timestamp(99_999), 8),
            decide(&after(seen), Timestamp(99_999), 8),
            "restored at {length}"
        );
        rest.iter()
            .for_each(|event| apply(&mut machine, event).expect("a legal event"));
        assert_eq!(inspect(&machine), whole, "restored at {length}");
    }
}

#[test]
fn law10_a_snapshot_that_is_not_what_it_says_is_refused() {
    let world = play(EVENTFUL).expect("the table holds").world;
    let (plan, digest) = planned(&world);
    let started = start(plan.clone(), &digest, &world.events[0]).expect("a legal start");
    let snapshot = snapshot::take(&started);
    let refused = |change: &dyn Fn(&mut Snapshot), why: &str| {
        let mut snapshot = snapshot.clone();
        change(&mut snapshot);
        let reason =
            snapshot::restore(plan.clone(), &digest, &snapshot).expect_err("a bad snapshot");
        assert!(reason.contains(why), "{reason}");
    };
    refused(&|snapshot| snapshot.state.truncate(5), "too few");
    refused(
        &|snapshot| snapshot.state[40] ^= 1,
        "not those that were written",
    );
    refused(
        &|snapshot| snapshot.guest_digest = "1".repeat(64),
        "says to be of guest 1111",
    );
    refused(&|snapshot| snapshot.sequence = 9, "at sequence 9");
    let other = snapshot::restore(plan.clone(), &"2".repeat(64), &snapshot)
        .expect_err("another workflow's snapshot");
    assert_eq!(other, "it is of another workflow");
}
