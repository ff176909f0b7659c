//! Property tests as a library: generated workflows, legal histories, hostile
//! logs.
//!
//! Behind the feature `proptest`, and never in the component. Authors of a
//! scheduler guest, a store or a host of their own take cases from here:
//!
//! - [`workflows`] and [`workflows_of`]: valid workflows, of a [`Shape`];
//! - [`facts`] and [`histories`]: what the world may do to a workflow, turn by
//!   turn, with the log that follows from it;
//! - [`hostile_logs`]: logs with one fault each, and where it must be found.
//!
//! Every case shrinks to one that is legal again, and prints itself in the
//! [`notation`](crate::notation) of the tests: what a failure prints can be
//! pasted into [`notation::check`](crate::notation::check) and played.
//!
//! ```
//! use proptest::test_runner::{Config, TestRunner};
//! use refrain_guest::strategies::{histories, workflows};
//!
//! let mut runner = TestRunner::new(Config { cases: 20, ..Config::default() });
//! runner
//!     .run(&histories(workflows()), |history| {
//!         // The workflow's text, and then turn by turn: the clock reading, the
//!         // facts to offer in order, and the decisions that must follow.
//!         let text = history.workflow().text();
//!         assert!(refrain_guest::workflow::parse(text).is_ok());
//!         for turn in history.turns() {
//!             assert!(turn.facts.iter().all(|fact| fact.at == turn.at));
//!         }
//!         Ok(())
//!     })
//!     .unwrap();
//! ```
//!
//! The files, from the bottom up; each may use those above it in this list.

mod workflow;
mod shape;
mod child;
mod map;
mod kind;
mod setting;
mod draft;
mod choice;
mod history;
mod player;
mod act;
mod fork;
mod calm;
mod play;
mod fields;
mod corruption;
mod hostile;

pub use calm::finished;
pub use child::CHILD;
pub use corruption::{Corruption, FoundBy};
pub use draft::{workflows, workflows_of};
pub use history::{History, Turn};
pub use hostile::{HostileLog, hostile_logs};
pub use kind::OWN_QUEUES;
pub use play::{begun, facts, histories};
pub use shape::Shape;
pub use workflow::Workflow;
