//! What a store says besides an erased log, compared with what is left of the log.
//!
//! No guest can be asked what the execution's status is; but it has ended, and its
//! last event says how.

use serde_json::json;

use super::divergence::{Compared, Divergence, DivergenceCode};
use super::integrity::Finding;
use super::recorded::recorded;
use super::source::{Claimed, Recording};
use super::verdict::Verdict;
use crate::log::digest::hex;
use crate::model::{EventKind, Status};
use crate::names;

/// Compares the claims of a store with the log. The claims of an export's header are
/// compared with event 1 elsewhere.
pub(super) fn compare_with_store(recording: &Recording) -> Result<(), Finding> {
    let Claimed::Store {
        record,
        simulated,
        items,
        labels,
        ..
    } = &recording.claimed
    else {
        return Ok(());
    };
    let first = recording.plain().next();
    let Some((first, EventKind::WorkflowStarted(started))) =
        first.map(|(event, _)| (event, &event.kind))
    else {
        return Ok(()); // Refused by the integrity check before.
    };
    let last = recording.plain().next_back().map(|(event, _)| event);
    let status = last.and_then(|event| status_after(&event.kind));
    let end = record.head.sequence;
    let expected = json!({
        "status": status.map(names::status),
        "next_wake": null,
        "workflow_id": started.workflow_id,
        "workflow_version": started.workflow_version,
        "guest_digest": recording.guests().last(),
        "tenant": started.tenant,
        "key": null,
        "priority": started.priority,
        "simulated": started.simulated,
        "started_at": first.at,
        "last_at": last.map(|event| event.at),
        "head": hex(&recording.head.hash),
        "queue": [],
        "labels": [],
    });
    let queue = match items {
        Ok(items) => items.iter().map(|it| json!(it.item.node_id)).collect(),
        Err(fault) => json!(fault),
    };
    let found = recorded(record, *simulated, queue, labels);
    if expected == found {
        return Ok(());
    }
    let message = "what the store says besides the log is not what is left of the log";
    let divergence = Divergence::between(end, message, Some(expected), Some(found))
        .compared(Compared::LogWithStore)
        .coded(DivergenceCode::StoreDiffers);
    Err((Verdict::Divergent, divergence.into()))
}

/// How an execution has ended whose last event is of this kind.
fn status_after(kind: &EventKind) -> Option<Status> {
    match kind {
        EventKind::WorkflowCompleted(_) => Some(Status::Completed),
        EventKind::WorkflowFailed(_) => Some(Status::Failed),
        EventKind::WorkflowCancelled(_) => Some(Status::Cancelled),
        _ => None,
    }
}
