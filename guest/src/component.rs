//! The component: the generated imports are the world, and the exports are
//! the scheduler's. Nothing is decided here.

#![expect(
    unreachable_pub,
    reason = "the generated exports are reached by the host, not by Rust"
)]

use alloc::string::String;
use alloc::vec::Vec;

use spin::Mutex;

use crate::bindings::exports::refrain::scheduler::scheduler::Guest;
use crate::bindings::refrain::scheduler::{clock, queue, storage};
use crate::contract::{
    AppendError, Description, Event, Explanation, Fault, Inspection, Outcome, SchedulerError,
    Snapshot, WorkItem, WorkflowSummary,
};
use crate::shell::{Scheduler, World};
use crate::time::Timestamp;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// A component instance has one thread and is never entered twice, so the lock
/// is always free; it is there because a static must be shareable.
static SCHEDULER: Mutex<Scheduler> = Mutex::new(Scheduler::new());

/// A broken invariant of our own: trap. The host stalls the execution and says
/// so; there is no channel for a text, by design.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Component;

crate::bindings::export!(Component with_types_in crate::bindings);

impl Guest for Component {
    fn validate(workflow: String) -> Result<WorkflowSummary, Vec<Fault>> {
        Scheduler::validate(&workflow)
    }

    fn admit(execution_id: String, fact: Event) -> Result<Outcome, SchedulerError> {
        SCHEDULER.lock().admit(&mut Imports, &execution_id, &fact)
    }

    fn tick(execution_id: String, last_sequence: u64) -> Result<Outcome, SchedulerError> {
        SCHEDULER
            .lock()
            .tick(&mut Imports, &execution_id, last_sequence)
    }

    fn explain(execution_id: String, node_id: String) -> Result<Explanation, SchedulerError> {
        SCHEDULER
            .lock()
            .explain(&mut Imports, &execution_id, &node_id)
    }

    fn inspect(execution_id: String) -> Result<Inspection, SchedulerError> {
        SCHEDULER.lock().inspect(&mut Imports, &execution_id)
    }

    fn snapshot(execution_id: String) -> Result<Snapshot, SchedulerError> {
        SCHEDULER.lock().snapshot(&mut Imports, &execution_id)
    }

    fn forget(execution_id: String) {
        SCHEDULER.lock().forget(&execution_id);
    }

    fn describe() -> Description {
        Scheduler::describe()
    }
}

/// The world as the host offers it.
struct Imports;

impl World for Imports {
    fn load_workflow(&mut self) -> String {
        storage::load_workflow()
    }

    fn load_snapshot(&mut self) -> Option<Snapshot> {
        storage::load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Vec<Event> {
        storage::read_events(first, max)
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), AppendError> {
        storage::append_events(expected, events)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp(clock::now())
    }

    fn enqueue(&mut self, item: &WorkItem) -> Result<(), String> {
        queue::enqueue(item)
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        queue::cancel(node_id, attempt)
    }
}
