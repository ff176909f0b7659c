//! What every store checks of a turn before it writes: that the turn does not
//! contradict itself, and that it follows on what is stored.
//!
//! An event in a wrong place, once written, would be found by an audit, perhaps a
//! year later. Here it is found before it is written. That its hash is its own needs
//! no look: there is no other [`ChainedEvent`](crate::log::ChainedEvent).

use std::collections::BTreeSet;

use crate::id::ExecutionId;
use crate::limits::OUTPUT_PIECE_BYTES_MAX;
use crate::log::digest::digest;
use crate::log::{Head, Timestamp};
use crate::model::EventKind;
use crate::store::{
    Attestation, CommitError, Erasure, ExecutionChange, ExecutionRecord, ItemChange, Lease,
    OutputPiece, StoreError, Turn, ended,
};

/// The last time that a store keeps: the largest signed 64-bit number, in some
/// 292 million years.
pub const TIME_MAX: Timestamp = i64::MAX as Timestamp;

/// Checks a turn by itself.
///
/// # Errors
///
/// [`StoreError::Contradiction`], where `place` is the store that should have
/// written it, and `simulated` says which executions it keeps.
pub fn turn(turn: &Turn, place: &str, simulated: bool) -> Result<(), StoreError> {
    check_turn(turn, simulated).map_err(|detail| StoreError::Contradiction {
        place: place.to_owned(),
        detail,
    })
}

fn check_turn(turn: &Turn, simulated: bool) -> Result<(), String> {
    for workflow in &turn.workflows {
        let name = format!("workflow {} {}", workflow.workflow_id, workflow.version);
        ensure(digest(workflow.text.as_bytes()) == workflow.digest, || {
            format!("{name}: its digest is not that of its text")
        })?;
    }
    for component in &turn.components {
        ensure(digest(&component.bytes) == component.digest, || {
            format!("component {}: that is not its digest", component.digest)
        })?;
    }
    for output in &turn.outputs {
        let is_short = |piece: &OutputPiece| piece.bytes.len() <= OUTPUT_PIECE_BYTES_MAX;
        ensure(output.pieces.iter().all(is_short), || {
            format!("{}: a piece of output is too long", output.execution)
        })?;
        for piece in output.pieces.iter() {
            time("the start of a piece of output", piece.end())?;
        }
    }
    let mut seen = BTreeSet::new();
    for Erasure {
        execution: id,
        attestation,
    } in &turn.erasures
    {
        let kept = turn.snapshots.iter().any(|(of, _)| of == id)
            || turn.outputs.iter().any(|output| output.execution == *id);
        ensure(seen.insert(*id) && !kept, || {
            format!("{id}: it is erased, and changed besides")
        })?;
        time("the time of an erasure", attestation.at)?;
    }
    turn.executions.iter().try_for_each(|change| {
        let id = change.record.id;
        ensure(seen.insert(id), || "it is changed twice".to_owned())
            .and_then(|()| items(change))
            .and_then(|()| kind_of_time(change, simulated))
            .and_then(|()| events(change))
            .map_err(|detail| format!("{id}: {detail}"))
    })
}

/// Checks that the events follow on one another and lead to the record.
fn events(change: &ExecutionChange) -> Result<(), String> {
    let ExecutionChange {
        expected,
        events,
        record,
        items: _,
    } = change;
    let mut head = *expected;
    for chained in events {
        ensure(chained.follows(&head), || {
            let sequence = chained.event.sequence;
            match sequence == head.sequence + 1 {
                true => format!(
                    "event {sequence} was chained to another event {}",
                    head.sequence
                ),
                false => format!("event {sequence} follows on event {}", head.sequence),
            }
        })?;
        time("a time of an event", chained.event.at)?;
        head = chained.head();
    }
    ensure(head != Head::default(), || "it has no event".to_owned())?;
    ensure(record.head == head, || {
        format!("its record's head is not event {}", head.sequence)
    })?;
    if let Some(last) = events.last() {
        ensure(record.last_at == last.event.at, || {
            "its record's last time is not that of its last event".to_owned()
        })?;
    }
    ensure(record.erased.is_none() || events.is_empty(), || {
        "an event is appended to an erased log".to_owned()
    })?;
    time("its next wake", record.next_wake.unwrap_or(0))?;
    time("its start", record.started_at)
}

/// Checks that an execution that begins is of the store's kind of time.
fn kind_of_time(change: &ExecutionChange, simulated: bool) -> Result<(), String> {
    let first = change.events.first().map(|stored| &stored.event.kind);
    let Some(EventKind::WorkflowStarted(started)) = first else {
        return Ok(());
    };
    ensure(started.simulated == simulated, || {
        let (of, kept) = match simulated {
            true => ("real", "simulated"),
            false => ("simulated", "real"),
        };
        format!("it is of {of} time, and the store keeps executions of {kept} time")
    })
}

