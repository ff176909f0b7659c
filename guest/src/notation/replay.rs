//! A log is replayed, as law 2 has it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::apply::{apply, start};
use crate::contract::{Event, EventKind, IllegalEvent, Origin, RefusalCode};
use crate::decide::{decide, drain};
use crate::digest::digest_of_text;
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow;

use super::item::name_items;

/// Replay a log of the workflow with a fresh machine. Each batch of decisions
/// must be what the machine decides there, and nothing may be missing in
/// between.
///
/// # Errors
/// The first event that differs, and how. Where decisions are missing at the
/// log's end, it is the one after the last.
pub fn replay(workflow: &str, log: &[Event]) -> Result<(), IllegalEvent> {
    let faults = |faults| illegal(1, format!("the workflow is not valid: {faults:?}"));
    let plan = Arc::new(workflow::parse(workflow).map_err(faults)?);
    let (first, mut rest) = log
        .split_first()
        .ok_or_else(|| illegal(1, "the log is empty".into()))?;
    let mut machine = start(plan, &digest_of_text(workflow), first)?;
    while let Some(event) = rest.first() {
        let is_next = event.sequence == machine.sequence() + 1;
        if is_next && event.at > machine.state().at.0 && !goes_its_own_way(event) {
            check_complete(&machine)?;
        }
        if event.origin == Origin::Fact {
            apply(&mut machine, event)?;
            rest = &rest[1..];
            continue;
        }
        let mut batch = drain(&mut machine, Timestamp(event.at))?;
        name_items(&mut batch);
        check_batch(&batch.events, rest)?;
        rest = &rest[batch.events.len()..];
    }
    check_complete(&machine)
}

/// Whether a fork goes its own way with this event: nothing is missing before it.
pub(crate) fn goes_its_own_way(event: &Event) -> bool {
    match &event.kind {
        EventKind::ExecutionForked(_) => true,
        EventKind::NodeCompleted(it) => it.edited_by.is_some(),
        _ => false,
    }
}

/// The log goes on with this batch, which is not empty.
fn check_batch(batch: &[Event], log: &[Event]) -> Result<(), IllegalEvent> {
    let differs = |(decided, logged): (&Event, &Event)| {
        (decided != logged).then(|| {
            let reason = format!("replayed, it is decided: {decided:?}; the log has {logged:?}");
            illegal(logged.sequence, reason)
        })
    };
    if let Some(difference) = batch.iter().zip(log).find_map(differs) {
        return Err(difference);
    }
    match (batch, log.get(batch.len())) {
        ([], Some(logged)) => Err(illegal(
            logged.sequence,
            format!("replayed, nothing is decided; the log has {logged:?}"),
        )),
        ([.., last], None) if batch.len() > log.len() => {
            let end = log.last().map_or(last.sequence, |event| event.sequence + 1);
            let reason = format!("the log ends in the middle of a batch up to {last:?}");
            Err(illegal(end, reason))
        }
        _ => Ok(()),
    }
}

fn check_complete(machine: &Machine) -> Result<(), IllegalEvent> {
    match decide(machine, machine.state().at, u32::MAX) {
        None => Ok(()),
        Some(decision) => Err(illegal(
            machine.sequence() + 1,
            format!("a decision is missing: {:?}", decision.event),
        )),
    }
}

fn illegal(sequence: u64, reason: String) -> IllegalEvent {
    IllegalEvent {
        sequence,
        code: RefusalCode::Unfounded,
        reason,
    }
}
