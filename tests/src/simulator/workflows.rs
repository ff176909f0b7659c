//! The workflows of a world, drawn from its dice.

use serde_json::Value;

use crate::dice::Dice;
use crate::generated;

/// One of a world's workflows.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Its id; its version is 1.0.0.
    pub(super) id: String,
    /// Its nodes.
    pub(super) nodes: Vec<String>,
    /// The whole, as JSON text.
    pub(super) text: String,
}

/// Draw the world's workflow of this number.
///
/// # Panics
/// When what was drawn is no JSON.
pub(super) fn draw(dice: &mut Dice, number: usize) -> Drawn {
    let size = 1 + usize::try_from(dice.below(9)).unwrap_or(1);
    let text = generated::workflow(dice, size);
    let mut workflow: Value = serde_json::from_str(&text).expect("it is JSON");
    let id = format!("w{number}");
    workflow["workflow_id"] = id.clone().into();
    let nodes = workflow["nodes"].as_object().expect("nodes");
    Drawn {
        id,
        nodes: nodes.keys().cloned().collect(),
        text: workflow.to_string(),
    }
}

/// What a worker might answer.
pub(super) fn patch(dice: &mut Dice) -> Value {
    serde_json::from_str(&generated::patch(dice)).unwrap_or_default()
}

/// A correlation key that waits might be for.
pub(super) fn key(dice: &mut Dice) -> String {
    generated::key(dice).to_owned()
}
