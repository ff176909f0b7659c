//! Logs that no guest and no honest host wrote: a legal one with one fault.

use alloc::vec::Vec;
use core::fmt;

use proptest::prelude::*;

use super::corruption::{Corruption, FoundBy};
use super::draft::workflows;
use super::history::History;
use super::play::histories;
use super::workflow::Workflow;
use crate::contract::Event;

/// A log with one fault.
#[derive(Clone)]
pub struct HostileLog {
    history: History,
    corruption: Corruption,
    log: Vec<Event>,
    found_at: u64,
}

/// Logs with one fault each, of every sort.
pub fn hostile_logs() -> impl Strategy<Value = HostileLog> {
    let corruption = prop::sample::select(&Corruption::ALL[..]);
    (histories(workflows()), corruption, any::<u16>()).prop_map(|(history, corruption, pick)| {
        HostileLog::of(history, corruption, usize::from(pick))
    })
}

impl HostileLog {
    /// A history's log with this fault; where it cannot have that one, with
    /// the next it can have.
    fn of(history: History, wanted: Corruption, pick: usize) -> Self {
        let all = Corruption::ALL;
        let first = all.iter().position(|it| *it == wanted).unwrap_or_default();
        let (corruption, (log, found_at)) = (0..all.len())
            .map(|step| all[(first + step) % all.len()])
            .find_map(|corruption| Some((corruption, corruption.of(history.log(), pick)?)))
            .expect("event 1 can always be corrupted");
        Self {
            history,
            corruption,
            log,
            found_at,
        }
    }

    /// The workflow.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        self.history.workflow()
    }

    /// The history before it was corrupted.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The log, corrupted.
    #[must_use]
    pub fn log(&self) -> &[Event] {
        &self.log
    }

    /// What was done to it.
    #[must_use]
    pub fn corruption(&self) -> Corruption {
        self.corruption
    }

    /// The sequence that the error must name. Of an event that was removed or
    /// moved, it is the one that the event in its place says to have.
    #[must_use]
    pub fn found_at(&self) -> u64 {
        self.found_at
    }

    /// Who must find it.
    #[must_use]
    pub fn found_by(&self) -> FoundBy {
        self.corruption.found_by()
    }
}

/// The history's table, and as a remark what was done to its log.
impl fmt::Display for HostileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.history.fmt(f)?;
        writeln!(
            f,
            "# then {}, to be found at sequence {} by {}",
            self.corruption,
            self.found_at,
            match self.found_by() {
                FoundBy::Reading => "every reader",
                FoundBy::Replaying => "who replays",
            }
        )
    }
}

/// The same, so that what proptest prints can be read.
impl fmt::Debug for HostileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}
