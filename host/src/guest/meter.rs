//! What is handed over in a call, counted in bytes and in fuel.

use super::CallLimits;
use crate::limits::{FUEL_PER_BYTE_AGAIN, FUEL_PER_IMPORT};
use crate::log::canonical;
use crate::model::{Event, EventKind, Snapshot, WorkOrder};

/// What the guest has been handed in the current call.
#[derive(Default)]
pub(super) struct Meter {
    /// All the fuel that the call was given.
    pub(super) fuel: u64,
    /// The bytes that the guest has handed to the host in the call.
    pub(super) taken: usize,
    workflow: bool,
    snapshot: bool,
    events_up_to: u64,
}

/// How many bytes an import hands to the guest.
#[derive(Clone, Copy, Default)]
pub(super) struct Transferred {
    first: usize,
    repeated: usize,
}

/// The bytes that an order to the queue counts for.
pub(super) fn order_bytes(order: &WorkOrder) -> usize {
    size_of::<WorkOrder>()
        + match order {
            WorkOrder::Enqueue(item) => item.node_id.len() + item.payload.len(),
            WorkOrder::Cancel(name) => name.node_id.len(),
            WorkOrder::StartChild(child) => child.name.node_id.len() + child.input.len(),
            WorkOrder::CancelChild(name) => name.node_id.len(),
        }
}

/// The bytes that a fact counts for.
pub(super) fn fact_bytes(fact: &EventKind) -> usize {
    canonical::kind_length(fact)
}

/// The bytes that an event counts for.
pub(super) fn event_bytes(event: &Event) -> usize {
    canonical::length(event)
}

impl Meter {
    /// The meter of a call that has this much fuel, and in which nothing was handed over
    /// yet.
    pub(super) fn of(fuel: u64) -> Self {
        Self {
            fuel,
            ..Self::default()
        }
    }

    /// Take note of what is handed over, and say how much fuel comes with it.
    pub(super) fn gain(&mut self, transferred: Transferred, limits: CallLimits) -> u64 {
        let fuel = limits
            .fuel_per_byte
            .saturating_mul(transferred.first as u64);
        self.fuel = self.fuel.saturating_add(fuel);
        fuel
    }

    pub(super) fn workflow(&mut self, text: &str) -> Transferred {
        Transferred::once(text.len(), std::mem::replace(&mut self.workflow, true))
    }

    pub(super) fn snapshot(&mut self, snapshot: Option<&Snapshot>) -> Transferred {
        let bytes = snapshot.map_or(0, |snapshot| snapshot.state.len());
        Transferred::once(bytes, std::mem::replace(&mut self.snapshot, true))
    }

    pub(super) fn events(&mut self, events: &[Event]) -> Transferred {
        let mut transferred = Transferred::default();
        for event in events {
            let bytes = event_bytes(event);
            if event.sequence > self.events_up_to {
                self.events_up_to = event.sequence;
                transferred.first += bytes;
            } else {
                transferred.repeated += bytes;
            }
        }
        transferred
    }
}

impl Transferred {
    /// So many bytes, and none of them was handed over before.
    pub(super) fn first(bytes: usize) -> Self {
        Self::once(bytes, false)
    }

    fn once(bytes: usize, before: bool) -> Self {
        if before {
            Self {
                first: 0,
                repeated: bytes,
            }
        } else {
            Self {
                first: bytes,
                repeated: 0,
            }
        }
    }

    /// What an import that hands this over costs.
    pub(super) fn cost(self) -> u64 {
        FUEL_PER_BYTE_AGAIN
            .saturating_mul(self.repeated as u64)
            .saturating_add(FUEL_PER_IMPORT)
    }
}
