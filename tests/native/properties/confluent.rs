//! Workflows whose outcome does not depend on who is faster.
//!
//! A condition that asks what another branch wrote has another answer before
//! it was written than after. So here each edge asks only what its own source
//! wrote, each branch only the input, each map waits for all its instances, each child
//! gives its node's own key and is repeated by its own number, and the workflow has no timeout of its own, no budget, and nothing that stops others once it
//! is reached.

use refrain_guest::strategies::Workflow;
use serde_json::{Map, Value, json};

/// The workflow's text, made so.
pub(crate) fn text(workflow: &Workflow) -> String {
    let mut json: Value = serde_json::from_str(workflow.text()).expect("it is JSON");
    json["timeouts"] = Value::Null;
    for edge in json["edges"].as_array_mut().into_iter().flatten() {
        if edge.get("condition").is_some() {
            edge["condition"] = json!(format!(
                "state.{} == 1",
                edge["from"].as_str().unwrap_or("")
            ));
        }
    }
    for budget in ["token_budget", "cost_budget_usd", "on_budget_exceeded"] {
        json[budget] = Value::Null;
    }
    let nodes = json["nodes"].as_object_mut().into_iter().flatten();
    for (_, node) in nodes {
        let kind = &mut node["kind"];
        if kind["type"] == "terminate" {
            *kind = json!({ "type": "parallel" });
        }
        if kind.get("cancel_rest").is_some() {
            kind["cancel_rest"] = json!(false);
        }
    }
    let nodes = json["nodes"].as_object_mut().into_iter().flatten();
    for branch in nodes
        .filter_map(|(_, node)| node["kind"].get_mut("branches")?.as_array_mut())
        .flatten()
    {
        if branch.get("condition").is_some() {
            branch["condition"] = json!("input.claim > 3");
        }
    }
    let nodes = json["nodes"].as_object_mut().into_iter().flatten();
    let kinds = nodes.filter_map(|(_, node)| node["kind"].as_object_mut());
    for kind in kinds.filter(|kind| kind["type"] == "map") {
        kind.remove("complete_after");
        kind.insert("tolerate".to_owned(), json!({ "percent": 100 }));
        if kind["over"] == "state.list" {
            kind.insert("over".to_owned(), json!("[1, 2]"));
        }
    }
    let nodes = json["nodes"].as_object_mut().into_iter().flatten();
    for kind in nodes.filter_map(|(_, node)| node["kind"].as_object_mut()) {
        let is_child = |kind: &Map<String, Value>| kind["type"] == "subgraph";
        if is_child(kind) {
            once_more(kind);
        } else if kind["type"] == "map"
            && let Some(body) = kind["body"].as_object_mut()
            && is_child(body)
        {
            once_more(body);
        }
    }
    json.to_string()
}

/// A child, made so.
fn once_more(child: &mut Map<String, Value>) {
    child.remove("output_key");
    child.remove("merge");
    if let Some(repeat) = child.get_mut("repeat") {
        repeat["while"] = json!("iteration < 1");
    }
}
