//! How much goes into one turn of an engine.

use std::time::Duration;

use super::guest::FUEL_PER_CALL;

/// How much goes into one turn of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnLimits {
    /// Facts that callers and workers tell.
    pub facts: usize,
    /// Claims of the engine's own workers, and as many of workers outside.
    pub claims: usize,
    /// Executions whose time has come.
    pub wakes: usize,
    /// Leases that are over.
    pub expiries: usize,
    /// Fuel that the calls into guests burn together, before what is left goes
    /// into the next turn; an execution has a quarter of it.
    pub fuel: u64,
    /// Bytes of payload that are appended and ordered, in the same way.
    pub bytes: usize,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            facts: FACTS_PER_TURN_MAX,
            claims: CLAIMS_PER_TURN_MAX,
            wakes: WAKES_PER_TURN_MAX,
            expiries: EXPIRIES_PER_TURN_MAX,
            fuel: FUEL_PER_TURN,
            bytes: BYTES_PER_TURN,
        }
    }
}

impl TurnLimits {
    /// The smallest of them.
    pub(crate) fn smallest(self) -> usize {
        let Self {
            facts,
            claims,
            wakes,
            expiries,
            // One call goes into each turn, whatever they are.
            fuel: _,
            bytes: _,
        } = self;
        facts.min(claims).min(wakes).min(expiries)
    }
}

/// Facts taken into one turn: enough for one sync to serve many, few enough
/// that the first of them does not wait long.
pub const FACTS_PER_TURN_MAX: usize = 640;

/// Items claimed in one turn: more than facts, because one fact may order many.
pub const CLAIMS_PER_TURN_MAX: usize = 1024;

/// Executions stepped in one turn because their wake was due.
pub const WAKES_PER_TURN_MAX: usize = 256;

/// Leases that end in one turn.
pub const EXPIRIES_PER_TURN_MAX: usize = 256;

/// Fuel that the calls of one turn burn together before it is written and the
/// store's write lock given up: a quarter of a second. A turn that is full of
/// small facts and claims burns a tenth of it.
pub const FUEL_PER_TURN: u64 = FUEL_PER_CALL / 10;

/// Bytes of payload that go into one turn, which holds them in memory: two of the
/// largest batches that our own guest decides, or some large facts.
pub const BYTES_PER_TURN: usize = 64 * 1024 * 1024;

/// How long a turn asks guests for more, by the clock: for what fuel does not
/// tell, like a store that takes long to be read.
pub const TURN_TIME_MAX: Duration = Duration::from_millis(500);

/// The clock is looked at when a turn's calls have burnt so much more fuel: some
/// milliseconds.
pub const TURN_FUEL_BETWEEN_LOOKS: u64 = FUEL_PER_TURN / 64;

/// And after so many calls, whatever they burnt: a look costs as much as the rest
/// of counting for all of them.
pub const TURN_CALLS_BETWEEN_LOOKS: u32 = 32;
