//! What a log says of one node, for people.

use refrain::model::{NodeState, WorkflowName, instance_of, undone_by};
use refrain::store::Timestamp;
use serde_json::Value;

use super::text::Text;

/// What the log says of one node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) state: NodeState,
    /// How often that attempt was given back.
    pub(super) releases: u32,
    /// The last attempt ordered; 0: the guest settles the node itself.
    pub(super) attempts: u32,
    /// The queue that its work is for.
    pub(super) queue: Option<String>,
    /// When it was first scheduled, or began to wait.
    pub(super) since: Option<Timestamp>,
    /// When the last attempt was claimed by a worker.
    pub(super) started_at: Option<Timestamp>,
    /// When it was settled.
    pub(super) ended_at: Option<Timestamp>,
    /// How long workers were at it, in attempts that are over.
    worked_ms: u64,
    /// The last error.
    pub(super) error: Option<String>,
    /// Whom or what it waits for.
    pub(super) wait: Option<Wait>,
    /// How many instances it has, if it is a map that was expanded.
    pub(super) instances: Option<u32>,
    /// Whether it has asked for a child.
    pub(super) child: bool,
    /// The workflow of that, where it is named.
    pub(super) workflow: Option<WorkflowName>,
    /// How many iterations have begun, if it has asked for children.
    pub(super) iterations: u32,
    /// When its last child was started.
    pub(super) child_started_at: Option<Timestamp>,
}

/// What a waiting node waits for.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    /// A person's decision.
    Approval {
        question: String,
        until: Option<Timestamp>,
    },
    /// A time, an external event, or whichever comes first.
    Event {
        key: Option<String>,
        until: Option<Timestamp>,
    },
    /// The end of a back-off.
    Delay { until: Timestamp },
}

/// Whether this is the id of an instance of a map, or of what undoes one.
pub(super) fn is_one_of_many(id: &str) -> bool {
    instance_of(undone_by(id).unwrap_or(id)).is_some()
}

/// How wide the names of a workflow's nodes are, those of workflows within it with the way
/// to them. The depth is that of JSON, which is bounded.
pub(super) fn widest(workflow: &Value) -> usize {
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    let widths = nodes.map(|(id, node)| {
        let own = Text::word(id).width();
        match widest(&node["kind"]["body"]) {
            0 => own,
            below => own + 1 + below,
        }
    });
    widths.max().unwrap_or(0)
}

impl Node {
    /// A node that the log does not tell of yet.
    pub(super) fn pending(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: NodeState::Pending,
            releases: 0,
            attempts: 0,
            queue: None,
            since: None,
            started_at: None,
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

    /// The map that it is an instance of.
    pub(super) fn map(&self) -> Option<&str> {
        instance_of(&self.id).map(|(map, _)| map)
    }

    /// What it undoes, if it is a compensation.
    pub(super) fn undoes(&self) -> Option<&str> {
        undone_by(&self.id)
    }

    /// Whether it is an instance of a map, or undoes one: there may be many of them.
    pub(super) fn is_one_of_many(&self) -> bool {
        is_one_of_many(&self.id)
    }

    /// Whether its attempts have failed, and no further one is made unless a person says
    /// so: it has failed for good, or it is what the execution is stalled for.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state, NodeState::Failed | NodeState::Failing)
    }

    /// How long it took from the first order to the end.
    pub(super) fn took_ms(&self) -> Option<u64> {
        Some(self.ended_at?.saturating_sub(self.since?))
    }

    /// How long workers have been at it up to `now`.
    pub(super) fn worked_ms(&self, now: Timestamp) -> u64 {
        self.worked_ms + self.at_work_ms(now)
    }

    /// How long it has been under way up to `now` without a worker: in its queue, before
    /// its next attempt, or for a person, an event or a time.
    pub(super) fn waited_ms(&self, now: Timestamp) -> Option<u64> {
        let all = self.ended_at.unwrap_or(now).saturating_sub(self.since?);
        Some(all.saturating_sub(self.worked_ms(now)))
    }

    /// How long the attempt that is at work has been so.
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
        self.ended_at = None;
        self.wait = None;
    }

    pub(super) fn end(&mut self, state: NodeState, at: Timestamp) {
        self.enter(state, at);
        self.ended_at = Some(at);
    }
}
