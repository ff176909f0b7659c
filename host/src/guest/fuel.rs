//! Fuel: what one call may burn.
//!
//! Each call has the same amount, and some more for each byte of workflow,
//! snapshot and log that the guest is handed for the first time in the call.
//! So the longest log can be read, and a guest that goes round in circles is
//! still cut off soon: what it is handed again costs fuel, and so does every
//! import, for the host's work is not free either. Nothing but the guest's
//! bytes and the log decides how much there is. In a sandbox without a meter
//! ([`CallLimits::fuel`](super::CallLimits::fuel)) there is nothing of all this.

use wasmtime::{Store, StoreContextMut};

use super::Ports;
use super::host_state::HostState;
use super::meter::{Meter, Transferred};
use crate::limits::GUEST_TRANSFER_BYTES_MAX;
use crate::store::StoreError;

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
    let mut meter = Meter::of(fuel);
    meter.gain(Transferred::first(argument_bytes), limits);
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

/// Put a question of the guest to the ports, and settle its fuel. The inner
/// error says that the port failed.
pub(super) fn ask<P: Ports, T>(
    mut store: StoreContextMut<'_, HostState<P>>,
    import: &'static str,
    question: impl FnOnce(&mut P) -> Result<T, StoreError>,
    transferred: impl FnOnce(&mut Meter, &T) -> Transferred,
) -> wasmtime::Result<Result<T, String>> {
    let state = store.data_mut();
    let answer = match state.answer(import, question)? {
        Ok(answer) => answer,
        Err(failed) => return Ok(Err(failed)),
    };
    if state.limits.fuel.is_none() {
        return Ok(Ok(answer));
    }
    let transferred = transferred(&mut state.meter, &answer);
    let gain = state.meter.gain(transferred, state.limits);
    let left = store.get_fuel()?.saturating_sub(transferred.cost());
    store.set_fuel(left.saturating_add(gain))?;
    Ok(Ok(answer))
}
