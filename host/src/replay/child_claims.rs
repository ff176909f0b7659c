//! What a store claims of children besides the logs must be what the logs say (law 3): the
//! row of each child that an execution asked for, and the row of the execution itself where
//! it is a child.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::child_links::asked_for;
use super::child_log::ChildLog;
use super::divergence::{Compared, Divergence};
use super::family::{Family, Told, Wait};
use super::parent_link;
use super::source::{Kept, Recording};
use crate::id::ExecutionId;
use crate::model::Digest;
use crate::store::{ChildRecord, ChildState, Reader, StoreError};

/// What a store has of the children of an execution, and of it as a child, at one moment.
pub(super) struct StoredKin {
    /// The row of the execution itself, or the fault of how it is kept.
    own: Result<Option<ChildRecord>, String>,
    /// The rows of its children, or the fault of how they are kept.
    rows: Kept<ChildRecord>,
    /// The logs of the children that it asked for, as far as they are there.
    pub(super) logs: BTreeMap<ExecutionId, ChildLog>,
}

impl StoredKin {
    /// Reads what the store has next to this log.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn read(store: &mut dyn Reader, recording: &Recording) -> Result<Self, StoreError> {
        let id = recording.execution_id;
        let mut logs = BTreeMap::new();
        for child in asked_for(recording) {
            if let Some(log) = ChildLog::stored(store, child)? {
                logs.insert(child, log);
            }
        }
        Ok(Self {
            own: kept(store.child(id))?,
            rows: kept(store.children(id))?,
            logs,
        })
    }

    /// The children of which something is owed, to this execution or by it.
    pub(super) fn owed(&self) -> Vec<String> {
        let rows = self.rows.iter().flatten();
        let rows = rows.chain(self.own.iter().flatten());
        let owed = rows.filter(|row| row.is_owed());
        owed.map(|row| row.child.to_string()).collect()
    }

    /// The difference between the rows and what the logs say. `None` if there is none.
    /// `family` is what this log says of its children.
    pub(super) fn difference(&self, recording: &Recording, family: &Family) -> Option<Divergence> {
        self.own_difference(recording)
            .or_else(|| self.children_difference(recording, family))
    }

    fn own_difference(&self, recording: &Recording) -> Option<Divergence> {
        let id = recording.execution_id;
        let log = ChildLog::of(recording)?;
        let named = parent_link::named(recording);
        let expected = named.map(|named| {
            json!({
                "parent": named.execution_id,
                "root": named.root,
                "node_id": named.node_id,
                "attempt": named.attempt,
                "iteration": named.iteration,
                "sequence": named.sequence,
            })
        });
        let found = match &self.own {
            Err(fault) => Some(json!(fault)),
            Ok(row) => row.as_ref().map(|row| {
                json!({
                    "parent": row.parent.to_string(),
                    "root": row.root.to_string(),
                    "node_id": row.node_id,
                    "attempt": row.attempt,
                    "iteration": row.iteration,
                    "sequence": row.sequence,
                })
            }),
        };
        if expected != found {
            let message =
                format!("what the store says of {id} as a child is not what its event 1 says");
            return Some(claim(1, message, expected, found));
        }
        let state = self.own.iter().flatten().next().map(|row| &row.state);
        let contradicts = match state? {
            ChildState::Requested { .. } => true,
            ChildState::Awaited => log.end.is_some(),
            ChildState::Ended => log.end.is_none(),
            ChildState::Cancelled | ChildState::Settled => false,
        };
        let ended = match log.end.is_some() {
            true => "has ended",
            false => "has begun and not ended",
        };
        contradicts.then(|| {
            let message =
                format!("the store's row of the child {id} is of another state than its log");
            let found = self
                .own
                .iter()
                .flatten()
                .next()
                .map(|row| state_name(&row.state));
            claim(
                log.head.sequence,
                message,
                Some(json!(ended)),
                found.map(Value::from),
            )
        })
    }

    fn children_difference(&self, recording: &Recording, family: &Family) -> Option<Divergence> {
        let end = recording.head.sequence;
        let rows = match &self.rows {
            Ok(rows) => rows,
            Err(fault) => {
                let message = "the store's rows of the children cannot be read";
                return Some(claim(end, message.to_owned(), None, Some(json!(fault))));
            }
        };
        let rows: BTreeMap<ExecutionId, &ChildRecord> =
            rows.iter().map(|row| (row.child, row)).collect();
        let ids: BTreeSet<&ExecutionId> = family.children.keys().chain(rows.keys()).collect();
        ids.into_iter().find_map(|child| {
            let (told, row) = (family.children.get(child), rows.get(child));
            let log = self.logs.get(child);
            let place = told.map_or(end, |told| told.requested.0);
            if let Some(told) = told
                && told.started.is_some()
                && log.is_none()
            {
                let message = format!(
                    "the child {child} was started, and the store has no log of it that can be read"
                );
                return Some(Divergence::plain(place, message));
            }
            let expected = told.and_then(|told| expected_row(family, told, log));
            let found = row.map(|row| found_row(row, told));
            let is_same = match (&expected, &found) {
                (None, None) => true,
                (Some((expected, states)), Some((found, state))) => {
                    expected == found && states.contains(state)
                }
                _ => false,
            };
            (!is_same).then(|| {
                let message =
                    format!("the store's row of the child {child} is not what the log says");
                let expected =
                    expected.map(|(row, states)| with_state(row, states.first().copied()));
                let found = found.map(|(row, state)| with_state(row, Some(state)));
                claim(place, message, expected, found)
            })
        })
    }
}

