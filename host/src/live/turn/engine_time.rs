//! The time of an engine, and the clock readings of one turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{LogClock, LogTime};
use crate::store::{ClockReading, Reader, StoreError, Timestamp};

/// A turn's clock readings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnTime {
    /// What the machine's clock says.
    pub(in crate::live) real: LogTime,
    /// The reading for executions, which is simulated where they are.
    pub(in crate::live) at: Timestamp,
}

/// Simulated time, which the engine moves on itself. Clones are the same time.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedTime(Arc<AtomicU64>);

impl SimulatedTime {
    /// Simulated time that begins here.
    pub(crate) fn from(at: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(at)))
    }

    fn now(&self) -> Timestamp {
        self.0.load(Ordering::Acquire)
    }

    fn jump(&self, to: Timestamp) {
        self.0.fetch_max(to, Ordering::AcqRel);
    }
}

/// The engine's time.
pub(crate) struct EngineTime {
    clock: LogClock,
    /// `None` if time is real.
    simulated: Option<SimulatedTime>,
}

impl EngineTime {
    pub(crate) fn new(clock: LogClock, simulated: Option<SimulatedTime>) -> Self {
        Self { clock, simulated }
    }

    /// Compares the clock with what is stored, because other engines may have
    /// written.
    pub(crate) fn look(&mut self, store: &mut dyn Reader) -> Result<(), StoreError> {
        self.clock.look(store)
    }

    /// A turn's readings, by what was stored at the last look.
    pub(crate) fn turn(&mut self) -> TurnTime {
        let real = self.clock.read_aloud();
        TurnTime {
            real,
            at: self.simulated.as_ref().map_or(real.at, SimulatedTime::now),
        }
    }

    /// What time it is between turns, as far as this engine knows.
    pub(crate) fn glance(&self) -> Timestamp {
        match &self.simulated {
            Some(simulated) => simulated.now(),
            None => self.clock.now(),
        }
    }

    /// A turn of these readings was written.
    pub(crate) fn wrote(&mut self, time: TurnTime) {
        self.clock.wrote(time.real);
        self.jump(time.at);
    }

    /// The reading, as a turn writes it. `None` if time is simulated: then the
    /// machine's clock says nothing about the turn.
    pub(crate) fn written(&self, time: TurnTime) -> Option<ClockReading> {
        match self.simulated {
            Some(_) => None,
            None => Some(self.clock.written(time.real)),
        }
    }

    /// The clock's time that never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Moves simulated time on.
    pub(crate) fn jump(&mut self, to: Timestamp) {
        if let Some(simulated) = &self.simulated {
            simulated.jump(to);
        }
    }
}
