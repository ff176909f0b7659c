//! Versions of the contract that this program does not speak by itself: their
//! adapters are brought by a program that embeds the library.
//!
//! wasmtime links by exact types, and those of a brought version are known to its
//! adapter alone. So an adapter links its guests itself, in a store of wasmtime's whose
//! ports are a box. That store is the host's all the same: each call goes on in it with
//! the fuel, the memory and the count of bytes that the host has given the call, and
//! what is left of them is the host's again afterwards. An adapter can neither forget a
//! limit nor reach the ports past the meter.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use super::exports::{Exports, GuestAnswer};
use crate::guest::Ports;
use crate::guest::host_state::HostState;
use crate::id::ExecutionId;
use crate::limits::GUEST_TRANSFER_BYTES_MAX;
use crate::model::{
    Description, Digest, Event, EventKind, Explanation, Fault, Inspection, Outcome, Snapshot,
    StorageError, WorkOrder, WorkflowSummary,
};
use crate::store::{StoreError, Timestamp};

/// A version of the contract, and how its guests are run.
pub trait Contract: Send + Sync {
    /// What a component exports by which it is known as a guest of this version.
    fn export(&self) -> &'static str;
    /// All that a guest may import.
    fn imports(&self) -> &'static [&'static str];
    /// Whether the component has what this version asks for, with the types that it
    /// has there.
    ///
    /// # Errors
    /// What is missing, or of another type.
    fn check(&self, engine: &Engine, component: &Component) -> wasmtime::Result<()>;
    /// A fresh instance, in this store. Its imports reach the world by
    /// [`MeteredPorts`](crate::guest::MeteredPorts).
    ///
    /// # Errors
    /// Why the guest does not start.
    fn instantiate(
        &self,
        store: &mut BroughtStore,
        component: &Component,
    ) -> wasmtime::Result<Box<dyn BroughtGuest>>;
}

/// The store of wasmtime's in which a brought guest runs. The host makes it, and gives
/// each call its fuel and its memory.
pub type BroughtStore = Store<HostState<BoxedPorts>>;

/// A guest of a brought version, at work; each call is given the store that the guest
/// was instantiated in.
///
/// An error of wasmtime is the guest's failure, unless it is
/// [`Newer`](crate::guest::Newer), which no guest is to be blamed for: something that
/// guests of the version cannot know. Where the store has failed, the call comes to the
/// store's error, whatever this answers.
pub trait BroughtGuest: Send {
    /// A step, see [`Instance::step`](crate::guest::Instance::step).
    ///
    /// # Errors
    /// The guest fails.
    fn step(
        &mut self,
        store: &mut BroughtStore,
        id: &str,
        last: u64,
        facts: &[EventKind],
    ) -> GuestAnswer<Outcome>;
    /// Why is this node where it is?
    ///
    /// # Errors
    /// The guest fails.
    fn explain(
        &mut self,
        store: &mut BroughtStore,
        id: &str,
        node: &str,
    ) -> GuestAnswer<Explanation>;
    /// The state of an execution.
    ///
    /// # Errors
    /// The guest fails.
    fn inspect(&mut self, store: &mut BroughtStore, id: &str) -> GuestAnswer<Inspection>;
    /// A snapshot of an execution, with an empty `head`.
    ///
    /// # Errors
    /// The guest fails.
    fn snapshot(&mut self, store: &mut BroughtStore, id: &str) -> GuestAnswer<Snapshot>;
    /// Drops what is cached for an execution.
    ///
    /// # Errors
    /// The guest fails.
    fn forget(&mut self, store: &mut BroughtStore, id: &str) -> wasmtime::Result<()>;
    /// Is this workflow valid?
    ///
    /// # Errors
    /// The guest fails.
    fn validate(
        &mut self,
        store: &mut BroughtStore,
        workflow: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>>;
    /// What the guest says of itself.
    ///
    /// # Errors
    /// The guest fails.
    fn describe(&mut self, store: &mut BroughtStore) -> wasmtime::Result<Description>;
}

/// The ports of one call, of any type.
pub type BoxedPorts = Box<dyn AnyPorts>;

/// [`Ports`] that find back to their own type.
pub trait AnyPorts: Ports {
    /// The ports themselves.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<P: Ports> AnyPorts for P {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Ports for BoxedPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        (**self).load_workflow()
    }
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        (**self).load_snapshot()
    }
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        (**self).read_events(first, max)
    }
    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        (**self).append_events(expected, events)
    }
    fn now(&mut self) -> Timestamp {
        (**self).now()
    }
    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        (**self).order(orders)
    }
}