fn items(change: &ExecutionChange) -> Result<(), String> {
    let id = change.record.id.to_string();
    for item in &change.items {
        match item {
            ItemChange::Enqueue { item, at, lease } => {
                ensure(item.execution_id == id, || {
                    format!("an item of {} is ordered", item.execution_id)
                })?;
                decided("an item is ordered", change)?;
                time("an item's times", item.not_before.max(*at))?;
                lease.as_ref().map_or(Ok(()), claim)?;
            }
            ItemChange::DeadLetter {
                node_id,
                item,
                enqueued_at,
                at,
                error: _,
            } => {
                ensure(item.execution_id == id, || {
                    format!("an item of {} becomes a dead letter", item.execution_id)
                })?;
                ensure(item.node_id == *node_id, || {
                    format!(
                        "an item of node {} becomes a dead letter of node {node_id}",
                        item.node_id
                    )
                })?;
                decided("an item becomes a dead letter", change)?;
                time(
                    "a dead letter's times",
                    item.not_before.max(*enqueued_at).max(*at),
                )?;
            }
            ItemChange::Lease { lease, .. } => claim(lease)?,
            ItemChange::Release { .. } => decided("an item is given back", change)?,
            ItemChange::Remove { .. } => {}
        }
    }
    Ok(())
}

fn decided(what: &str, change: &ExecutionChange) -> Result<(), String> {
    ensure(!change.events.is_empty(), || {
        format!("{what}, and no event says so")
    })
}

fn claim(lease: &Lease) -> Result<(), String> {
    time("a lease's end", lease.expires_at)?;
    time("a fence", lease.fence)
}

fn time(what: &str, time: Timestamp) -> Result<(), String> {
    ensure(time <= TIME_MAX, || {
        format!("{what}, {time}, is more than {TIME_MAX}")
    })
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What conflicts of a turn, gathered while it is checked or written.
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    executions: Vec<ExecutionId>,
    /// What does not fit, of the first.
    detail: String,
}

impl Conflicts {
    /// Notes what came of checking this execution. One may be checked more than once.
    pub(super) fn note(&mut self, id: ExecutionId, checked: Result<(), String>) {
        let Err(detail) = checked else {
            return;
        };
        if self.executions.is_empty() {
            self.detail = detail;
        }
        if !self.executions.contains(&id) {
            self.executions.push(id);
        }
    }

    /// # Errors
    ///
    /// [`CommitError::Conflict`], if there is any.
    pub(super) fn none(self) -> Result<(), CommitError> {
        let Self { executions, detail } = self;
        if executions.is_empty() {
            return Ok(());
        }
        Err(CommitError::Conflict { executions, detail })
    }
}

/// Checks that a change follows on the record that is stored.
///
/// # Errors
///
/// The conflict, in a sentence.
pub fn follows(stored: Option<&ExecutionRecord>, change: &ExecutionChange) -> Result<(), String> {
    let ExecutionChange {
        expected, record, ..
    } = change;
    let conflict = |detail: String| Err(format!("{}: {detail}", record.id));
    let head = stored.map(|stored| stored.head).unwrap_or_default();
    if head.sequence != expected.sequence {
        return conflict(format!(
            "its last event is {}, and {} was expected",
            head.sequence, expected.sequence
        ));
    }
    if head.hash != expected.hash {
        return conflict(format!(
            "its event {} is another than expected",
            head.sequence
        ));
    }
    match stored {
        Some(stored) if origin(stored) != origin(record) => {
            conflict("what it was started with cannot be changed".to_owned())
        }
        _ => Ok(()),
    }
}

/// Checks that what is stored can be erased.
///
/// # Errors
///
/// The conflict, in a sentence.
pub fn erasable(stored: Option<&ExecutionRecord>, erasure: &Erasure) -> Result<(), String> {
    let conflict = |detail: &str| Err(format!("{}: {detail}", erasure.execution));
    let Some(record) = stored else {
        return conflict("there is no such execution to erase");
    };
    if record.erased.is_some() {
        return conflict("it is erased already");
    }
    if !ended(record.status) {
        return conflict("it has not ended, and only what has ended is erased");
    }
    if record.head != erasure.attestation.head {
        return conflict("its head is another than the attestation names");
    }
    Ok(())
}

/// The part of a record that no change of an execution can change.
pub(super) type Origin<'a> = (
    ExecutionId,
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    u32,
    Timestamp,
    Option<&'a Attestation>,
);

/// The part of a record that no change of an execution can change.
pub(super) fn origin(record: &ExecutionRecord) -> Origin<'_> {
    let ExecutionRecord {
        id,
        workflow_id,
        workflow_version,
        tenant,
        key,
        priority,
        started_at,
        erased,
        ..
    } = record;
    (
        *id,
        workflow_id,
        workflow_version,
        tenant,
        key.as_deref(),
        *priority,
        *started_at,
        erased.as_deref(),
    )
}
