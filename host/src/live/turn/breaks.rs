//! Executions are paused at their breakpoints.
//!
//! ```text
//! offered     facts
//! decided     what begins a node with a breakpoint, or makes a condition hold
//! undone      the execution is staged anew as it was, and its guest forgets it
//! offered     the same facts, and behind them execution_paused
//! ```
//!
//! So the log is one of an execution that somebody has paused at just that moment, and
//! every audit reads it as that. Where a pause ends, its breakpoint is passed: what was
//! undone is what that step decides.

use std::sync::Arc;

use crate::guest::{ConditionError, condition_holds};
use crate::id::ExecutionId;
use crate::limits::TEXT_BYTES_MAX;
use crate::model::{Event, EventKind, OperatorNote, Origin, Outcome, Status};
use crate::replay::may_change_state;
use crate::store::Head;

use super::active_breakpoints::Active;
use super::calls::call;
use super::one_call::{kept, one_step_if, staged_step};
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;
use crate::live::values::breakpoints::Breakpoints;
use crate::shorten::shortened;

/// One call of the guest: these facts in, decisions out, staged. Where it meets a
/// breakpoint of the execution, that is paused instead of what it would have decided.
pub(in crate::live) fn one_step(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
) -> Result<(Outcome, usize), Failure> {
    match watched(transaction, id, facts) {
        None => one_step_if(transaction, id, facts, |_| true),
        Some(active) => step_unless_met(transaction, id, facts, &active),
    }
}

/// The breakpoints that this step may meet. `None` if it may meet none.
fn watched(transaction: &Transaction<'_>, id: ExecutionId, facts: &[EventKind]) -> Option<Active> {
    let active = transaction.core.breakpoints.of(id)?;
    let staged = transaction.staged.get(&id)?;
    let runs = staged.record.status == Status::Running && !staged.held;
    let ends_pause = |fact: &EventKind| matches!(fact, EventKind::ExecutionUnpaused(_));
    (runs && !facts.iter().any(ends_pause)).then(|| active.clone())
}

fn step_unless_met(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
    active: &Active,
) -> Result<(Outcome, usize), Failure> {
    let held = conditions_now(transaction, id, active)?;
    let Some(before) = transaction.staged.get(&id).cloned() else {
        return one_step_if(transaction, id, facts, |_| true);
    };
    let asked = facts.clone();
    let settled = staged_step(transaction, id, facts, |_| true)?;
    let Some(reason) = met(transaction, id, (&before, &held), active)? else {
        return kept(transaction, id, settled);
    };
    let digest = Arc::clone(&before.record.guest_digest);
    transaction.staged.insert(id, before);
    transaction.core.guests.forget(&digest, id);
    *facts = asked;
    facts.push(EventKind::ExecutionPaused(OperatorNote {
        reason: Some(shortened(&reason, TEXT_BYTES_MAX).into_owned()),
        by: active.by.clone(),
    }));
    let stepped = one_step_if(transaction, id, facts, |_| true);
    if stepped.is_err() {
        // Those that were not taken are the caller's.
        facts.pop();
    }
    stepped
}

/// Which breakpoints a staged step meets, as the reason of a pause. `None` if it meets none.
fn met(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    (before, held): (&Staged, &[bool]),
    active: &Active,
) -> Result<Option<String>, Failure> {
    let Some(staged) = transaction.staged.get(&id) else {
        return Ok(None);
    };
    let new: Vec<Event> = staged.events()[before.events().len()..]
        .iter()
        .map(|chained| chained.event.clone())
        .collect();
    let breakpoints = &active.breakpoints;
    let mut met = nodes_met(breakpoints, &new);
    if !breakpoints.conditions().is_empty() {
        let head = staged.record.head;
        let begins = before.record.head == Head::default();
        let may_have_changed = begins || new.iter().any(|event| may_change_state(&event.kind));
        let hold = match may_have_changed {
            true => judge(transaction, id, breakpoints)?,
            false => held.to_vec(),
        };
        let came = breakpoints.conditions().iter().zip(hold.iter().zip(held));
        let came = came.filter(|(_, (holds, held))| **holds && !**held);
        met.extend(came.map(|(condition, _)| condition.clone()));
        if met.is_empty() {
            transaction.core.breakpoints.judged(id, head, hold);
        }
    }
    Ok((!met.is_empty()).then(|| format!("breakpoint: {}", met.join(", "))))
}

/// The nodes that decisions begin before which there is a breakpoint, each once.
fn nodes_met(breakpoints: &Breakpoints, events: &[Event]) -> Vec<String> {
    let mut met: Vec<String> = Vec::new();
    for event in events
        .iter()
        .filter(|event| event.origin == Origin::Decision)
    {
        if let Some(node) = breakpoints.met_by(&event.kind)
            && !met.iter().any(|it| it == node)
        {
            met.push(node.to_owned());
        }
    }
    met
}

/// Which conditions hold as the execution stands. None does before it has begun.
fn conditions_now(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    active: &Active,
) -> Result<Vec<bool>, Failure> {
    let head = transaction.staged.get(&id).map(|staged| staged.record.head);
    match (&active.judged, head) {
        (Some((at, hold)), Some(head)) if *at == head => Ok(hold.clone()),
        (_, Some(head)) if head != Head::default() => judge(transaction, id, &active.breakpoints),
        _ => Ok(vec![false; active.breakpoints.conditions().len()]),
    }
}

/// Which conditions hold on the staged state. One that cannot be judged does not, and that
/// is told.
fn judge(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    breakpoints: &Breakpoints,
) -> Result<Vec<bool>, Failure> {
    let conditions = breakpoints.conditions();
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let inspection = call(transaction, id, None, |guest, ports| {
        guest.inspect(ports, id)
    })?;
    let state = inspection.into_merged_state();
    let first = transaction.events(id, 1, 1);
    let first = first.ok().and_then(|events| events.into_iter().next());
    let input = first.and_then(|stored| match stored.event.kind {
        EventKind::WorkflowStarted(started) => Some(started.initial_input),
        _ => None,
    });
    let asked = (state.as_str(), input.as_deref());
    let judged = conditions
        .iter()
        .map(|condition| judge_one(transaction, id, condition, asked));
    Ok(judged.collect())
}

fn judge_one(
    transaction: &Transaction<'_>,
    id: ExecutionId,
    condition: &str,
    asked: (&str, Option<&str>),
) -> bool {
    let digest = &transaction.staged[&id].record.guest_digest;
    let mut library = transaction.core.guests.library();
    let named = digest
        .parse()
        .expect("a library calls its guests by their digests");
    let judged = library.instance(digest).map_err(|error| error.to_string());
    let judged = judged.and_then(|guest| {
        condition_holds((guest, named), condition, asked, transaction.now()).map_err(|error| {
            match error {
                ConditionError::Refused(why) => why,
                ConditionError::Call(error) => error.to_string(),
            }
        })
    });
    judged.unwrap_or_else(|why| {
        tracing::warn!(refrain.execution = %id, "the condition {condition:?} of a breakpoint cannot be judged: {why}");
        false
    })
}
