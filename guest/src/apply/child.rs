//! Children: asked for, started, refused, ended (rules R22 and R23).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::refusal::{
    Refusal, check_map_open, check_not_held, check_step, check_step_of, find, refuse,
};
use super::settlement::{complete_child, complete_child_of_instance};
use super::undo;
use crate::backoff::{delay, is_retried};
use crate::contract::{
    ChildEnded, ChildRefused, ChildRequested, ChildStarted, ExecutionId, NodeFailure, NodeState,
    RefusalCode as Code, Status,
};
use crate::guards::{element, is_ending, is_of_settled_map};
use crate::instance::RunIx;
use crate::json::Object;
use crate::machine::Machine;
use crate::node::Step;
use crate::state::Failure;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Gives, Repeat, Subgraph};

pub(super) fn requested(
    machine: &mut Machine,
    at: Timestamp,
    decision: &ChildRequested,
) -> Result<(), Refusal> {
    let id = &decision.node_id;
    let run = find(machine, id)?;
    let Some(subgraph) = machine.subgraph(run) else {
        return refuse(Code::WrongState, format!("node `{id}` starts no child"));
    };
    check_step_of(machine, run, Step::Request)?;
    check_not_held(machine, "no child may be asked for")?;
    check_map_open(machine, run, "given a child")?;
    if is_ending(machine) {
        return refuse(
            Code::Ending,
            format!("the execution is ending: node `{id}` may not ask for a child any more"),
        );
    }
    let named = decision.workflow.as_ref();
    let named = named.map(|workflow| (&workflow.workflow_id, &workflow.version));
    if named
        != subgraph
            .workflow
            .as_ref()
            .map(|(id, version)| (id, version))
    {
        return refuse(
            Code::Unfounded,
            format!("node `{id}` starts a child of another workflow"),
        );
    }
    let record = machine.record(run);
    let next = (record.attempt + 1, machine.iteration(run));
    if (decision.attempt, decision.iteration) != next {
        return refuse(
            Code::Unfounded,
            format!(
                "the next child of node `{id}` is attempt {} of iteration {}, not attempt {} of iteration {}",
                next.0, next.1, decision.attempt, decision.iteration
            ),
        );
    }
    if record.state == NodeState::Failing {
        if decision.attempt > record.max_attempts {
            return refuse(
                Code::Unfounded,
                format!(
                    "node `{id}` has used all its {} attempts",
                    record.max_attempts
                ),
            );
        }
        if let Some(time) = record.deadline.filter(|time| *time > at) {
            return refuse(
                Code::TooEarly,
                format!(
                    "the next attempt of node `{id}` may not begin before {} ms; it is {} ms",
                    time.0, at.0
                ),
            );
        }
    }
    let deadline = machine.node(run).timeout.map(|timeout| at.after(timeout));
    machine.change(run, |node| {
        node.take(Step::Request);
        node.attempt = decision.attempt;
        node.scheduled_at = Some(at);
        node.started_at = Some(at);
        node.ended_at = None;
        node.deadline = deadline;
    });
    machine.state.children.entry(run).or_default().child_id = None;
    Ok(())
}

/// The run that waits for this child.
fn check_child(
    machine: &Machine,
    node_id: &str,
    attempt: u32,
    iteration: u32,
) -> Result<RunIx, Refusal> {
    let run = check_step(machine, node_id, Step::LoseChild)?;
    let record = machine.record(run);
    if machine.subgraph(run).is_none() {
        return refuse(
            Code::WrongState,
            format!("node `{node_id}` starts no child"),
        );
    }
    let current = (record.attempt, machine.iteration(run));
    if (attempt, iteration) != current {
        return refuse(
            Code::Stale,
            format!(
                "node `{node_id}` waits for the child of attempt {} and iteration {}, not for that of attempt {attempt} and iteration {iteration}",
                current.0, current.1
            ),
        );
    }
    Ok(run)
}

fn child_id(machine: &Machine, run: RunIx) -> Option<&str> {
    machine.state.children.get(&run)?.child_id.as_deref()
}

