//! A workflow, made in Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::error::EngineError;

use super::budgets::Budgets;
use super::edge::Edge;
use super::node::Node;
use super::retry_policy::{RetryPolicy, Span};
use super::workflow::Workflow;

/// A workflow that is being made, see [`Workflow::builder`].
///
/// ```
/// use std::time::Duration;
/// use refrain::store::MemoryStore;
/// use refrain::{Engine, Node, RetryPolicy, Workflow};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let refunds = Workflow::builder("refunds", "1.0.0")
///     .node("draft", Node::command(["./draft"]).retry("patiently"))
///     .node("review", Node::human_approval("Pay it?"))
///     .node("pay", Node::tool("pay").timeout(Duration::from_secs(30)))
///     .edge_if("draft", "review", "state.amount >= 100")
///     .edge_if("draft", "pay", "state.amount < 100")
///     .edge("review", "pay")
///     .retry_policy("patiently", RetryPolicy::attempts(5).fixed(Duration::from_secs(10)))
///     .workflow_timeout(Duration::from_secs(86_400))
///     .build()?;
///
/// let engine = Engine::builder().store(MemoryStore::new()).start().await?;
/// assert_eq!(engine.register(refunds).await?.nodes, 3);
///
/// let faulty = Workflow::builder("faulty", "1.0.0")
///     .node("draft", Node::command(["./draft"]).with("dir", serde_json::json!("/")))
///     .edge("draft", "nowhere")
///     .build()?;
/// let error = engine.register(faulty).await.expect_err("two things are wrong with it");
/// assert!(error.to_string().contains("/nodes/draft/kind/dir"), "{error}");
/// assert!(error.to_string().contains("/edges/0/to"), "{error}");
/// # engine.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct WorkflowBuilder {
    workflow_id: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_node: Option<String>,
    #[serde(skip_serializing_if = "Timeouts::is_empty")]
    timeouts: Timeouts,
    #[serde(skip_serializing_if = "OwnLimits::is_empty")]
    limits: OwnLimits,
    #[serde(flatten)]
    budgets: Budgets,
    #[serde(skip_serializing_if = "Named::is_empty")]
    retry_policies: Named<RetryPolicy>,
    nodes: Named<Node>,
    edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Timeouts {
    #[serde(skip_serializing_if = "Option::is_none")]
    node_timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_timeout: Option<Span>,
}

impl Timeouts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct OwnLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrent_nodes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_dispatch_per_tick: Option<u32>,
}

