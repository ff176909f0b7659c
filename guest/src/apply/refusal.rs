//! Why an event may not stand where it stands, and what several kinds of events
//! are refused for.

use alloc::format;
use alloc::string::String;

use crate::contract::RefusalCode as Code;
use crate::guards::{has_room, has_window, is_of_settled_map, is_stalled, max_concurrent};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::workflow::plan::NodeIx;

/// Why an event may not stand where it stands.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// What is wrong, and what would be right.
    pub(super) reason: String,
}

/// Refuse an event.
pub(super) fn refuse<T>(code: Code, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        code,
        reason: reason.into(),
    })
}

/// The node of an id, or the instance.
pub(super) fn find(machine: &Machine, node_id: &str) -> Result<RunIx, Refusal> {
    let found = machine.find(node_id);
    found.or_else(|reason| refuse(Code::UnknownNode, reason))
}

/// The node of an id, or the instance, if it can take this step.
pub(super) fn check_step(machine: &Machine, node_id: &str, step: Step) -> Result<RunIx, Refusal> {
    let run = find(machine, node_id)?;
    check_step_of(machine, run, step).map(|()| run)
}

/// Refuse a step that the node cannot take.
pub(super) fn check_step_of(machine: &Machine, run: RunIx, step: Step) -> Result<(), Refusal> {
    let state = machine.record(run).state;
    if step.leads(state).is_some() {
        return Ok(());
    }
    let id = machine.node_id(run);
    refuse(
        Code::WrongState,
        format!("node `{id}` is {}: it cannot {step}", name(state)),
    )
}

/// Refuse what is not for an instance: it is dispatched, and leads nowhere.
pub(super) fn check_own(machine: &Machine, run: RunIx) -> Result<NodeIx, Refusal> {
    if run.is_own() {
        return Ok(run.node);
    }
    let what = match run.is_undo() {
        true => "a compensation",
        false => "an instance of a map",
    };
    refuse(
        Code::WrongState,
        format!(
            "`{}` is {what}: that cannot happen to it",
            machine.node_id(run)
        ),
    )
}

/// Refuse what is not done for an instance whose map is settled (rule R21).
pub(super) fn check_map_open(machine: &Machine, run: RunIx, what: &str) -> Result<(), Refusal> {
    if !is_of_settled_map(machine, run) {
        return Ok(());
    }
    refuse(
        Code::WrongState,
        format!(
            "the map `{}` is settled: its instance `{}` cannot be {what} any more",
            machine.node(run).id,
            machine.node_id(run)
        ),
    )
}

/// Rule R4, and the window of a map (rule R21).
pub(super) fn check_room(machine: &Machine, run: RunIx) -> Result<(), Refusal> {
    if !has_room(machine) {
        let max = max_concurrent(machine);
        return refuse(
            Code::NoRoom,
            format!(
                "{max} nodes are in flight, as many as may be; node `{}` has to wait",
                machine.node_id(run)
            ),
        );
    }
    if !has_window(machine, run) {
        return refuse(
            Code::NoRoom,
            format!(
                "as many instances of `{}` are under way as may be; `{}` has to wait",
                machine.node(run).id,
                machine.node_id(run)
            ),
        );
    }
    Ok(())
}

/// Refuse what is not done while the execution is held (rule R18).
pub(super) fn check_not_held(machine: &Machine, what: &str) -> Result<(), Refusal> {
    if is_stalled(machine) {
        return refuse(Code::Held, format!("the execution is stalled: {what}"));
    }
    if machine.state.paused {
        return refuse(Code::Held, format!("the execution is paused: {what}"));
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
) -> Result<RunIx, Refusal> {
    let run = check_step(machine, node_id, step)?;
    let record = machine.record(run);
    if (attempt, fence) != (record.attempt, record.fence) {
        return refuse(
            Code::Stale,
            format!(
                "node `{node_id}` is held by attempt {} with fence {}; an answer of attempt {attempt} with fence {fence} comes too late",
                record.attempt, record.fence
            ),
        );
    }
    Ok(run)
}
