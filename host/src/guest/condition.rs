//! What a condition of the workflow language comes to, as a guest judges it (rule R8).
//!
//! No guest is asked about conditions alone. So one is put to it as that of an edge, in a
//! workflow of its own with the same input, whose first node is answered with the state.

use std::ops::ControlFlow;

use serde_json::json;

use super::{CallError, InMemoryExecution, Instance, MemoryPorts, Ports};
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind, Fault, SchedulerError};
use crate::store::Timestamp;

/// Nodes of the workflow that asks: one that gives the state, one behind the condition.
const GIVES: &str = "s";
const ASKED: &str = "c";

/// Why a condition is not judged.
#[derive(Debug)]
pub(crate) enum ConditionError {
    /// The guest does not take it, for this reason.
    Refused(String),
    /// The guest does not answer.
    Call(CallError),
}

/// The workflow that asks for a condition.
pub(crate) fn asking(condition: &str) -> String {
    let kind = json!({ "type": "tool", "tool_ref": "t" });
    let workflow = json!({
        "workflow_id": "asked",
        "version": "1.0.0",
        "start_node": GIVES,
        "nodes": { GIVES: { "kind": kind }, ASKED: { "kind": kind } },
        "edges": [{ "from": GIVES, "to": ASKED, "condition": condition }],
    });
    workflow.to_string()
}

/// What is wrong with a condition, as faults of the workflow that asks for it say it.
pub(crate) fn why_refused(faults: Vec<Fault>) -> String {
    let whys: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
    whys.join("; ")
}

/// Does this guest take this condition? The inner error says what is wrong with it, and
/// where.
///
/// # Errors
/// [`CallError`] if the guest cannot tell.
pub fn check_condition<P: Ports>(
    guest: &mut Instance<P>,
    condition: &str,
) -> Result<Result<(), String>, CallError> {
    let checked = guest.validate(&asking(condition))?;
    Ok(checked.map(drop).map_err(why_refused))
}

/// Whether a condition holds on this state and this input, both JSON; without an input, on
/// that which is empty.
pub(crate) fn holds(
    guest: (Instance<MemoryPorts>, Digest),
    condition: &str,
    (state, input): (&str, Option<&str>),
    now: Timestamp,
) -> Result<bool, ConditionError> {
    let (guest, digest) = guest;
    let ports = MemoryPorts::new(asking(condition), now);
    let mut started = ports.started(ExecutionId::random(), digest);
    if let Some(input) = input {
        input.clone_into(&mut started.initial_input);
    }
    let mut asked = match InMemoryExecution::start(guest, ports, started) {
        Err(CallError::Scheduler(SchedulerError::InvalidWorkflow(faults))) => {
            return Err(ConditionError::Refused(why_refused(faults)));
        }
        started => started.map_err(ConditionError::Call)?,
    };
    asked.complete(GIVES, state).map_err(ConditionError::Call)?;
    let mut events = asked.ports.events.iter().map(|event| &event.kind);
    let decided = events.try_for_each(|kind| match kind {
        EventKind::NodeScheduled(it) if it.node_id == ASKED => ControlFlow::Break(true),
        EventKind::NodeSkipped(it) if it.node_id == ASKED => ControlFlow::Break(false),
        _ => ControlFlow::Continue(()),
    });
    Ok(decided.break_value().unwrap_or(false))
}
