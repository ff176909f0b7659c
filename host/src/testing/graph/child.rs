//! What a node starts (rule R22).

use serde_json::Value;

use super::edge::name;
use super::{Graph, MAP};

/// The kind that starts a child.
const SUBGRAPH: &str = "subgraph";

/// A child of a node, or of each instance of a map.
#[derive(Debug)]
pub(in crate::testing) struct Child {
    pub(in crate::testing) workflow: ChildWorkflow,
    /// Whether the node only starts it.
    pub(in crate::testing) is_detached: bool,
    /// What the state gets of its final state.
    output: Output,
}

/// The workflow of a child.
#[derive(Debug)]
pub(in crate::testing) enum ChildWorkflow {
    /// It stands in the node.
    InPlace(Graph),
    /// It is registered by this id and version.
    Named { id: String, version: String },
}

/// What the state gets of a child's final state.
#[derive(Debug)]
enum Output {
    /// Its keys.
    Merged,
    /// All of it, under this key; the node's id unless it is named.
    Under(Option<String>),
}

impl Child {
    /// What the node of a kind starts; the outer `None` if the kind is not that of a valid
    /// workflow, the inner one if it starts nothing.
    pub(super) fn of_kind(kind: &Value) -> Option<Option<Self>> {
        match name(kind) {
            SUBGRAPH => Self::of(kind).map(Some),
            MAP if name(&kind["body"]) == SUBGRAPH => Self::of(&kind["body"]).map(Some),
            _ => Some(None),
        }
    }

    fn of(kind: &Value) -> Option<Self> {
        let text = |field: &str| kind[field].as_str().map(str::to_owned);
        let workflow = match kind.get("body") {
            Some(body) => {
                ChildWorkflow::InPlace(Graph::of(serde_json::from_value(body.clone()).ok()?)?)
            }
            None => ChildWorkflow::Named {
                id: text("workflow_id")?,
                version: text("version")?,
            },
        };
        let is = |field: &str| kind[field] == Value::Bool(true);
        Some(Self {
            workflow,
            is_detached: is("detached"),
            output: match is("merge") {
                true => Output::Merged,
                false => Output::Under(text("output_key")),
            },
        })
    }

    /// The patch of its node when it ended with this final state, both JSON objects.
    pub(in crate::testing) fn patch(&self, node: &str, final_state: &str) -> String {
        match &self.output {
            Output::Merged => final_state.to_owned(),
            Output::Under(key) => {
                let key = Value::from(key.as_deref().unwrap_or(node));
                format!("{{{key}:{final_state}}}")
            }
        }
    }
}
