//! What undoes runs that were completed (rule R27).

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::node_record::NodeRecord;
use crate::contract::NodeState;

/// What undoes a run that was completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UndoRecord {
    /// The sequence of the run's completion: the latest is undone first.
    pub completed: u64,
    /// What the run produced, JSON.
    pub output: Box<str>,
    /// Where the compensation is. Pending until the execution ends otherwise than well.
    pub record: NodeRecord,
}

impl UndoRecord {
    /// What undoes a run that was completed by this event with this output.
    pub(crate) fn new(completed: u64, output: &str, max_attempts: u32) -> Self {
        Self {
            completed,
            output: output.into(),
            record: NodeRecord {
                state: NodeState::Pending,
                ..NodeRecord::fresh(max_attempts)
            },
        }
    }
}
