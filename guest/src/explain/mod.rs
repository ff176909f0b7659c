//! Why a node is where it is, in sentences with the names and numbers in them.
//!
//! Nothing here decides anything: it reads what the decisions read, and says
//! it in words. The most telling reason comes first.
//!
//! From the bottom up; each may use those above it in this list.

mod reason;
mod edges;
mod ends;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::contract::{Explanation, NodeState, Reason, ReasonTopic};
use crate::decide::judge_failure;
use crate::guards::{
    dispatch_per_tick, has_room, is_ending, is_held, is_stalled_on, may_decide, stall, status,
};
use crate::inspect::{queue, status_name};
use crate::machine::Machine;
use crate::node::is_settled;
use crate::state::is_finalizer;
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx};
use edges::unmet;
use ends::{why_completed, why_dismissed, why_failed, why_finalizer};
use reason::{no_room, say};

/// Why the node is where it is; none: the workflow has no such node.
#[must_use]
pub fn explain(machine: &Machine, node_id: &str) -> Option<Explanation> {
    let ix = machine.plan.find(node_id)?;
    let state = machine.record(ix).state;
    let mut reasons = match state {
        NodeState::Pending => why_pending(machine, ix),
        NodeState::Ready => why_ready(machine, ix),
        NodeState::Scheduled | NodeState::BackingOff => why_ordered(machine, ix),
        NodeState::Running => why_running(machine, ix),
        NodeState::Failing => why_failing(machine, ix),
        NodeState::Waiting => why_waiting(machine, ix),
        NodeState::Completed => why_completed(machine, ix),
        NodeState::Failed => why_failed(machine, ix),
        NodeState::Skipped | NodeState::Cancelled => why_dismissed(machine, ix),
    };
    reasons.extend(why_skip(machine, ix));
    reasons.extend(why_execution(machine, state));
    Some(Explanation {
        node_id: node_id.to_string(),
        state,
        reasons,
    })
}

fn why_pending(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let id = &machine.node(ix).id;
    if is_finalizer(&machine.node(ix).kind) {
        return why_finalizer(machine, ix);
    }
    if machine.record(ix).unsettled > 0 {
        return unmet(machine, ix);
    }
    if !may_settle(machine) {
        return Vec::new();
    }
    let sentence = format!("node `{id}` cannot be reached and will be skipped");
    [say(ReasonTopic::Progress, sentence)].into()
}

/// Whether the scheduler settles nodes itself at the next step.
fn may_settle(machine: &Machine) -> bool {
    may_decide(machine) && !is_ending(machine)
}

fn why_ready(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if is_finalizer(&machine.node(ix).kind) {
        return why_finalizer(machine, ix);
    }
    let id = &machine.node(ix).id;
    let is_work = matches!(machine.node(ix).kind, Kind::Work(_));
    if !may_settle(machine) || (is_work && is_held(machine)) {
        return Vec::new();
    }
    let sentence = if !is_work {
        say(
            ReasonTopic::Progress,
            format!("node `{id}` is settled by the scheduler at its next step"),
        )
    } else if !has_room(machine) {
        no_room(machine, ix)
    } else {
        let limit = dispatch_per_tick(machine);
        say(
            ReasonTopic::Limit,
            format!(
                "node `{id}` is dispatched at the next step; one tick orders at most {limit} items (max_dispatch_per_tick)"
            ),
        )
    };
    [sentence].into()
}

fn why_ordered(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (id, record) = (&machine.node(ix).id, machine.record(ix));
    let queue = queue(&machine.node(ix).kind).unwrap_or_default();
    let mut reasons = Vec::new();
    if let Some(not_before) = record.not_before.filter(|time| *time > machine.state.at) {
        let wait = not_before.since(machine.state.at);
        let sentence = format!(
            "attempt {} of node `{id}` may begin at {} ms, {wait} after the last event",
            record.attempt, not_before.0
        );
        reasons.push(say(ReasonTopic::Time, sentence));
    }
    let since = record.scheduled_at.unwrap_or_default();
    let sentence = format!(
        "attempt {} of node `{id}` waits on the queue `{queue}` for a worker, since {} ms",
        record.attempt, since.0
    );
    reasons.push(say(ReasonTopic::Worker, sentence));
    reasons.extend(attempts_made(machine, ix));
    reasons
}

