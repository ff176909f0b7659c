//! The work item that a decision orders, and its digest (rule R5).

use refrain_guest::contract::{ItemDigest, NodeFailure};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::fill;
use super::graph::Graph;
use super::past::Past;

enum Field<'a> {
    Text(&'a str),
    Number(u64),
}

/// The digest of a node's attempt as it must be ordered, field by field as
/// `wit/types.wit` has it; or why there is nothing to order (rule R29).
pub(super) fn digest(
    graph: &Graph,
    past: &Past,
    node: usize,
    attempt: u32,
    not_before: u64,
) -> Result<ItemDigest, NodeFailure> {
    let payload = payload(graph, past, node)?;
    let priority = graph.nodes[node].priority();
    let fields = [
        Field::Text(&graph.nodes[node].id),
        Field::Number(attempt.into()),
        Field::Number(past.nodes[node].max_attempts.into()),
        Field::Text(graph.nodes[node].queue().expect("only work is ordered")),
        Field::Text(&past.started.tenant),
        Field::Number(priority.unwrap_or(past.started.priority.into())),
        Field::Number(not_before),
        Field::Text(&payload),
    ];
    let hash = fields
        .iter()
        .fold(Sha256::new(), |hash, field| match field {
            Field::Text(text) => hash
                .chain_update((text.len() as u64).to_le_bytes())
                .chain_update(text),
            Field::Number(number) => hash.chain_update(number.to_le_bytes()),
        });
    Ok(ItemDigest::from_bytes(hash.finalize().into()))
}

/// What the worker is handed. What belongs to the user is verbatim.
fn payload(graph: &Graph, past: &Past, node: usize) -> Result<String, NodeFailure> {
    let it = &graph.nodes[node];
    let (kind, templates) = fill::kind(graph, past, node)?;
    let input = match it.kind()["input_mapping"]
        .as_object()
        .filter(|it| !it.is_empty())
    {
        None if it.instance.is_some() => {
            let instance = it.instance.as_ref().expect("it is one");
            format!(
                r#"{{"item":{},"index":{}}}"#,
                instance.item.trim(),
                instance.index
            )
        }
        None => {
            let (state, input) = (past.state(), &past.started.initial_input);
            let output = it.undo.as_ref().map(|undo| &undo.output);
            let output = output.map_or(String::new(), |output| format!(r#","output":{output}"#));
            format!(r#"{{"state":{state},"input":{input}{output}}}"#)
        }
        Some(mapping) => {
            let mut names: Vec<&String> = mapping.keys().collect();
            names.sort();
            let resolved = names.into_iter().map(|name| {
                let text = mapping[name].as_str().expect("a mapping is to expressions");
                let value = past.value_in(it, text);
                format!("{}:{value}", json!(name))
            });
            format!("{{{}}}", resolved.collect::<Vec<_>>().join(","))
        }
    };
    let templates = match templates.is_empty() {
        true => String::new(),
        false => format!(r#","templates":{}"#, json!(templates)),
    };
    Ok(format!(
        r#"{{"node_id":{},"kind":{kind},"input":{input}{templates}}}"#,
        json!(it.id)
    ))
}
