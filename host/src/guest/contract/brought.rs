//! Versions of the contract that this program does not speak by itself: their
//! adapters are brought by a program that embeds the library.
//!
//! wasmtime links by exact types, and those of a brought version are known to its
//! adapter alone. So its guests run in a store of wasmtime's that is the adapter's
//! own. Each call hands it the ports, as a box, and takes them back.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use super::exports::{Exports, GuestAnswer};
use crate::guest::host_state::HostState;
use crate::guest::{CallLimits, Ports};
use crate::id::ExecutionId;
use crate::model::{
    Description, EventKind, Explanation, Fault, Inspection, Outcome, Snapshot, WorkflowSummary,
};
use crate::store::StoreError;

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
    /// A fresh instance, which keeps to these limits.
    ///
    /// # Errors
    /// Why the guest does not start.
    fn instantiate(
        &self,
        engine: &Engine,
        component: &Component,
        limits: CallLimits,
    ) -> wasmtime::Result<Box<dyn BroughtGuest>>;
}

/// A guest of a brought version, at work.
///
/// Each call about an execution gives back the ports that it was given. An error of
/// wasmtime is the guest's failure, unless it is one of two, which no guest is to be
/// blamed for: a [`StoreError`] is what a port has answered with, and
/// [`Newer`](crate::guest::Newer) is what guests of the version cannot know.
pub trait BroughtGuest: Send {
    /// A step, see [`Instance::step`](crate::guest::Instance::step).
    fn step(
        &mut self,
        ports: BoxedPorts,
        id: &str,
        last: u64,
        facts: &[EventKind],
    ) -> (BoxedPorts, GuestAnswer<Outcome>);
    /// Why is this node where it is?
    fn explain(
        &mut self,
        ports: BoxedPorts,
        id: &str,
        node: &str,
    ) -> (BoxedPorts, GuestAnswer<Explanation>);
    /// The state of an execution.
    fn inspect(&mut self, ports: BoxedPorts, id: &str) -> (BoxedPorts, GuestAnswer<Inspection>);
    /// A snapshot of an execution, with an empty `head`.
    fn snapshot(&mut self, ports: BoxedPorts, id: &str) -> (BoxedPorts, GuestAnswer<Snapshot>);
    /// Drops what is cached for an execution.
    ///
    /// # Errors
    /// The guest fails.
    fn forget(&mut self, id: &str) -> wasmtime::Result<()>;
    /// Is this workflow valid?
    ///
    /// # Errors
    /// The guest fails.
    fn validate(&mut self, workflow: &str)
    -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>>;
    /// What the guest says of itself.
    ///
    /// # Errors
    /// The guest fails.
    fn describe(&mut self) -> wasmtime::Result<Description>;
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

/// A brought guest, as the host calls it.
struct Adapted(Mutex<Box<dyn BroughtGuest>>);

pub(super) fn instantiate<P: Ports>(
    contract: &dyn Contract,
    store: &mut Store<HostState<P>>,
    component: &Component,
) -> wasmtime::Result<Box<dyn Exports<P>>> {
    let limits = store.data().limits;
    let guest = contract.instantiate(store.engine(), component, limits)?;
    Ok(Box::new(Adapted(Mutex::new(guest))))
}

impl Adapted {
    /// A call that is about no execution. An instance is called by one at a time.
    fn call<T>(&self, call: impl FnOnce(&mut dyn BroughtGuest) -> T) -> T {
        let mut guest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        call(&mut **guest)
    }

    /// A call that is about an execution, with its ports.
    fn about<P: Ports, T>(
        &self,
        store: &mut Store<HostState<P>>,
        call: impl FnOnce(&mut dyn BroughtGuest, BoxedPorts) -> (BoxedPorts, GuestAnswer<T>),
    ) -> GuestAnswer<T> {
        let state = store.data_mut();
        let ports = state
            .ports
            .take()
            .expect("a call about an execution has ports");
        let (ports, answer) = self.call(|guest| call(guest, Box::new(ports)));
        let ports = ports.into_any().downcast::<P>();
        let ports = ports.expect("an adapter gives back the ports that it was given");
        state.ports = Some(*ports);
        answer.map_err(|error| match error.downcast::<StoreError>() {
            Ok(of_a_port) => {
                let told = of_a_port.to_string();
                state.store_error = Some(of_a_port);
                wasmtime::Error::msg(told)
            }
            Err(error) => error,
        })
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
        self.about(store, |guest, ports| {
            guest.step(ports, id.text().as_str(), last, facts)
        })
    }

    fn explain(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        node: &str,
    ) -> GuestAnswer<Explanation> {
        self.about(store, |guest, ports| {
            guest.explain(ports, id.text().as_str(), node)
        })
    }

    fn inspect(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Inspection> {
        self.about(store, |guest, ports| {
            guest.inspect(ports, id.text().as_str())
        })
    }

    fn snapshot(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Snapshot> {
        self.about(store, |guest, ports| {
            guest.snapshot(ports, id.text().as_str())
        })
    }

    fn forget(&self, _: &mut Store<HostState<P>>, id: ExecutionId) -> wasmtime::Result<()> {
        self.call(|guest| guest.forget(id.text().as_str()))
    }

    fn validate(
        &self,
        _: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>> {
        self.call(|guest| guest.validate(workflow))
    }

    fn describe(&self, _: &mut Store<HostState<P>>) -> wasmtime::Result<Description> {
        self.call(|guest| guest.describe())
    }
}
