//! What the workflow's JSON says of a node.

use serde_json::Value;

/// A node, an instance of one, or what undoes either.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    /// The length of the longest path that leads to it (rule R2).
    pub(super) rank: usize,
    pub(super) json: Value,
    /// Its kind, verbatim.
    pub(super) kind_text: String,
    /// Its `compensate`, verbatim.
    pub(super) compensate_text: Option<String>,
    /// Where it is an instance of a map.
    pub(super) instance: Option<Instance>,
    /// Where it is a compensation.
    pub(super) undo: Option<Undo>,
}

/// What undoes a run (rule R27).
#[derive(Debug)]
pub(super) struct Undo {
    /// The sequence of the run's completion.
    pub(super) completed: u64,
    /// What the run produced, verbatim.
    pub(super) output: String,
    /// Of an instance, its element, verbatim, and its index.
    pub(super) element: Option<(String, usize)>,
}

/// An instance of a map (rule R21).
#[derive(Debug)]
pub(super) struct Instance {
    /// The map.
    pub(super) map: usize,
    pub(super) index: usize,
    /// Its element, verbatim.
    pub(super) item: String,
}

impl Node {
    /// A node of the workflow.
    pub(super) fn of_workflow(
        id: String,
        json: Value,
        kind_text: String,
        compensate_text: Option<String>,
    ) -> Self {
        Self {
            compensate_text,
            ..Self::new(id, json, kind_text)
        }
    }

    pub(super) fn of_instance(
        id: String,
        json: Value,
        kind_text: String,
        instance: Instance,
    ) -> Self {
        Self {
            instance: Some(instance),
            ..Self::new(id, json, kind_text)
        }
    }

    pub(super) fn of_undo(id: String, json: Value, kind_text: String, undo: Undo) -> Self {
        Self {
            undo: Some(undo),
            ..Self::new(id, json, kind_text)
        }
    }

    fn new(id: String, json: Value, kind_text: String) -> Self {
        Self {
            id,
            rank: 0,
            json,
            kind_text,
            compensate_text: None,
            instance: None,
            undo: None,
        }
    }

    pub(super) fn kind(&self) -> &Value {
        &self.json["kind"]
    }

    /// The kind's name.
    pub(super) fn name(&self) -> &str {
        self.kind()["type"].as_str().expect("a kind has a type")
    }

    /// A field of the kind that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.kind()[field].as_str()
    }

    /// How urgent its work items are, where it says so itself.
    pub(super) fn priority(&self) -> Option<u64> {
        self.json["priority"].as_u64()
    }

    /// The endings that a finalizer runs on; None for what is none.
    pub(super) fn run_on(&self) -> Option<&str> {
        let of_kind = (self.name() == "finalizer").then(|| self.text("run_on"));
        of_kind.flatten().or(self.json["run_on"].as_str())
    }

    /// The branches of a condition that the guest settles itself (rule R6).
    pub(super) fn branches(&self) -> Option<&[Value]> {
        let branches = self.kind()["branches"].as_array()?;
        (self.name() == "condition" && !branches.is_empty()).then_some(branches)
    }

    /// At how many live edges a join is ready that does not wait for all (rules R6 and R24).
    pub(super) fn needed(&self) -> Option<usize> {
        let strategy = &self.kind()["merge_strategy"];
        match strategy["count"].as_u64() {
            _ if self.name() != "join" => None,
            Some(edges) => usize::try_from(edges).ok(),
            None => (strategy == "first").then_some(1),
        }
    }

    /// Whether a field of the kind is true.
    pub(super) fn flag(&self, field: &str) -> Option<bool> {
        self.kind()[field].as_bool()
    }

    /// The queue of its work items (rule R5); None: the guest settles it
    /// itself (rule R6).
    pub(super) fn queue(&self) -> Option<&str> {
        let of_kind = self.queue_of_kind()?;
        Some(self.json["queue"].as_str().unwrap_or(of_kind))
    }

    fn queue_of_kind(&self) -> Option<&str> {
        match self.name() {
            "task" => self.text("queue"),
            "model" => Some("model"),
            "tool" | "finalizer" | "mcp_tool" | "a2a_task" => Some("tool"),
            "python_fn" => Some("python_tool"),
            "java_fn" => Some("java_tool"),
            "memory_retrieval" => Some("retrieval"),
            "command" => Some("command"),
            "http" => Some("http"),
            "parallel" | "wait" | "human_approval" | "limit_exceeded" | "terminate" | "map"
            | "subgraph" => None,
            "condition" if self.branches().is_some() => None,
            "join" if self.kind()["merge_strategy"].get("custom").is_none() => None,
            _ => Some("general"),
        }
    }
}
