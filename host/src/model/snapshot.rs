//! Snapshots.

use serde::{Deserialize, Serialize};

/// A cache of an execution's state. Audit ignores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The guest that wrote it, 64 hexadecimal digits; no other can read it.
    pub guest_digest: String,
    /// The last event that it holds.
    pub sequence: u64,
    /// The chain hash of that event; filled in and verified by the host.
    pub head: String,
    /// The state, in a form that only the guest knows.
    pub state: Vec<u8>,
}
