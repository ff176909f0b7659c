//! What a guest offers, whatever version of the contract it was built for.

use wasmtime::Store;

use crate::guest::Ports;
use crate::guest::host_state::HostState;
use crate::id::ExecutionId;
use crate::model::{
    Description, EventKind, Explanation, Fault, Inspection, Outcome, SchedulerError, Snapshot,
    WorkflowSummary,
};

/// An answer about an execution: what wasmtime says, around what the guest says.
pub type GuestAnswer<T> = wasmtime::Result<Result<T, SchedulerError>>;

/// A guest at work, whatever version it speaks: its exports, in the model.
pub(in crate::guest) trait Exports<P: Ports>: Send {
    fn step(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        last: u64,
        facts: &[EventKind],
    ) -> GuestAnswer<Outcome>;
    fn explain(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        node: &str,
    ) -> GuestAnswer<Explanation>;
    fn inspect(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Inspection>;
    fn snapshot(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> GuestAnswer<Snapshot>;
    fn forget(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> wasmtime::Result<()>;
    fn validate(
        &self,
        store: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>>;
    fn describe(&self, store: &mut Store<HostState<P>>) -> wasmtime::Result<Description>;
}
