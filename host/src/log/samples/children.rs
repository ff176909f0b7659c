//! Events of nodes that become several, or executions of their own.

use super::values::{DIGEST, PAYLOAD};
use crate::model::*;

pub(super) fn children() -> Vec<EventKind> {
    use EventKind as Kind;
    let node_id = || "resize[3]".to_owned();
    let (attempt, iteration) = (1, u32::MAX);
    let child_id = || "exec_00000000000000000000000000000002".to_owned();
    let requested = |workflow| {
        Kind::ChildRequested(ChildRequested {
            node_id: node_id(),
            attempt,
            iteration,
            workflow,
        })
    };
    let refused = |code| {
        Kind::ChildRefused(ChildRefused {
            node_id: node_id(),
            attempt,
            iteration,
            code,
        })
    };
    let ended = |status, output: Option<&str>, error: Option<&str>| {
        Kind::ChildEnded(ChildEnded {
            node_id: node_id(),
            attempt,
            iteration,
            child_id: child_id(),
            status,
            sequence: u64::MAX,
            head: DIGEST,
            output: output.map(str::to_owned),
            error: error.map(str::to_owned),
        })
    };
    vec![
        Kind::MapExpanded(MapExpanded {
            node_id: "resize".into(),
            count: 4,
        }),
        requested(None),
        requested(Some(WorkflowName {
            workflow_id: "w".into(),
            version: "1.0.0".into(),
        })),
        Kind::ChildStarted(ChildStarted {
            node_id: node_id(),
            attempt,
            iteration,
            child_id: child_id(),
            workflow_digest: DIGEST,
        }),
        refused(ChildRefusal::UnknownWorkflow),
        refused(ChildRefusal::TooDeep),
        refused(ChildRefusal::TooMany),
        ended(Status::Completed, Some(PAYLOAD), None),
        ended(Status::Failed, None, Some("boom")),
        ended(Status::Cancelled, None, None),
    ]
}
