//! Cases are played: by the scheduler itself, on a simulated clock.

mod world;
mod workers;
mod runs;
mod stand_in;
mod probe;
mod case;
pub(super) mod coverage;

pub(super) use case::{Played, PlayedRun, play};
pub(super) use world::World;
