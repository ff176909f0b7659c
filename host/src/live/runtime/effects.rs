//! What follows in memory from a turn that is written.

use std::collections::BTreeSet;

use crate::id::ExecutionId;

use crate::live::turn::core::Core;
use crate::live::turn::open_turn::Effects;
use crate::live::turn::slots::Slots;
use crate::live::values::ending::Ending;

/// The turn is written: starts and stops the workers whom it concerns. Answers the
/// executions that have ended, and how, where that is at hand.
pub(in crate::live) fn carry_out(
    core: &mut Core,
    effects: Effects,
) -> Vec<(ExecutionId, Option<Ending>)> {
    core.kept_guests.extend(effects.guests_kept);
    core.backlog = effects.backlog;
    let Slots {
        granted,
        released,
        lost,
        ..
    } = effects.slots;
    for claim in &released {
        core.pool.end(claim);
    }
    for claim in &lost {
        core.pool.stop(claim);
    }
    for (claim, expires_at) in &effects.renewed {
        core.pool.renewed(claim, *expires_at);
    }
    core.waiting_claims.served(effects.served);
    core.pool.begin(granted);
    let drained = still_asked_for(core, effects.drained_queues);
    core.known.nothing_due.drained(drained);
    effects.ended
}

/// Those of the drained queues for which somebody is free when the turn is over. The
/// time at which something is due counts the others out, and so says nothing of when
/// something waits on them: the next worker that is free there has to ask the store.
fn still_asked_for(core: &Core, mut drained: BTreeSet<String>) -> BTreeSet<String> {
    if !drained.is_empty() {
        let free = core.free_queues();
        drained.retain(|queue| free.contains(queue));
    }
    drained
}
