//! Codes and data become sentences: the one place for the words.
//!
//! A scheduler component says no sentence, and a log holds none that it has
//! made: it says codes, with their data, and texts that came from the world. What
//! people read of them is made here, for the command line, for JSON that is not the
//! log's own, and for dead letters. So another wording is never another decision.
//!
//! A sentence here speaks of no command: what somebody can do about something is a
//! [`Remedy`](crate::model::Remedy), and the program that shows it knows how it is done.
//! What came from the world stands in the sentences as it came; who prints them
//! makes it harmless.

mod unresolved;
mod failure;
mod event;
mod reason;
mod unset;

pub use event::error;
pub use failure::{child_refusal, node_failure, stall, workflow_failure};
pub use reason::sentence;
pub use unresolved::{expressions_at, unresolved};
pub use unset::{UnsetPath, unset_in_text, unset_of_node, unset_paths};
