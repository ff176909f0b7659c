//! What stands between an instance and the [`Ports`] that the current call came with.
//!
//! Nothing is decided here. A port's [`StoreError`] is kept aside, so that it
//! reaches the caller as it was; the guest is told that it failed, and from
//! then on every port of the call fails.

use std::fmt;

use super::call_limits::Caps;
use super::meter::Meter;
use super::{CallLimits, GuestFailure, Ports};
use crate::id::ExecutionId;
use crate::store::StoreError;

/// What stands between an instance and the world: the data of its store of wasmtime's.
/// Only the host makes one, and its ports are reached by [`MeteredPorts`].
///
/// [`MeteredPorts`]: super::MeteredPorts
pub struct HostState<P> {
    /// The ports of the current call, if it is about an execution.
    pub(super) ports: Option<P>,
    /// The execution that the current call is about, or else the last one was.
    pub(super) execution: Option<ExecutionId>,
    /// The error of the port that failed in the current call.
    pub(super) store_error: Option<StoreError>,
    /// What the instance may take.
    pub(super) limits: CallLimits,
    /// What of it the instance still may hold.
    pub(super) caps: Caps,
    /// What of it the current call was given to burn.
    pub(super) meter: Meter,
}

impl<P> fmt::Debug for HostState<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostState").finish_non_exhaustive()
    }
}

impl<P> HostState<P> {
    pub(super) fn new(limits: CallLimits) -> Self {
        Self {
            ports: None,
            execution: None,
            store_error: None,
            limits,
            caps: Caps::new(limits),
            meter: Meter::default(),
        }
    }

    /// Exchanges what the current call may take, and took, with that of another store in
    /// which the call goes on. The ports stay.
    pub(super) fn exchange<Q>(&mut self, other: &mut HostState<Q>) {
        let HostState {
            ports: _,
            execution,
            store_error,
            limits,
            caps,
            meter,
        } = other;
        std::mem::swap(&mut self.execution, execution);
        std::mem::swap(&mut self.store_error, store_error);
        std::mem::swap(&mut self.limits, limits);
        std::mem::swap(&mut self.caps, caps);
        std::mem::swap(&mut self.meter, meter);
    }
}

impl<P: Ports> HostState<P> {
    /// The ports' answer to a question of the guest. The inner error says that a port
    /// failed, now or earlier in the call.
    pub(super) fn answer<T>(
        &mut self,
        import: &'static str,
        question: impl FnOnce(&mut P) -> Result<T, StoreError>,
    ) -> wasmtime::Result<Result<T, String>> {
        let ports = self
            .ports
            .as_mut()
            .ok_or(GuestFailure::OutOfPlace { import })?;
        if let Some(error) = &self.store_error {
            return Ok(Err(error.to_string()));
        }
        Ok(question(ports).map_err(|error| {
            let failed = error.to_string();
            self.store_error = Some(error);
            failed
        }))
    }
}
