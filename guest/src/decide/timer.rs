//! What time alone ends: attempts, waits, approvals, the execution itself
//! (rules R14 and R19).

use alloc::borrow::Cow;
use alloc::string::ToString;

use super::child::request;
use super::decision::{Decision, child_to_cancel, decision, take_back};
use super::next::Next;
use super::settle::target;
use super::words::{completion, exhaustion};
use crate::contract::{EventKind, MissedEvent, NodeFailure, NodeState, NodeTimedOut, TimerFired};
use crate::guards::{correlation_key, deadlines, is_held, workflow_deadline};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{HumanApproval, Kind, NodeIx, Wait};

/// The output of an approval that nobody gave in time, where the fallback is
/// taken: the log says so (rule R19).
const NOT_ANSWERED: &str = r#"{"decision":"timed_out"}"#;

/// What is overdue: the workflow, then its nodes by deadline and R2.
pub(super) fn overdue(machine: &Machine, now: Timestamp, budget: u32) -> Option<Next> {
    if workflow_deadline(machine).is_some_and(|deadline| deadline <= now) {
        return Some(Next::WorkflowTimesOut);
    }
    let may_order = budget > 0 && !is_held(machine);
    let (deadline, run) = deadlines(machine, !may_order).next()?;
    (deadline <= now).then_some(Next::Overdue(run))
}

pub(super) fn overdue_node(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    let (node, ix) = (machine.node(run), run.node);
    match &node.kind {
        Kind::Wait(wait) => overdue_wait(machine, now, ix, wait),
        Kind::HumanApproval(approval) => overdue_approval(machine, now, ix, approval),
        _ if machine.record(run).state == NodeState::Failing => request(machine, now, run),
        Kind::Work(_)
        | Kind::Subgraph(_)
        | Kind::Condition(_)
        | Kind::Parallel
        | Kind::Join(_)
        | Kind::Map(_)
        | Kind::Terminate(_)
        | Kind::LimitExceeded { .. } => {
            let timed_out = NodeTimedOut {
                node_id: machine.node_id(run),
                attempt: machine.record(run).attempt,
                timeout_ms: machine.timeout(run).unwrap_or_default().0,
            };
            decision(
                machine,
                now,
                EventKind::NodeTimedOut(timed_out),
                Some(child_to_cancel(machine, run).unwrap_or_else(|| take_back(machine, run))),
            )
        }
    }
}

fn overdue_wait(machine: &Machine, now: Timestamp, ix: NodeIx, wait: &Wait) -> Decision {
    let correlation_key = correlation_key(machine, ix, wait).ok().flatten();
    let correlation_key = correlation_key.map(Cow::into_owned);
    if wait.timer_completes {
        let fired = TimerFired {
            node_id: machine.node_id(ix),
            correlation_key,
        };
        return decision(machine, now, EventKind::TimerFired(fired), None);
    }
    let missed = MissedEvent {
        correlation_key: correlation_key.unwrap_or_default(),
        timeout_ms: waited(machine, ix).0,
    };
    give_up(machine, now, ix, NodeFailure::EventTimeout(missed))
}

/// How long a wait lasts whose time is over: by its timer, not by the clock.
fn waited(machine: &Machine, ix: NodeIx) -> Millis {
    let record = machine.record(ix);
    let ends = record.deadline.unwrap_or_default();
    ends.since(record.started_at.unwrap_or_default())
}

fn overdue_approval(
    machine: &Machine,
    now: Timestamp,
    ix: NodeIx,
    approval: &HumanApproval,
) -> Decision {
    match approval.fallback {
        Some(fallback) => decision(
            machine,
            now,
            completion(
                machine,
                ix,
                NOT_ANSWERED.to_string(),
                "{}".to_string(),
                Some(target(machine, fallback)),
            ),
            None,
        ),
        None => {
            let timeout = approval.timeout.unwrap_or_default();
            give_up(machine, now, ix, NodeFailure::ApprovalTimeout(timeout.0))
        }
    }
}

fn give_up(machine: &Machine, now: Timestamp, ix: NodeIx, cause: NodeFailure) -> Decision {
    decision(machine, now, exhaustion(machine, ix, cause), None)
}
