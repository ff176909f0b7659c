//! What outlives a turn, and can be thrown away at any time: copies of stored
//! executions, instances of guests, what is set aside.
//!
//! The modules, from the bottom up; each may use those above it in this list.

pub(in crate::live) mod nothing_due;
pub(in crate::live) mod lru_shelf;
pub(in crate::live) mod executions;
pub(in crate::live) mod instances;
pub(in crate::live) mod guests;
pub(in crate::live) mod set_aside;
pub(in crate::live) mod conflicts;
