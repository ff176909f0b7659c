//! An edge of a workflow that is made in Rust.

use serde::Serialize;

/// An edge of a workflow, see [`WorkflowBuilder::any_edge`](crate::WorkflowBuilder::any_edge).
///
/// ```
/// use refrain::{Edge, Node, Workflow};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let refunds = Workflow::builder("refunds", "1.0.0")
///     .node("pay", Node::tool("pay"))
///     .node("ask", Node::human_approval("What now?"))
///     .any_edge(Edge::new("pay", "ask").on_failure().when("error.class == \"io_error\""))
///     .build()?;
/// assert!(refunds.text().contains(r#""on":"failure""#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<&'static str>,
}

impl Edge {
    /// An edge from one node to another, or to `"end"`, the end of the workflow. It is taken
    /// when its source completes.
    #[must_use]
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            condition: None,
            on: None,
        }
    }

    /// It is taken only where this condition is true of `state` and `input`; on a failure,
    /// the condition can read `error` too (rules R8 and R26).
    #[must_use]
    pub fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// It is taken when its source fails for good, and handles that: the failure fails the
    /// execution no more (rule R26).
    #[must_use]
    pub fn on_failure(mut self) -> Self {
        self.on = Some("failure");
        self
    }

    /// It is taken when its source completes, and when it fails for good, which it handles.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.on = Some("always");
        self
    }
}
