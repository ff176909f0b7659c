//! Why a call was cut off: the one place where wasmtime's errors become ours.

use wasmtime::Trap;

use super::host_state::HostState;
use super::{CallError, GuestFailure, Newer};
use crate::limits::GUEST_TRANSFER_BYTES_MAX;

/// What wasmtime's error means for a call in which no port failed.
pub(super) fn call_error<P>(error: &wasmtime::Error, state: &HostState<P>) -> CallError {
    match error.downcast_ref::<Newer>() {
        Some(newer) => newer.clone().into(),
        None => guest_failure(error, state).into(),
    }
}

/// What wasmtime's error means where no port failed, given what the caps
/// noted while it came about.
pub(super) fn guest_failure<P>(error: &wasmtime::Error, state: &HostState<P>) -> GuestFailure {
    if state.caps.exceeded {
        return GuestFailure::OutOfMemory {
            memory_bytes_max: state.limits.memory_bytes_max,
        };
    }
    if let Some(failure) = error.downcast_ref::<GuestFailure>() {
        return failure.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => GuestFailure::OutOfFuel {
            fuel: state.meter.fuel,
        },
        Some(Trap::StackOverflow) => GuestFailure::StackOverflow,
        Some(trap) => GuestFailure::Trapped(*trap),
        None if is_out_of_memory(error) => GuestFailure::NoMemory(format!("{error:#}")),
        None if error.root_cause().to_string().starts_with(TOO_MUCH) => GuestFailure::TooMuch {
            bytes_max: GUEST_TRANSFER_BYTES_MAX,
        },
        None => GuestFailure::Malformed(format!("{error:#}")),
    }
}

/// Whether the system refused memory.
fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| {
        let by_std = cause.downcast_ref::<std::io::Error>();
        by_std.is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
            || cause.downcast_ref() == Some(&rustix::io::Errno::NOMEM)
    })
}

/// How wasmtime's message begins when the host's fuel for copies is used up.
/// Its type is not public; the hostile guests of the tests notice another
/// wording.
const TOO_MUCH: &str = "too much data is being copied between the host and the guest";
