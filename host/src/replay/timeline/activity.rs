//! What a node's time is spent on.

use crate::model::NodeState;
use crate::replay::nodes::{Node, Wait};
use crate::store::Timestamp;

/// What a node's time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Activity {
    /// A worker is at it.
    Work,
    /// Its work item waits for a worker.
    Queue,
    /// The delay before a further attempt.
    BackOff,
    /// It waits for a person's decision.
    Person,
    /// It waits for an external event.
    Event,
    /// It waits for a time.
    Time,
    /// Its child is under way.
    Child,
    /// Its instances are under way.
    Instances,
    /// An attempt has failed, or it could run, and what follows is not decided: the execution
    /// is stalled or paused.
    Held,
}

/// A part of a node's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is behind its beginning.
    pub until: Timestamp,
    /// What the time was spent on.
    pub activity: Activity,
}

impl Activity {
    /// The activity in a word, as it is written in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Queue => "queue",
            Self::BackOff => "back_off",
            Self::Person => "person",
            Self::Event => "event",
            Self::Time => "time",
            Self::Child => "child",
            Self::Instances => "instances",
            Self::Held => "held",
        }
    }

    /// What a node is at. `None` if it has not begun, or is settled.
    pub(super) fn of(node: &Node) -> Option<Self> {
        match node.state {
            NodeState::Running => Some(Self::Work),
            NodeState::Scheduled => Some(Self::Queue),
            NodeState::BackingOff => Some(Self::BackOff),
            NodeState::Failing | NodeState::Ready => Some(Self::Held),
            NodeState::Waiting => Some(match &node.wait {
                Some(Wait::Approval { .. }) => Self::Person,
                Some(Wait::Event { key: Some(_), .. }) => Self::Event,
                Some(Wait::Event { key: None, .. } | Wait::Delay { .. }) => Self::Time,
                None if node.instances.is_some() => Self::Instances,
                None => Self::Child,
            }),
            NodeState::Pending
            | NodeState::Completed
            | NodeState::Failed
            | NodeState::Skipped
            | NodeState::Cancelled => None,
        }
    }
}
