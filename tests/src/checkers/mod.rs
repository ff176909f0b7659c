//! The laws as checks, for any store and any host: one function a law.
//!
//! A checker looks at evidence, what a store holds and what callers were told,
//! and says what in it breaks its law. It knows nothing of the host that made
//! it so: what can be judged from the log is judged here by plain code of its
//! own, and only for decisions are the guests asked that the logs name.
//!
//! ```text
//! Told        what callers, workers and operators were told, in order
//! Evidence    that, and everything that the store says at one moment
//! checkers    law 1 … 11, and what follows from them all together
//! ```
//!
//! A simulation gathers evidence after every few turns and calls
//! [`at_any_moment`], and [`at_the_end`] when it is over: the former runs no
//! more than one step for each execution, the latter audits. Between two
//! turns both must find nothing, faults of the world or not.

mod account;
mod atomic;
mod children;
mod chained;
mod counted;
mod deadlines;
mod derived;
mod ended;
mod fenced;
mod fold;
mod gapless;
mod guest_for_life;
mod in_time;
mod kept;
mod linked;
mod loud;
mod queue;
mod snapshot;
mod starving;
mod status;
mod ties;
mod told;
mod waiting;

use std::fmt;

use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::model::EventKind;
use refrain::store::{Reader, StoreError};

pub use account::Account;
pub use atomic::law3_atomic;
pub use chained::law4_chained;
pub use children::{law3_orders_are_carried_out, law11_children_are_linked};
pub use counted::each_result_counts_once;
pub use deadlines::Deadlines;
pub use derived::{audit_is_clean, law2_derived};
pub use ended::law6_ended_is_ended;
pub use fenced::law7_fenced;
pub use fold::{Fold, Item, Node, Place};
pub use gapless::law1_gapless;
pub use guest_for_life::law10_guest_for_life;
pub use in_time::law5_in_time;
pub use kept::law8_nothing_lost;
pub use linked::law11_linked;
pub use loud::law9_loud;
pub use queue::queue_is_what_the_log_says;
pub use snapshot::snapshots_are_what_the_log_says;
pub use starving::nobody_starves;
pub use status::status_is_what_the_log_says;
pub use told::{Offer, Receipt, Telling, Told, TurnSeen};
pub use waiting::{Rest, nothing_waits, nothing_waits_now};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// Law 1.
    Gapless,
    /// Law 2.
    Derived,
    /// Law 3.
    Atomic,
    /// Law 4.
    Chained,
    /// Law 5.
    InTime,
    /// Law 6.
    EndedIsEnded,
    /// Law 7.
    Fenced,
    /// Law 8.
    NothingLost,
    /// Law 9.
    Loud,
    /// Law 10.
    GuestForLife,
    /// Law 11.
    Linked,
    /// Laws 7 and 8 together: each result counts exactly once.
    CountedOnce,
    /// Laws 3 and 4 together: the queue is what the log says is in flight.
    Queue,
    /// Law 3: status and next wake are the fold of the log.
    Status,
    /// Law 10: a snapshot is what the log says up to its event.
    Snapshots,
    /// Nothing that could go on waits next to a host that rests.
    NothingWaits,
    /// Who waits for longer is served first.
    NobodyStarves,
    /// The product's own audit has nothing to say.
    Audit,
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Gapless,
        Self::Derived,
        Self::Atomic,
        Self::Chained,
        Self::InTime,
        Self::EndedIsEnded,
        Self::Fenced,
        Self::NothingLost,
        Self::Loud,
        Self::GuestForLife,
        Self::Linked,
        Self::CountedOnce,
        Self::Queue,
        Self::Status,
        Self::Snapshots,
        Self::NothingWaits,
        Self::NobodyStarves,
        Self::Audit,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gapless => "law 1 (gapless)",
            Self::Derived => "law 2 (derived, and complete)",
            Self::Atomic => "law 3 (atomic)",
            Self::Chained => "law 4 (chained)",
            Self::InTime => "law 5 (time)",
            Self::EndedIsEnded => "law 6 (ended is ended)",
            Self::Fenced => "law 7 (fenced)",
            Self::NothingLost => "law 8 (nothing lost)",
            Self::Loud => "law 9 (loud)",
            Self::GuestForLife => "law 10 (guest for life)",
            Self::Linked => "law 11 (linked)",
            Self::CountedOnce => "each result counts once",
            Self::Queue => "the queue is what the log says",
            Self::Status => "the status is what the log says",
            Self::Snapshots => "snapshots are what the log says",
            Self::NothingWaits => "nothing waits next to a free worker",
            Self::NobodyStarves => "nobody starves",
            Self::Audit => "the audit is clean",
        })
    }
}

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// By which execution; none where it concerns none in particular.
    pub execution: Option<ExecutionId>,
    /// At which event; none where it concerns none in particular.
    pub sequence: Option<u64>,
    /// How, in a sentence.
    pub message: String,
}

