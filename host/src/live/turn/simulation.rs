//! Simulated workers: every work item is answered with `{}`, after its node's
//! label `simulate_ms` on a clock that jumps.
//!
//! Several answers go into one turn, so that a large workflow is tried in
//! seconds. The log shows what it would show of quick workers.

use std::collections::BTreeSet;

use serde_json::json;

use crate::error::{EngineError, WorkError};
use crate::id::ExecutionId;
use crate::limits::SIMULATED_CLAIMS_AT_ONCE_MAX;
use crate::store::{ItemState, Timestamp};

use super::answers::{complete, fail};
use super::budget::Phase;
use super::candidates::{Candidate, candidates, candidates_of};
use super::claims::claim_items;
use super::costly::Costly;
use super::damaged::or_set_aside;
use super::open_turn::OpenTurn;
use super::start::workflow_text;
use super::transaction::Transaction;
use crate::live::values::work::{Answer, ClaimId};

/// The name of simulated workers in the log.
const WORKER: &str = "simulated";

/// Simulated workers claim and answer. Says whether they did anything.
pub(in crate::live) fn simulate(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    Ok(claim_all(turn)? | answer_all(turn)?)
}

fn claim_all(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    let mut any = false;
    for queue in waiting_queues(turn)? {
        let claims = &mut turn.claims;
        let max = SIMULATED_CLAIMS_AT_ONCE_MAX;
        let none = |_: &Costly, _| false;
        let found = candidates(&mut turn.transaction, claims, &queue, max, &none)?;
        for candidate in found.candidates {
            if is_full(&turn.transaction) || !turn.transaction.may(Phase::Claims) {
                turn.transaction.budget.cut_off();
                return Ok(any);
            }
            let claimed = claim_one(turn, &candidate);
            let claimed = or_set_aside(turn.transaction.core, candidate.execution, claimed)?;
            // One that was set aside counts, too: it stood in the place of another.
            any |= claimed != Some(false);
        }
    }
    Ok(any)
}

/// Simulated workers claim what waits of one execution.
pub(in crate::live) fn claim_of(
    turn: &mut OpenTurn<'_>,
    id: ExecutionId,
) -> Result<bool, EngineError> {
    let items = turn.transaction.open(id)?.items().all();
    let waiting = items.filter(|it| it.state == ItemState::Waiting);
    let queues: BTreeSet<String> = waiting.map(|it| it.item.queue.clone()).collect();
    let mut any = false;
    for queue in queues {
        let max = SIMULATED_CLAIMS_AT_ONCE_MAX;
        let none = |_: &Costly, _| false;
        let found = candidates_of(&mut turn.transaction, id, &queue, max, &none)?;
        for candidate in found.candidates {
            any |= claim_one(turn, &candidate)?;
        }
    }
    Ok(any)
}

/// The queues on which items wait, stored or ordered in this turn: simulated workers are
/// on every one, whatever it is called.
fn waiting_queues(turn: &mut OpenTurn<'_>) -> Result<BTreeSet<String>, EngineError> {
    let transaction = &mut turn.transaction;
    let tenant = transaction.core.settings.tenant.clone();
    let stored = transaction.core.agenda().waiting_queues(&tenant)?;
    let mut queues: BTreeSet<String> = stored.into_iter().collect();
    for staged in transaction.staged.values() {
        let waiting = staged.items().all();
        let waiting = waiting.filter(|it| it.state == ItemState::Waiting);
        queues.extend(waiting.map(|it| it.item.queue.clone()));
    }
    Ok(queues)
}

/// Claims one item. Says whether it was claimed.
fn claim_one(turn: &mut OpenTurn<'_>, candidate: &Candidate) -> Result<bool, EngineError> {
    let delay_ms = delay_ms(&mut turn.transaction, candidate)?;
    let candidate = std::slice::from_ref(candidate);
    let claim = claim_items(turn, candidate, WORKER, delay_ms)?;
    let claimed = !claim.is_empty();
    let answer_at = turn.transaction.later(delay_ms);
    let answers = &mut turn.backlog.simulated;
    answers.extend(claim.into_iter().map(|claim| (answer_at, claim.id)));
    Ok(claimed)
}

fn answer_all(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    let mut any = false;
    while let Some((at, claim)) = first_answer(turn) {
        let execution = claim.execution;
        let caught_up = turn.catch_up(execution);
        let waits = caught_up.and_then(|()| turn.has_to_wait(execution));
        let waits = or_set_aside(turn.transaction.core, execution, waits)? == Some(true);
        let full = is_full(&turn.transaction);
        if full || waits || !turn.transaction.may(Phase::Claims) {
            turn.transaction.budget.cut_off();
            break;
        }
        let answered = answer_one(turn, &claim);
        turn.backlog.simulated.remove(&(at, claim.clone()));
        or_set_aside(turn.transaction.core, claim.execution, answered)?;
        any = true;
    }
    Ok(any)
}

/// The first answer that is due, of an execution that is not left out of the turn.
fn first_answer(turn: &OpenTurn<'_>) -> Option<(Timestamp, ClaimId)> {
    let now = turn.transaction.now();
    let conflicts = &turn.transaction.core.conflicts;
    let due = turn
        .backlog
        .simulated
        .iter()
        .take_while(|(at, _)| *at <= now);
    let mut due = due.filter(|(_, claim)| !conflicts.holds(claim.execution));
    due.next().cloned()
}

fn answer_one(turn: &mut OpenTurn<'_>, claim: &ClaimId) -> Result<(), EngineError> {
    match complete(turn, claim, &Answer::output(json!({}))) {
        Ok(_) => Ok(()),
        Err(EngineError::Refused { reason, .. }) => {
            let error = WorkError::permanent(format!("a simulated answer does not do: {reason}"));
            fail(turn, claim, &error).map(drop)
        }
        // Cancelled or timed out meanwhile, or stalled; the log says so.
        Err(EngineError::Stale { .. } | EngineError::Guest { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the turn has taken as many facts as it may.
fn is_full(transaction: &Transaction<'_>) -> bool {
    transaction.budget.facts() >= transaction.core.settings.turn_limits.facts
}

fn delay_ms(transaction: &mut Transaction<'_>, candidate: &Candidate) -> Result<u64, EngineError> {
    let record = &transaction.open(candidate.execution)?.record;
    let workflow = (record.workflow_id.clone(), record.workflow_version.clone());
    if !transaction.core.simulated_delays.knows(&workflow) {
        let text = workflow_text(transaction, &workflow.0, &workflow.1)?;
        let delays = &mut transaction.core.simulated_delays;
        delays.learn(workflow.clone(), &text);
    }
    let delays = &transaction.core.simulated_delays;
    Ok(delays.of(&workflow, &candidate.node_id))
}
