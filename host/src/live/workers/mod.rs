//! Workers, which do what the scheduler orders.
//!
//! `pool` runs any async function for a queue; `command` and `http` are the
//! two that come built in, and `queue_program` makes a worker of any program. The modules, from the bottom up; each may use those
//! above it in this list.

mod deliver;
mod hidden;
mod attempt;
mod tasks;
mod pool;

mod meaning;
mod secrets;
mod filled;

mod program_pipe;
mod spawn;
mod orphans;
mod end_watch;
mod child;
mod programs;
mod said;
mod program;
mod program_run;
pub(crate) mod command;
pub(crate) mod queue_program;

#[cfg(feature = "http")]
mod http;

#[cfg(feature = "http")]
pub(crate) use attempt::UntilEnd;
pub(crate) use attempt::{Attempted, Work};
pub(crate) use deliver::{Deliver, Within};
pub use hidden::without_secrets;
#[cfg(feature = "http")]
pub use http::HttpWorker;
pub use orphans::reap_orphans;
pub(crate) use pool::{Granted, Pool, WorkerGroup};
pub(crate) use programs::Programs;
pub(crate) use tasks::{Tasks, WakeFlag};
