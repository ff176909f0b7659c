//! Offers about what the guest settles itself: waits, approvals, skips, stops.

use refrain_guest::apply::apply;
use refrain_guest::contract::{
    Budget, BudgetExcess, CancelReason, EventKind, ExternalEventReceived, InterruptRaised,
    NodeCancelled, NodeExhausted, NodeFailure, NodeSettled, SkipReason, StallReason, Stalled,
    TimerCreated, TimerFired,
};

use refrain_guest::limits::{ID_BYTES_MAX, JSON_DEPTH_MAX, PAYLOAD_BYTES_MAX};
use refrain_tests::notation::play;

use crate::rules::transitions::Replay;

use super::{WHOLE, offer_after, refused, skip};

fn settle(node_id: &str) -> EventKind {
    EventKind::NodeSettled(NodeSettled {
        node_id: node_id.to_owned(),
        output: "null".to_owned(),
        state_patch: "{}".to_owned(),
        chosen_target: None,
    })
}

fn exhaust(node_id: &str, attempts: u32) -> EventKind {
    EventKind::NodeExhausted(NodeExhausted {
        node_id: node_id.to_owned(),
        attempts,
        cause: NodeFailure::AttemptFailed("boom".to_owned()),
    })
}

fn interrupt(node_id: &str) -> EventKind {
    EventKind::InterruptRaised(InterruptRaised {
        node_id: node_id.to_owned(),
        reason: "May it?".to_owned(),
        expires_at: None,
    })
}

fn create_timer(node_id: &str, key: Option<&str>) -> EventKind {
    EventKind::TimerCreated(TimerCreated {
        node_id: node_id.to_owned(),
        fire_at: None,
        correlation_key: key.map(ToOwned::to_owned),
    })
}

fn fire_timer(node_id: &str, key: Option<&str>) -> EventKind {
    EventKind::TimerFired(TimerFired {
        node_id: node_id.to_owned(),
        correlation_key: key.map(ToOwned::to_owned),
    })
}

fn cancel(node_id: &str, reason: CancelReason) -> EventKind {
    EventKind::NodeCancelled(NodeCancelled {
        node_id: node_id.to_owned(),
        reason,
    })
}

const WAITS: &str = r#"
    p: parallel {"branches":["t","w","e","h","l","a"]}
    t: wait timer {"timeout_secs":5}
    w: wait external_event {"correlation_key":"k"}
    e: wait either {"correlation_key":"k2","timeout_secs":5}
    h: human_approval {"timeout_secs":5}
    l: limit_exceeded
    0 tick => settle p, schedule a, wait e, interrupt h, exhaust l, wait t, wait w
"#;

/// The branches of `WAITS` are ready, and nothing of them is decided.
const READY: usize = 2;

#[test]
fn r06_nothing_settles_that_waits_or_is_a_workers() {
    for node_id in ["t", "w", "e", "h", "l", "a"] {
        refused(
            WAITS,
            READY,
            0,
            settle(node_id),
            "nothing completes it without a worker",
        );
    }
    for node_id in ["t", "w", "e", "h"] {
        refused(
            WAITS,
            WHOLE,
            0,
            settle(node_id),
            "is waiting: nothing completes it without",
        );
    }
    refused(
        WAITS,
        WHOLE,
        4999,
        settle("h"),
        "is waiting: nothing completes it without",
    );
    assert_eq!(offer_after(WAITS, WHOLE, 5000, settle("h")), Ok(()));
    assert_eq!(offer_after(WAITS, 1, 0, settle("p")), Ok(()));
}

#[test]
fn r11_nothing_fails_for_good_that_did_not_fail() {
    for node_id in ["t", "w", "h", "a"] {
        refused(
            WAITS,
            READY,
            0,
            exhaust(node_id, 0),
            "is ready: nothing of it has failed",
        );
    }
    refused(WAITS, 1, 0, exhaust("p", 0), "nothing of it has failed");
    refused(
        WAITS,
        READY,
        0,
        exhaust("l", 1),
        "has made 0 attempts, not 1",
    );
    assert_eq!(offer_after(WAITS, READY, 0, exhaust("l", 0)), Ok(()));
}

#[test]
fn r19_each_waits_for_its_own() {
    refused(
        WAITS,
        READY,
        0,
        interrupt("t"),
        "node `t` does not wait for a person",
    );
    refused(
        WAITS,
        READY,
        0,
        create_timer("h", None),
        "node `h` is no wait",
    );
    refused(
        WAITS,
        READY,
        0,
        create_timer("w", None),
        "waits for another external event",
    );
    refused(
        WAITS,
        READY,
        0,
        create_timer("w", Some("x")),
        "waits for another external event",
    );
    assert_eq!(
        offer_after(WAITS, READY, 0, create_timer("w", Some("k"))),
        Ok(())
    );
}

#[test]
fn r19_a_timer_fires_at_its_time_for_its_wait() {
    refused(
        WAITS,
        WHOLE,
        4999,
        fire_timer("t", None),
        "waits until 5000 ms; it is 4999 ms",
    );
    assert_eq!(
        offer_after(WAITS, WHOLE, 5000, fire_timer("t", None)),
        Ok(())
    );
    assert_eq!(
        offer_after(WAITS, WHOLE, 5000, fire_timer("e", Some("k2"))),
        Ok(())
    );
    refused(
        WAITS,
        WHOLE,
        5000,
        fire_timer("e", None),
        "node `e` waits otherwise",
    );
    refused(
        WAITS,
        WHOLE,
        5000,
        fire_timer("w", Some("k")),
        "node `w` waits otherwise",
    );
    refused(
        WAITS,
        WHOLE,
        5000,
        fire_timer("h", None),
        "node `h` is no wait",
    );
}

