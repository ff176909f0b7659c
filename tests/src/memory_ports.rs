//! One execution's world in memory, for the component (as its `Ports`) and for
//! the native core (as its `World`), so that what both make of it can be
//! compared.

use refrain_guest::contract as native;
use refrain_guest::shell::World;

pub use refrain::guest::MemoryPorts;
pub use refrain_bench::across;

/// The same ports, as the native core sees them.
pub struct NativePorts<'a>(pub &'a mut MemoryPorts);

impl World for NativePorts<'_> {
    fn load_workflow(&mut self) -> String {
        self.0.workflow.clone()
    }
    fn load_snapshot(&mut self) -> Option<native::Snapshot> {
        self.0.snapshot.as_ref().map(across)
    }
    fn read_events(&mut self, first: u64, max: u32) -> Vec<native::Event> {
        across(&self.0.page(first, max))
    }
    fn append_events(
        &mut self,
        expected: u64,
        events: &[native::Event],
    ) -> Result<(), native::AppendError> {
        self.0
            .append(expected, across(&events))
            .map_err(|error| across(&error))
    }
    fn now(&mut self) -> refrain_guest::time::Timestamp {
        refrain_guest::time::Timestamp(self.0.now)
    }
    fn enqueue(&mut self, item: &native::WorkItem) -> Result<(), String> {
        self.0.enqueue_item(across(item))
    }
    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        self.0.cancel_item(node_id, attempt)
    }
}
