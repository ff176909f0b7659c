//! Which work items may be claimed on a queue, stored and staged.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::Status;
use crate::store::{ItemRecord, ItemState, Timestamp};

use super::costly::Costly;
use super::transaction::Transaction;
use crate::live::execution::claimed::execution_of;
use crate::live::execution::staged::Staged;

/// An item that may be claimed.
pub(in crate::live) struct Candidate {
    pub(in crate::live) execution: ExecutionId,
    pub(in crate::live) node_id: String,
    /// How urgent it is.
    priority: u32,
    /// Since when it may be claimed.
    since: Timestamp,
}

impl Candidate {
    fn of(execution: ExecutionId, record: &ItemRecord) -> Self {
        Self {
            execution,
            node_id: record.item.node_id.clone(),
            priority: record.item.priority,
            since: record.enqueued_at.max(record.item.not_before),
        }
    }
}

/// What was found of a queue.
#[derive(Default)]
pub(in crate::live) struct Found {
    /// The most urgent first, of these those that wait longest.
    pub(in crate::live) candidates: Vec<Candidate>,
    /// Whether there are others, of executions that were left out.
    pub(in crate::live) left_out: bool,
}

/// At most `max` items that may be claimed on a queue, the most urgent first, of these
/// those that wait longest, without those of executions that are left out. The queue joins
/// `drained` if these are all that the store has.
pub(in crate::live) fn candidates(
    transaction: &mut Transaction<'_>,
    drained: &mut BTreeSet<String>,
    queue: &str,
    max: usize,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
) -> Result<Found, EngineError> {
    let now = transaction.now();
    let nothing_due = &transaction.core.known.nothing_due;
    let (mut found, all) = if drained.contains(queue) || !nothing_due.may_wait(queue, now) {
        (Found::default(), true)
    } else {
        stored_candidates(transaction, queue, max, is_left_out)?
    };
    staged_candidates(transaction, queue, is_left_out, &mut found);
    let candidates = &mut found.candidates;
    if all && !found.left_out && candidates.len() <= max {
        drained.insert(queue.to_owned());
    }
    let costly = &transaction.core.costly;
    candidates.sort_by_key(|it| {
        let order = (Reverse(it.priority), it.since);
        (costly.contains(it.execution), order)
    });
    candidates.truncate(max);
    Ok(found)
}

/// The stored items that may be claimed, without those about which the turn knows
/// more; and whether these are all. The store is asked for more where the turn
/// knows of so many that they would hide others.
fn stored_candidates(
    transaction: &mut Transaction<'_>,
    queue: &str,
    max: usize,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
) -> Result<(Found, bool), EngineError> {
    let now = transaction.now();
    let tenant = transaction.core.settings.tenant.clone();
    let mut page = max;
    let mut held_back = false;
    loop {
        let staged = &transaction.staged;
        let stored = transaction
            .core
            .agenda()
            .claimable(&tenant, queue, now, page, |id| staged.contains_key(&id))?;
        let is_last = stored.found.len() < page;
        let mut candidates = Vec::with_capacity(stored.found.len());
        let mut costly = Vec::new();
        let mut left_out = false;
        for record in transaction.core.set_aside.named(stored) {
            let execution = execution_of(&record)?;
            if transaction.core.set_aside.holds(execution) {
                continue;
            }
            if transaction.core.conflicts.holds(execution) {
                left_out = true;
                continue;
            }
            match transaction.staged.get(&execution) {
                // An item that is held back now may go on before the turn is over,
                // and is to be found then.
                Some(staged) if staged.owed => held_back = true,
                Some(staged) if is_decided_by(transaction, staged, &record.item.node_id) => {
                    held_back |= staged.record.status != Status::Running;
                }
                _ if is_left_out(&transaction.core.costly, execution) => left_out = true,
                _ if transaction.core.costly.contains(execution) => {
                    costly.push(Candidate::of(execution, &record));
                }
                _ => candidates.push(Candidate::of(execution, &record)),
            }
        }
        if is_last || candidates.len() >= max {
            candidates.extend(costly);
            let found = Found {
                candidates,
                left_out,
            };
            return Ok((found, is_last && !held_back));
        }
        page = page.saturating_mul(2);
    }
}

/// The items that may be claimed, of executions about which the turn knows more
/// than the store.
fn staged_candidates(
    transaction: &Transaction<'_>,
    queue: &str,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
    found: &mut Found,
) {
    let core = &transaction.core;
    let now = transaction.now();
    for (execution, staged) in &transaction.staged {
        let record = &staged.record;
        let runs = record.status == Status::Running && !staged.held && !staged.owed;
        if !runs {
            continue;
        }
        // An execution that begins here is worked on here.
        if staged.status_before.is_some() && !core.scope.includes(*execution) {
            continue;
        }
        let may_be_claimed = |record: &&ItemRecord| {
            record.state == ItemState::Waiting
                && record.item.queue == queue
                && record.item.tenant == core.settings.tenant
                && record.item.not_before <= now
                && is_decided_by(transaction, staged, &record.item.node_id)
        };
        let mut waiting = staged.items().all().filter(may_be_claimed);
        if is_left_out(&core.costly, *execution) {
            found.left_out |= waiting.next().is_some();
            continue;
        }
        let waiting = waiting.map(|record| Candidate::of(*execution, record));
        found.candidates.extend(waiting);
    }
}

/// Whether the staged execution, and not the store, says what may be done with
/// the item of this node.
fn is_decided_by(transaction: &Transaction<'_>, staged: &Staged, node_id: &str) -> bool {
    staged.items().has_changed(node_id)
        || staged.status_before != Some(Status::Running)
        || staged.record.status != Status::Running
        // Within a scope the store is asked for the others only.
        || !transaction.core.scope.is_everything()
}
