//! A node fails for good: after its attempts, after a wait, or before it could begin.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use super::edges::{reach, release_finalizers};
use super::ending::{check_finalizer, enter_end};
use super::map::{forget_skips, map_may_fail};
use super::operator::lift_policy_stall;
use super::refusal::{Refusal, check_not_held, check_step_of, find, refuse};
use super::settlement::handle_failure;
use super::undo::check_turn;
use super::wait::stop_waiting;
use crate::contract::{NodeExhausted, NodeFailure, NodeState, RefusalCode as Code};
use crate::guards::may_be_unresolved;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Failure, is_finalizer};
use crate::time::Timestamp;
use crate::workflow::plan::Kind;

pub(super) fn exhausted(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeExhausted,
) -> Result<(), Refusal> {
    let run = find(machine, &decision.node_id)?;
    let ix = run.node;
    // It could not even begin (rule R29).
    let is_unresolved = matches!(
        decision.cause,
        NodeFailure::UnresolvedExpression(_) | NodeFailure::TooLarge(_)
    ) && may_be_unresolved(machine, run);
    let is_pending = is_unresolved && machine.record(run).state == NodeState::Pending;
    let is_undo = is_pending && run.is_undo();
    let is_last = is_pending && (is_undo || is_finalizer(&machine.node(ix).kind));
    if is_undo {
        check_turn(machine, run)?;
        check_not_held(machine, "it may not end")?;
    } else if is_last {
        check_finalizer(machine, ix, true)?;
        check_not_held(machine, "it may not end")?;
    } else {
        check_step_of(machine, run, Step::Exhaust)?;
    }
    let record = machine.record(run);
    if record.attempt != decision.attempts {
        return refuse(
            Code::Unfounded,
            format!(
                "node `{}` has made {} attempts, not {}",
                decision.node_id, record.attempt, decision.attempts
            ),
        );
    }
    let unbegun = is_last || (is_unresolved && record.state == NodeState::Ready);
    let may_fail = match machine.node(ix).kind {
        _ if !run.is_own() => record.state == NodeState::Failing,
        Kind::Work(_) | Kind::Subgraph(_) => record.state == NodeState::Failing,
        Kind::Wait(_) | Kind::HumanApproval(_) => record.state == NodeState::Waiting,
        Kind::Map(_) => map_may_fail(machine, ix, &decision.cause),
        Kind::LimitExceeded { .. } => true,
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) | Kind::Terminate(_) => false,
    };
    if !may_fail && !unbegun {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is {}: nothing of it has failed",
                decision.node_id,
                name(record.state)
            ),
        );
    }
    let class = match &decision.cause {
        NodeFailure::UnresolvedExpression(_) => Some("unresolved_expression".to_string()),
        NodeFailure::TooLarge(_) => Some("too_large".to_string()),
        _ => record
            .failure
            .as_ref()
            .and_then(|failure| failure.class.clone()),
    };
    if is_last {
        enter_end(machine, run);
        reach(machine, run);
    }
    if !unbegun && run.is_own() {
        stop_waiting(machine, ix);
    }
    machine.change(run, |node| {
        node.take(Step::Exhaust);
        node.wait_result = None;
        node.ended_at = Some(at);
        node.failure = Some(Box::new(Failure {
            cause: decision.cause.clone(),
            class,
            retryable: false,
            retry_after: None,
            is_handled: false,
        }));
    });
    if !run.is_own() {
        // Its map was settled while the execution stood on it: nobody is asked any more.
        lift_policy_stall(machine, run);
        return Ok(());
    }
    forget_skips(machine, ix);
    if !handle_failure(machine, ix) {
        release_finalizers(machine, ix);
    }
    Ok(())
}
