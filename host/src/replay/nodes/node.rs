//! What a log says of one node.

use crate::model::{NodeState, WorkflowName, instance_of, undone_by};
use crate::store::Timestamp;

/// What a log says of one node, instance or compensation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its state after the last event that was applied.
    pub state: NodeState,
    /// How often the last attempt was given back.
    pub releases: u32,
    /// The last attempt that was ordered. 0 if the guest settles the node itself.
    pub attempts: u32,
    /// The queue that its work is for. `None` if none was ordered.
    pub queue: Option<String>,
    /// When it was first scheduled, or began to wait. `None` before that.
    pub since: Option<Timestamp>,
    /// When it came into its state. `None` before it was first scheduled, or began to wait.
    pub in_state_since: Option<Timestamp>,
    /// When the last attempt was claimed by a worker. `None` if none was.
    pub started_at: Option<Timestamp>,
    /// Who is at work on it. `None` if nobody is.
    pub worker_id: Option<String>,
    /// When it was settled. `None` if it is not.
    pub ended_at: Option<Timestamp>,
    /// Milliseconds that workers were at it, in attempts that are over.
    worked_ms: u64,
    /// The last error, as a sentence. `None` if there was none, or it ended well.
    pub error: Option<String>,
    /// Whom or what it waits for. `None` if for nothing but workers, instances or a child.
    pub wait: Option<Wait>,
    /// The number of its instances. `None` if it is no map that was expanded.
    pub instances: Option<u32>,
    /// Whether it has asked for a child.
    pub child: bool,
    /// The workflow of that. `None` if it is not named.
    pub workflow: Option<WorkflowName>,
    /// The number of iterations that have begun, if it has asked for children.
    pub iterations: u32,
    /// When its last child was started. `None` if none was.
    pub child_started_at: Option<Timestamp>,
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A person's decision.
    Approval {
        /// What the person is asked.
        question: String,
        /// When the wait ends without an answer. `None` if it does not.
        until: Option<Timestamp>,
    },
    /// A time, an external event, or whichever comes first.
    Event {
        /// The event's correlation key. `None` if only a time is waited for.
        key: Option<String>,
        /// The time. `None` if only an event is waited for.
        until: Option<Timestamp>,
    },
    /// The end of a back-off.
    Delay {
        /// When the next attempt may begin.
        until: Timestamp,
    },
}

impl Wait {
    /// When it ends by itself. `None` if it does not.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Approval { until, .. } | Self::Event { until, .. } => *until,
            Self::Delay { until } => Some(*until),
        }
    }
}

/// Whether this is the id of an instance of a map, or of what undoes one.
#[must_use]
pub fn is_one_of_many(id: &str) -> bool {
    instance_of(undone_by(id).unwrap_or(id)).is_some()
}

impl Node {
    /// A node that the log does not tell of yet.
    #[must_use]
    pub fn pending(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: NodeState::Pending,
            releases: 0,
            attempts: 0,
            queue: None,
            since: None,
            in_state_since: None,
            started_at: None,
            worker_id: None,
            ended_at: None,
            worked_ms: 0,
            error: None,
            wait: None,
            instances: None,
            child: false,
            workflow: None,
            iterations: 0,
            child_started_at: None,
        }
    }

    /// The map that it is an instance of. `None` if it is none.
    #[must_use]
    pub fn map(&self) -> Option<&str> {
        instance_of(&self.id).map(|(map, _)| map)
    }

    /// The node or instance that it undoes. `None` if it is no compensation.
    #[must_use]
    pub fn undoes(&self) -> Option<&str> {
        undone_by(&self.id)
    }

    /// Whether it is an instance of a map, or undoes one: there may be many of them.
    #[must_use]
    pub fn is_one_of_many(&self) -> bool {
        is_one_of_many(&self.id)
    }

    /// Whether its attempts have failed, and no further one is made unless a person says
    /// so: it has failed for good, or it is what the execution is stalled for.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.state, NodeState::Failed | NodeState::Failing)
    }

    /// Milliseconds from the first order to the end. `None` if it has not ended.
    #[must_use]
    pub fn took_ms(&self) -> Option<u64> {
        Some(self.ended_at?.saturating_sub(self.since?))
    }

    /// Milliseconds that workers have been at it up to `now`.
    #[must_use]
    pub fn worked_ms(&self, now: Timestamp) -> u64 {
        self.worked_ms + self.at_work_ms(now)
    }

    /// Milliseconds that it has been under way up to `now` without a worker: in its queue,
    /// before its next attempt, or for a person, an event or a time. `None` if it has not
    /// begun, or is a map: workers are at its instances meanwhile.
    #[must_use]
    pub fn waited_ms(&self, now: Timestamp) -> Option<u64> {
        if self.instances.is_some() {
            return None;
        }
        let all = self.ended_at.unwrap_or(now).saturating_sub(self.since?);
        Some(all.saturating_sub(self.worked_ms(now)))
    }

    /// Milliseconds that the present attempt has been at work.
    fn at_work_ms(&self, now: Timestamp) -> u64 {
        match (self.state, self.started_at) {
            (NodeState::Running, Some(at)) => now.saturating_sub(at),
            _ => 0,
        }
    }

    pub(super) fn enter(&mut self, state: NodeState, at: Timestamp) {
        self.worked_ms += self.at_work_ms(at);
        self.state = state;
        self.since.get_or_insert(at);
        self.in_state_since = Some(at);
        self.ended_at = None;
        self.worker_id = None;
        self.wait = None;
    }

    pub(super) fn end(&mut self, state: NodeState, at: Timestamp) {
        self.enter(state, at);
        self.ended_at = Some(at);
    }
}
