//! The component: the generated imports are the world, and the exports are
//! the scheduler's. Nothing is decided here.
//!
//! With the feature `exports` this crate is the component. Without it, another
//! crate exports a [`Component`] in a world of its own making.

use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use spin::{Mutex, MutexGuard};
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

use crate::bindings::exports::refrain::scheduler::decisions::Guest;
use crate::bindings::refrain::scheduler::{clock, queue, storage};
use crate::contract::{
    Description, Event, ExecutionId, Explanation, Fact, Fault, Inspection, ItemDigest, Outcome,
    SchedulerError, Snapshot, StorageError, WorkOrder, WorkflowSummary,
};
use crate::shell::{Scheduler, World};
use crate::time::Timestamp;

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// A component instance has one thread and is never entered twice, so the lock
/// is always free; it is there because a static must be shareable.
static SCHEDULER: Mutex<Scheduler> = Mutex::new(Scheduler::new());

/// The scheduler. A host that enters the instance a second time while it is at
/// work breaks the component model: the call traps, for there is nobody whom it
/// could wait for.
fn scheduler() -> MutexGuard<'static, Scheduler> {
    SCHEDULER.try_lock().expect("nobody else is at work here")
}

/// A broken invariant of our own: trap. The host stalls the execution and says
/// so; there is no channel for a text, by design.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The scheduler as a component, in a world.
#[derive(Debug)]
pub struct Component<W>(PhantomData<W>);

#[cfg(feature = "exports")]
#[expect(
    unreachable_pub,
    reason = "the generated exports are reached by the host, not by Rust"
)]
mod exports {
    type Scheduler = super::Component<super::Imports>;
    crate::bindings::export!(Scheduler with_types_in crate::bindings);
}

impl<W: World + Default> Guest for Component<W> {
    fn validate(workflow: String) -> Result<WorkflowSummary, Vec<Fault>> {
        Scheduler::validate(&workflow)
    }

    fn step(
        execution_id: ExecutionId,
        last_sequence: u64,
        facts: Vec<Fact>,
    ) -> Result<Outcome, SchedulerError> {
        scheduler().step(&mut W::default(), execution_id, last_sequence, facts)
    }

    fn explain(execution_id: ExecutionId, node_id: String) -> Result<Explanation, SchedulerError> {
        scheduler().explain(&mut W::default(), execution_id, &node_id)
    }

    fn inspect(execution_id: ExecutionId) -> Result<Inspection, SchedulerError> {
        scheduler().inspect(&mut W::default(), execution_id)
    }

    fn snapshot(execution_id: ExecutionId) -> Result<Snapshot, SchedulerError> {
        scheduler().snapshot(&mut W::default(), execution_id)
    }

    fn forget(execution_id: ExecutionId) {
        scheduler().forget(execution_id);
    }

    fn describe() -> Description {
        Scheduler::describe()
    }
}

/// The world as the host offers it.
#[derive(Debug, Default)]
pub struct Imports;

impl World for Imports {
    fn load_workflow(&mut self) -> Result<String, StorageError> {
        storage::load_workflow()
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        storage::load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError> {
        storage::read_events(first, max)
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError> {
        storage::append_events(expected, events)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp(clock::now())
    }

    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String> {
        queue::order(orders)
    }
}
