//! Workers: whoever does what the scheduler orders.
//!
//! `pool` runs any async function for a queue; `command` and `http` are the
//! two that come built in.

mod attempt;
pub(crate) mod command;
mod group;
pub(crate) mod http;
mod pool;
mod tasks;

pub(crate) use pool::{Crew, Pool};
pub(crate) use tasks::{Stir, Tasks};
