//! The store: durable data behind a small trait with a written contract.
//!
//! # The contract
//!
//! There are two sides. A [`Reader`] asks, and there may be many of them, on any
//! thread. A [`Store`] is a reader that also owns the write side, and works in
//! *turns*: [`Store::begin`] takes the write lock and shows the newest state,
//! any number of reads follow, and [`Store::commit`] writes one [`Turn`] and
//! makes it durable, all of it or nothing. Outside of a turn each answer is of some
//! committed state, and never of one before an earlier answer's, or before a turn
//! whose commit has returned. Several questions about one moment are a *look*
//! ([`at_one_moment`]).
//!
//! * **Gapless.** A change presents the head that it builds on; if the
//!   execution's head is another, the whole turn is refused as a conflict and
//!   nothing is written. The refusal names all executions of the turn that conflict,
//!   so that a turn without them can be written.
//!   Appended events must follow on without a gap.
//! * **Atomic.** Events, items, the execution's record, workflows, components
//!   and snapshots of one turn are written together.
//! * **Durable.** When `commit` has returned `Ok`, the turn survives a crash.
//! * **Known outcome.** [`CommitError::Failed`] means that nothing was
//!   written; [`CommitError::Unknown`] means that nobody can know whether it was:
//!   the owner reopens the store and compares heads.
//! * **Immutable.** A workflow's text and a component's bytes never change
//!   under their name. Neither does what an execution was started with.
//! * **One kind of time.** A store keeps executions of real time or simulated ones, and
//!   says which ([`Reader::is_simulated`]); an execution of the other kind is refused as a
//!   contradiction.
//! * **Tenants.** Workflows go by tenant, id and version, queues by tenant and name, labels
//!   by tenant, name and value.
//!   Whose key has started what is in the ids of executions
//!   ([`ExecutionId::of_key`](crate::ExecutionId::of_key)), and asked for by them.
//! * **Derived.** An execution's labels are those that its event 1 names, from the turn on
//!   that begins it.
//! * **Children.** What is owed between an execution and its child is kept with the child,
//!   and changes in the turn that orders it or carries it out ([`ChildRecord`]).
//! * **Output is bounded.** What programs have written is kept in order, and counts
//!   with its pieces' costs: what is more than the bound drops the oldest, of that
//!   execution alone. Output of an execution that is not there, or erased, is a conflict.
//! * **Never silently ignored.** A change of a work item that is not there,
//!   or a second item for a node that has one, is a conflict.
//! * **Consistent.** A turn that contradicts itself (a gap, a hash that does
//!   not chain, an item of another execution) is refused and never stored:
//!   see [`check`].
//! * **One damaged row does not stop the others.** A question about many is
//!   answered with those that can be read, and names those that cannot
//!   ([`Many`]); what cannot be read never counts towards a bound. A question
//!   about one that cannot be read is [`StoreError::Corrupt`]; a turn that
//!   cannot be written because of one execution's damage is
//!   [`CommitError::Damaged`], and says which.
//! * **Set aside.** An execution whose record says [`Tampering`] keeps its
//!   items and its wake, and no question of an engine that looks for work finds them.
//! * **Erased for good.** After an [`Erasure`] no question is answered with what was
//!   erased: the log as it is read ([`Reader::raw_events`]) has plain fields and
//!   commitments, [`Reader::events`] says [`StoreError::Erased`], key, labels, output,
//!   work items and snapshot are gone. Nothing is appended any more. After [`Store::purge`] the storage
//!   itself holds none of it, as far as the storage is the store's to write.
//! * **Quick.** The cost of a question about time or queues grows with its answer,
//!   not with what is stored.
//!
//! The module [`laws`] holds this contract as tests, for every implementation.
//! `SqliteStore` is there with the Cargo feature `sqlite`.

mod status;
mod raw_event;
mod error;
mod damage;
mod record;
mod labels;
mod child;
mod output;
mod turn;
pub mod check;
mod reader;
mod contract;
mod stall;
mod delegate;
#[macro_use]
pub mod laws;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use child::ChildEnd;
pub use child::{ChildChange, ChildRecord, ChildState};
pub use contract::Store;
pub use damage::{Damaged, Many, Tampering};
pub use error::{CommitError, StoreError};
pub use labels::LabelFilter;
pub(crate) use labels::as_kept as labels_as_kept;
pub use memory::MemoryStore;
pub use output::{KeptOutput, OutputChange, OutputPiece, OutputStream};
pub use raw_event::{DecodeError, RawEvent};
pub use reader::{ListFilter, Reader, SeenUpTo, at_one_moment};
pub use record::{DueWake, ExecutionRecord, ItemRecord, ItemState, Lease};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteOptions, SqliteStore};
pub use stall::is_stalled_by_host;
pub use status::ended;
pub use turn::{
    ClockReading, ComponentRecord, Erasure, ExecutionChange, ItemChange, Turn, WorkflowRecord,
};

pub use crate::log::{Attestation, ChainedEvent, Hash, Head, Salt, StoredEvent, Timestamp};
