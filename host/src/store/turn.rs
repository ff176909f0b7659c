//! What one turn writes.

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::log::{Attestation, ChainedEvent, Head, Timestamp};
use crate::model::{Snapshot, WorkItem};
use crate::store::{ChildChange, ExecutionRecord, Lease, OutputChange};

/// Everything that one turn writes.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Workflows to keep. One that is there already, with the same text, is
    /// no change; with another text it is refused.
    pub workflows: Vec<WorkflowRecord>,
    /// Components to keep.
    pub components: Vec<ComponentRecord>,
    /// The executions that the turn touched, each once.
    pub executions: Vec<ExecutionChange>,
    /// Snapshots; each replaces the execution's former one.
    pub snapshots: Vec<(ExecutionId, Snapshot)>,
    /// Executions whose logs are erased. The turn does nothing else with them.
    pub erasures: Vec<Erasure>,
    /// What becomes of children, each once.
    pub children: Vec<ChildChange>,
    /// What is kept of the output of programs.
    pub outputs: Vec<OutputChange>,
    /// The turn's reading of the real clock. `None` if the turn leaves the last one.
    pub reading: Option<ClockReading>,
}

/// The reading of the real clock that a turn was written with.
/// From it every process of the same machine tells what time it is by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The time: the turn's events are of it.
    pub at: Timestamp,
    /// The machine whose time it was. `None` if no other process can know it.
    pub machine: Option<String>,
    /// How long the machine had been up at that time, in nanoseconds.
    pub since_boot_ns: u64,
}

/// A registered workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRecord {
    /// The tenant that it belongs to.
    pub tenant: String,
    /// Its id, unique with the version within the tenant.
    pub workflow_id: String,
    /// Its version.
    pub version: String,
    /// Its text, verbatim.
    pub text: String,
    /// The SHA-256 of the text, 64 hexadecimal digits.
    pub digest: String,
}

/// A guest component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRecord {
    /// The SHA-256 of its bytes, 64 hexadecimal digits.
    pub digest: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What one turn does to one execution.
#[derive(Clone, Debug)]
pub struct ExecutionChange {
    /// The head that the change builds on; `Head::default()` for a new one.
    pub expected: Head,
    /// The events to append.
    pub events: Vec<ChainedEvent>,
    /// The record after the change.
    pub record: ExecutionRecord,
    /// What happens to its work items, in order.
    pub items: Vec<ItemChange>,
}

/// A log is erased: of each of its events only the plain fields and the commitment
/// stay, and of the execution neither key, nor labels, nor output, nor work items, nor snapshot.
/// Nor does a mark that the log was tampered with: it is erased only if its chain is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The execution. It must have ended, and must not be erased yet.
    pub execution: ExecutionId,
    /// What its record then says. It names the head that the log has.
    pub attestation: Attestation,
}

/// What happens to a work item. A node has at most one unsettled item. An event of
/// the same change says why an item is ordered, given back or becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It is ordered. A dead letter of the same node is replaced; an unsettled
    /// item is a conflict.
    Enqueue {
        /// The item.
        item: WorkItem,
        /// When.
        at: Timestamp,
        /// The claim of the worker that has it from the first moment on. `None`
        /// if it waits.
        lease: Option<Lease>,
    },
    /// A worker claims it, or renews its claim. There must be an unsettled
    /// item.
    Lease {
        /// The node.
        node_id: String,
        /// The claim.
        lease: Lease,
    },
    /// Its worker gave it back: it waits again, in its old place (rule R25). There must
    /// be an unsettled item.
    Release {
        /// The node.
        node_id: String,
        /// How often it was given back.
        releases: u32,
    },
    /// It leaves the queue, because it is settled, cancelled or replaced, or is a
    /// dead letter that nobody needs any longer. It must be there.
    Remove {
        /// The node.
        node_id: String,
    },
    /// Its attempt failed, and it becomes a dead letter. An item of the node that
    /// is still there is replaced.
    DeadLetter {
        /// The node.
        node_id: String,
        /// The item, as it was in the queue.
        item: WorkItem,
        /// When it was ordered.
        enqueued_at: Timestamp,
        /// The last error.
        error: String,
        /// When.
        at: Timestamp,
    },
}
