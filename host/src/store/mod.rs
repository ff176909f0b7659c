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
//!   under their name, nor what an execution was started with.
//! * **Never silently nothing.** A change of a work item that is not there,
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
//!   items and its wake, and no question of those who look for work finds them.
//! * **Quick.** Questions about time and queues cost what they return, not what
//!   is stored.
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

// What a store must be: `Send`; and in this crate's own tests, put to the laws.
#[cfg(not(test))]
use Send as Proven;
#[cfg(test)]
use laws::Proven;

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

/// Durable storage for logs, queue and all they name. See the module's
/// documentation for the contract.
///
/// Executions of simulated and of real time share a store but never a clock:
/// the methods that ask about time take `simulated` and look at those only.
pub trait Store: Proven {
    /// Where it is, for error messages.
    fn place(&self) -> String;

    /// Take the write lock, for one turn. Waits a bounded time for another
    /// owner. Of one owner, a second turn at a time is a contradiction.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Write the turn, make it durable, give up the lock. On any error the
    /// lock is given up too. Without a turn begun it is a contradiction.
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError>;

    /// Give up the lock; nothing was written.
    fn rollback(&mut self);

    /// Forget the connection and make a new one, after an unknown outcome.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// A number that changes whenever someone else has committed. While it stays
    /// as it is, an engine goes by what it knows of the store, and asks for
    /// nothing that it has written itself. Asked once a turn and more.
    fn version(&mut self) -> Result<u64, StoreError>;

    /// The file whose change tells of others' commits, if there is one.
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

    /// Events from sequence `first` on, at most `max` (fewer: there are no
    /// more), in the order of their sequences (even where those have gaps: the reader judges), as their
    /// bytes are found.
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

    /// Waiting items that may be claimed on `queue` at `now`, of executions
    /// that run (neither paused, stalled, ended nor set aside), those that may be claimed
    /// for the longest time first, then in the order in which they were
    /// ordered, at most `max`.
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

    /// The worker ids that hold leases, each once. Costs what is leased.
    fn lease_holders(&mut self, simulated: bool) -> Result<Many<String>, StoreError>;

    /// Executions whose wake is due at `now`, the longest due first and then by
    /// their ids, at most `max`: those behind `after` in this order, which need
    /// not be among them; or from the first. Those that have ended or are set
    /// aside are not; one that its failing guest stalled has no wake.
    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError>;

    /// When the next wake (of those that [`Store::due`] would name then), lease
    /// end (also of one that is set aside), or not-before time of an item on one of `queues` (that
    /// [`Store::claimable`] would name then) after `now` is.
    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The greatest time there is, of events and, where it is real time, of
    /// turns' readings: time does not go behind it.
    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError>;

    /// The reading that the last turn of real time was written with. Its `at`
    /// is [`Store::last_at`]; `None` where the last one was written without.
    fn last_reading(&mut self) -> Result<Option<ClockReading>, StoreError>;

    /// A registered workflow.
    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError>;

    /// A component by its digest.
    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The newest snapshot of an execution, if its bytes are those that were
    /// kept; others are [`StoreError::Corrupt`], and a further snapshot replaces
    /// them.
    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError>;
}
