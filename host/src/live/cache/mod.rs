//! What outlives a turn, and can be thrown away at any time: copies of stored
//! executions, instances of guests, what is set aside.

pub(in crate::live) mod executions;
pub(in crate::live) mod instances;
pub(in crate::live) mod set_aside;
