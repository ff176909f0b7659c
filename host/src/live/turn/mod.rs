//! One transaction: what was said, what is due, what the guests decide of it,
//! and who takes the work that comes of it.

pub(in crate::live) mod lease_watch;
pub(in crate::live) mod budget;
pub(in crate::live) mod costly;
pub(in crate::live) mod scope;
pub(in crate::live) mod core;
pub(in crate::live) mod tells;
pub(in crate::live) mod sound;
pub(in crate::live) mod open_turn;
pub(in crate::live) mod write;
pub(in crate::live) mod writes;
pub(in crate::live) mod steps_owed;
pub(in crate::live) mod apart;
pub(in crate::live) mod stall;
pub(in crate::live) mod snapshots;
pub(in crate::live) mod start;
pub(in crate::live) mod answers;
pub(in crate::live) mod claims;
pub(in crate::live) mod due;
pub(in crate::live) mod liveness;
pub(in crate::live) mod simulation;
pub(in crate::live) mod slots;
pub(in crate::live) mod fill;
