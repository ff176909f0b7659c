//! Replay: the same component bytes over the same log give the same decisions.
//!
//! An [`Auditor`] walks a [`Recording`] and asks the guest for every decision
//! again. Nothing here ever writes, neither to a store nor to a queue.
//!
//! The modules, from the bottom up; each may use those above it in this list.

// What a log says of each node, without its guest.
pub mod nodes;
// What was found: where two values differ, and the rule behind a decision.
mod difference;
mod rule;
mod divergence;
// The events of a log, and the faults of their bytes.
mod kept_events;
// A log from a store or from an export.
mod source;
// What another log names of a log, and is not there.
mod missing;
// What an audit answers.
mod verdict;
// What needs no guest: sequence, chain, time, endings.
mod integrity;
// Where the time of an execution went.
pub mod timeline;
// Two logs, side by side.
pub mod comparison;
// The status that a log gives its execution, without its guest.
mod status;
// A log as a store has it.
mod log_store;
// What a store says about a log, as it is compared.
mod recorded;
// What is left of an erased log, compared with what the store says of it.
mod erased;
// Who vouches for what is attested of one.
mod signature;
// The documents in which heads are noted elsewhere, and what they say of a log.
mod anchor_file;
mod anchor;
// What a child's log says that its parent's has to agree with.
mod child_log;
// What a parent's log, and its guest, say of its children.
mod family;
// Whether a child is the one that its parent asked for.
mod parent_link;
// What one log alone says of its parent and its children.
mod child_links;
// What a store claims of children besides the logs.
mod child_claims;
// The log answers instead of the world.
mod ports;
// A guest behind those ports.
mod player;
// A log in little memory.
mod packed_log;
// A cursor over a log, and where values come from.
mod travel;
// Instances that go from log to log.
mod guests;
// What the log says of the work items.
mod queue;
// What a store claims of an execution besides its log.
mod store_claims;
// The guest at a place of the log, and what it answers there.
mod asked_guest;
// Every decision again.
mod walk;
// How far audits have come.
mod headway;
// Whether a fork is one of the log that it names.
mod link;
// Each parent, read and replayed once for all its children.
mod families;
// Another beginning for a log, and logs that have it.
mod change;
mod changed;
// Audits in which nothing was found yet.
mod blank;
// Many things on several threads.
mod threads;
// What exported logs need of each other.
mod together;
// The door.
mod audit;
// The same question about many logs.
mod what_if;
// Where two guests part.
mod bisect;
// The smallest log that still diverges.
mod minimize;
// The beginning of a log, as that of another one.
mod beginning;

pub use anchor::Anchors;
pub use anchor_file::AnchorError;
pub use audit::Auditor;
pub use beginning::{Unfit, check_log, replay_beginning};
pub use bisect::{Bisected, Parting, bisect_many};
pub use change::Change;
pub(crate) use change::is_in_place;
pub use difference::{Difference, differences};
pub use divergence::{Advice, Compared, Divergence, DivergenceCode, node_of};
pub use guests::fetch_guest;
pub use headway::Headway;
pub use kept_events::{BrokenLink, Unreadable, UnreadableCause};
pub(crate) use link::are_of_one_time;
pub use log_store::LogStore;
pub use minimize::{MinimizeError, Minimized, Progress, Size, Written, minimize};
pub use missing::Missing;
pub use packed_log::PackedLog;
pub use player::Player;
pub use rule::Rule;
pub use source::{Claimed, Kept, Reading, Recording, from_export, from_look, from_store};
pub use status::{Standing, status_of};
pub use threads::{TakeNext, in_threads, threads_for};
pub use together::Together;
pub use travel::{
    Assumption, Conditions, NeededAct, NeededFact, Needs, NextStep, Origins, Prospect, Prospects,
    Seek, StateOrigin, Travel, TravelError, is_failure, may_change_state,
};
pub use verdict::{AnchorCheck, Audit, AuditError, Link, LinkState, SignatureCheck, Verdict};
pub use what_if::{Outcome, Summary, audit_many};
