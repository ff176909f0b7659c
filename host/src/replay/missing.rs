//! What another log names of a log, and is not there: a log can have been exported before its
//! execution went on. What is there can be compared (law 11); what is missing is named.

use serde::{Deserialize, Serialize};

use super::source::{Claimed, Recording};

/// Events that a log at hand does not have, and another log names. Nothing is wrong with the
/// log for that, but what they say was not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Missing {
    /// The execution whose log ends before them.
    pub execution_id: String,
    /// The first of them.
    pub from: u64,
    /// The last one that the other log names.
    pub to: u64,
}

impl Missing {
    pub(super) fn new(execution_id: String, ends: u64, to: u64) -> Self {
        Self {
            execution_id,
            from: ends + 1,
            to,
        }
    }

    /// What is missing, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self {
            execution_id,
            from,
            to,
        } = self;
        let events = match from == to {
            true => format!("event {from} of {execution_id} is missing"),
            false => format!("events {from} to {to} of {execution_id} are missing"),
        };
        format!("{events}: its log ends with event {}", from - 1)
    }
}

/// The last event of a log of an execution that has not ended there. `None` if it has: then
/// nothing can be missing behind it.
pub(super) fn open_at(recording: &Recording) -> Option<u64> {
    let (event, head) = recording.plain().next_back()?;
    (!event.kind.is_terminal()).then_some(head.sequence)
}

/// Whether a log stands in a store. Two that do are read at one moment, so that what one names
/// of the other is there, or was lost.
pub(super) fn is_stored(recording: &Recording) -> bool {
    matches!(recording.claimed, Claimed::Store { .. })
}
