//! The store: what is durable, as a small trait with a written contract.
//!
//! # The contract
//!
//! One owner holds a store's write side (`&mut self` throughout) and works in
//! *turns*: [`Store::begin`] takes the write lock and shows the newest state,
//! any number of reads follow, and [`Store::commit`] writes one [`Turn`] and
//! makes it durable, all of it or nothing. Reads outside a turn are allowed
//! and see some committed state.
//!
//! * **Gapless.** A change presents the head that it builds on; if the
//!   execution's head is another, the whole turn is refused as a conflict and
//!   nothing is written. Appended events must follow on without a gap.
//! * **Atomic.** Events, items, the execution's record, workflows, components
//!   and snapshots of one turn are written together.
//! * **Durable.** When `commit` has returned `Ok`, the turn survives a crash.
//! * **Known outcome.** [`CommitError::Failed`] means that nothing was
//!   written; [`CommitError::Unknown`] that it cannot be told: the owner
//!   reopens the store and compares heads.
//! * **Immutable.** A workflow's text and a component's bytes never change
//!   under their name.

use crate::contract::{Status, WorkItem};
use crate::id::ExecutionId;

pub use crate::log::{Hash, Head, StoredEvent, Timestamp};

/// What the store knows of an execution without reading its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRecord {
    /// The execution.
    pub id: ExecutionId,
    /// Its workflow's id.
    pub workflow_id: String,
    /// Its workflow's version.
    pub workflow_version: String,
    /// The guest that it belongs to, 64 hexadecimal digits.
    pub guest_digest: String,
    /// Whom it belongs to.
    pub tenant: String,
    /// The caller's key, unique within the tenant.
    pub key: Option<String>,
    /// Whether its time is simulated.
    pub simulated: bool,
    /// What it is.
    pub status: Status,
    /// The head of its log.
    pub head: Head,
    /// The `at` of event 1.
    pub started_at: Timestamp,
    /// The `at` of the last event.
    pub last_at: Timestamp,
    /// When time alone could change what the guest decides.
    pub next_wake: Option<Timestamp>,
}

/// A work item as the queue has it: unsettled, or a dead letter. Settled items
/// are gone; the log tells of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRecord {
    /// The item as the guest ordered it.
    pub item: WorkItem,
    /// When it was ordered.
    pub enqueued_at: Timestamp,
    /// Where it is.
    pub state: ItemState,
}

/// Where a work item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It waits for a worker, or for its not-before time.
    Waiting,
    /// A worker holds it.
    Leased(Lease),
    /// Its node failed for good; kept for people to see.
    Dead {
        /// The last error.
        error: String,
        /// When it died.
        since: Timestamp,
    },
}

/// A worker's claim on a work item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker.
    pub worker_id: String,
    /// The number minted at the claim: the sequence of its `node_started`.
    pub fence: u64,
    /// When the claim ends, if no heartbeat comes.
    pub expires_at: Timestamp,
}

/// All that one turn writes.
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
    pub snapshots: Vec<(ExecutionId, crate::contract::Snapshot)>,
}

/// A registered workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRecord {
    /// Its id.
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
    pub events: Vec<StoredEvent>,
    /// The record after the change.
    pub record: ExecutionRecord,
    /// What happens to its work items, in order.
    pub items: Vec<ItemChange>,
}

/// What happens to a work item. The node has at most one unsettled item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It is ordered. A dead letter of the same node is replaced.
    Enqueue {
        /// The item.
        item: WorkItem,
        /// When.
        at: Timestamp,
    },
    /// A worker claims it, or renews its claim.
    Lease {
        /// The node.
        node_id: String,
        /// The claim.
        lease: Lease,
    },
    /// It is settled, cancelled or replaced: it leaves the queue.
    Remove {
        /// The node.
        node_id: String,
    },
    /// Its node failed for good.
    Bury {
        /// The node.
        node_id: String,
        /// The item, as it was when it left the queue.
        item: WorkItem,
        /// When it was ordered.
        enqueued_at: Timestamp,
        /// The last error.
        error: String,
        /// When.
        at: Timestamp,
    },
}