impl Violation {
    /// A violation that concerns no execution in particular.
    #[must_use]
    pub fn general(law: Law, message: impl Into<String>) -> Self {
        Self {
            law,
            execution: None,
            sequence: None,
            message: message.into(),
        }
    }

    /// A violation by an execution.
    #[must_use]
    pub fn of(law: Law, execution: ExecutionId, message: impl Into<String>) -> Self {
        Self {
            execution: Some(execution),
            ..Self::general(law, message)
        }
    }

    /// A violation at an event of an execution.
    #[must_use]
    pub fn at(law: Law, execution: ExecutionId, sequence: u64, message: impl Into<String>) -> Self {
        Self {
            sequence: Some(sequence),
            ..Self::of(law, execution, message)
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.law)?;
        if let Some(execution) = self.execution {
            write!(f, ", {execution}")?;
        }
        if let Some(sequence) = self.sequence {
            write!(f, ", event {sequence}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What the laws are judged by: all that a store says at one moment between
/// two turns, and all that was told until then.
pub struct Evidence<'a> {
    /// The store, for what has to be asked of it beyond the accounts.
    pub store: &'a mut dyn Reader,
    /// The guests; those that a log names and that are not in it are fetched
    /// from the store.
    pub library: &'a mut Library,
    /// What was told.
    pub told: &'a Told,
    /// Every execution, as the store has it.
    pub accounts: Vec<Account>,
}

impl<'a> Evidence<'a> {
    /// Read everything. Nobody may be writing meanwhile.
    ///
    /// # Errors
    /// The store cannot be read. That events do not decode is no error, but a
    /// matter of law 4.
    pub fn gather(
        store: &'a mut dyn Reader,
        library: &'a mut Library,
        told: &'a Told,
    ) -> Result<Self, StoreError> {
        let accounts = account::read_all(store, told)?;
        Ok(Self {
            store,
            library,
            told,
            accounts,
        })
    }

    /// The account of an execution, if the store knows it.
    #[must_use]
    pub fn account(&self, id: ExecutionId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.record.id == id)
    }
}

/// One law's check.
pub type Checker = fn(&mut Evidence<'_>) -> Result<(), Violation>;

/// The checks that are cheap: plain code, and one step for each execution that
/// has not ended.
pub const AT_ANY_MOMENT: &[Checker] = &[
    law1_gapless,
    law4_chained,
    law5_in_time,
    law6_ended_is_ended,
    law7_fenced,
    law8_nothing_lost,
    each_result_counts_once,
    queue_is_what_the_log_says,
    status_is_what_the_log_says,
    law9_loud,
    law10_guest_for_life,
    law11_linked,
    law11_children_are_linked,
    law3_atomic,
    law3_orders_are_carried_out,
    nothing_waits,
    nobody_starves,
];

/// The checks that ask the guests about every decision anew.
pub const AT_THE_END: &[Checker] = &[
    law2_derived,
    snapshots_are_what_the_log_says,
    audit_is_clean,
];

/// Everything that the cheap checks find; the first finding of each.
pub fn at_any_moment(evidence: &mut Evidence<'_>) -> Vec<Violation> {
    findings(AT_ANY_MOMENT, evidence)
}

/// Everything that all the checks find; the first finding of each.
pub fn at_the_end(evidence: &mut Evidence<'_>) -> Vec<Violation> {
    let mut found = at_any_moment(evidence);
    found.extend(findings(AT_THE_END, evidence));
    found
}

/// An event's kind, in words for people.
fn in_words(kind: &EventKind) -> String {
    serde_json::to_string(kind).unwrap_or_else(|error| error.to_string())
}

fn findings(checkers: &[Checker], evidence: &mut Evidence<'_>) -> Vec<Violation> {
    checkers
        .iter()
        .filter_map(|check| check(evidence).err())
        .collect()
}
