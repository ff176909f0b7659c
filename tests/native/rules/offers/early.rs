//! Offers about what stops nodes, or ends an execution, before everything is done (rules R24,
//! R26 and R28).

use refrain_guest::contract::{
    CancelReason, EventKind, NodeCancelled, SkipReason, WorkflowCompleted, WorkflowFailed,
    WorkflowFailure,
};

use super::{WHOLE, completed, offer_after, refused, retry, skip};

const RACE: &str = r#"
    s -> a, s -> b, a -> j, b -> c, c -> j, j -> d
    s: parallel
    j: join first cancel_rest
    0 tick       => settle s, schedule a, schedule b
    0 complete a => settle j, cancel b join_satisfied, skip c not_needed, schedule d
    "#;

/// The log of the race up to where the join is settled.
const JOIN_SETTLED: usize = 7;

fn cancel(node_id: &str, reason: CancelReason) -> EventKind {
    EventKind::NodeCancelled(NodeCancelled {
        node_id: node_id.to_owned(),
        reason,
    })
}

fn failed() -> EventKind {
    EventKind::WorkflowFailed(WorkflowFailed {
        cause: WorkflowFailure::NodesFailed(vec!["a".to_owned()]),
        final_state: "{}".to_owned(),
    })
}

#[test]
fn r24_only_what_a_settled_join_does_without_is_stopped_for_it() {
    let (stop, leave_out) = (
        cancel("b", CancelReason::JoinSatisfied),
        skip("c", SkipReason::NotNeeded),
    );
    let before = JOIN_SETTLED - 1;
    let message = "no join that is settled does without node";
    refused(RACE, before, 0, stop.clone(), message);
    refused(RACE, before, 0, leave_out.clone(), message);
    assert_eq!(offer_after(RACE, JOIN_SETTLED, 0, stop), Ok(()));
    assert_eq!(offer_after(RACE, JOIN_SETTLED, 0, leave_out), Ok(()));
    let other = skip("d", SkipReason::NotNeeded);
    refused(RACE, JOIN_SETTLED, 0, other, message);
}

#[test]
fn r24_a_join_that_can_be_reached_is_not_skipped() {
    let table = r#"
        s -> a, s -> b, s -> c, a -> j if state.never, b -> j, c -> j
        s: parallel
        j: join count=2
        0 tick       => settle s, schedule a, schedule b, schedule c
        0 complete a
        "#;
    let offer = skip("j", SkipReason::Unreached);
    refused(table, WHOLE, 0, offer, "`j` can still be reached");
}

#[test]
fn r24_r28_nothing_is_stopped_for_what_did_not_happen() {
    let table = "a -> b\n0 tick => schedule a";
    for reason in [CancelReason::Terminated, CancelReason::BudgetExceeded] {
        let offer = cancel("a", reason);
        refused(table, WHOLE, 0, offer, "nothing asks for node `a`");
    }
}

#[test]
fn r24_what_a_terminate_fixed_is_how_it_ends() {
    let table = r#"
        a -> t
        t: terminate failed {"reason":"no stock"}
        0 tick       => schedule a
        0 complete a => settle t, failed "terminated no stock"
        "#;
    let settled = 5;
    let offer = EventKind::WorkflowCompleted(WorkflowCompleted {
        final_state: "{}".to_owned(),
    });
    refused(table, settled, 0, offer, "may not end as completed here");
    assert_eq!(offer_after(table, settled, 0, failed()), Ok(()));
}

#[test]
fn r26_a_handled_failure_fails_nothing_and_is_not_tried_again() {
    let table = r#"
        a -> end on failure
        a: tool retry=no_retry
        0 tick   => schedule a
        0 fail a => exhaust a, completed
        "#;
    let exhausted = 5;
    refused(table, exhausted, 0, failed(), "may not end as failed here");
    refused(table, exhausted, 0, retry("a", 2), "is failed");
    assert_eq!(offer_after(table, exhausted, 0, completed()), Ok(()));
}
