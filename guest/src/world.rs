//! What a call about an execution may ask of the world.

use alloc::string::String;
use alloc::vec::Vec;

use crate::contract::{Event, ItemDigest, Snapshot, StorageError, WorkOrder};
use crate::time::Timestamp;

/// What the world offers to a call about one execution: the imports of the
/// contract.
pub trait World {
    /// The workflow's text as registered.
    ///
    /// # Errors
    /// It cannot be had.
    fn load_workflow(&mut self) -> Result<String, StorageError>;
    /// The newest snapshot that this guest wrote, if there is one.
    ///
    /// # Errors
    /// It cannot be had.
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError>;
    /// The events from sequence `first` on, at most `max`; empty: no more.
    ///
    /// # Errors
    /// They cannot be had.
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError>;
    /// Append decisions after sequence `expected`.
    ///
    /// # Errors
    /// Nothing was written, and why.
    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError>;
    /// The clock reading of this turn.
    fn now(&mut self) -> Timestamp;
    /// Order from the queue. Answers the digest of each enqueued item.
    ///
    /// # Errors
    /// Why it is refused.
    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String>;
}