/// Which executions to list.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those after this one, in the order of the listing.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// At most so many.
    pub max: usize,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock and does not give it up.
    #[error("{place} is locked by another process; wait for it to end, or stop it: {detail}")]
    Locked {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// The store may not be written.
    #[error("{place} cannot be written; check its permissions and those of its folder: {detail}")]
    ReadOnly {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// There is no room.
    #[error(
        "no room is left on the disk of {place}; free some and try again, nothing was lost: {detail}"
    )]
    Full {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// What is stored cannot be right.
    #[error("{place} is damaged; keep a copy and restore it from a backup: {detail}")]
    Corrupt {
        /// The store, and where in it.
        place: String,
        /// What was found.
        detail: String,
    },
    /// A newer Refrain wrote it.
    #[error(
        "{place} has schema version {found}, and this program knows versions up to {known}; use a newer refrain"
    )]
    Newer {
        /// The store.
        place: String,
        /// The schema version found.
        found: i64,
        /// The newest schema version that this program knows.
        known: i64,
    },
    /// It is no store of ours.
    #[error("{place} is not a Refrain database: {detail}")]
    Foreign {
        /// The store.
        place: String,
        /// What was found.
        detail: String,
    },
    /// Anything else.
    #[error("{place} could not be used: {detail}")]
    Io {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
}

/// Why a turn was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another head, key or workflow text than expected; nothing was written.
    #[error("the turn conflicts with what is stored: {0}")]
    Conflict(String),
    /// Nothing was written.
    #[error(transparent)]
    Failed(StoreError),
    /// It cannot be told whether it was written.
    #[error("whether the turn was written cannot be told: {0}")]
    Unknown(StoreError),
}

/// Durable storage for logs, queue and all they name. See the module's
/// documentation for the contract.
///
/// Executions of simulated and of real time share a store but never a clock:
/// the methods that ask about time take `simulated` and look at those only.
pub trait Store: Send {
    /// Take the write lock, for one turn. Waits a bounded time.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Write the turn, make it durable, give up the lock. On any error the
    /// lock is given up too.
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError>;

    /// Give up the lock; nothing was written.
    fn rollback(&mut self);

    /// Forget the connection and make a new one, after an unknown outcome.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// A number that changes whenever someone else has committed.
    fn version(&mut self) -> Result<u64, StoreError>;

    /// The file whose change tells of others' commits, if there is one.
    fn watched_file(&self) -> Option<std::path::PathBuf>;

    /// One execution.
    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError>;

    /// The execution that a caller's key started.
    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError>;

    /// Executions, ordered by start and then by id.
    fn list(&mut self, filter: &ListFilter) -> Result<Vec<ExecutionRecord>, StoreError>;

    /// Events from sequence `first` on, at most `max`, in the order of their
    /// sequences (even where those have gaps: the reader judges).
    fn events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// The work items of an execution, sorted by node id.
    fn items(&mut self, id: ExecutionId) -> Result<Vec<ItemRecord>, StoreError>;

    /// The work item of one node.
    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError>;

    /// Waiting items that may be claimed on `queue` at `now`, of executions
    /// that run (neither paused, stalled nor ended), those that may be claimed
    /// for the longest time first, at most `max`.
    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError>;

    /// Leased items whose lease is over at `now`, the oldest first, at most `max`.
    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError>;

    /// Executions whose wake is due at `now`, the longest due first, at most
    /// `max`. Stalled and ended ones are not.
    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ExecutionId>, StoreError>;

    /// When the next wake, lease end or not-before time of an item on one of
    /// `queues` after `now` is.
    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The greatest `at` there is: time does not go behind it.
    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError>;

    /// A registered workflow.
    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError>;

    /// A component by its digest.
    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The newest snapshot of an execution.
    fn snapshot(
        &mut self,
        id: ExecutionId,
    ) -> Result<Option<crate::contract::Snapshot>, StoreError>;
}
