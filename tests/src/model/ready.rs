//! What is ready, and what becomes of it (rules R3 to R6, R9, R19).

use refrain_guest::contract::{
    ApprovalDecision, EventKind, InterruptRaised, NodeFailure, NodeScheduled, Rejection,
    SkipReason, TimerCreated,
};
use serde_json::{Value, json};

use super::fill;
use super::next::Question;
use super::record::{Stage, Wait};
use super::times::milliseconds_of;

/// How far ahead a wait may end.
const HUNDRED_YEARS_MS: u64 = 100 * 365 * 24 * 60 * 60 * 1000;

impl Question<'_> {
    pub(super) fn ready(&self) -> Option<EventKind> {
        if self.is_stopping() {
            return None;
        }
        self.nodes().find_map(|(node, record)| match &record.stage {
            Stage::Waiting(_) if self.graph.nodes[node].name() == "map" => self.map_settled(node),
            Stage::Waiting(wait) => self.answered(node, wait),
            _ if self.is_unreached(node) => Some(self.skipped(node, SkipReason::Unreached)),
            _ if !self.is_ready(node) => None,
            _ if self.is_work(node) => self.dispatch(node),
            _ if self.has_child(node) => self.asks_for_child(node),
            _ => Some(self.settled_here(node)),
        })
    }

    pub(super) fn is_work(&self, node: usize) -> bool {
        self.graph.nodes[node].queue().is_some()
    }

    pub(super) fn is_finalizer(&self, node: usize) -> bool {
        self.graph.nodes[node].run_on().is_some()
    }

    /// R3: each incoming edge is settled and one is live. R6, R24: some joins do
    /// not wait for all. R20: retried, a node is ready once more.
    pub(super) fn is_ready(&self, node: usize) -> bool {
        if let Some(map) = self.map_of(node) {
            return self.is_ready_instance(node, map);
        }
        let edges = self.incoming(node);
        let is_start = self.graph.json["start_node"] == self.id(node);
        let live = edges.iter().filter(|live| **live == Some(true)).count();
        let enough = match self.graph.nodes[node].needed() {
            Some(needed) => live >= needed,
            None => live > 0 && !edges.contains(&None),
        };
        matches!(self.past.nodes[node].stage, Stage::Pending)
            && !self.is_finalizer(node)
            && (is_start || enough)
    }

    /// R9: all incoming edges are dead; of a join that waits for some, so many that it
    /// waits in vain (R24).
    fn is_unreached(&self, node: usize) -> bool {
        let edges = self.incoming(node);
        let possible = edges.iter().filter(|live| **live != Some(false)).count();
        let needed = self.graph.nodes[node].needed().unwrap_or(1);
        matches!(self.past.nodes[node].stage, Stage::Pending)
            && self.map_of(node).is_none()
            && !self.is_undo(node)
            && !self.is_finalizer(node)
            && self.graph.json["start_node"] != self.id(node)
            && possible < needed
    }

    /// Whether each incoming edge is live; None: it is not settled.
    pub(super) fn incoming(&self, node: usize) -> Vec<Option<bool>> {
        let edges = self.graph.incoming(node);
        edges.map(|(edge, _)| self.past.live[edge]).collect()
    }

    /// R4: within the limits.
    pub(super) fn dispatch(&self, node: usize) -> Option<EventKind> {
        let limit = self.past.started.limits.max_concurrent_nodes;
        let own = self.graph.limit("max_concurrent_nodes").unwrap_or(limit);
        let in_flight = self
            .nodes()
            .filter(|(_, record)| record.is_in_flight())
            .count();
        if self.is_held()
            || self.budget == 0
            || !self.has_window(node)
            || in_flight >= limit.min(own) as usize
        {
            return None;
        }
        if self.past.nodes[node].attempt > 0 {
            return self.retry(node, 0);
        }
        Some(match self.item(node, 1, self.now) {
            Ok(item_digest) => EventKind::NodeScheduled(NodeScheduled {
                node_id: self.id(node),
                queue: self.queue(node),
                attempt: 1,
                item_digest,
            }),
            Err(cause) => self.exhausted(node, 0, cause),
        })
    }

    /// R6: without a worker.
    fn settled_here(&self, node: usize) -> EventKind {
        let it = &self.graph.nodes[node];
        match it.name() {
            "condition" => {
                let branches = it.branches().unwrap_or_default();
                let holds = |branch: &&Value| {
                    branch["condition"]
                        .as_str()
                        .is_none_or(|text| self.past.holds(text))
                };
                let target = branches
                    .iter()
                    .find(holds)
                    .and_then(|it| it["target"].as_str());
                self.completed(node, "null", "{}", target)
            }
            "limit_exceeded" => {
                let of_node = it.json["description"].as_str();
                let description = of_node.or_else(|| it.text("description"));
                let description = description.map(str::to_owned);
                self.exhausted(node, 0, NodeFailure::LimitExceeded(description))
            }
            "human_approval" => {
                let asked = it.text("description").unwrap_or_default();
                match fill::text_of(self.past, it, asked, false) {
                    Some(reason) => EventKind::InterruptRaised(InterruptRaised {
                        node_id: self.id(node),
                        reason,
                        expires_at: self.graph.ends_at(node, self.now),
                    }),
                    None => self.unresolved(node, "/kind/description"),
                }
            }
            "map" => self.expanded(node),
            "wait" => {
                let key = fill::key(self.graph, self.past, node);
                if key.is_none() && self.graph.waits_for_event(node) {
                    return self.unresolved(node, "/kind/correlation_key");
                }
                if let Some(served) = self.served(node) {
                    return served;
                }
                let told = it.text("until").filter(|text| text.contains("${"));
                let fire_at = match told {
                    None => self.graph.ends_at(node, self.now),
                    Some(text) => match fill::text_of(self.past, it, text, false)
                        .as_deref()
                        .and_then(milliseconds_of)
                    {
                        Some(time) => Some(time),
                        None => return self.unresolved(node, "/kind/until"),
                    },
                };
                let is_far = |time: u64| time > self.now + HUNDRED_YEARS_MS;
                if it.text("until").is_some() && fire_at.is_some_and(is_far) {
                    let cause = NodeFailure::TooLarge("/kind/until".to_owned());
                    return self.exhausted(node, 0, cause);
                }
                EventKind::TimerCreated(TimerCreated {
                    node_id: self.id(node),
                    fire_at,
                    correlation_key: key,
                })
            }
            _ => self.completed(node, "null", "{}", None),
        }
    }

    /// R29: it cannot begin.
    fn unresolved(&self, node: usize, pointer: &str) -> EventKind {
        let cause = NodeFailure::UnresolvedExpression(pointer.to_owned());
        self.exhausted(node, 0, cause)
    }

    /// R19: what a waiting node waits for has come.
    fn answered(&self, node: usize, wait: &Wait) -> Option<EventKind> {
        if wait.fired {
            return Some(self.completed(node, "null", "{}", None));
        }
        let Some(approval) = &wait.approval else {
            return self.served(node);
        };
        let user = &approval.user_id;
        Some(match (approval.decision, &approval.comment) {
            (ApprovalDecision::Approved, comment) => {
                let comment = comment.as_ref().map(|it| json!(it).to_string());
                let comment = comment.as_deref().unwrap_or("null");
                let user = json!(user);
                let output =
                    format!(r#"{{"decision":"approved","user_id":{user},"comment":{comment}}}"#);
                let patch = approval.state_patch.as_deref().unwrap_or("{}");
                self.completed(node, &output, patch, None)
            }
            (ApprovalDecision::Rejected, comment) => {
                let rejection = Rejection {
                    user_id: user.clone(),
                    comment: comment.clone(),
                };
                self.exhausted(node, 0, NodeFailure::Rejected(rejection))
            }
        })
    }

    /// R19: the external event that a wait consumes is its output, and its
    /// patch if it is an object.
    fn served(&self, node: usize) -> Option<EventKind> {
        let payload = &self.past.signals[self.past.serving(self.graph, node)?].payload;
        let patch = match payload.trim_start().starts_with('{') {
            true => payload.clone(),
            false => format!("{{{}:{payload}}}", json!(self.id(node))),
        };
        Some(self.completed(node, payload, &patch, None))
    }
}
