//! The world as a guest sees it.

use crate::model::{Digest, Event, Snapshot, StorageError, WorkOrder};
use crate::store::{StoreError, Timestamp};

/// The world as one execution's call into a guest sees it: the three imports
/// of the contract, all of them about that one execution.
///
/// An inner `Err(String)` or [`StorageError`] is an answer to the guest. An
/// outer [`StoreError`] means that the host itself cannot go on: the guest is
/// told that it failed, and whatever the guest makes of that, the call comes to
/// this error.
pub trait Ports: Send + 'static {
    /// The workflow's text as registered.
    fn load_workflow(&mut self) -> Result<String, StoreError>;
    /// The newest usable snapshot.
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError>;
    /// A page of events from `first` on; empty: there are no more.
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError>;
    /// Take decisions.
    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError>;
    /// The turn's clock reading.
    fn now(&mut self) -> Timestamp;
    /// Take orders to the queue, and answer the digests of those that enqueue
    /// something.
    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError>;
}

/// Ports of calls that are about no execution, such as `describe` and
/// `validate`: there are none to hand over.
#[derive(Debug)]
pub enum NoPorts {}

impl Ports for NoPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        match *self {}
    }
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        match *self {}
    }
    fn read_events(&mut self, _: u64, _: u32) -> Result<Vec<Event>, StoreError> {
        match *self {}
    }
    fn append_events(
        &mut self,
        _: u64,
        _: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        match *self {}
    }
    fn now(&mut self) -> Timestamp {
        match *self {}
    }
    fn order(&mut self, _: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        match *self {}
    }
}
