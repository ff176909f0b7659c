//! Time. Only the host reads a clock, once a turn (law 5).
//!
//! [`Clock`] is what an engine is given; [`LogClock`] makes of it the time of
//! the log, which never goes back, and is the same for all who work on a store.

mod span;
mod since_boot;
mod clocks;
mod log_clock;

pub use clocks::{Clock, ManualClock, SystemClock};
pub use log_clock::LogClock;
pub(crate) use log_clock::LogTime;
pub(crate) use span::milliseconds;
