//! A node of a workflow, made in Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::json::Json;

use super::retry_policy::Span;
use super::workflow::Workflow;

/// A node of a workflow: what is to be done, how often it is tried, and how long it may
/// take. Put it into a workflow with
/// [`WorkflowBuilder::node`](crate::WorkflowBuilder::node).
///
/// Each kind that a Rust program is likely to use has a function; [`Node::of_kind`] makes
/// all others. Whether the fields of a kind are right, the scheduler says when the
/// workflow is validated or registered, with node and field (rule R1).
///
/// ```
/// use std::time::Duration;
/// use refrain::Node;
/// use serde_json::json;
///
/// let pay = Node::command(["./pay", "--once"])
///     .with("env", json!({ "CURRENCY": "EUR" }))
///     .retry("io_default")
///     .timeout(Duration::from_secs(30));
/// let score = Node::of_kind("agent").with("agent_ref", json!("scorer"));
/// # let _ = (pay, score);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_timeout_secs: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compensate: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// A kind: its name, and its fields in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    name: String,
    fields: Vec<(String, Json)>,
    branches: Vec<Value>,
    mapping: BTreeMap<String, String>,
    body: Option<Box<Self>>,
}

impl Kind {
    /// For an event or for a person, and for no time.
    fn waits_for_somebody(&self) -> bool {
        let event = (String::from("condition"), json!("external_event").into());
        self.name == "human_approval" || self.name == "wait" && self.fields.contains(&event)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", &self.name)?;
        if !self.branches.is_empty() {
            object.serialize_entry("branches", &self.branches)?;
        }
        if !self.mapping.is_empty() {
            object.serialize_entry("input_mapping", &self.mapping)?;
        }
        if let Some(body) = &self.body {
            object.serialize_entry("body", body)?;
        }
        for (name, value) in &self.fields {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl Node {
    /// A node of the kind of this name, with the fields that [`Node::with`] gives it.
    #[must_use]
    pub fn of_kind(name: impl Into<String>) -> Self {
        Self {
            kind: Kind {
                name: name.into(),
                fields: Vec::new(),
                branches: Vec::new(),
                mapping: BTreeMap::new(),
                body: None,
            },
            retry_policy: None,
            node_timeout_secs: None,
            queue: None,
            priority: None,
            lease_secs: None,
            run_on: None,
            compensate: None,
            description: None,
            labels: BTreeMap::new(),
        }
    }

    // ---- work ---------------------------------------------------------------------

    /// Runs a program: `argv` are its name and its arguments, without a shell. Further
    /// fields: `cwd`, a text; `env`, an object of texts.
    #[must_use]
    pub fn command(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
        Self::of_kind("command").with("argv", json!(argv))
    }

    /// Makes a request. `method` is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Further
    /// fields: `headers`, an object of texts; `body`, any JSON; `follow_redirects`.
    #[must_use]
    pub fn http(method: &str, url: impl Into<String>) -> Self {
        let url = Value::from(url.into());
        Self::of_kind("http")
            .with("method", json!(method))
            .with("url", url)
    }

    /// Everybody's own work, for the workers of this queue, which see all its fields in the
    /// item's kind.
    #[must_use]
    pub fn task(queue: impl Into<String>) -> Self {
        Self::of_kind("task").with("queue", Value::from(queue.into()))
    }

    /// Work for the workers of the queue `tool`, which see `tool_ref` in the item's kind.
    #[must_use]
    pub fn tool(tool_ref: impl Into<String>) -> Self {
        Self::of_kind("tool").with("tool_ref", Value::from(tool_ref.into()))
    }

    /// Work for the workers of the queue `model`.
    #[must_use]
    pub fn model(model_ref: impl Into<String>, prompt_ref: impl Into<String>) -> Self {
        Self::of_kind("model")
            .with("model_ref", Value::from(model_ref.into()))
            .with("prompt_ref", Value::from(prompt_ref.into()))
    }

    /// Work for the queue `tool` that is done when everything else has ended (rule R16):
    /// `run_on` is `success`, `failure` or `always`.
    #[must_use]
    pub fn finalizer(tool_ref: impl Into<String>, run_on: &str) -> Self {
        Self::of_kind("finalizer")
            .with("tool_ref", Value::from(tool_ref.into()))
            .with("run_on", json!(run_on))
    }

    // ---- what the scheduler does itself (rule R6) -----------------------------------

    /// Chooses one of its [branches](Node::branch): the first whose condition is true. Edges
    /// that leave it lead nowhere besides. Without branches it is work on the queue
    /// `general`, as any node that a worker does (rule R5): conditions on edges need no node
    /// of this kind.
    #[must_use]
    pub fn condition() -> Self {
        Self::of_kind("condition")
    }

    /// One more branch of a [`Node::condition`]: to this node, if this is true (rule R8).
    #[must_use]
    pub fn branch(self, condition: impl Into<String>, target: impl Into<String>) -> Self {
        self.with_branch(json!({ "condition": condition.into(), "target": target.into() }))
    }

    /// The last branch of a [`Node::condition`]: to this node, if no other was taken.
    #[must_use]
    pub fn otherwise(self, target: impl Into<String>) -> Self {
        self.with_branch(json!({ "target": target.into() }))
    }

    fn with_branch(mut self, branch: Value) -> Self {
        self.kind.branches.push(branch);
        self
    }

    /// Where several edges begin at once.
    #[must_use]
    pub fn parallel() -> Self {
        Self::of_kind("parallel")
    }

    /// Waits for all its incoming edges.
    #[must_use]
    pub fn join() -> Self {
        Self::of_kind("join").with("merge_strategy", json!("collect"))
    }

    /// Waits for the first of its incoming edges that is live.
    #[must_use]
    pub fn join_first() -> Self {
        Self::of_kind("join").with("merge_strategy", json!("first"))
    }

    /// Waits for so many of its incoming edges that are live (rule R24).
    #[must_use]
    pub fn join_count(edges: u32) -> Self {
        Self::of_kind("join").with("merge_strategy", json!({ "count": edges }))
    }

    /// For [`Node::join_first`] and [`Node::join_count`]: once it is settled, the nodes that
    /// lead to nothing but this join are cancelled, or skipped where they have not begun.
    #[must_use]
    pub fn cancel_rest(self) -> Self {
        self.with("cancel_rest", json!(true))
    }

    /// Ends the execution as completed, and stops what is under way (rule R24).
    #[must_use]
    pub fn terminate_completed() -> Self {
        Self::of_kind("terminate").with("status", json!("completed"))
    }

    /// Ends the execution as failed, for this reason, and stops what is under way.
    #[must_use]
    pub fn terminate_failed(reason: impl Into<String>) -> Self {
        Self::of_kind("terminate")
            .with("status", json!("failed"))
            .with("reason", Value::from(reason.into()))
    }

    /// Waits for so long. Workflows count this in seconds: a part of one counts as one.
    #[must_use]
    pub fn timer(span: Duration) -> Self {
        Self::of_kind("wait")
            .with("condition", json!("timer"))
            .with("timeout_secs", json!(whole_seconds(span)))
    }

    /// Waits for a signal of this key, see
    /// [`Execution::signal`](crate::Execution::signal).
    #[must_use]
    pub fn event(correlation_key: impl Into<String>) -> Self {
        Self::of_kind("wait")
            .with("condition", json!("external_event"))
            .with("correlation_key", Value::from(correlation_key.into()))
    }

    /// Waits for a signal of this key, and no longer than so long, in seconds: a part of
    /// one counts as one.
    #[must_use]
    pub fn event_or_timer(correlation_key: impl Into<String>, span: Duration) -> Self {
        Self::event(correlation_key)
            .with("condition", json!("either"))
            .with("timeout_secs", json!(whole_seconds(span)))
    }

    /// Waits for a person, see [`Execution::approve`](crate::Execution::approve).
    #[must_use]
    pub fn human_approval(description: impl Into<String>) -> Self {
        Self::of_kind("human_approval").with("description", Value::from(description.into()))
    }

    /// Of a [`Node::human_approval`]: if nobody has answered after so long (in seconds: a
    /// part of one counts as one), the execution goes on with this node.
    #[must_use]
    pub fn unanswered_after(self, span: Duration, fallback: impl Into<String>) -> Self {
        self.with("timeout_secs", json!(whole_seconds(span)))
            .with("fallback_node", Value::from(fallback.into()))
    }

    // ---- more than one at a time --------------------------------------------------

    /// Runs `body` for each element of a list (rule R21): `over` is an expression for that
    /// list, such as `state.files`. Expressions of the body read `item` and `index`. What
    /// the body says beside its kind, such as [`Node::retry`] and [`Node::queue`], is each
    /// instance's. Further fields: `max_concurrent`, `tolerate`, `complete_after`,
    /// `cancel_rest`, `output_key`, `max_items`.
    #[must_use]
    pub fn map(over: impl Into<String>, body: Self) -> Self {
        let Self { mut kind, .. } = Self::of_kind("map").with("over", Value::from(over.into()));
        kind.body = Some(Box::new(body.kind));
        Self { kind, ..body }
    }

    /// Starts an execution of this registered workflow as a child, and completes with it
    /// (rule R22). Further fields: `output_key`, `merge`, `detached`.
    #[must_use]
    pub fn subgraph(workflow_id: impl Into<String>, version: impl Into<String>) -> Self {
        Self::of_kind("subgraph")
            .with("workflow_id", Value::from(workflow_id.into()))
            .with("version", Value::from(version.into()))
    }

    /// The same of a workflow that needs no registration of its own. It is named by its
    /// parent and the node, so that its own id and version are left out.
    #[must_use]
    pub fn subgraph_in_place(workflow: &Workflow) -> Self {
        Self::of_kind("subgraph").with("body", workflow.without_name())
    }

    /// For a child: what one field of its input is, an expression. Without any, its input
    /// is `{state, input}`. Kinds that are worked on have an `input_mapping` too.
    #[must_use]
    pub fn input(mut self, field: impl Into<String>, expression: impl Into<String>) -> Self {
        self.kind.mapping.insert(field.into(), expression.into());
        self
    }

    /// For a child: while this holds when one has ended well, another is started, `max` of
    /// them at most (rule R23). Its input reads `last`, the final state of the one before,
    /// and `iteration`.
    #[must_use]
    pub fn repeat_while(self, condition: impl Into<String>, max: u32) -> Self {
        let repeat = json!({ "while": condition.into(), "max": max });
        self.with("repeat", repeat)
    }

    // ---- of any kind ----------------------------------------------------------------

    /// A field of its kind; given again, it replaces the one before.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Json>) -> Self {
        let (field, value) = (field.into(), value.into());
        let fields = &mut self.kind.fields;
        match fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, before)) => *before = value,
            None => fields.push((field, value)),
        }
        self
    }

    /// The name of its retry policy: `no_retry`, `io_default`, `llm_default`, or one of
    /// the workflow's own, see
    /// [`WorkflowBuilder::retry_policy`](crate::WorkflowBuilder::retry_policy). Without
    /// one there are 3 attempts (rule R12). It has no effect on a node that neither a worker
    /// nor a child does.
    #[must_use]
    pub fn retry(mut self, policy: impl Into<String>) -> Self {
        self.retry_policy = Some(policy.into());
        self
    }

    /// How long each attempt may take, from its claim (rule R14). Of a [`Node::event`] and
    /// a [`Node::human_approval`], how long they wait before they fail, in seconds: a part
    /// of one counts as one (rule R19). No other node has it that neither a worker nor a
    /// child does.
    #[must_use]
    pub fn timeout(mut self, span: Duration) -> Self {
        if self.kind.waits_for_somebody() {
            return self.with("timeout_secs", json!(whole_seconds(span)));
        }
        self.node_timeout_secs = Some(Span(span));
        self
    }

    /// The queue on which its work waits, instead of that of its kind (rule R5).
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// How urgent its work is: 0 to 9, the greater first; otherwise as urgent as the
    /// execution's, see [`Start::priority`](crate::Start::priority).
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = Some(priority);
        self
    }

    /// How long a claim of its work holds without a heartbeat, instead of
    /// [`Builder::lease`](crate::Builder::lease). Workflows count this in seconds: a part
    /// of one counts as one.
    #[must_use]
    pub fn lease(mut self, span: Duration) -> Self {
        self.lease_secs = Some(whole_seconds(span));
        self
    }

    /// Makes a finalizer of it, which is done when everything else has ended (rule R16):
    /// `ending` is `success`, `failure` or `always`.
    #[must_use]
    pub fn run_on(mut self, ending: impl Into<String>) -> Self {
        self.run_on = Some(ending.into());
        self
    }

    /// What undoes it where the execution ends otherwise than well (rule R27): the kind of
    /// this node, whatever else that says.
    ///
    /// ```
    /// use refrain::Node;
    ///
    /// let charge = Node::command(["./charge"])
    ///     .compensate(Node::command(["./refund", "${output.id}"]));
    /// # let _ = charge;
    /// ```
    #[must_use]
    pub fn compensate(mut self, undo: Self) -> Self {
        self.compensate = Some(undo.kind);
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
}

/// Rounded up: a span that is not 0 stays so.
fn whole_seconds(span: Duration) -> u64 {
    let begun = u64::from(span.subsec_nanos() > 0);
    span.as_secs().saturating_add(begun)
}
