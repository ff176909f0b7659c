//! The time of an engine, and the clock readings of one turn.

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

/// The engine's time.
pub(crate) struct EngineTime {
    clock: LogClock,
    /// Simulated time, which the engine moves on itself. `None` if time is real.
    simulated: Option<Timestamp>,
}

impl EngineTime {
    pub(crate) fn new(clock: LogClock, simulated_from: Option<Timestamp>) -> Self {
        Self {
            clock,
            simulated: simulated_from,
        }
    }

    /// Compares the clock with what is stored, because other engines may have
    /// written.
    pub(crate) fn look(&mut self, store: &mut dyn Reader) -> Result<(), StoreError> {
        self.clock.look(store)
    }

    /// Compares the clock with what is stored, and reads it.
    pub(crate) fn read(&mut self, store: &mut dyn Reader) -> Result<TurnTime, StoreError> {
        self.look(store)?;
        Ok(self.turn())
    }

    /// A turn's readings, by what was stored at the last look.
    pub(crate) fn turn(&mut self) -> TurnTime {
        let real = self.clock.read_aloud();
        TurnTime {
            real,
            at: self.simulated.unwrap_or(real.at),
        }
    }

    /// What time it is between turns, as far as this engine knows.
    pub(crate) fn glance(&self) -> Timestamp {
        self.simulated.unwrap_or_else(|| self.clock.now())
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
        self.simulated = self.simulated.map(|at| at.max(to));
    }
}
