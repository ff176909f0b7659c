//! Which execution a stored work item is of, and which claim holds it.

use crate::id::ExecutionId;
use crate::store::{ItemRecord, StoreError};

use crate::live::values::work::ClaimId;

/// Whether this claim holds the item.
pub(in crate::live) fn holds(record: &ItemRecord, claim: &ClaimId) -> bool {
    let lease = record.state.lease();
    lease.is_some_and(|lease| lease.fence == claim.fence) && record.item.attempt == claim.attempt
}

/// The claim that holds this item.
pub(in crate::live) fn claim_of(record: &ItemRecord) -> Result<ClaimId, StoreError> {
    let fence = record.state.lease().map_or(0, |lease| lease.fence);
    let execution = execution_of(record)?;
    let claim = ClaimId {
        execution,
        node_id: record.item.node_id.clone(),
        attempt: record.item.attempt,
        fence,
    };
    debug_assert!(fence == 0 || holds(record, &claim));
    Ok(claim)
}

/// The execution that this item is of.
pub(in crate::live) fn execution_of(record: &ItemRecord) -> Result<ExecutionId, StoreError> {
    let id = record.item.execution_id.parse();
    id.map_err(|error| corrupt(&record.item.node_id, &format!("{error}")))
}

/// The error of a work item that cannot be as it is stored.
pub(in crate::live) fn corrupt(node_id: &str, detail: &str) -> StoreError {
    StoreError::Corrupt {
        place: format!("the work item of node {node_id:?}"),
        detail: detail.to_owned(),
    }
}
