//! The slots of own workers whose claims hold no longer.

use hashlink::LinkedHashSet;

use crate::id::ExecutionId;

use super::claimed_items::is_held;
use super::open_turn::OpenTurn;
use crate::live::values::work::ClaimId;

/// Frees the slots of claims that hold no longer. Says whether there were any:
/// then more may be claimed.
pub(in crate::live) fn free_lost_slots(turn: &mut OpenTurn<'_>) -> bool {
    let changed = std::mem::take(&mut turn.transaction.changed);
    if changed.is_empty() {
        return false;
    }
    let lost = lost_claims(turn, &changed);
    let OpenTurn {
        transaction,
        claims,
        ..
    } = turn;
    let any = claims.slots.lose(lost, &transaction.core.pool);
    // Those of executions that have not gone on since hold, and need no look.
    let may_be_unmade = changed.iter().any(|execution| {
        let staged = transaction.staged.get(execution);
        let head = staged.map(|staged| staged.record.head.sequence);
        claims.slots.have_aged(*execution, head)
    });
    let holds = |claim: &ClaimId| is_held(transaction, claim);
    (may_be_unmade && claims.slots.take_back_grants(holds)) || any
}

/// Claims of own workers that hold no longer and were not known to: those of
/// executions that have changed, and of those that are set aside.
fn lost_claims(turn: &OpenTurn<'_>, changed: &LinkedHashSet<ExecutionId>) -> Vec<ClaimId> {
    let (transaction, slots) = (&turn.transaction, &turn.claims.slots);
    let core = &transaction.core;
    let mut lost = Vec::new();
    for execution in changed {
        if !transaction.staged.contains_key(execution) {
            continue;
        }
        let running = core.pool.running_of(*execution);
        let is_lost = |claim: &&ClaimId| slots.is_taken_by(claim) && !is_held(transaction, claim);
        lost.extend(running.filter(is_lost).cloned());
    }
    if !core.set_aside.is_empty() {
        let running = core.pool.running_claims().into_iter();
        let is_lost =
            |claim: &ClaimId| slots.is_taken_by(claim) && core.set_aside.holds(claim.execution);
        lost.extend(running.filter(is_lost));
    }
    lost
}
