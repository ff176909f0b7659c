//! An engine on a memory store and a clock that is moved by hand, with simulated workers.
//!
//! It has no thread and no runtime: nothing happens but in its steps, so that the same
//! calls give the same logs, to the byte. Tests of workflows and simulations are played in
//! such a world.

mod stand_in;
mod deed;
mod stepped;
mod workers;

pub(crate) use deed::Deed;
pub(crate) use stand_in::{QUEUE as STAND_IN_QUEUE, stand_in};
pub(crate) use stepped::{WORKER, World};
pub(crate) use workers::{Outcome, RefusedAnswer, Workers};