pub(super) fn started(
    machine: &mut Machine,
    at: Timestamp,
    fact: &ChildStarted,
) -> Result<(), Refusal> {
    let run = check_child(machine, &fact.node_id, fact.attempt, fact.iteration)?;
    if child_id(machine, run).is_some() {
        return refuse(
            Code::Repeated,
            format!("the child of node `{}` was started already", fact.node_id),
        );
    }
    if fact.child_id.parse::<ExecutionId>().is_err() {
        return refuse(Code::Malformed, "the child's id is no id of an execution");
    }
    machine.state.children.entry(run).or_default().child_id = Some(fact.child_id.clone());
    let is_detached = machine
        .subgraph(run)
        .is_some_and(|it| it.gives == Gives::Detached);
    if is_detached {
        complete(machine, run, at, Object::new(), "null");
    }
    Ok(())
}

pub(super) fn refused(
    machine: &mut Machine,
    at: Timestamp,
    fact: &ChildRefused,
) -> Result<(), Refusal> {
    let run = check_child(machine, &fact.node_id, fact.attempt, fact.iteration)?;
    if child_id(machine, run).is_some() {
        return refuse(
            Code::WrongState,
            format!("the child of node `{}` was started", fact.node_id),
        );
    }
    lose(
        machine,
        run,
        at,
        NodeFailure::ChildRefused(fact.code),
        false,
    );
    Ok(())
}

pub(super) fn ended(
    machine: &mut Machine,
    at: Timestamp,
    fact: &ChildEnded,
) -> Result<(), Refusal> {
    let run = check_child(machine, &fact.node_id, fact.attempt, fact.iteration)?;
    match child_id(machine, run) {
        Some(id) if id == fact.child_id => {}
        _ => {
            return refuse(
                Code::Stale,
                format!("node `{}` waits for another child", fact.node_id),
            );
        }
    }
    check_end(fact)?;
    match fact.status {
        Status::Completed => {
            let output = fact.output.as_deref().unwrap_or_default();
            let Ok(output_object) = Object::parse(output) else {
                return refuse(
                    Code::Malformed,
                    "the final state of the child is no JSON object",
                );
            };
            ended_well(machine, run, at, output, output_object);
        }
        Status::Failed => {
            let error = fact.error.clone();
            lose(machine, run, at, NodeFailure::ChildFailed(error), true);
        }
        Status::Cancelled => lose(machine, run, at, NodeFailure::ChildCancelled, false),
        Status::Running | Status::Paused | Status::Stalled => {
            return refuse(
                Code::Malformed,
                "a child ends as completed, failed or cancelled",
            );
        }
    }
    Ok(())
}

/// What no end of a child can say.
fn check_end(fact: &ChildEnded) -> Result<(), Refusal> {
    // A log begins with its start, and ends with another event.
    if fact.sequence < 2 {
        return refuse(
            Code::Malformed,
            format!("no log ends with event {}", fact.sequence),
        );
    }
    let fault = match fact.status {
        Status::Completed if fact.error.is_some() => "a child that completed has no error",
        Status::Failed if fact.output.is_some() => "a child that failed has no output",
        Status::Cancelled if fact.output.is_some() || fact.error.is_some() => {
            "a child that was cancelled has neither output nor error"
        }
        _ => return Ok(()),
    };
    refuse(Code::Malformed, fault)
}

/// What follows when a child has completed.
enum Next {
    Complete(Object),
    Iterate,
    Lose(NodeFailure),
}

fn ended_well(machine: &mut Machine, run: RunIx, at: Timestamp, output: &str, object: Object) {
    let subgraph = machine.subgraph(run).expect("it waits for a child");
    let next = match &subgraph.repeat {
        Some(repeat) if goes_on(machine, run, repeat, output) => {
            let is_last = machine.iteration(run) + 1 >= repeat.max;
            match (is_last, repeat.completes_at_max) {
                (false, _) => Next::Iterate,
                (true, true) => patch(machine, run, subgraph, output, object),
                (true, false) => Next::Lose(NodeFailure::RepeatLimit(repeat.max)),
            }
        }
        _ => patch(machine, run, subgraph, output, object),
    };
    match next {
        Next::Complete(patch) => complete(machine, run, at, patch, output),
        Next::Iterate => iterate(machine, run, output),
        Next::Lose(cause) => lose(machine, run, at, cause, false),
    }
}

