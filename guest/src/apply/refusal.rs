//! Why an event may not stand where it stands, for what several kinds of
//! events are refused.

use alloc::format;
use alloc::string::String;

use crate::guards::is_stalled;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::workflow::plan::NodeIx;

/// Why an event may not stand where it stands: what is wrong, what would be
/// right.
pub(super) type Refusal = String;

/// The node of an id, if it can take this step.
pub(super) fn check_step(machine: &Machine, node_id: &str, step: Step) -> Result<NodeIx, Refusal> {
    let ix = machine.find(node_id)?;
    check_step_of(machine, ix, step).map(|()| ix)
}

/// Refuse a step that the node cannot take.
pub(super) fn check_step_of(machine: &Machine, ix: NodeIx, step: Step) -> Result<(), Refusal> {
    let state = machine.record(ix).state;
    if step.leads(state).is_some() {
        return Ok(());
    }
    let id = &machine.node(ix).id;
    Err(format!("node `{id}` is {}: it cannot {step}", name(state)))
}

/// Refuse what is not done while the execution is held (rule R18).
pub(super) fn check_not_held(machine: &Machine, what: &str) -> Result<(), Refusal> {
    if is_stalled(machine) {
        return Err(format!("the execution is stalled: {what}"));
    }
    if machine.state.paused {
        return Err(format!("the execution is paused: {what}"));
    }
    Ok(())
}

/// Law 7: an answer presents the attempt and the fence that hold the item.
pub(super) fn check_fence(
    machine: &Machine,
    node_id: &str,
    step: Step,
    attempt: u32,
    fence: u64,
) -> Result<NodeIx, Refusal> {
    let ix = check_step(machine, node_id, step)?;
    let record = machine.record(ix);
    if (attempt, fence) != (record.attempt, record.fence) {
        return Err(format!(
            "node `{node_id}` is held by attempt {} with fence {}; an answer of attempt {attempt} with fence {fence} comes too late",
            record.attempt, record.fence
        ));
    }
    Ok(ix)
}