impl OwnLimits {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An object in the order in which its fields were given. A name that was given twice
/// stands there twice, so that the text is refused, and nothing is lost.
#[derive(Clone, Debug)]
struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl WorkflowBuilder {
    pub(super) fn new(workflow_id: String, version: String) -> Self {
        Self {
            workflow_id,
            version,
            name: None,
            description: None,
            labels: BTreeMap::new(),
            start_node: None,
            timeouts: Timeouts::default(),
            limits: OwnLimits::default(),
            budgets: Budgets::default(),
            retry_policies: Named(Vec::new()),
            nodes: Named(Vec::new()),
            edges: Vec::new(),
        }
    }

    /// One more node. The first one is where the workflow starts, unless
    /// [`WorkflowBuilder::start`] names another.
    #[must_use]
    pub fn node(mut self, id: impl Into<String>, node: Node) -> Self {
        let id = id.into();
        self.start_node.get_or_insert_with(|| id.clone());
        self.nodes.0.push((id, node));
        self
    }

    /// Where the workflow starts.
    #[must_use]
    pub fn start(mut self, node_id: impl Into<String>) -> Self {
        self.start_node = Some(node_id.into());
        self
    }

    /// An edge from one node to another, or to `"end"`, the end of the workflow.
    #[must_use]
    pub fn edge(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.any_edge(Edge::new(from, to))
    }

    /// An edge that is taken only where this condition is true of `state` and `input` when
    /// its source has completed (rules R7 and R8).
    #[must_use]
    pub fn edge_if(
        self,
        from: impl Into<String>,
        to: impl Into<String>,
        condition: impl Into<String>,
    ) -> Self {
        self.any_edge(Edge::new(from, to).when(condition))
    }

    /// Any edge: one that handles a failure, for one (rule R26).
    #[must_use]
    pub fn any_edge(mut self, edge: Edge) -> Self {
        self.edges.push(edge);
        self
    }

    /// What an execution may use up of tokens and money (rule R28).
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// A retry policy that nodes can name, see [`Node::retry`].
    #[must_use]
    pub fn retry_policy(mut self, name: impl Into<String>, policy: RetryPolicy) -> Self {
        self.retry_policies.0.push((name.into(), policy));
        self
    }

    /// How long an attempt of a node may take that has no timeout of its own (rule R14).
    #[must_use]
    pub fn node_timeout(mut self, span: Duration) -> Self {
        self.timeouts.node_timeout = Some(Span(span));
        self
    }

    /// How long an execution may take, from its start (rule R14).
    #[must_use]
    pub fn workflow_timeout(mut self, span: Duration) -> Self {
        self.timeouts.workflow_timeout = Some(Span(span));
        self
    }

    /// How long an approval is waited for that has no timeout of its own (rule R19).
    #[must_use]
    pub fn approval_timeout(mut self, span: Duration) -> Self {
        self.timeouts.approval_timeout = Some(Span(span));
        self
    }

    /// How many nodes of an execution are in flight at most (rule R4), at least 1. It can
    /// only narrow the engine's own limit.
    #[must_use]
    pub fn max_concurrent_nodes(mut self, max: u32) -> Self {
        self.limits.max_concurrent_nodes = Some(max);
        self
    }

    /// How many work items are ordered at most in one step (rule R4), at least 1. It can
    /// only narrow the engine's own limit.
    #[must_use]
    pub fn max_dispatch_per_tick(mut self, max: u32) -> Self {
        self.limits.max_dispatch_per_tick = Some(max);
        self
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(mut self, text: impl Into<String>) -> Self {
        self.name = Some(text.into());
        self
    }

    /// What it is for, for people.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// A label, for people and tools.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// The workflow, with the JSON text that it is registered as: the same calls in the
    /// same order give the same text, and the same digest. Whether it is valid (rule R1),
    /// [`Engine::validate`](crate::Engine::validate) and
    /// [`Engine::register`](crate::Engine::register) say.
    ///
    /// # Errors
    /// [`EngineError::Json`] when the text is too long or too deep, or when two nodes or
    /// policies have the same name, with the place.
    pub fn build(self) -> Result<Workflow, EngineError> {
        let text = serde_json::to_string(&self);
        // Texts and numbers are JSON, whatever they say, and all keys are texts.
        let text = text.map_err(|error| EngineError::Setup(error.to_string()))?;
        Workflow::from_json(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_field_stands_where_the_written_form_has_it() {
        let second = Duration::from_secs(1);
        let built = Workflow::builder("refunds", "1.0.0")
            .name("Refunds")
            .description("Pays them")
            .label("team", "claims")
            .node(
                "draft",
                Node::command(["./draft", "-v"])
                    .with("cwd", json!("/srv"))
                    .with("cwd", json!("/tmp"))
                    .retry("mine")
                    .timeout(Duration::from_millis(1500))
                    .description("Writes it")
                    .label("simulate_ms", "5"),
            )
            .node(
                "which",
                Node::condition()
                    .branch("state.x > 1", "ask")
                    .otherwise("all"),
            )
            .node(
                "ask",
                Node::human_approval("Pay?").unanswered_after(90 * second, "late"),
            )
            .node(
                "late",
                Node::event_or_timer("paid", Duration::from_millis(1)),
            )
            .node("all", Node::parallel())
            .node("both", Node::join_first())
            .edge("draft", "which")
            .edge_if("ask", "both", "state.ok")
            .any_edge(Edge::new("ask", "end").on_failure())
            .any_edge(Edge::new("all", "both").always().when("error.attempts > 1"))
            .budgets(Budgets::default().tokens(100).cost_usd(2.5).pause())
            .retry_policy(
                "mine",
                RetryPolicy::attempts(4)
                    .linear(second, 9 * second)
                    .jitter()
                    .only_on(["io_error"])
                    .pause_when_exhausted(),
            )
            .node_timeout(60 * second)
            .workflow_timeout(3600 * second)
            .approval_timeout(7 * second)
            .max_concurrent_nodes(3)
            .max_dispatch_per_tick(2)
            .build()
            .expect("it is JSON");
        let written = json!({
            "workflow_id": "refunds", "version": "1.0.0", "name": "Refunds", "description": "Pays them",
            "labels": { "team": "claims" }, "start_node": "draft",
            "timeouts": { "node_timeout": 60, "workflow_timeout": 3600, "approval_timeout": 7 },
            "limits": { "max_concurrent_nodes": 3, "max_dispatch_per_tick": 2 },
            "retry_policies": { "mine": {
                "max_attempts": 4, "backoff": "linear", "initial_delay": 1, "max_delay": 9, "jitter": true,
                "retryable_on": ["io_error"], "on_exhausted": "pause",
            } },
            "nodes": {
                "draft": {
                    "kind": { "type": "command", "argv": ["./draft", "-v"], "cwd": "/tmp" },
                    "retry_policy": "mine", "node_timeout_secs": { "secs": 1, "nanos": 500_000_000 },
                    "description": "Writes it", "labels": { "simulate_ms": "5" },
                },
                "which": { "kind": { "type": "condition", "branches": [
                    { "condition": "state.x > 1", "target": "ask" }, { "target": "all" },
                ] } },
                "ask": { "kind": {
                    "type": "human_approval", "description": "Pay?", "timeout_secs": 90, "fallback_node": "late",
                } },
                "late": { "kind": {
                    "type": "wait", "condition": "either", "correlation_key": "paid", "timeout_secs": 1,
                } },
                "all": { "kind": { "type": "parallel" } },
                "both": { "kind": { "type": "join", "merge_strategy": "first" } },
            },
            "edges": [{ "from": "draft", "to": "which" }, { "from": "ask", "to": "both", "condition": "state.ok" },
                { "from": "ask", "to": "end", "on": "failure" },
                { "from": "all", "to": "both", "condition": "error.attempts > 1", "on": "always" }],
            "token_budget": 100, "cost_budget_usd": 2.5, "on_budget_exceeded": "pause",
        });
        let read: serde_json::Value = serde_json::from_str(built.text()).expect("it is JSON");
        assert_eq!(read, written);
    }

    #[test]
    fn a_node_that_is_there_twice_is_refused_with_its_place() {
        let twice = Workflow::builder("w", "1.0.0")
            .node("a", Node::tool("t"))
            .node("a", Node::tool("u"))
            .build();
        let error = twice.expect_err("a key is repeated").to_string();
        assert!(error.contains("/nodes/a: the key appears twice"), "{error}");
    }
}