#[test]
fn r09_only_what_nothing_leads_to_is_unreached() {
    let table = "s -> a if state.x, s -> b, a -> b, b -> c\n0 tick => schedule s\n0 complete s => skip a, schedule b";
    for (events, node_id) in [(1, "s"), (1, "a"), (1, "c"), (5, "b"), (5, "c")] {
        refused(
            table,
            events,
            0,
            skip(node_id, SkipReason::Unreached),
            "can still be reached",
        );
    }
    let after_s = 4;
    assert_eq!(
        offer_after(table, after_s, 0, skip("a", SkipReason::Unreached)),
        Ok(())
    );
}

#[test]
fn r17_nothing_is_stopped_that_nobody_asks_to_stop() {
    use CancelReason::{ByOperator, CancelRequested, WorkflowTimedOut};
    for reason in [CancelRequested, WorkflowTimedOut] {
        refused(
            WAITS,
            WHOLE,
            0,
            cancel("t", reason),
            "nothing asks for node `t`",
        );
    }
    refused(
        WAITS,
        WHOLE,
        0,
        cancel("t", ByOperator),
        "no operator asked for node `t`",
    );
    let cancelled = "
        a -> end
        f: finalizer always
        0 tick   => schedule a
        0 cancel => cancel a, schedule f
        ";
    let asked = 3;
    refused(
        cancelled,
        asked,
        0,
        cancel("a", WorkflowTimedOut),
        "nothing asks for node `a`",
    );
    assert_eq!(
        offer_after(cancelled, asked, 0, cancel("a", CancelRequested)),
        Ok(())
    );
    refused(
        cancelled,
        WHOLE,
        0,
        cancel("f", CancelRequested),
        "nothing asks for node `f`",
    );
}

#[test]
fn r18_no_finalizer_is_passed_over_while_held() {
    let table = "
        a -> end
        f: finalizer failure
        0 tick              => schedule a
        0 claim a
        0 pause; complete a
        ";
    refused(
        table,
        WHOLE,
        0,
        skip("f", SkipReason::RunOn),
        "paused: it may not end",
    );
}

#[test]
fn r11_only_a_policy_stalls_an_execution_and_once() {
    let stall = |node_id: &str| {
        EventKind::Stalled(Stalled {
            reason: StallReason::AttemptsExhausted(NodeExhausted {
                node_id: node_id.to_owned(),
                attempts: 1,
                cause: NodeFailure::LeaseExpired,
            }),
        })
    };
    let table = r#"
        s -> a, s -> b, s -> c
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=ask
        b: tool retry=ask
        0 tick                   => schedule s
        0 complete s             => schedule a, schedule b, schedule c
        0 claim a; claim b; claim c
        0 pause; fail a; fail b; fail c => stall a
        "#;
    let c_failed = 14;
    refused(
        table,
        c_failed,
        0,
        stall("c"),
        "the policy of node `c` does not stall",
    );
    assert_eq!(offer_after(table, c_failed, 0, stall("a")), Ok(()));
    refused(table, WHOLE, 0, stall("b"), "stalled on node `a` already");
    let anonymous = EventKind::Stalled(Stalled {
        reason: StallReason::BudgetExceeded(BudgetExcess {
            budget: Budget::Tokens,
            allowed: "1".to_owned(),
            spent: "2".to_owned(),
        }),
    });
    refused(
        table,
        c_failed,
        0,
        anonymous,
        "no budget of the workflow is exceeded so",
    );
}

#[test]
fn r19_an_external_event_must_fit_into_the_state() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let long = "k".repeat(ID_BYTES_MAX + 1);
    let rows = [
        ("k", nested(JSON_DEPTH_MAX - 1), None),
        (
            "k",
            nested(JSON_DEPTH_MAX),
            Some("nested too deeply to be put into the state"),
        ),
        ("k", "[1".to_owned(), Some("the payload is not JSON")),
        (&long[1..], "1".to_owned(), None),
        (&long, "1".to_owned(), Some("it must have 1 to 256")),
        ("k", text(PAYLOAD_BYTES_MAX), None),
        (
            "k",
            text(PAYLOAD_BYTES_MAX + 1),
            Some("4194304 are allowed: store it elsewhere"),
        ),
        ("", "1".to_owned(), Some("the correlation key has 0 bytes")),
    ];
    let world = play("a -> b\n0 tick => schedule a")
        .unwrap_or_else(|error| panic!("{error}"))
        .world;
    for (key, payload, expected) in rows {
        let mut machine = Replay::of(&world, 2).machine;
        let event = world.fact(EventKind::ExternalEventReceived(ExternalEventReceived {
            correlation_key: key.to_owned(),
            payload,
            event_id: None,
            by: None,
        }));
        let answer = apply(&mut machine, &event).map_err(|illegal| illegal.reason);
        match (answer, expected) {
            (Ok(()), None) => {}
            (Err(reason), Some(expected)) => assert!(reason.contains(expected), "{reason}"),
            (answer, expected) => panic!("{answer:?}, expected {expected:?}"),
        }
    }
}
