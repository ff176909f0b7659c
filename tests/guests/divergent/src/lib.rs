//! A guest of the tests: the scheduler's own core in a world that turns its
//! dispatches round.
//!
//! Of nodes that are dispatched one after the other in one batch, the last comes
//! first. Their order changes nothing but the log, so the core may go on as if
//! its own had been written, and a log of this guest is as legal as any other.
//! It is another guest's all the same, and an audit has to find that.
//!
//! What it orders about children it changes for nodes that are named after that: `forgets`
//! cancels no child, `another` starts one of another workflow, `twice` starts its child twice.
//! No host may take such orders.
//!
//! Built for WebAssembly only; natively there is nothing here.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use refrain_guest::component::{Component, Imports};
use refrain_guest::contract::{
    Event, EventKind, ItemDigest, Snapshot, StorageError, WorkOrder, WorkflowName,
};
use refrain_guest::shell::World;
use refrain_guest::time::Timestamp;

type Divergent = Component<Reversed>;

refrain_guest::bindings::export!(Divergent with_types_in refrain_guest::bindings);

/// The host's world, to which dispatches are appended in reverse.
#[derive(Default)]
struct Reversed(Imports);

/// Each run of dispatches in reverse, numbered as before.
fn reversed(events: &[Event]) -> Vec<Event> {
    let is_dispatch = |event: &Event| matches!(event.kind, EventKind::NodeScheduled(_));
    let mut turned = Vec::with_capacity(events.len());
    for run in events.chunk_by(|a, b| is_dispatch(a) && is_dispatch(b)) {
        let kinds = run.iter().rev().map(|event| event.kind.clone());
        turned.extend(run.iter().zip(kinds).map(|(place, kind)| Event {
            kind,
            ..place.clone()
        }));
    }
    turned
}

/// The orders, but for children of nodes that are named so.
fn changed(orders: &[WorkOrder]) -> Vec<WorkOrder> {
    let mut changed = Vec::with_capacity(orders.len());
    for order in orders {
        let mut order = order.clone();
        match &mut order {
            WorkOrder::CancelChild(name) if name.node_id == "forgets" => continue,
            WorkOrder::StartChild(child) if child.name.node_id == "another" => {
                child.workflow = Some(WorkflowName {
                    workflow_id: String::from("another"),
                    version: String::from("1.0.0"),
                });
            }
            WorkOrder::StartChild(child) if child.name.node_id == "twice" => {
                changed.push(order.clone());
            }
            _ => {}
        }
        changed.push(order);
    }
    changed
}

impl World for Reversed {
    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError> {
        self.0.append_events(expected, &reversed(events))
    }

    fn load_workflow(&mut self) -> Result<String, StorageError> {
        self.0.load_workflow()
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.0.load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError> {
        self.0.read_events(first, max)
    }

    fn now(&mut self) -> Timestamp {
        self.0.now()
    }

    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String> {
        self.0.order(&changed(orders))
    }
}
