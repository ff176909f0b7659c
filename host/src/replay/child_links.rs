//! Law 11 from the parent's side: the children that a log names are those that follow from
//! it, and the heads that it was told are theirs, where the store has them.

use super::divergence::Divergence;
use super::integrity::Finding;
use super::source::Recording;
use super::verdict::Verdict;
use crate::id::ExecutionId;
use crate::log::Head;
use crate::log::digest::hex;
use crate::model::{Event, EventKind};
use crate::store::{Reader, StoreError};

/// The events of its own; what stands before them in a fork's log is of its origin's children.
fn own(recording: &Recording) -> impl Iterator<Item = &Event> {
    let first = recording.plain().next().map(|(event, _)| &event.kind);
    let common = match first {
        Some(EventKind::WorkflowStarted(started)) => {
            let origin = started.forked_from.as_ref();
            origin.map_or(0, |origin| origin.sequence)
        }
        _ => 0,
    };
    let events = recording.plain().map(|(event, _)| event);
    events.filter(move |event| event.sequence > common)
}

/// Finds the first child whose id does not follow from this execution and from what it was
/// started for.
pub(super) fn check_ids(recording: &Recording) -> Result<(), Finding> {
    for event in own(recording) {
        let (node_id, attempt, iteration, child_id) = match &event.kind {
            EventKind::ChildStarted(it) => (&it.node_id, it.attempt, it.iteration, &it.child_id),
            EventKind::ChildEnded(it) => (&it.node_id, it.attempt, it.iteration, &it.child_id),
            _ => continue,
        };
        let child = ExecutionId::of_child(recording.execution_id, node_id, attempt, iteration);
        if child.to_string() != *child_id {
            let message = format!(
                "event {} names {child_id} as the child of node {node_id:?}, and that is another one's id: the child is {child}",
                event.sequence
            );
            let found = Divergence::plain(event.sequence, message);
            return Err((Verdict::Illegal, found.into()));
        }
    }
    Ok(())
}

/// Compares the heads that the log was told of its children with those that the store has.
/// A child that is not there says nothing.
///
/// # Errors
/// The store cannot be read.
pub(super) fn check_heads(
    recording: &Recording,
    store: &mut dyn Reader,
) -> Result<Result<(), Finding>, StoreError> {
    for event in own(recording) {
        let EventKind::ChildEnded(it) = &event.kind else {
            continue;
        };
        let Ok(id) = it.child_id.parse() else {
            continue; // Refused as no child's id.
        };
        let told = Head {
            sequence: it.sequence,
            hash: it.head.0,
        };
        let stored = store.execution(id)?.map(|record| record.head);
        if let Some(head) = stored.filter(|head| *head != told) {
            let message = format!(
                "event {} says that {id} ended with event {}, and the store has another end of it",
                event.sequence, told.sequence
            );
            let [expected, found] =
                [told, head].map(|head| Some(serde_json::Value::from(hex(&head.hash))));
            let found = Divergence::between(event.sequence, message, expected, found);
            return Ok(Err((Verdict::Tampered, found.into())));
        }
    }
    Ok(Ok(()))
}
