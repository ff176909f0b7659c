//! What a store says of an execution outside of its log, as an audit compares it.

use serde_json::{Value, json};

use super::source::Kept;
use crate::log::digest::hex;
use crate::model::Label;
use crate::names;
use crate::store::ExecutionRecord;

/// All that the record says and the log tells too, together with the work items, the
/// labels and the kind of time that the store is of.
pub(super) fn recorded(
    record: &ExecutionRecord,
    simulated: bool,
    queue: Value,
    labels: &Kept<Label>,
) -> Value {
    let labels = labels
        .as_ref()
        .map_or_else(|fault| json!(fault), |labels| labels_json(labels));
    json!({
        "status": names::status(record.status),
        "next_wake": record.next_wake,
        "workflow_id": record.workflow_id,
        "workflow_version": record.workflow_version,
        "guest_digest": &*record.guest_digest,
        "tenant": record.tenant,
        "key": record.key,
        "priority": record.priority,
        "simulated": simulated,
        "started_at": record.started_at,
        "last_at": record.last_at,
        "head": hex(&record.head.hash),
        "queue": queue,
        "labels": labels,
    })
}

/// Labels as pairs of name and value.
pub(super) fn labels_json(labels: &[Label]) -> Value {
    let pairs = labels.iter().map(|it| json!([it.name, it.value]));
    pairs.collect()
}
