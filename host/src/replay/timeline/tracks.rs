//! The time of each node, as the events of its log tell it.

use std::collections::HashMap;

use serde_json::Value;

use super::activity::{Activity, Span};
use crate::model::{Event, EventKind, NodeState, instance_of};
use crate::replay::divergence::node_of;
use crate::replay::nodes::{Node, Nodes, Wait};
use crate::store::Timestamp;

/// The time of one node, instance or compensation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Track {
    /// Its id.
    pub id: String,
    /// Its state at the end.
    pub state: NodeState,
    /// What its time was spent on, in order. Moments without a length are left out.
    pub spans: Vec<Span>,
    /// When it was first scheduled, or began to wait. `None` if it was settled without that.
    pub since: Option<Timestamp>,
    /// When it was settled. `None` if it is not.
    pub ended_at: Option<Timestamp>,
    /// The event with which it began.
    pub(super) begun_by: u64,
    /// The event with which it was settled.
    pub(super) ended_by: u64,
    /// Whether it has instances.
    pub(super) is_map: bool,
    /// What it is at, since when, and until when at most.
    at: Option<(Activity, Timestamp, Option<Timestamp>)>,
}

/// All of them, in the order in which the log first names them.
#[derive(Default)]
pub(super) struct Tracks {
    pub(super) tracks: Vec<Track>,
    pub(super) by_id: HashMap<String, usize>,
    nodes: Nodes,
}

impl Tracks {
    /// The time of the nodes of these events, in an execution of this workflow, up to `until`.
    pub(super) fn of<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        workflow: &Value,
        until: Timestamp,
    ) -> Self {
        let mut tracks = Self::default();
        for event in events {
            tracks.apply(event, workflow);
        }
        for track in &mut tracks.tracks {
            track.close(until);
        }
        tracks
    }

    fn apply(&mut self, event: &Event, workflow: &Value) {
        self.nodes.apply(event);
        match &event.kind {
            // What was under way begins anew.
            EventKind::ExecutionForked(_) => {
                for track in &mut self.tracks {
                    if let Some(node) = self.nodes.named(&track.id) {
                        track.take(node, event);
                    }
                }
            }
            EventKind::ChildStarted(it) if is_detached(&it.node_id, workflow) => {
                if let Some(place) = self.by_id.get(&it.node_id) {
                    self.tracks[*place].complete(event);
                }
            }
            kind => {
                if let Some(node) = node_of(kind).and_then(|id| self.nodes.named(id)) {
                    let place = *self.by_id.entry(node.id.clone()).or_insert_with(|| {
                        self.tracks.push(Track::new(&node.id));
                        self.tracks.len() - 1
                    });
                    self.tracks[place].take(node, event);
                }
            }
        }
    }
}

/// Whether nobody waits for the end of the children of this node or instance.
fn is_detached(id: &str, workflow: &Value) -> bool {
    let kind = match instance_of(id) {
        Some((map, _)) => &workflow["nodes"][map]["kind"]["body"],
        None => &workflow["nodes"][id]["kind"],
    };
    kind["detached"] == true
}

impl Track {
    /// Whether anything was done about it: it was neither skipped, nor cancelled before it
    /// began.
    #[must_use]
    pub fn has_run(&self) -> bool {
        let is_left_out = matches!(self.state, NodeState::Skipped | NodeState::Cancelled);
        self.since.is_some() || self.ended_at.is_some() && !is_left_out
    }

    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: NodeState::Pending,
            spans: Vec::new(),
            since: None,
            ended_at: None,
            begun_by: 0,
            ended_by: 0,
            is_map: false,
            at: None,
        }
    }

    /// Takes what an event has made of the node.
    fn take(&mut self, node: &Node, event: &Event) {
        let activity = Activity::of(node);
        if self.state == node.state && self.at.map(|(activity, ..)| activity) == activity {
            return;
        }
        self.close(event.at);
        self.state = node.state;
        self.is_map = node.instances.is_some();
        match activity {
            Some(activity) => {
                if self.since.is_none() {
                    self.since = Some(event.at);
                    self.begun_by = event.sequence;
                }
                self.ended_at = None;
                let until = match &node.wait {
                    Some(Wait::Delay { until }) => Some(*until),
                    _ => None,
                };
                self.at = Some((activity, event.at, until));
            }
            None => self.end(event),
        }
    }

    /// Its child was started, and nobody waits for its end.
    fn complete(&mut self, event: &Event) {
        self.close(event.at);
        self.state = NodeState::Completed;
        self.end(event);
    }

    fn end(&mut self, event: &Event) {
        self.ended_at = Some(event.at);
        self.ended_by = event.sequence;
    }

    /// What it was at is over.
    fn close(&mut self, at: Timestamp) {
        let Some((activity, from, until)) = self.at.take() else {
            return;
        };
        // Behind its delay, a further attempt waits for a worker.
        let middle = until.unwrap_or(at).min(at);
        self.push(from, middle, activity);
        self.push(middle, at, Activity::Queue);
    }

    fn push(&mut self, from: Timestamp, until: Timestamp, activity: Activity) {
        if from < until {
            self.spans.push(Span {
                from,
                until,
                activity,
            });
        }
    }
}
