//! Which work items may be claimed on a queue, stored and staged.

use std::cmp::Reverse;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::Status;
use crate::store::{ItemRecord, ItemState, Timestamp};

use super::costly::Costly;
use super::stored_queues::{StoredQueue, of_queue};
use super::transaction::Transaction;
use super::turn_claims::TurnClaims;
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
/// the drained ones if these are all that the store has.
pub(in crate::live) fn candidates(
    transaction: &mut Transaction<'_>,
    claims: &mut TurnClaims,
    queue: &str,
    max: usize,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
) -> Result<Found, EngineError> {
    let drained = &mut claims.drained_queues;
    let now = transaction.now();
    let nothing_due = &transaction.core.known.nothing_due;
    let (mut found, all) = if drained.contains(queue) || !nothing_due.may_wait(queue, now) {
        (Found::default(), true)
    } else {
        let stored = of_queue(&mut claims.stored_queues, queue);
        stored_candidates(transaction, stored, queue, max, is_left_out)?
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
    stored: &mut StoredQueue,
    queue: &str,
    max: usize,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
) -> Result<(Found, bool), EngineError> {
    loop {
        let mut found = Found::default();
        let mut costly = Vec::new();
        // Of executions that come after the others, and are left out as such.
        let mut behind = 0;
        let (mut held_back, mut passed) = (false, 0);
        while has_changed(transaction, stored.items.front())? {
            stored.items.pop_front();
        }
        for record in &stored.items {
            if found.candidates.len() >= max {
                break;
            }
            passed += 1;
            let execution = execution_of(record)?;
            if transaction.core.set_aside.holds(execution) {
                continue;
            }
            if transaction.core.conflicts.holds(execution) {
                found.left_out = true;
                continue;
            }
            match transaction.staged.get(&execution) {
                // An item that is held back now may go on before the turn is over,
                // and is to be found then.
                Some(staged) if staged.owed => held_back = true,
                Some(staged) if is_decided_by(transaction, staged, &record.item.node_id) => {
                    held_back |= staged.record.status != Status::Running;
                }
                _ if is_left_out(&transaction.core.costly, execution) => {
                    found.left_out = true;
                    behind += usize::from(transaction.core.costly.contains(execution));
                }
                _ if transaction.core.costly.contains(execution) => {
                    costly.push(Candidate::of(execution, record));
                }
                _ => found.candidates.push(Candidate::of(execution, record)),
            }
        }
        if stored.is_all || found.candidates.len() >= max {
            found.candidates.extend(costly);
            let are_all = stored.is_all && passed == stored.items.len();
            return Ok((found, are_all && !held_back));
        }
        let is_enough = found.candidates.len() + costly.len() + behind >= max;
        if is_enough && !transaction.core.costly.may_look_past(stored.next_page(max)) {
            found.candidates.extend(costly);
            return Ok((found, false));
        }
        read_more(transaction, stored, queue, max)?;
    }
}

/// Whether this stored item is one that the turn has changed: it is none to be claimed
/// any more, or stands among the staged ones.
fn has_changed(
    transaction: &Transaction<'_>,
    record: Option<&ItemRecord>,
) -> Result<bool, EngineError> {
    let Some(record) = record else {
        return Ok(false);
    };
    let staged = transaction.staged.get(&execution_of(record)?);
    Ok(staged.is_some_and(|staged| staged.items().has_changed(&record.item.node_id)))
}

/// Reads the first items of a queue, twice as many as before.
fn read_more(
    transaction: &mut Transaction<'_>,
    stored: &mut StoredQueue,
    queue: &str,
    max: usize,
) -> Result<(), EngineError> {
    let now = transaction.now();
    let tenant = transaction.core.settings.tenant.clone();
    let page = stored.next_page(max);
    let staged = &transaction.staged;
    let read = transaction
        .core
        .agenda()
        .claimable(&tenant, queue, now, page, |id| staged.contains_key(&id))?;
    *stored = StoredQueue {
        asked: page,
        is_all: read.found.len() < page,
        items: transaction.core.set_aside.named(read).into(),
    };
    Ok(())
}

/// At most `max` items of one execution that may be claimed on a queue, the most urgent
/// first, of these those that wait longest; none if it is left out, or its engine does not
/// work on it.
pub(in crate::live) fn candidates_of(
    transaction: &mut Transaction<'_>,
    execution: ExecutionId,
    queue: &str,
    max: usize,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
) -> Result<Found, EngineError> {
    transaction.open(execution)?;
    let staged = &transaction.staged[&execution];
    let mut found = Found::default();
    if is_left_out(&transaction.core.costly, execution) {
        found.left_out = true;
        return Ok(found);
    }
    let waiting = waiting_of(transaction, execution, staged, queue).into_iter();
    found
        .candidates
        .extend(waiting.map(|record| Candidate::of(execution, record)));
    found
        .candidates
        .sort_by_key(|it| (Reverse(it.priority), it.since));
    found.candidates.truncate(max);
    Ok(found)
}

/// The items that may be claimed, of executions about which the turn knows more
/// than the store.
fn staged_candidates(
    transaction: &Transaction<'_>,
    queue: &str,
    is_left_out: &dyn Fn(&Costly, ExecutionId) -> bool,
    found: &mut Found,
) {
    for (execution, staged) in &transaction.staged {
        let waiting = waiting_of(transaction, *execution, staged, queue);
        if is_left_out(&transaction.core.costly, *execution) {
            found.left_out |= !waiting.is_empty();
            continue;
        }
        let waiting = waiting.into_iter();
        let waiting = waiting.map(|record| Candidate::of(*execution, record));
        found.candidates.extend(waiting);
    }
}

/// The items on a queue that may be claimed, of a staged execution; but for those of which
/// the store decides.
fn waiting_of<'s>(
    transaction: &Transaction<'_>,
    execution: ExecutionId,
    staged: &'s Staged,
    queue: &str,
) -> Vec<&'s ItemRecord> {
    let core = &transaction.core;
    let now = transaction.now();
    let runs = staged.record.status == Status::Running && !staged.held && !staged.owed;
    // An execution that begins here is worked on here.
    let is_worked_on = staged.status_before.is_none() || core.scope.includes(execution);
    if !runs || !is_worked_on {
        return Vec::new();
    }
    let may_be_claimed = |record: &&ItemRecord| {
        record.state == ItemState::Waiting
            && record.item.queue == queue
            && record.item.tenant == core.settings.tenant
            && record.item.not_before <= now
    };
    let items = staged.items();
    if decides_changed_items_only(transaction, staged) {
        items.changed_and_waiting().filter(may_be_claimed).collect()
    } else {
        items.all().filter(may_be_claimed).collect()
    }
}

/// Whether the staged execution, and not the store, says what may be done with
/// the item of this node.
fn is_decided_by(transaction: &Transaction<'_>, staged: &Staged, node_id: &str) -> bool {
    staged.items().has_changed(node_id) || !decides_changed_items_only(transaction, staged)
}

/// Whether the store says of the items that the turn has not changed what may be done with
/// them.
fn decides_changed_items_only(transaction: &Transaction<'_>, staged: &Staged) -> bool {
    staged.status_before == Some(Status::Running)
        && staged.record.status == Status::Running
        // Within a scope the store is asked for the others only.
        && transaction.core.scope.is_everything()
}
