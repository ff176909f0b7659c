//! Work items.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// An ordered attempt of one node. It is identified by (execution, node,
/// attempt).
///
/// Its digest is the SHA-256 over the fields in the order of this record. A
/// text counts as its length in bytes (u64, little-endian) and its UTF-8
/// bytes; a number counts as a u64, little-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkItem {
    /// The execution.
    pub execution_id: String,
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The last attempt that there can be.
    pub max_attempts: u32,
    /// The queue.
    pub queue_type: String,
    /// Whom the execution belongs to.
    pub tenant: String,
    /// The item may not be claimed before this time.
    pub not_before: Timestamp,
    /// `{workflow_id, workflow_version, node_id, kind, input}`, JSON text.
    pub payload: String,
}
