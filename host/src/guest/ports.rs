//! The contract's imports, handed on to whoever's [`Ports`] the current call
//! came with.
//!
//! Nothing is decided here. A port's [`StoreError`] is kept aside and the
//! guest is cut off, so that the error reaches the caller as it was.

use super::sandbox::Caps;
use super::{GuestFailure, Ports};
use crate::contract::refrain::scheduler::{clock, queue, storage, types};
use crate::contract::{AppendError, Event, Snapshot, WorkItem};
use crate::store::{StoreError, Timestamp};

/// What stands between an instance and the world.
pub(super) struct Doors<P> {
    /// The ports of the current call, if it is about an execution.
    pub(super) ports: Option<P>,
    /// The error of the port that ended the current call.
    pub(super) store_error: Option<StoreError>,
    /// What the instance may hold.
    pub(super) caps: Caps,
}

impl<P: Ports> Doors<P> {
    pub(super) fn new(caps: Caps) -> Self {
        Self {
            ports: None,
            store_error: None,
            caps,
        }
    }

    fn ask<T>(
        &mut self,
        import: &'static str,
        question: impl FnOnce(&mut P) -> Result<T, StoreError>,
    ) -> wasmtime::Result<T> {
        let ports = self
            .ports
            .as_mut()
            .ok_or(GuestFailure::OutOfPlace { import })?;
        question(ports).map_err(|error| {
            let cut_off = wasmtime::format_err!("{import}: {error}");
            self.store_error = Some(error);
            cut_off
        })
    }
}

impl<P: Ports> types::Host for Doors<P> {}

impl<P: Ports> storage::Host for Doors<P> {
    fn load_workflow(&mut self) -> wasmtime::Result<String> {
        self.ask("storage.load-workflow", P::load_workflow)
    }

    fn load_snapshot(&mut self) -> wasmtime::Result<Option<Snapshot>> {
        self.ask("storage.load-snapshot", P::load_snapshot)
    }

    fn read_events(&mut self, first: u64, max: u32) -> wasmtime::Result<Vec<Event>> {
        self.ask("storage.read-events", |ports| ports.read_events(first, max))
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> wasmtime::Result<Result<(), AppendError>> {
        self.ask("storage.append-events", |ports| {
            ports.append_events(expected, events)
        })
    }
}

impl<P: Ports> clock::Host for Doors<P> {
    fn now(&mut self) -> wasmtime::Result<Timestamp> {
        self.ask("clock.now", |ports| Ok(ports.now()))
    }
}

impl<P: Ports> queue::Host for Doors<P> {
    fn enqueue(&mut self, item: WorkItem) -> wasmtime::Result<Result<(), String>> {
        self.ask("queue.enqueue", |ports| ports.enqueue(item))
    }

    fn cancel(&mut self, node_id: String, attempt: u32) -> wasmtime::Result<Result<(), String>> {
        self.ask("queue.cancel", |ports| ports.cancel(&node_id, attempt))
    }
}
