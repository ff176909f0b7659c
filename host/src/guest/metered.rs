//! What the ports of the current call hand to a guest, counted and paid for.

use std::fmt;

use wasmtime::{AsContextMut, StoreContextMut};

use super::Ports;
use super::fuel::{self, ask};
use super::host_state::HostState;
use super::meter::{Transferred, event_bytes, order_bytes};
use crate::model::{Digest, Event, Snapshot, StorageError, WorkOrder};
use crate::store::Timestamp;

/// What a port answered; `Err` says in words that the store failed. The guest is to be
/// told that, if its version of the contract can say it; whatever it makes of it, the
/// call comes to the store's error.
pub type PortAnswer<T> = wasmtime::Result<Result<T, String>>;

/// The ports of the current call, as an import of a guest reaches them. There is no
/// other way to them: so what they hand to a guest costs fuel, and what a guest hands
/// to them is bounded, whatever version of the contract the guest was built for.
///
/// Each function fails if the call is about no execution.
pub struct MeteredPorts<'a, P: 'static>(StoreContextMut<'a, HostState<P>>);

impl<P: 'static> fmt::Debug for MeteredPorts<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeteredPorts").finish_non_exhaustive()
    }
}

impl<'a, P: Ports> MeteredPorts<'a, P> {
    /// Those of this call.
    pub fn of(store: StoreContextMut<'a, HostState<P>>) -> Self {
        Self(store)
    }

    /// The workflow's text, see [`Ports::load_workflow`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn load_workflow(&mut self) -> PortAnswer<String> {
        ask(
            self.0.as_context_mut(),
            "storage.load-workflow",
            P::load_workflow,
            |meter, text| meter.workflow(text),
        )
    }

    /// The newest usable snapshot, see [`Ports::load_snapshot`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn load_snapshot(&mut self) -> PortAnswer<Option<Snapshot>> {
        ask(
            self.0.as_context_mut(),
            "storage.load-snapshot",
            P::load_snapshot,
            |meter, snapshot| meter.snapshot(snapshot.as_ref()),
        )
    }

    /// A page of the log, see [`Ports::read_events`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn read_events(&mut self, first: u64, max: u32) -> PortAnswer<Vec<Event>> {
        ask(
            self.0.as_context_mut(),
            "storage.read-events",
            |ports| ports.read_events(first, max),
            |meter, events| meter.events(events),
        )
    }

    /// The guest's decisions are taken, see [`Ports::append_events`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> PortAnswer<Result<(), StorageError>> {
        fuel::take(&mut self.0, events.iter().map(event_bytes).sum());
        ask(
            self.0.as_context_mut(),
            "storage.append-events",
            |ports| ports.append_events(expected, events),
            |_, _| Transferred::default(),
        )
    }

    /// The turn's clock reading, see [`Ports::now`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn now(&mut self) -> wasmtime::Result<Timestamp> {
        let now = ask(
            self.0.as_context_mut(),
            "clock.now",
            |ports| Ok(ports.now()),
            |_, _| Transferred::default(),
        )?;
        // A clock does not fail, but where storage has, nothing is answered any more.
        Ok(now.unwrap_or_default())
    }

    /// The guest's orders are taken, see [`Ports::order`].
    ///
    /// # Errors
    /// The call is about no execution.
    pub fn order(&mut self, orders: Vec<WorkOrder>) -> PortAnswer<Result<Vec<Digest>, String>> {
        fuel::take(&mut self.0, orders.iter().map(order_bytes).sum());
        ask(
            self.0.as_context_mut(),
            "queue.order",
            |ports| ports.order(orders),
            |_, _| Transferred::default(),
        )
    }
}
