//! Children, and loops of them (rules R22 and R23).

use refrain_guest::condition::{Expression, Roots};
use refrain_guest::contract::{
    ChildEnded, ChildRequested, ChildStarted, Event, EventKind, NodeFailure, Status, WorkflowName,
};
use refrain_guest::json::check;
use serde_json::{Value, json};

use super::attempt::{Failure, max_attempts, policy};
use super::graph::Graph;
use super::next::Question;
use super::past::Past;
use super::record::Stage;

/// What a state, and a payload, may come to.
const STATE_BYTES: usize = 16 * 1024 * 1024;

impl Question<'_> {
    /// Whether the node starts a child.
    pub(super) fn has_child(&self, node: usize) -> bool {
        self.graph.nodes[node].name() == "subgraph"
    }

    /// R4: held back as an order is, but by no node in flight.
    pub(super) fn asks_for_child(&self, node: usize) -> Option<EventKind> {
        (!self.is_held() && self.budget > 0 && self.has_window(node)).then(|| self.request(node))
    }

    pub(super) fn request(&self, node: usize) -> EventKind {
        let kind = self.graph.nodes[node].kind();
        let text = |field: &str| kind[field].as_str().map(str::to_owned);
        let workflow = text("workflow_id").zip(text("version"));
        EventKind::ChildRequested(ChildRequested {
            node_id: self.id(node),
            attempt: self.past.nodes[node].attempt + 1,
            iteration: self.past.nodes[node].iteration,
            workflow: workflow.map(|(workflow_id, version)| WorkflowName {
                workflow_id,
                version,
            }),
        })
    }
}

impl Past {
    /// Whether the event is of a child.
    pub(super) fn observe_child(&mut self, graph: &Graph, event: &Event) -> bool {
        match &event.kind {
            EventKind::ChildRequested(it) => {
                let node = graph.place(&it.node_id);
                self.stop(node, Stage::Child { since: event.at });
                self.nodes[node].attempt = it.attempt;
            }
            EventKind::ChildStarted(ChildStarted { node_id, .. }) => {
                let node = graph.place(node_id);
                if graph.nodes[node].kind()["detached"] == true {
                    self.end_child(graph, node, "null", &json!({}));
                }
            }
            EventKind::ChildRefused(it) => {
                let node = graph.place(&it.node_id);
                self.lose(graph, node, NodeFailure::ChildRefused(it.code), false);
            }
            EventKind::ChildEnded(it) => self.child_ended(graph, it),
            _ => return false,
        }
        true
    }

    fn child_ended(&mut self, graph: &Graph, it: &ChildEnded) {
        let node = graph.place(&it.node_id);
        match it.status {
            Status::Completed => {}
            Status::Failed => {
                let cause = NodeFailure::ChildFailed(it.error.clone());
                return self.lose(graph, node, cause, true);
            }
            _ => return self.lose(graph, node, NodeFailure::ChildCancelled, false),
        }
        let output = it.output.as_deref().expect("it completed");
        let repeat = &graph.nodes[node].kind()["repeat"];
        let goes_on = repeat.is_object() && self.goes_on(graph, node, &repeat["while"], output);
        if !goes_on {
            return self.give(graph, node, output);
        }
        let max = repeat["max"].as_u64().expect("a bound");
        if u64::from(self.nodes[node].iteration) + 1 < max {
            let attempts = max_attempts(&policy(graph, node));
            let record = &mut self.nodes[node];
            record.stage = Stage::Pending;
            record.iteration += 1;
            record.attempt = 0;
            record.max_attempts = attempts;
        } else if repeat["on_max"] == "complete" {
            self.give(graph, node, output);
        } else {
            let max = u32::try_from(max).expect("a number of iterations");
            self.lose(graph, node, NodeFailure::RepeatLimit(max), false);
        }
    }

    fn goes_on(&self, graph: &Graph, node: usize, condition: &Value, last: &str) -> bool {
        let it = &graph.nodes[node];
        if it
            .instance
            .as_ref()
            .is_some_and(|it| !self.is_open_map(it.map))
        {
            return false;
        }
        let text = condition.as_str().expect("an expression");
        let roots = Roots::OF_REPEATED_BODIES;
        let condition = Expression::parse_over(text, roots).expect("it was checked");
        let iteration = self.nodes[node].iteration.to_string();
        self.seen(|scope| {
            let scope = scope.in_node(&it.id).in_iteration(last, &iteration);
            match &it.instance {
                None => condition.is_true(&scope),
                Some(instance) => {
                    let index = instance.index.to_string();
                    condition.is_true(&scope.of_instance(instance.item.trim(), &index))
                }
            }
        })
    }

    fn is_open_map(&self, map: usize) -> bool {
        matches!(self.nodes[map].stage, Stage::Waiting(_))
    }

    /// The state gets what the child came to, if it has room for it.
    fn give(&mut self, graph: &Graph, node: usize, output: &str) {
        let it = &graph.nodes[node];
        let kind = it.kind();
        let (patch, place) = match (kind["merge"] == true, kind["output_key"].as_str()) {
            (true, _) => (output.to_owned(), "/kind/merge"),
            (false, key) => {
                let key = json!(key.unwrap_or(&it.id));
                (format!("{{{key}:{output}}}"), "/kind/output_key")
            }
        };
        if it.instance.is_none() {
            let bytes = self.state().len() + patch.len();
            if bytes > STATE_BYTES || check(&patch).is_err() {
                let cause = NodeFailure::TooLarge(place.to_owned());
                return self.lose(graph, node, cause, false);
            }
        }
        let patch: Value = json!(patch);
        self.end_child(graph, node, output, &patch);
    }

    /// The node completes.
    fn end_child(&mut self, graph: &Graph, node: usize, output: &str, patch: &Value) {
        if let Some(instance) = &graph.nodes[node].instance {
            if self.is_open_map(instance.map) {
                self.outputs.insert(node, output.to_owned());
            }
            return self.stop(node, Stage::Completed);
        }
        if let Some(patch) = patch.as_str() {
            self.merge(patch);
        }
        self.settle(graph, node, Stage::Completed, None);
    }

    /// The child came to nothing. If another one follows, then not at once (R12).
    pub(super) fn lose(&mut self, graph: &Graph, node: usize, cause: NodeFailure, retryable: bool) {
        let policy = policy(graph, node);
        let mut failure = Failure::of_child(cause, retryable);
        let record = &self.nodes[node];
        let is_left = |map: usize| !self.is_open_map(map);
        let instance = graph.nodes[node].instance.as_ref();
        let is_left = instance.is_some_and(|it| is_left(it.map));
        let again = failure.is_retried(&policy) && record.attempt < record.max_attempts;
        if again && !is_left {
            let id = &graph.nodes[node].id;
            let delay = failure.delay_ms(&policy, record.attempt, self.started.seed, id);
            failure.again_at = (delay > 0).then(|| self.at.saturating_add(delay));
        }
        self.nodes[node].stage = Stage::Failing(failure);
    }
}
