//! The nodes of an execution, as its guest shows them. Another guest than the built-in one may
//! show them otherwise: then nothing is known of them here.

use refrain::model::{Inspection, NodeState};
use refrain::names;
use serde_json::{Map, Value};

/// The nodes that a guest shows.
pub(super) struct ShownNodes(Map<String, Value>);

impl ShownNodes {
    pub(super) fn of(inspection: &Inspection) -> Self {
        let mut shown: Value = serde_json::from_str(&inspection.state).unwrap_or_default();
        match shown.get_mut("nodes").map(Value::take) {
            Some(Value::Object(nodes)) => Self(nodes),
            _ => Self(Map::new()),
        }
    }

    /// Whether this node failed, and an edge has handled its failure: an execution does not
    /// fail for it any more.
    pub(super) fn is_handled(&self, node: &str) -> bool {
        self.0.get(node).is_some_and(|node| node["handled"] == true)
    }

    /// Those that could run, and are held back.
    pub(super) fn ready(&self) -> impl Iterator<Item = &str> {
        let ready = names::node_state(NodeState::Ready);
        let is_ready = move |(_, node): &(&String, &Value)| node["state"] == ready;
        self.0.iter().filter(is_ready).map(|(id, _)| id.as_str())
    }
}