fn why_running(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (id, record) = (&machine.node(ix).id, machine.record(ix));
    let worker = record.worker_id.as_deref().unwrap_or_default();
    let since = record.started_at.unwrap_or_default();
    let sentence = format!(
        "worker `{worker}` has been doing attempt {} of node `{id}` since {} ms",
        record.attempt, since.0
    );
    let mut reasons: Vec<Reason> = [say(ReasonTopic::Worker, sentence)].into();
    reasons.extend(record.deadline.map(|deadline| times_out(id, deadline)));
    reasons.extend(attempts_made(machine, ix));
    reasons
}

fn why_failing(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let is_judged = machine.state.host_stall.is_none()
        && !is_stalled_on(machine, ix)
        && judge_failure(machine, 1, ix).is_some();
    if !is_judged {
        return attempts_made(machine, ix).into_iter().collect();
    }
    let sentence = format!(
        "what follows the failure of node `{}` is decided at the next step",
        machine.node(ix).id
    );
    attempts_made(machine, ix)
        .into_iter()
        .chain([say(ReasonTopic::Progress, sentence)])
        .collect()
}

fn attempts_made(machine: &Machine, ix: NodeIx) -> Option<Reason> {
    let (id, record) = (&machine.node(ix).id, machine.record(ix));
    let failure = record.failure.as_ref()?;
    let class = failure
        .class
        .as_ref()
        .map_or(String::new(), |class| format!(" of class {class}"));
    let sentence = format!(
        "node `{id}` is at attempt {} of {}; the last failure{class}: {}",
        record.attempt, record.max_attempts, failure.error
    );
    Some(say(ReasonTopic::Attempts, sentence))
}

fn why_waiting(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (node, record) = (machine.node(ix), machine.record(ix));
    if record.wait_result.is_some() && !may_settle(machine) {
        return Vec::new();
    }
    if record.wait_result.is_some() {
        let sentence = format!(
            "what node `{}` waited for has come; it is settled at the next step",
            node.id
        );
        return [say(ReasonTopic::Progress, sentence)].into();
    }
    let execution = &machine.state.started.execution_id;
    let signal = match &node.kind {
        Kind::HumanApproval(approval) => Some(format!(
            "node `{id}` waits for a person to decide on \"{}\": `refrain approve {execution} {id}`",
            approval.description,
            id = node.id
        )),
        Kind::Wait(wait) => wait.correlation_key.as_ref().map(|key| {
            format!("node `{}` waits for the external event `{key}`: `refrain signal {execution} {key}`", node.id)
        }),
        _ => None,
    };
    let mut reasons: Vec<Reason> = signal
        .map(|sentence| say(ReasonTopic::Signal, sentence))
        .into_iter()
        .collect();
    if let Some(deadline) = record.deadline {
        let sentence = format!(
            "the wait of node `{}` ends by itself at {} ms",
            node.id, deadline.0
        );
        reasons.push(say(ReasonTopic::Time, sentence));
    }
    reasons
}

/// That an operator asked for the node to be skipped, and it is not yet.
fn why_skip(machine: &Machine, ix: NodeIx) -> Option<Reason> {
    let id = &machine.node(ix).id;
    let when = match machine.state.host_stall {
        None => "this is done at the next step",
        Some(_) => "this is done when the stall is lifted",
    };
    let sentence = format!("an operator asked for node `{id}` to be skipped; {when}");
    let is_asked = machine.state.ended.is_none() && machine.state.skips.contains(&ix);
    is_asked.then(|| say(ReasonTopic::Operator, sentence))
}

/// What holds the whole execution, where that concerns a node.
fn why_execution(machine: &Machine, state: NodeState) -> Vec<Reason> {
    let is_open = !is_settled(state);
    let execution = &machine.state.started.execution_id;
    let mut reasons = Vec::new();
    if let Some(ending) = machine.state.ended.filter(|_| is_open) {
        reasons.push(format!("the execution has ended ({})", ending.name()));
    } else if is_open {
        if let Some(reason) = stall(machine) {
            reasons.push(format!(
                "the execution is {}: {reason}",
                status_name(status(machine))
            ));
        }
        if machine.state.paused {
            reasons.push(format!(
                "the execution is paused: `refrain unpause {execution}`"
            ));
        }
        if machine.state.cancel.is_some() {
            reasons.push("the execution is being cancelled".to_string());
        } else if machine.state.timed_out {
            reasons.push("the workflow's time ran out, and the execution is ending".to_string());
        }
    }
    reasons
        .into_iter()
        .map(|sentence| say(ReasonTopic::Execution, sentence))
        .collect()
}

fn times_out(id: &str, deadline: Timestamp) -> Reason {
    say(
        ReasonTopic::Time,
        format!("the attempt of node `{id}` times out at {} ms", deadline.0),
    )
}
