//! Workers: whoever does what the scheduler orders.
//!
//! `pool` runs any async function for a queue; `command` and `http` are the
//! two that come built in.

mod addresses;
mod attempt;
mod child;
pub(crate) mod command;
mod deliver;
pub(crate) mod http;
mod meaning;
mod orphans;
mod pool;
mod program;
mod programs;
mod redirect;
mod secrets;
mod spawn;
mod tasks;

pub(crate) use deliver::{Deliver, Within};
pub use orphans::reap_orphans;
pub(crate) use pool::{Granted, Pool, WorkerGroup};
pub(crate) use programs::Programs;
pub(crate) use tasks::{Tasks, WakeFlag};
