//! Guests: scheduler components, kept by digest, run in a sandbox.
//!
//! A guest sees the world through [`Ports`] and nothing else. Live, the ports
//! stage what it orders; in an audit they compare it with the log.
//!
//! ```text
//! Sandbox   one wasmtime engine: what every guest runs under
//! Library   components by digest, compiled when first needed
//! Instance  a guest at work: one call at a time, each with ports of its own
//! ```

mod code_cache;
mod footprint;
mod memory_ports;
mod fuel;
mod ports;
mod failure;
mod contract;
mod check;
mod bounds;
mod compiler;
mod sandbox;
mod instance;
mod in_memory;
mod library;
#[cfg(test)]
mod tests;
mod texts;
mod thread_clock;

pub use check::{ComponentError, NoPorts};
pub use contract::{Answer, AnyPorts, BoxedPorts, BroughtGuest, Contract, Newer};
pub use failure::{CallError, GuestFailure};
pub(crate) use footprint::Footprint;
pub use in_memory::InMemoryExecution;
pub use instance::Instance;
pub use library::{Library, LibraryError};
pub use memory_ports::{Call, MemoryPorts};
pub use sandbox::{CallLimits, Sandbox, SandboxError};

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
