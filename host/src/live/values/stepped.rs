//! What one step of a paused execution came to.

use crate::model::{Event, EventKind};

/// What one step of a paused execution came to.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stepped {
    /// All that was appended, from `execution_unpaused` to `execution_paused`; an execution
    /// that ended by it, or that its host stalled, need not be paused. Empty if nothing
    /// would have followed: then nothing was appended.
    pub events: Vec<Event>,
}

impl Stepped {
    /// The nodes whose work was claimed by the step, in the order of the claims.
    pub fn claimed(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match &event.kind {
            EventKind::NodeStarted(it) => Some(it.node_id.as_str()),
            _ => None,
        })
    }
}
