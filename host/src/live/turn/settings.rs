//! The settings of an engine, as its builder left them.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::clock::milliseconds;
use crate::limits::TurnLimits;
use crate::model::Limits;

/// The settings of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The limits of executions that start here.
    pub(crate) limits: Limits,
    /// How long a claim holds without a heartbeat.
    pub(crate) lease: Duration,
    /// How often the engine looks for changes that nobody notified it of.
    pub(crate) fallback_poll: Duration,
    /// The number of events between two snapshots of an execution.
    pub(crate) events_per_snapshot: NonZeroU64,
    /// How long the engine waits before it opens a store again that did not open.
    pub(crate) reopen_pause: Duration,
    /// The name of this engine's workers.
    pub(crate) worker_id: String,
    /// The tenant whose workflows are registered and started here, and whose work is
    /// claimed.
    pub(crate) tenant: String,
    /// Whether this engine works on simulated executions, and on no others.
    pub(crate) simulated: bool,
    /// How much goes into one turn.
    pub(crate) turn_limits: TurnLimits,
}

impl Settings {
    pub(crate) fn lease_ms(&self) -> u64 {
        milliseconds(self.lease)
    }
}
