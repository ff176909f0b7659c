//! What facts say, and what of it a log can do without.

use serde_json::Value;

use crate::model::{Digest, EventKind, NodeFailed, Status, instance_of, node_of_run, undone_by};
use crate::replay::divergence::node_of;

/// The node of the workflow that a fact is about. `None` if it is about the execution.
pub(super) fn node(fact: &EventKind) -> Option<&str> {
    node_of(fact).map(node_of_run)
}

/// The node, instance or compensation that an event is about. `None` if it is about the
/// execution.
pub(super) fn run(kind: &EventKind) -> Option<&str> {
    node_of(kind)
}

/// The worker that claims where nothing depends on who does.
pub(super) const WORKER: &str = "w1";

/// The run whose item a worker has claimed.
pub(super) fn claims(fact: &EventKind) -> Option<&str> {
    match fact {
        EventKind::NodeStarted(it) => Some(&it.node_id),
        _ => None,
    }
}

/// The run whose item a worker has answered or given back, or whose lease is over.
pub(super) fn answers(fact: &EventKind) -> Option<&str> {
    match fact {
        EventKind::NodeCompleted(it) => Some(&it.node_id),
        EventKind::NodeFailed(it) => Some(&it.node_id),
        EventKind::NodeReleased(it) => Some(&it.node_id),
        EventKind::LeaseExpired(it) => Some(&it.node_id),
        _ => None,
    }
}

/// The id of the node, instance or compensation that an event is about, to be changed.
/// `None` if it is about the execution.
fn run_mut(kind: &mut EventKind) -> Option<&mut String> {
    Some(match kind {
        EventKind::NodeScheduled(it) => &mut it.node_id,
        EventKind::NodeStarted(it) => &mut it.node_id,
        EventKind::NodeCompleted(it) => &mut it.node_id,
        EventKind::NodeSettled(it) => &mut it.node_id,
        EventKind::NodeFailed(it) => &mut it.node_id,
        EventKind::LeaseExpired(it) => &mut it.node_id,
        EventKind::NodeReleased(it) => &mut it.node_id,
        EventKind::NodeTimedOut(it) => &mut it.node_id,
        EventKind::NodeExhausted(it) => &mut it.node_id,
        EventKind::NodeSkipped(it) => &mut it.node_id,
        EventKind::NodeCancelled(it) => &mut it.node_id,
        EventKind::RetryScheduled(it) => &mut it.node_id,
        EventKind::InterruptRaised(it) => &mut it.node_id,
        EventKind::ApprovalReceived(it) => &mut it.node_id,
        EventKind::TimerCreated(it) => &mut it.node_id,
        EventKind::TimerFired(it) => &mut it.node_id,
        EventKind::MapExpanded(it) => &mut it.node_id,
        EventKind::ChildRequested(it) => &mut it.node_id,
        EventKind::ChildStarted(it) => &mut it.node_id,
        EventKind::ChildRefused(it) => &mut it.node_id,
        EventKind::ChildEnded(it) => &mut it.node_id,
        EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => &mut it.node_id,
        _ => return None,
    })
}

/// Says the ids of nodes in an event otherwise, those of their instances and compensations
/// too.
pub(super) fn rename(kind: &mut EventKind, name: &dyn Fn(&str) -> Option<String>) {
    let chosen = match kind {
        EventKind::NodeCompleted(it) => it.chosen_target.as_mut(),
        EventKind::NodeSettled(it) => it.chosen_target.as_mut(),
        _ => None,
    };
    if let Some(target) = chosen
        && let Some(new) = name(target)
    {
        *target = new;
    }
    if let Some(run) = run_mut(kind) {
        let node = node_of_run(run);
        if let Some(new) = name(node) {
            *run = new + &run[node.len()..];
        }
    }
}

/// Which instance of this map an event is about. `None` if it is about none.
pub(super) fn instance(kind: &EventKind, map: &str) -> Option<u32> {
    let run = node_of(kind)?;
    let (node, index) = instance_of(undone_by(run).unwrap_or(run))?;
    (node == map).then_some(index)
}

/// Says of an event of an instance of these maps which instance it is of. Whether there is
/// such an instance.
pub(super) fn renumber(kind: &mut EventKind, maps: &[String], number: &[Option<u32>]) -> bool {
    let Some(run) = run_mut(kind) else {
        return true;
    };
    let instance = undone_by(run).unwrap_or(run);
    let undo = run[instance.len()..].to_owned();
    let Some((node, index)) = instance_of(instance) else {
        return true;
    };
    if !maps.iter().any(|map| map == node) {
        return true;
    }
    match number.get(index as usize).copied().flatten() {
        Some(new) => *run = format!("{node}[{new}]{undo}"),
        None => return false,
    }
    true
}

/// A part of a fact that is JSON of the world's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// What is merged into the state.
    Patch,
    /// What a worker or a child answered.
    Output,
    /// What a worker measured.
    Telemetry,
    /// What came with a signal.
    Payload,
}

pub(super) const PARTS: [Part; 4] = [Part::Patch, Part::Output, Part::Telemetry, Part::Payload];

