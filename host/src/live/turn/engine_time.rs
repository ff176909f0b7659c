//! The time of an engine, and the clock readings of one turn.

use std::time::Duration;

use crate::clock::{LogClock, LogTime};
use crate::store::{ClockReading, Reader, StoreError, Timestamp};

/// A turn's clock readings. Simulated executions have a time of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnTime {
    pub(in crate::live) real: LogTime,
    simulated: Timestamp,
}

impl TurnTime {
    /// The reading for executions of real or simulated time.
    pub(crate) fn of(self, simulated: bool) -> Timestamp {
        if simulated {
            self.simulated
        } else {
            self.real.at
        }
    }
}

/// The engine's time. Simulated time stands still, except where the engine that
/// simulates moves it on.
pub(crate) struct EngineTime {
    clock: LogClock,
    simulated: Timestamp,
}

impl EngineTime {
    pub(crate) fn new(clock: LogClock, simulated_from: Timestamp) -> Self {
        Self {
            clock,
            simulated: simulated_from,
        }
    }

    /// Compares the clock with what is stored, because other engines may have
    /// written.
    pub(crate) fn look(&mut self, store: &mut dyn Reader) -> Result<(), StoreError> {
        // Simulated executions are left out: each of them has its own time,
        // which is that of its last event at least.
        self.clock.look(store)
    }

    /// Compares the clock with what is stored, and reads it.
    pub(crate) fn read(&mut self, store: &mut dyn Reader) -> Result<TurnTime, StoreError> {
        self.look(store)?;
        Ok(self.turn())
    }

    /// A turn's readings, by what was stored at the last look.
    pub(crate) fn turn(&mut self) -> TurnTime {
        TurnTime {
            real: self.clock.read_aloud(),
            simulated: self.simulated,
        }
    }

    /// What time it is between turns, as far as this engine knows.
    pub(crate) fn glance(&self, simulated: bool) -> Timestamp {
        if simulated {
            self.simulated
        } else {
            self.clock.now()
        }
    }

    /// A turn of these readings was written.
    pub(crate) fn wrote(&mut self, time: TurnTime) {
        self.clock.wrote(time.real);
        self.simulated = self.simulated.max(time.simulated);
    }

    /// The reading, as a turn writes it.
    pub(crate) fn written(&self, time: TurnTime) -> ClockReading {
        self.clock.written(time.real)
    }

    /// The clock's time that never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Moves simulated time on.
    pub(crate) fn jump(&mut self, to: Timestamp) {
        self.simulated = self.simulated.max(to);
    }
}
