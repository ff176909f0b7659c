//! A log is replayed, as law 2 has it.

use std::sync::Arc;

use refrain_guest::apply::digest_of_text;
use refrain_guest::contract::Origin;
use refrain_guest::machine::Machine;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow;

use super::world::Memory;

/// Replay a log with a fresh machine. Each batch of decisions must be
/// what the machine decides there, and nothing may be missing in between.
///
/// # Errors
/// The first event that differs.
pub fn replay(world: &Memory) -> Result<(), String> {
    let faults = |faults| format!("{faults:?}");
    let plan = Arc::new(workflow::parse(&world.workflow).map_err(faults)?);
    let refused = |illegal| format!("the log does not replay: {illegal:?}");
    let first = world.events.first().ok_or("the log is empty")?;
    let mut machine =
        Machine::start(plan, &digest_of_text(&world.workflow), first).map_err(refused)?;
    let mut rest = &world.events[1..];
    while let Some(event) = rest.first() {
        if event.at > machine.state().at.0 {
            check_complete(&machine)?;
        }
        if event.origin == Origin::Fact {
            machine.apply(event).map_err(refused)?;
            rest = &rest[1..];
            continue;
        }
        let batch = machine.drain(Timestamp(event.at)).map_err(refused)?;
        if batch.events.is_empty() || !rest.starts_with(&batch.events) {
            return Err(format!(
                "replayed, another batch comes of event {}: {:?}",
                event.sequence, batch.events
            ));
        }
        rest = &rest[batch.events.len()..];
    }
    check_complete(&machine)
}

fn check_complete(machine: &Machine) -> Result<(), String> {
    match machine.decide(machine.state().at, u32::MAX) {
        None => Ok(()),
        Some(decision) => Err(format!(
            "a decision is missing after event {}: {:?}",
            machine.sequence(),
            decision.event
        )),
    }
}