fn kept<T>(read: Result<T, StoreError>) -> Result<Result<T, String>, StoreError> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(error) if error.is_of_one() => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

fn claim(
    sequence: u64,
    message: String,
    expected: Option<Value>,
    found: Option<Value>,
) -> Divergence {
    Divergence::between(sequence, message, expected, found).compared(Compared::LogWithStore)
}

/// The row that a child should have, and the states that it may be of. `None` if it should
/// have none.
fn expected_row(
    family: &Family,
    told: &Told,
    log: Option<&ChildLog>,
) -> Option<(Value, &'static [&'static str])> {
    if told.refused.is_some() {
        return None;
    }
    let has_ended = log.is_some_and(|log| log.end.is_some());
    let states: &[&str] = match told.wait {
        Wait::StoppedBefore => return None,
        Wait::Start => &["requested"],
        Wait::End if has_ended => &["ended"],
        Wait::End => &["awaited"],
        Wait::Over => &["settled"],
        Wait::Stopped => &["settled", "cancelled"],
    };
    let above = family.started.parent.as_ref();
    let root = above.map_or_else(|| family.parent.to_string(), |it| it.root.clone());
    let mut row = json!({
        "root": root,
        "node_id": told.node_id,
        "attempt": told.attempt,
        "iteration": told.iteration,
        "sequence": told.requested.0,
    });
    if told.wait == Wait::Start {
        row["workflow"] = json!(told.workflow);
        if let Some(input) = told.input {
            row["input_digest"] = json!(input);
        }
    }
    Some((row, states))
}

/// A row as it is compared, and its state. `told` is what the log says of the child.
fn found_row(row: &ChildRecord, told: Option<&Told>) -> (Value, &'static str) {
    let mut value = json!({
        "root": row.root.to_string(),
        "node_id": row.node_id,
        "attempt": row.attempt,
        "iteration": row.iteration,
        "sequence": row.sequence,
    });
    if let ChildState::Requested { workflow, input } = &row.state {
        value["workflow"] = json!(workflow);
        if told.is_some_and(|told| told.input.is_some()) {
            value["input_digest"] = json!(Digest::of(input.as_bytes()));
        }
    }
    (value, state_name(&row.state))
}

fn with_state(mut row: Value, state: Option<&str>) -> Value {
    row["state"] = json!(state);
    row
}

fn state_name(state: &ChildState) -> &'static str {
    match state {
        ChildState::Requested { .. } => "requested",
        ChildState::Awaited => "awaited",
        ChildState::Ended => "ended",
        ChildState::Cancelled => "cancelled",
        ChildState::Settled => "settled",
    }
}
