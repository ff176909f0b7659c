//! Replay: the same component bytes over the same log give the same decisions.
//!
//! An [`Auditor`] walks a [`Recording`] and asks the guest for every decision
//! again. Nothing here ever writes, neither to a store nor to a queue.
//!
//! The modules, from the bottom up: `divergence` (what was found, as JSON),
//! `verdict` (what an audit answers), `source` (a log from a store or from an
//! export), `integrity` (what needs no guest: sequence, chain, time, endings),
//! `anchor` (heads that were noted elsewhere), `ports` (the log answers instead of the world), `player` (a guest behind
//! those ports), `guests` (instances that go from log to log), `queue` (what the log says of the work items), `walk` (every
//! decision again), `audit` (the door).

mod anchor;
mod audit;
mod divergence;
mod guests;
mod integrity;
mod player;
mod ports;
mod queue;
mod source;
mod verdict;
mod walk;

pub use anchor::{AnchorError, Anchors};
pub use audit::{Auditor, fetch_guest};
pub use divergence::{Difference, Divergence};
pub use player::Player;
pub use source::{BrokenLink, Claimed, Reading, Recording, Unreadable, from_export, from_store};
pub use verdict::{Audit, AuditError, Verdict};
