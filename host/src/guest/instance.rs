//! An instance: a guest at work.
//!
//! A call that is about an execution takes the [`Ports`] that it may use and
//! gives them back with its answer, so that nobody else holds them meanwhile.
//! Each call has its own fuel. A call that was cut off leaves the guest in the
//! middle of a thought: the instance is spent then, and says so when asked
//! again.

use std::fmt;

use wasmtime::Store;
use wasmtime::component::Component;

use super::contract::{Exports, GuestAnswer, Version};
use super::host_state::HostState;
use super::meter::fact_bytes;
use super::sandbox::code_bytes;
use super::{CallError, GuestFailure, Ports, Sandbox, cut_off, fuel, texts};
use crate::id::ExecutionId;
use crate::limits::GUEST_TRANSFER_BYTES_MAX;
use crate::model::{
    Description, EventKind, Explanation, Fault, Inspection, Outcome, Snapshot, WorkflowSummary,
};

/// A guest at work. What it keeps between calls is a cache; a fresh instance
/// gives the same answers.
///
/// Each call fails with a [`CallError`], which says whose fault it is: the guest
/// refused ([`CallError::Scheduler`]), the guest failed, and this instance is spent
/// ([`CallError::Guest`]), a port failed ([`CallError::Store`]), or there is something
/// newer than the guest ([`CallError::Newer`]).
pub struct Instance<P: Ports> {
    store: Store<HostState<P>>,
    guest: Box<dyn Exports<P>>,
    spent: bool,
    code_bytes: usize,
}

impl<P: Ports> fmt::Debug for Instance<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

impl<P: Ports> Instance<P> {
    /// A fresh instance of a component that is a guest, and speaks the version
    /// of the contract that it was built for.
    pub(super) fn new(sandbox: &Sandbox, component: &Component) -> Result<Self, GuestFailure> {
        // The one that its code was made for: that of machine code, or that of bytecode.
        let engine = component.engine();
        let mut store = Store::new(engine, HostState::new(sandbox.limits()));
        store.limiter(|state| &mut state.caps);
        store.set_hostcall_fuel(GUEST_TRANSFER_BYTES_MAX);
        let version = sandbox.versions().of(engine, component);
        let version = version.unwrap_or(Version::NEWEST);
        let guest = fuel::fill(&mut store, 0)
            .and_then(|()| version.instantiate(&mut store, component))
            .map_err(|error| cut_off::guest_failure(&error, store.data()))?;
        Ok(Self {
            store,
            guest,
            spent: false,
            code_bytes: code_bytes(component),
        })
    }

    /// Offer facts that may come next, after the log's last event, and let the
    /// guest decide what follows. The facts that it took are the caller's to
    /// append, or else to have it [`forget`](Self::forget) the execution; its
    /// decisions and orders went to the ports.
    ///
    /// # Errors
    /// [`CallError`]; nothing of the step may be appended then. A fact that may not
    /// stand there is no error: [`Outcome::refused`] names it.
    pub fn step(
        &mut self,
        ports: P,
        execution: ExecutionId,
        last_sequence: u64,
        facts: &[EventKind],
    ) -> (P, Result<Outcome, CallError>) {
        let bytes = facts.iter().map(fact_bytes).sum();
        let (ports, answer) = self.about(ports, execution, bytes, |guest, store| {
            guest.step(store, execution, last_sequence, facts)
        });
        (ports, answer.map(texts::of_outcome))
    }

    /// Why is this node where it is?
    ///
    /// # Errors
    /// [`CallError`], also if the workflow has no such node.
    pub fn explain(
        &mut self,
        ports: P,
        execution: ExecutionId,
        node_id: &str,
    ) -> (P, Result<Explanation, CallError>) {
        self.about(ports, execution, 0, |guest, store| {
            guest.explain(store, execution, node_id)
        })
    }

    /// The state of an execution.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn inspect(
        &mut self,
        ports: P,
        execution: ExecutionId,
    ) -> (P, Result<Inspection, CallError>) {
        self.about(ports, execution, 0, |guest, store| {
            guest.inspect(store, execution)
        })
    }

    /// A snapshot of an execution, with an empty `head`.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn snapshot(
        &mut self,
        ports: P,
        execution: ExecutionId,
    ) -> (P, Result<Snapshot, CallError>) {
        self.about(ports, execution, 0, |guest, store| {
            guest.snapshot(store, execution)
        })
    }

    /// Drop what the guest has cached for an execution.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn forget(&mut self, execution: ExecutionId) -> Result<(), CallError> {
        self.call(0, |guest, store| guest.forget(store, execution))
    }

    /// Is this workflow valid? All faults at once: the inner error.
    ///
    /// # Errors
    /// [`CallError`] if the guest cannot tell.
    pub fn validate(
        &mut self,
        workflow: &str,
    ) -> Result<Result<WorkflowSummary, Vec<Fault>>, CallError> {
        let answer = self.call(workflow.len(), |guest, store| {
            guest.validate(store, workflow)
        });
        answer.map(|answer| answer.map_err(texts::of_faults))
    }

    /// What the guest says of itself.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn describe(&mut self) -> Result<Description, CallError> {
        let answer = self.call(0, |guest, store| guest.describe(store));
        answer.map(texts::of_description)
    }

    /// Whether an earlier call was cut off, so that this instance is of no
    /// more use.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    /// The fuel that the last call burnt: what it cost, the same on every
    /// machine. 0 in a sandbox without a meter.
    #[must_use]
    pub fn fuel_burnt(&self) -> u64 {
        let left = self.store.get_fuel().unwrap_or(0);
        self.store.data().meter.fuel.saturating_sub(left)
    }

    /// The memory that this instance holds, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let state = self.store.data();
        state.caps.memory_bytes_held(state.limits)
    }

    /// The machine code that this instance keeps from being dropped, in bytes.
    pub(super) fn code_bytes(&self) -> usize {
        self.code_bytes
    }

    /// A call about an execution, with its ports.
    fn about<T>(
        &mut self,
        ports: P,
        execution: ExecutionId,
        argument_bytes: usize,
        call: impl FnOnce(&dyn Exports<P>, &mut Store<HostState<P>>) -> GuestAnswer<T>,
    ) -> (P, Result<T, CallError>) {
        let state = self.store.data_mut();
        (state.ports, state.execution) = (Some(ports), Some(execution));
        let answer = self.call(argument_bytes, call);
        let ports = self
            .store
            .data_mut()
            .ports
            .take()
            .expect("nobody but this function takes the ports out again");
        (
            ports,
            answer.and_then(|answer| {
                answer.map_err(|error| CallError::Scheduler(texts::of_error(error)))
            }),
        )
    }

    /// A call with fresh fuel, for arguments of this many bytes.
    fn call<T>(
        &mut self,
        argument_bytes: usize,
        call: impl FnOnce(&dyn Exports<P>, &mut Store<HostState<P>>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        if self.spent {
            return Err(GuestFailure::Spent.into());
        }
        let answer = fuel::fill(&mut self.store, argument_bytes)
            .and_then(|()| call(&*self.guest, &mut self.store));
        self.spent = answer.is_err();
        let state = self.store.data_mut();
        match (answer, state.store_error.take()) {
            (_, Some(error)) => Err(error.into()),
            (Ok(answer), None) => Ok(answer),
            (Err(error), None) => Err(cut_off::call_error(&error, state)),
        }
    }
}