/// A brought guest, as the host calls it. An instance is called by one at a time.
struct Adapted(Mutex<Brought>);

struct Brought {
    store: BroughtStore,
    guest: Box<dyn BroughtGuest>,
}

pub(super) fn instantiate<P: Ports>(
    contract: &dyn Contract,
    store: &mut Store<HostState<P>>,
    component: &Component,
) -> wasmtime::Result<Box<dyn Exports<P>>> {
    let mut own = Store::new(store.engine(), HostState::new(store.data().limits));
    own.limiter(|state: &mut HostState<BoxedPorts>| &mut state.caps);
    let guest = within(store, &mut own, |own| contract.instantiate(own, component))?;
    Ok(Box::new(Adapted(Mutex::new(Brought { store: own, guest }))))
}

/// Goes on with a call in the guest's own store.
fn within<P: Ports, T>(
    store: &mut Store<HostState<P>>,
    own: &mut BroughtStore,
    call: impl FnOnce(&mut BroughtStore) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let has_meter = store.data().limits.fuel.is_some();
    if has_meter {
        own.set_fuel(store.get_fuel()?)?;
    }
    own.set_hostcall_fuel(GUEST_TRANSFER_BYTES_MAX);
    store.data_mut().exchange(own.data_mut());
    let ports = store.data_mut().ports.take();
    own.data_mut().ports = ports.map(|ports| Box::new(ports) as BoxedPorts);
    let answer = call(own);
    let ports = own.data_mut().ports.take();
    store.data_mut().ports = ports.map(|ports| {
        let ports = ports.into_any().downcast::<P>();
        *ports.expect("nobody but this function puts ports in")
    });
    store.data_mut().exchange(own.data_mut());
    if has_meter {
        store.set_fuel(own.get_fuel()?)?;
    }
    answer
}

impl Adapted {
    fn call<P: Ports, T>(
        &self,
        store: &mut Store<HostState<P>>,
        call: impl FnOnce(&mut dyn BroughtGuest, &mut BroughtStore) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let mut brought = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Brought { store: own, guest } = &mut *brought;
        within(store, own, |own| call(&mut **guest, own))
    }
}

impl<P: Ports> Exports<P> for Adapted {
    fn step(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        last: u64,
        facts: &[EventKind],
    ) -> GuestAnswer<Outcome> {
        self.call(store, |guest, own| {
            guest.step(own, id.text().as_str(), last, facts)
        })
    }

    fn explain(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        node: &str,
    ) -> GuestAnswer<Explanation> {
        self.call(store, |guest, own| {
            guest.explain(own, id.text().as_str(), node)
        })
    }

    fn inspect(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Inspection> {
        self.call(store, |guest, own| guest.inspect(own, id.text().as_str()))
    }

    fn snapshot(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Snapshot> {
        self.call(store, |guest, own| guest.snapshot(own, id.text().as_str()))
    }

    fn forget(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> wasmtime::Result<()> {
        self.call(store, |guest, own| guest.forget(own, id.text().as_str()))
    }

    fn validate(
        &self,
        store: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>> {
        self.call(store, |guest, own| guest.validate(own, workflow))
    }

    fn describe(&self, store: &mut Store<HostState<P>>) -> wasmtime::Result<Description> {
        self.call(store, |guest, own| guest.describe(own))
    }
}
