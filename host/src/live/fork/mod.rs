//! What a fork begins with: where it is cut, what it has in common with its origin, and
//! the work items that there are then.
//!
//! All of it is found outside of a turn, because a long log takes long. An append-only
//! log stays what it was until the turn that writes the fork.
//!
//! The files, from the bottom up; each may use those above it in this list.

// Where the origin's log is cut.
mod cut;
// The first events, chained anew.
pub(in crate::live) mod beginning;
// From a request to all that is to be written.
pub(in crate::live) mod plan;
