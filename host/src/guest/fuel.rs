//! Fuel: what one call may burn.
//!
//! Each call has the same amount, and some more for each byte of workflow,
//! snapshot and log that the guest is handed for the first time in the call.
//! So the longest log can be read, and a guest that goes round in circles is
//! still cut off soon: what it is handed again costs fuel, and so does every
//! import, for the host's work is not free either. Nothing but the guest's
//! bytes and the log decides how much there is. In a sandbox without a meter
//! ([`CallLimits::fuel`]) there is nothing of all this.

use wasmtime::{Store, StoreContextMut};

use super::Ports;
use super::ports::HostState;
use super::sandbox::CallLimits;
use crate::limits::{FUEL_PER_BYTE_AGAIN, FUEL_PER_IMPORT, GUEST_TRANSFER_BYTES_MAX};
use crate::log::canonical;
use crate::model::{Event, EventKind, Snapshot, WorkOrder};

/// What the guest has been handed in the current call.
#[derive(Default)]
pub(super) struct Meter {
    /// All the fuel that the call was given.
    pub(super) fuel: u64,
    /// The bytes that the guest has handed to the host in the call.
    taken: usize,
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

/// Begin a call whose arguments have this many bytes.
pub(super) fn fill<P: Ports>(
    store: &mut Store<HostState<P>>,
    argument_bytes: usize,
) -> wasmtime::Result<()> {
    if store.data().meter.taken > 0 {
        store.set_hostcall_fuel(GUEST_TRANSFER_BYTES_MAX);
        store.data_mut().meter.taken = 0;
    }
    let limits = store.data().limits;
    let Some(fuel) = limits.fuel else {
        return Ok(());
    };
    let mut meter = Meter {
        fuel,
        ..Meter::default()
    };
    meter.gain(
        Transferred {
            first: argument_bytes,
            repeated: 0,
        },
        limits,
    );
    store.set_fuel(meter.fuel)?;
    store.data_mut().meter = meter;
    Ok(())
}

/// The guest has handed over this many bytes: so many fewer are left to it, for
/// the rest of the call.
pub(super) fn take<P: Ports>(store: &mut StoreContextMut<'_, HostState<P>>, bytes: usize) {
    let meter = &mut store.data_mut().meter;
    meter.taken = meter.taken.saturating_add(bytes);
    let left = GUEST_TRANSFER_BYTES_MAX.saturating_sub(meter.taken);
    store.set_hostcall_fuel(left);
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