/// This part, as JSON. `None` if there is none.
pub(super) fn part(fact: &EventKind, part: Part) -> Option<Value> {
    let text = match (fact, part) {
        (EventKind::NodeCompleted(it), Part::Patch) => Some(&it.state_patch),
        (EventKind::NodeCompleted(it), Part::Output) => Some(&it.output),
        (EventKind::NodeCompleted(it), Part::Telemetry) => it.telemetry.as_ref(),
        (EventKind::ApprovalReceived(it), Part::Patch) => it.state_patch.as_ref(),
        (EventKind::ExternalEventReceived(it), Part::Payload) => Some(&it.payload),
        (EventKind::ChildEnded(it), Part::Output) => it.output.as_ref(),
        (EventKind::NodeSettled(it), Part::Patch) => Some(&it.state_patch),
        (EventKind::NodeSettled(it), Part::Output) => Some(&it.output),
        (EventKind::WorkflowCompleted(it), Part::Output) => Some(&it.final_state),
        _ => None,
    };
    serde_json::from_str(text?).ok()
}

/// Puts JSON into its place. What a fact does not have stays away.
pub(super) fn put(fact: &mut EventKind, part: Part, value: &Value) {
    let text = match (fact, part) {
        (EventKind::NodeCompleted(it), Part::Patch) => &mut it.state_patch,
        (EventKind::NodeCompleted(it), Part::Output) => &mut it.output,
        (EventKind::NodeCompleted(it), Part::Telemetry) => {
            it.telemetry = (!value.is_null()).then(|| value.to_string());
            return;
        }
        (EventKind::ApprovalReceived(it), Part::Patch) => {
            let is_empty = value.as_object().is_some_and(|it| it.is_empty());
            it.state_patch = (!is_empty).then(|| value.to_string());
            return;
        }
        (EventKind::ExternalEventReceived(it), Part::Payload) => &mut it.payload,
        (EventKind::ChildEnded(it), Part::Output) => match &mut it.output {
            Some(output) => output,
            None => return,
        },
        (EventKind::NodeSettled(it), Part::Patch) => &mut it.state_patch,
        (EventKind::NodeSettled(it), Part::Output) => &mut it.output,
        (EventKind::WorkflowCompleted(it), Part::Output) => &mut it.final_state,
        _ => return,
    };
    *text = value.to_string();
}

/// The least that may stand in this part of a fact.
pub(super) fn least(fact: &EventKind, part: Part) -> Value {
    match (fact, part) {
        (_, Part::Patch) | (EventKind::ChildEnded(_), Part::Output) => {
            Value::Object(Default::default())
        }
        _ => Value::Null,
    }
}

/// The fact without the words of people and programs, and without all that nothing depends
/// on but a reader.
pub(super) fn without_words(fact: &EventKind) -> EventKind {
    let mut fact = fact.clone();
    match &mut fact {
        EventKind::NodeStarted(it) => WORKER.clone_into(&mut it.worker_id),
        EventKind::NodeCompleted(it) => {
            it.duration_ms = 1;
            if let Some(by) = &mut it.edited_by {
                "w".clone_into(by);
            }
            if let Some(call) = &mut it.gen_ai {
                (call.system, call.model, call.finish_reason) = (None, None, None);
            }
        }
        EventKind::NodeFailed(it) => "boom".clone_into(&mut it.error),
        EventKind::NodeReleased(it) => it.by = None,
        EventKind::ApprovalReceived(it) => {
            "ada".clone_into(&mut it.user_id);
            (it.comment, it.by) = (None, None);
        }
        EventKind::ExternalEventReceived(it) => it.by = None,
        EventKind::ChildStarted(it) => it.workflow_digest = Digest::default(),
        EventKind::ChildEnded(it) => {
            (it.sequence, it.head) = (9, Digest::default());
            it.error = it.error.as_ref().map(|_| "boom".to_owned());
            if it.status != Status::Completed {
                it.output = None;
            }
        }
        EventKind::CancelRequested(it) => (it.reason, it.by) = (None, None),
        EventKind::ExecutionPaused(it)
        | EventKind::ExecutionUnpaused(it)
        | EventKind::StallLifted(it) => (it.reason, it.by) = (None, None),
        EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => {
            (it.reason, it.by) = (None, None);
        }
        EventKind::HostStalled(it) => "the guest failed twice".clone_into(&mut it.reason),
        EventKind::ExecutionForked(it) => it.by = None,
        _ => {}
    }
    fact
}

/// The fact without what only few depend on: how a call failed, which model answered, which
/// signal it was.
pub(super) fn without_extras(fact: &EventKind) -> EventKind {
    let mut fact = fact.clone();
    match &mut fact {
        EventKind::NodeCompleted(it) => {
            (it.gen_ai, it.telemetry, it.chosen_target) = (None, None, None);
        }
        EventKind::NodeFailed(it) => (it.error_class, it.retry_after_ms) = (None, None),
        EventKind::ExternalEventReceived(it) => it.event_id = None,
        EventKind::ChildEnded(it) => it.error = None,
        _ => {}
    }
    fact
}

/// Says that an attempt which came to nothing has failed for good. Whether it was said
/// otherwise.
pub(super) fn fail(fact: &mut EventKind) -> bool {
    let node = match fact {
        EventKind::NodeFailed(it) if it.retryable => &it.node_id,
        EventKind::NodeReleased(it) => &it.node_id,
        EventKind::LeaseExpired(it) => &it.node_id,
        _ => return false,
    };
    *fact = EventKind::NodeFailed(NodeFailed::new(node, 1, 0, "boom"));
    true
}

/// The fact without any JSON of the world's.
pub(super) fn without_payload(fact: &EventKind) -> EventKind {
    let mut bare = fact.clone();
    for part in PARTS {
        put(&mut bare, part, &least(fact, part));
    }
    bare
}