/// Whether the next iteration follows on one that came to this (rule R23).
fn goes_on(machine: &Machine, run: RunIx, repeat: &Repeat, last: &str) -> bool {
    if is_of_settled_map(machine, run) {
        return false;
    }
    let (id, iteration) = (machine.node_id(run), machine.iteration(run).to_string());
    let scope = machine.scope().reading(machine.reads.begin());
    let scope = scope.in_node(&id).in_iteration(last, &iteration);
    let index = run.instance().map(|index| index.to_string());
    match element(machine, run).zip(index.as_deref()) {
        Some((item, index)) => repeat.condition.is_true(&scope.of_instance(item, index)),
        None => repeat.condition.is_true(&scope),
    }
}

/// What the state is given, if it has room for it.
fn patch(machine: &Machine, run: RunIx, subgraph: &Subgraph, output: &str, object: Object) -> Next {
    const UNDER_A_KEY: &str = "/kind/output_key";
    const MERGED: &str = "/kind/merge";
    const UNDONE: &str = "/compensate";
    if !run.is_own() {
        let state_bytes = machine.state.data.bytes_with(&Object::new());
        return match machine.node(run).compensation.is_none()
            || undo::has_room(machine, run, output, state_bytes)
        {
            true => Next::Complete(Object::new()),
            false => Next::Lose(NodeFailure::TooLarge(UNDONE.to_string())),
        };
    }
    let (patch, place) = match &subgraph.gives {
        Gives::Under(key) => {
            let mut patch = Object::new();
            let key = key.clone().unwrap_or_else(|| machine.node_id(run));
            patch.insert(key, output);
            (patch, UNDER_A_KEY)
        }
        Gives::Merged => (object, MERGED),
        Gives::Detached => (Object::new(), ""),
    };
    let bytes = machine.state.data.bytes_with(&patch);
    let has_room = undo::has_room(machine, run, output, bytes);
    let is_flat = crate::json::depth(output) < crate::limits::JSON_DEPTH_MAX
        || subgraph.gives == Gives::Merged;
    match has_room && is_flat {
        true => Next::Complete(patch),
        false => Next::Lose(NodeFailure::TooLarge(place.to_string())),
    }
}

fn complete(machine: &mut Machine, run: RunIx, at: Timestamp, patch: Object, output: &str) {
    if let Some(child) = machine.state.children.get_mut(&run) {
        child.last = None;
    }
    match run.instance() {
        None => complete_child(machine, run.node, at, patch, output),
        Some(index) => complete_child_of_instance(machine, run, index, at, output),
    }
}

/// The next iteration begins, with a fresh budget of attempts.
fn iterate(machine: &mut Machine, run: RunIx, last: &str) {
    let max_attempts = machine.node(run).retry.max_attempts;
    let child = machine.state.children.entry(run).or_default();
    child.iteration += 1;
    child.child_id = None;
    child.last = Some(last.into());
    machine.change(run, |node| {
        node.take(Step::BeginAnew);
        node.attempt = 0;
        node.max_attempts = max_attempts;
        node.failure = None;
    });
}

/// The child of an attempt comes to nothing. A further attempt waits for its time.
pub(super) fn lose(
    machine: &mut Machine,
    run: RunIx,
    at: Timestamp,
    cause: NodeFailure,
    retryable: bool,
) {
    let class: String = match cause {
        NodeFailure::Timeout(_) => "timeout".to_string(),
        ref cause => cause.code().to_string(),
    };
    let failure = Failure {
        cause,
        class: Some(class),
        retryable,
        retry_after: None,
        is_handled: false,
    };
    let waits = !is_of_settled_map(machine, run) && is_retried(machine, run, &failure);
    let delay = match waits {
        true => delay(machine, run, &failure),
        false => Millis(0),
    };
    machine.change(run, |node| {
        node.take(Step::LoseChild);
        node.ended_at = Some(at);
        node.failure = Some(Box::new(failure));
        node.deadline = (delay > Millis(0)).then(|| at.after(delay));
    });
}

/// A fork has no children of the execution that it was forked from: it asks for its own.
pub(super) fn request_anew(machine: &mut Machine, run: RunIx) {
    machine.change(run, |node| {
        node.take(Step::BeginAnew);
        node.attempt = node.attempt.saturating_sub(1);
        node.started_at = None;
    });
    machine.state.children.entry(run).or_default().child_id = None;
}
