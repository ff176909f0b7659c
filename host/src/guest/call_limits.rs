//! What a guest may take of the machine, and the count of what it takes.

use wasmtime::ResourceLimiter;

use crate::limits::{FUEL_PER_BYTE, FUEL_PER_CALL, GUEST_MEMORY_MAX, GUEST_TABLE_ELEMENTS_MAX};

/// The limits of one guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The fuel of one call; about one unit for each WebAssembly instruction.
    ///
    /// `None` if no meter runs, so that calls take a little less time. A guest
    /// cannot see its fuel, so it gives the same answers. But a guest that loops is
    /// never cut off: it holds its caller for ever, and with it all that wait for the
    /// caller. So this is for guests that are trusted to end, and never for those that
    /// users bring.
    pub fuel: Option<u64>,
    /// The additional fuel for each byte that the guest is handed in the call.
    pub fuel_per_byte: u64,
    /// The memory of one instance, in bytes.
    pub memory_bytes_max: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            fuel: Some(FUEL_PER_CALL),
            fuel_per_byte: FUEL_PER_BYTE,
            memory_bytes_max: GUEST_MEMORY_MAX,
        }
    }
}

/// Counts the memory that one instance holds, and refuses what goes over the limit.
pub(super) struct Caps {
    memory_bytes_left: usize,
    table_elements_left: usize,
    /// Whether the instance wanted more than it may have.
    pub(super) exceeded: bool,
}

impl Caps {
    pub(super) fn new(limits: CallLimits) -> Self {
        Self {
            memory_bytes_left: limits.memory_bytes_max,
            table_elements_left: GUEST_TABLE_ELEMENTS_MAX,
            exceeded: false,
        }
    }

    /// The memory that the instance holds, of what it may hold.
    pub(super) fn memory_bytes_held(&self, limits: CallLimits) -> usize {
        limits.memory_bytes_max - self.memory_bytes_left
    }

    fn over_the_cap(&mut self, what: &str) -> wasmtime::Error {
        self.exceeded = true;
        wasmtime::format_err!("the cap on {what} is reached")
    }
}

/// Growth that goes over the limit ends the call. If the guest were only refused the
/// memory, it would crash a moment later, and nobody could say why.
impl ResourceLimiter for Caps {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.memory_bytes_left, current, desired)
            .ok_or_else(|| self.over_the_cap("memory"))?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.table_elements_left, current, desired)
            .ok_or_else(|| self.over_the_cap("tables"))?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

/// The number of core instances and tables of one component. `wit-component` makes three or
/// four of its own around the guest's one; a guest with Python inside has 38
/// modules, and a composed component has those of all its parts.
const INSTANCES_MAX: usize = 512;

/// The number of memories of one component: each part of a composed one has its own.
/// They share the limit of the instance.
const MEMORIES_MAX: usize = 32;

fn take(left: &mut usize, current: usize, desired: usize) -> Option<()> {
    *left = left.checked_sub(desired.saturating_sub(current))?;
    Some(())
}
