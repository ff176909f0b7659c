//! The store: durable data behind a small trait with a written contract.
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
//!   written; [`CommitError::Unknown`] means that nobody can know whether it was:
//!   the owner reopens the store and compares heads.
//! * **Immutable.** A workflow's text and a component's bytes never change
//!   under their name. Neither does what an execution was started with.
//! * **Never silently ignored.** A change of a work item that is not there,
//!   or a second item for a node that has one, is a conflict.
//! * **Consistent.** A turn that contradicts itself (a gap, a hash that does
//!   not chain, an item of another execution) is refused and never stored:
//!   see [`check`].
//! * **One damaged row does not stop the others.** A question about many is
//!   answered with those that can be read, and names those that cannot
//!   ([`Many`]); what cannot be read never counts towards a bound. A question
//!   about one that cannot be read is [`StoreError::Corrupt`]; a turn that
//!   cannot be written because of one execution's damage is
//!   [`CommitError::Damaged`], and says which.
//! * **Set aside.** An execution whose record says [`Tampering`] keeps its
//!   items and its wake, and no question of an engine that looks for work finds them.
//! * **Quick.** The cost of a question about time or queues grows with its answer,
//!   not with what is stored.
//!
//! The module [`laws`] holds this contract as tests, for every implementation.

pub mod check;
mod damage;
mod delegate;
mod error;
#[macro_use]
pub mod laws;
mod memory;
mod record;
mod sqlite;
mod stall;
mod status;
mod turn;

use std::path::PathBuf;

use crate::id::ExecutionId;
use crate::model::{Snapshot, Status};

pub use damage::{Damaged, Many, Tampering};
pub use error::{CommitError, StoreError};
pub use memory::MemoryStore;
pub use record::{DueWake, ExecutionRecord, ItemRecord, ItemState, Lease, RawEvent};
pub use sqlite::{Durability, SeenUpTo, SqliteOptions, SqliteStore};
pub use stall::is_stalled_by_host;
pub use status::ended;
pub use turn::{ClockReading, ComponentRecord, ExecutionChange, ItemChange, Turn, WorkflowRecord};

pub use crate::log::{Hash, Head, StoredEvent, Timestamp};

// A store must be `Send`. In this crate's own tests it must also be put to the laws.
#[cfg(not(test))]
use Send as Proven;
#[cfg(test)]
use laws::Proven;

/// The choice of executions to list.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only executions of this status.
    pub status: Option<Status>,
    /// Only executions after this one, in the order of the listing.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// At most this many.
    pub max: usize,
}

/// Durable storage for logs, the queue, and all that they name. The module's
/// documentation has the contract.
///
/// Executions of simulated and of real time share a store but never a clock:
/// the methods that ask about time take `simulated` and look at one kind only.
pub trait Store: Proven {
    /// The place of the store, for error messages.
    fn place(&self) -> String;

    /// Takes the write lock, for one turn. Waits a bounded time for another
    /// owner. A second turn of one owner at the same time is a contradiction.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Writes the turn, makes it durable, and gives up the lock, which is given up on
    /// any error, too. It is a contradiction where no turn was begun.
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError>;

    /// Gives up the lock. Nothing was written.
    fn rollback(&mut self);

    /// Drops the connection and makes a new one, after an unknown outcome.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// A number that changes whenever another owner has committed. While it stays
    /// the same, an engine relies on what it knows of the store, and does not ask for
    /// what it has written itself. It is asked for once a turn and more often.
    fn version(&mut self) -> Result<u64, StoreError>;

    /// The file that changes when another owner commits, if there is one.
    fn watched_file(&self) -> Option<PathBuf>;

    /// One execution.
    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError>;

    /// The execution that a caller's key started.
    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError>;

    /// Executions, ordered by start and then by id.
    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError>;

    /// Events from sequence `first` on, as their bytes are found. At most `max` of
    /// them, and fewer only where there are no more. They are in the order of their
    /// sequences, even where these have gaps, because the reader judges that.
    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError>;

    /// The same, decoded. Bytes that are no event are [`StoreError::Corrupt`].
    fn events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let raw = self.raw_events(id, first, max)?;
        let place = || format!("{}, {id}", self.place());
        raw.iter()
            .map(|raw| {
                raw.decode().map_err(|detail| StoreError::Corrupt {
                    place: place(),
                    detail,
                })
            })
            .collect()
    }

    /// The work items of an execution, sorted by node id.
    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError>;

    /// The work item of one node.
    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError>;

    /// Waiting items that may be claimed on `queue` at `now`, at most `max`, of
    /// executions that run (neither paused, stalled, ended nor set aside). Those that
    /// could be claimed for the longest time come first, then those that were ordered
    /// first.
    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError>;

    /// Leased items whose lease is over at `now`, the oldest first, at most
    /// `max`; none of an execution that is set aside.
    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError>;

    /// The ids of workers that hold leases, each once. The cost grows with the number
    /// of leases.
    fn lease_holders(&mut self, simulated: bool) -> Result<Many<String>, StoreError>;

    /// Executions whose wake is due at `now`, at most `max`, the longest due first and
    /// then by their ids. With `after`, only those behind it in this order; it need not
    /// be one of them. Executions that have ended or are set aside are left out. One
    /// that was stalled because its guest failed has no wake.
    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError>;

    /// The first time after `now` at which something is due: a wake (that
    /// [`Store::due`] would name then), the end of a lease (also of an execution that
    /// is set aside), or the not-before time of an item on one of `queues` (that
    /// [`Store::claimable`] would name then).
    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The greatest time of any event and, for real time, of any turn's reading. Time
    /// never goes back behind it.
    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError>;

    /// The reading that the last turn of real time was written with. Its `at` is
    /// [`Store::last_at`]. `None` if the last turn was written without one.
    fn last_reading(&mut self) -> Result<Option<ClockReading>, StoreError>;

    /// A registered workflow.
    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError>;

    /// A component by its digest.
    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The newest snapshot of an execution. Bytes other than those that were kept are
    /// [`StoreError::Corrupt`], and a further snapshot replaces them.
    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError>;
}
