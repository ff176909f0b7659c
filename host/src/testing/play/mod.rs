//! Cases are played: by the scheduler itself, on a simulated clock.

mod script;
mod runs;
mod probe;
mod case;
pub(super) mod coverage;

pub(super) use case::{Played, PlayedRun, play};
