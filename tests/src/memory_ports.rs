//! One execution's world in memory, for the component (as its `Ports`) and for
//! the native core (as its `World`), so that what both make of it can be
//! compared.

use refrain::model::WorkOrder;
use refrain_guest::contract as native;
use refrain_guest::notation::EXECUTION;
use refrain_guest::shell::World;

pub use refrain::guest::MemoryPorts;
pub use refrain_bench::across;

/// The same ports, as the native core sees them.
pub struct NativePorts<'a>(pub &'a mut MemoryPorts);

impl World for NativePorts<'_> {
    fn load_workflow(&mut self) -> Result<String, native::StorageError> {
        Ok(self.0.workflow.clone())
    }
    fn load_snapshot(&mut self) -> Result<Option<native::Snapshot>, native::StorageError> {
        Ok(self.0.snapshot.as_ref().map(across))
    }
    fn read_events(
        &mut self,
        first: u64,
        max: u32,
    ) -> Result<Vec<native::Event>, native::StorageError> {
        Ok(across(&self.0.page(first, max)))
    }
    fn append_events(
        &mut self,
        expected: u64,
        events: &[native::Event],
    ) -> Result<(), native::StorageError> {
        self.0
            .append(expected, across(&events))
            .map_err(|error| across(&error))
    }
    fn now(&mut self) -> refrain_guest::time::Timestamp {
        refrain_guest::time::Timestamp(self.0.now)
    }
    fn order(&mut self, orders: &[native::WorkOrder]) -> Result<Vec<native::ItemDigest>, String> {
        let digests = self.0.take_orders(orders.iter().map(in_model).collect());
        let digests = digests.iter();
        Ok(digests
            .map(|digest| native::ItemDigest::from_bytes(digest.0))
            .collect())
    }
}

/// An order as the host has it: with the execution that it is of, which no guest names.
fn in_model(order: &native::WorkOrder) -> WorkOrder {
    let mut order = serde_json::to_value(order).expect("contract types serialise");
    if let Some(item) = order.get_mut("Enqueue") {
        item["execution_id"] = EXECUTION.to_string().into();
    }
    serde_json::from_value(order).expect("both sides have the same types")
}
