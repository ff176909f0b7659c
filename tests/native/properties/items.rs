//! Laws 3 and 4, rule R5: the queue is told exactly what the decisions say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use refrain_guest::contract::{
    ChildName, Event, EventKind, ItemDigest, ItemName, Snapshot, StorageError, WorkItem, WorkOrder,
};
use refrain_guest::instance;
use refrain_guest::notation::{Memory, item_digest, step};
use refrain_guest::shell::{Scheduler, World};
use refrain_guest::strategies::History;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow::plan::{Body, Gives, Kind};

use crate::properties::ledger::Releases;
use crate::properties::machines::empty;
use crate::properties::{fail, holds, lives};

/// A world that remembers what it was told.
struct Witness {
    world: Memory,
    ordered: Vec<WorkItem>,
    taken_back: Vec<(String, u32)>,
    /// Children that are to be started, and those that nobody waits for any more.
    begun: Vec<ChildName>,
    dropped: Vec<ChildName>,
}

impl World for Witness {
    fn load_workflow(&mut self) -> Result<String, StorageError> {
        self.world.load_workflow()
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.world.load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError> {
        self.world.read_events(first, max)
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError> {
        self.world.append_events(expected, events)
    }

    fn now(&mut self) -> Timestamp {
        self.world.now()
    }

    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String> {
        for order in orders.iter().cloned() {
            match order {
                WorkOrder::Enqueue(item) => self.ordered.push(item),
                WorkOrder::StartChild(order) => self.begun.push(order.name.clone()),
                WorkOrder::CancelChild(name) => self.dropped.push(name),
                WorkOrder::Cancel(ItemName { node_id, attempt }) => {
                    self.taken_back.push((node_id, attempt));
                }
            }
        }
        self.world.order(orders)
    }
}

impl AsMut<Memory> for Witness {
    fn as_mut(&mut self) -> &mut Memory {
        &mut self.world
    }
}

/// In the order of the decisions, each item once, by its digest; and each
/// attempt that timed out or was cancelled in flight taken back once.
#[test]
fn law3_law4_r05_each_decisions_item_is_enqueued_exactly_once() {
    holds(150, lives(), |history| {
        let mut witness = Witness {
            world: empty(&history),
            ordered: Vec::new(),
            taken_back: Vec::new(),
            begun: Vec::new(),
            dropped: Vec::new(),
        };
        let mut scheduler = Scheduler::new();
        for turn in history.turns() {
            witness.world.now = turn.at;
            let mut facts = turn.offered();
            for _ in &turn.steps {
                let stepped = step(&mut witness, &mut scheduler, std::mem::take(&mut facts));
                stepped.map_err(|error| fail(format!("{error:?}")))?;
            }
        }
        let ordered = witness
            .ordered
            .iter()
            .map(|item| (item.node_id.clone(), item.attempt, item_digest(item)));
        let said: Vec<_> = history
            .log()
            .iter()
            .filter_map(|event| order(&event.kind))
            .collect();
        prop_assert_eq!(ordered.collect::<Vec<_>>(), said);
        prop_assert_eq!(witness.taken_back, taken_back(history.log()));
        let (begun, dropped) = children(&history);
        prop_assert_eq!(witness.begun, begun);
        prop_assert_eq!(witness.dropped, dropped);
        Ok(())
    });
}

/// The children that the decisions ask for, and those that they stop waiting for.
fn children(history: &History) -> (Vec<ChildName>, Vec<ChildName>) {
    let plan = history.workflow().plan();
    let detached = |node_id: &str| {
        let of_map = instance::parse(node_id).map_or(node_id, |(map, _)| map);
        let ix = plan.find(of_map).expect("a node");
        match &plan.nodes[ix.0 as usize].kind {
            Kind::Subgraph(it) => it.gives == Gives::Detached,
            Kind::Map(map) => {
                matches!(&map.body, Body::Child(it) if it.gives == Gives::Detached)
            }
            _ => false,
        }
    };
    let (mut begun, mut dropped) = (Vec::new(), Vec::new());
    let mut awaited: BTreeMap<&str, ChildName> = BTreeMap::new();
    for event in history.log() {
        match &event.kind {
            EventKind::ChildRequested(it) => {
                let name = ChildName {
                    node_id: it.node_id.clone(),
                    attempt: it.attempt,
                    iteration: it.iteration,
                };
                begun.push(name.clone());
                awaited.insert(&it.node_id, name);
            }
            EventKind::ChildStarted(it) if detached(&it.node_id) => {
                awaited.remove(&*it.node_id);
            }
            EventKind::ChildRefused(it) => drop(awaited.remove(&*it.node_id)),
            EventKind::ChildEnded(it) => drop(awaited.remove(&*it.node_id)),
            EventKind::NodeTimedOut(it) => dropped.extend(awaited.remove(&*it.node_id)),
            EventKind::NodeCancelled(it) => dropped.extend(awaited.remove(&*it.node_id)),
            _ => {}
        }
    }
    (begun, dropped)
}

fn order(kind: &EventKind) -> Option<(String, u32, ItemDigest)> {
    match kind {
        EventKind::NodeScheduled(it) => Some((it.node_id.clone(), it.attempt, it.item_digest)),
        EventKind::RetryScheduled(it) => Some((it.node_id.clone(), it.attempt, it.item_digest)),
        _ => None,
    }
}

/// What the decisions take back: attempts that were open then.
fn taken_back(log: &[Event]) -> Vec<(String, u32)> {
    let mut open: Vec<(String, u32)> = Vec::new();
    let mut releases = Releases::default();
    let mut taken = Vec::new();
    for event in log {
        let is_over = releases.end(&event.kind);
        let (node_id, is_taken) = match &event.kind {
            EventKind::NodeReleased(it) if is_over => (&it.node_id, false),
            EventKind::NodeCompleted(it) => (&it.node_id, false),
            EventKind::NodeFailed(it) => (&it.node_id, false),
            EventKind::LeaseExpired(it) => (&it.node_id, false),
            EventKind::NodeTimedOut(it) => (&it.node_id, true),
            EventKind::NodeCancelled(it) => (&it.node_id, true),
            kind => {
                open.extend(order(kind).map(|(node_id, attempt, _)| (node_id, attempt)));
                continue;
            }
        };
        if let Some(place) = open.iter().position(|(node, _)| node == node_id) {
            let attempt = open.remove(place);
            taken.extend(is_taken.then_some(attempt));
        }
    }
    taken
}
