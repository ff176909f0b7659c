//! The failures that edges have handled: an execution does not fail for them any more.

use std::collections::BTreeSet;

use refrain::model::Inspection;
use serde_json::Value;

/// The nodes that failed, and whose failure an edge has handled.
pub(super) struct Handled(BTreeSet<String>);

impl Handled {
    /// Those of an execution, as the built-in guest shows it. Another one may show it
    /// otherwise.
    pub(super) fn of(inspection: &Inspection) -> Self {
        let shown: Value = serde_json::from_str(&inspection.state).unwrap_or_default();
        let nodes = shown["nodes"].as_object().into_iter().flatten();
        let handled = nodes.filter(|(_, node)| node["handled"] == true);
        Self(handled.map(|(id, _)| id.clone()).collect())
    }

    /// Whether this node is one of them.
    pub(super) fn has(&self, node: &str) -> bool {
        self.0.contains(node)
    }
}
