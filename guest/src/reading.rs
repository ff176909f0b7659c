//! A machine is made of what is stored, and brought up to date.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::apply::{apply, start};
use crate::contract::{
    Event, EventKind, ExecutionId, IllegalEvent, RefusalCode, SchedulerError, Snapshot,
    StorageError,
};
use crate::explain::{Seen, Watched};
use crate::limits::EVENTS_PAGE;
use crate::machine::Machine;
use crate::plan_cache::PlanCache;
use crate::snapshot;
use crate::workflow::Plan;
use crate::world::World;

/// The execution as its snapshot has it, or else the first page of its log. A
/// snapshot is a cache: one that cannot be read is not missed.
pub(crate) fn load(
    plans: &mut PlanCache,
    world: &mut impl World,
    execution: ExecutionId,
) -> Result<Machine, SchedulerError> {
    if let Some(snapshot) = world.load_snapshot().map_err(SchedulerError::Storage)? {
        match restored(plans, world, execution, &snapshot) {
            Err(SchedulerError::BadSnapshot(_)) => {}
            restored => return restored,
        }
    }
    let page = read(world, 1)?;
    let (first, rest) = page.split_first().ok_or_else(empty_log)?;
    let mut machine = begun(plans, world, execution, first)?;
    apply_all(&mut machine, rest)?;
    Ok(machine)
}

fn restored(
    plans: &mut PlanCache,
    world: &mut impl World,
    execution: ExecutionId,
    snapshot: &Snapshot,
) -> Result<Machine, SchedulerError> {
    let state = snapshot::state(snapshot).map_err(SchedulerError::BadSnapshot)?;
    let (plan, workflow_digest) = plan(plans, world, &state.started.workflow_digest)?;
    let machine = snapshot::resume(plan, &workflow_digest, snapshot, state)
        .map_err(SchedulerError::BadSnapshot)?;
    match &machine.state().started.execution_id {
        id if id.parse() == Ok(execution) => Ok(machine),
        id => Err(SchedulerError::BadSnapshot(format!(
            "it is of {id}, and not of {execution}"
        ))),
    }
}

/// The execution as it is after its first event.
pub(crate) fn begun(
    plans: &mut PlanCache,
    world: &mut impl World,
    execution: ExecutionId,
    first: &Event,
) -> Result<Machine, SchedulerError> {
    let named = match &first.kind {
        EventKind::WorkflowStarted(started) => started.workflow_digest.as_str(),
        _ => "",
    };
    let (plan, workflow_digest) = plan(plans, world, named)?;
    let machine = start(plan, &workflow_digest, first).map_err(SchedulerError::Illegal)?;
    match &machine.state().started.execution_id {
        id if id.parse() == Ok(execution) => Ok(machine),
        id => Err(illegal(
            first.sequence,
            RefusalCode::WrongStart,
            format!("it starts {id}, and this is the log of {execution}"),
        )),
    }
}

/// The plan of this digest, if it is at hand; else that of the registered
/// text, and the digest of that.
fn plan(
    plans: &mut PlanCache,
    world: &mut impl World,
    named: &str,
) -> Result<(Arc<Plan>, String), SchedulerError> {
    match plans.get(named) {
        Some(plan) => Ok((plan, named.to_owned())),
        None => {
            let text = world.load_workflow().map_err(SchedulerError::Storage)?;
            plans.parse(&text).map_err(SchedulerError::InvalidWorkflow)
        }
    }
}

/// Apply all events that were not seen yet: those up to `last_sequence`, where
/// that is known, and else until there are no more.
pub(crate) fn read_on(
    machine: &mut Machine,
    world: &mut impl World,
    last_sequence: Option<u64>,
) -> Result<(), SchedulerError> {
    loop {
        match last_sequence {
            Some(last) if last == machine.sequence() => return Ok(()),
            Some(last) if last < machine.sequence() => {
                let conflict = StorageError::Conflict(machine.sequence());
                return Err(SchedulerError::Storage(conflict));
            }
            _ => {}
        }
        let page = read(world, machine.sequence() + 1)?;
        if page.is_empty() {
            return match last_sequence {
                None => Ok(()),
                Some(last) => Err(illegal(
                    machine.sequence() + 1,
                    RefusalCode::OutOfOrder,
                    format!("it is not in the log, whose last event is said to be {last}"),
                )),
            };
        }
        apply_all(machine, &page)?;
    }
}

/// What these expressions saw when they were judged: the log is gone through once more, up
/// to there.
pub(crate) fn what_was_seen(
    plans: &mut PlanCache,
    world: &mut impl World,
    execution: ExecutionId,
    mut expressions: Vec<Watched>,
) -> Result<Seen, SchedulerError> {
    let mut seen = Seen::default();
    if expressions.is_empty() {
        return Ok(seen);
    }
    let mut page = read(world, 1)?.into_iter();
    let first = page.next().ok_or_else(empty_log)?;
    let mut machine = begun(plans, world, execution, &first)?;
    while !expressions.is_empty() {
        let Some(event) = page.next() else {
            page = read(world, machine.sequence() + 1)?.into_iter();
            if page.len() == 0 {
                break;
            }
            continue;
        };
        for watched in &expressions {
            seen.note_before(&machine, &event, watched);
        }
        apply(&mut machine, &event).map_err(SchedulerError::Illegal)?;
        for watched in &mut expressions {
            seen.note_after(&machine, watched);
        }
        expressions.retain(|watched| !watched.is_judged());
    }
    Ok(seen)
}

fn read(world: &mut impl World, first: u64) -> Result<Vec<Event>, SchedulerError> {
    let page = world.read_events(first, EVENTS_PAGE);
    page.map_err(SchedulerError::Storage)
}

fn apply_all(machine: &mut Machine, events: &[Event]) -> Result<(), SchedulerError> {
    events
        .iter()
        .try_for_each(|event| apply(machine, event))
        .map_err(SchedulerError::Illegal)
}

pub(crate) fn empty_log() -> SchedulerError {
    let reason = "the log is empty; its first event must be workflow_started";
    illegal(1, RefusalCode::WrongStart, reason.to_owned())
}

fn illegal(sequence: u64, code: RefusalCode, reason: String) -> SchedulerError {
    SchedulerError::Illegal(IllegalEvent {
        sequence,
        code,
        reason,
    })
}
