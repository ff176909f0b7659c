//! A fork begins: with the events that it has in common with its origin, and the facts
//! with which it goes its own way (law 11).

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::live::execution::staged::Staged;
use crate::live::fork::plan::Plan;
use crate::store::StoreError;

use super::breaks::one_step;
use super::components::component_to_keep;
use super::damaged::may_come_in;
use super::guest_call::engine_error;
use super::open_turn::OpenTurn;
use super::transaction::Transaction;

/// Writes a fork, if its guest takes the facts. All of them are taken, or there is no
/// fork.
pub(in crate::live) fn fork(
    turn: &mut OpenTurn<'_>,
    plan: &Plan,
) -> Result<ExecutionId, EngineError> {
    let transaction = &mut turn.transaction;
    let id = plan.record.id;
    may_come_in(transaction.core, plan.origin)?;
    may_come_in(transaction.core, id)?;
    is_not_erased(transaction, plan.origin)?;
    let component = component_to_keep(transaction, &plan.record.guest_digest)?;
    let salts = transaction.core.random.salts();
    let staged = Staged::copied(&plan.record, &plan.events, &plan.items, salts);
    transaction.staged.insert(id, Box::new(staged));
    let mut facts = plan.facts.clone();
    let begun = match one_step(transaction, id, &mut facts) {
        Ok((outcome, _)) => match outcome.refused.into_iter().next() {
            None => {
                transaction.budget.took_fact();
                if outcome.more {
                    transaction.to_step.insert(id);
                }
                transaction.besides.components.extend(component);
                transaction.links.link(plan.origin, id);
                Ok(id)
            }
            Some(refusal) => Err(EngineError::NotForked {
                execution: plan.origin,
                reason: refusal.message,
            }),
        },
        Err(failure) => Err(engine_error(failure, id, &plan.record.guest_digest)),
    };
    if begun.is_err() {
        transaction.staged.remove(&id);
        transaction.to_step.remove(&id);
        transaction.changed.remove(&id);
    }
    begun
}

/// What was erased since the fork was planned is not copied.
fn is_not_erased(
    transaction: &mut Transaction<'_>,
    origin: ExecutionId,
) -> Result<(), EngineError> {
    let store = transaction.core.store.get();
    match store.execution(origin)? {
        None => Err(EngineError::UnknownExecution(origin)),
        Some(record) if record.erased.is_some() => Err(StoreError::Erased {
            place: store.place(),
            execution: origin,
        }
        .into()),
        Some(_) => Ok(()),
    }
}
