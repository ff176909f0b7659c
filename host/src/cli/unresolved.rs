//! Which expressions of a text came to null, and which workflow was asked for: what a node
//! failed for, as far as only the workflow's text and the rest of the log say it.

use std::collections::BTreeMap;

use refrain::model::{Event, EventKind, NodeExhausted, NodeFailure, NodeState};
use refrain::render;
use refrain::replay::nodes::Nodes;
use refrain::store::{ExecutionRecord, Reader, StoreError};

use super::why_ended::Written;

/// The place of the text of which an expression came to null, if the node failed for that.
fn place(failed: &NodeExhausted) -> Option<&str> {
    match &failed.cause {
        NodeFailure::UnresolvedExpression(pointer) => Some(pointer),
        _ => None,
    }
}

/// Which expressions that text holds, in a sentence; `None` if the node failed for something
/// else, or the workflow's text is not there.
pub(super) fn error(written: &Written, failed: &NodeExhausted) -> Option<String> {
    let pointer = place(failed)?;
    let expressions = render::expressions_at(written.json(), &failed.node_id, pointer);
    render::unresolved(&expressions, pointer)
}

/// Says it of the node that this event is about. The workflow's text is read once, and only
/// where it is needed.
pub(super) fn tell_of(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    event: &Event,
    nodes: &mut Nodes,
    written: &mut Option<Written>,
) -> Result<(), StoreError> {
    let EventKind::NodeExhausted(failed) = &event.kind else {
        return Ok(());
    };
    if place(failed).is_none() {
        return Ok(());
    }
    if written.is_none() {
        *written = Some(Written::of(store, record)?);
    }
    if let Some(error) = written.as_ref().and_then(|it| error(it, failed)) {
        nodes.set_error(&failed.node_id, error);
    }
    Ok(())
}

/// Says it of all nodes that have failed so and are as these events left them.
pub(super) fn tell<'a>(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    events: impl IntoIterator<Item = &'a Event>,
    nodes: &mut Nodes,
) -> Result<(), StoreError> {
    let mut last: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in events {
        if let EventKind::NodeExhausted(failed) = &event.kind {
            last.insert(&failed.node_id, event);
        }
    }
    let mut written = None;
    for (node_id, event) in last {
        let node = nodes.named(node_id);
        if node.is_some_and(|node| node.state == NodeState::Failed) {
            tell_of(store, record, event, nodes, &mut written)?;
        }
    }
    Ok(())
}
