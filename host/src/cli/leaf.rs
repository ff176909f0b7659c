//! For what a node failed, where that is to be found below it: in an instance of its map, or
//! in its child, and so on down.

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{EventKind, NodeExhausted, NodeFailure, WorkflowFailure};
use refrain::render;
use refrain::replay::nodes::Nodes;
use refrain::store::{Reader, StoreError, StoredEvent};

use super::unresolved;
use super::why_ended::Written;

/// What failed at the bottom, and why.
pub(super) struct Leaf {
    /// The way to it from the execution that was asked for: `sub/call`.
    pub(super) way: String,
    pub(super) error: String,
}

impl Leaf {
    /// The same behind what is said of the execution: `failed: sub (sub/call: boom)`.
    pub(super) fn behind(&self, error: &str) -> String {
        match error.ends_with(&format!(": {}", self.way)) {
            true => format!("{error}: {}", self.error),
            false => format!("{error} ({}: {})", self.way, self.error),
        }
    }
}

/// More steps down than there are levels.
const STEPS_MAX: usize = 100;

/// Nodes of which one execution is asked.
const NODES_MAX: usize = 20;

/// For what this node of an execution failed. `None` if the end of its log does not say so.
pub(super) fn of(
    store: &mut dyn Reader,
    id: ExecutionId,
    node_id: &str,
) -> Result<Option<Leaf>, StoreError> {
    let (mut id, mut node_id, mut way) = (id, node_id.to_owned(), String::new());
    for _ in 0..STEPS_MAX {
        let page = last_page(store, id)?;
        let Some(failed) = exhausted(&page, &node_id) else {
            return Ok(None);
        };
        match &failed.cause {
            NodeFailure::InstancesFailed(it) if !it.nodes.is_empty() => {
                node_id.clone_from(&it.nodes[0]);
                continue;
            }
            NodeFailure::ChildFailed(_) => {}
            _ => {
                let error = of_cause(store, id, &page, failed)?;
                return Ok(error.map(|error| Leaf {
                    way: way + &node_id,
                    error,
                }));
            }
        }
        let children = store.children(id)?;
        let Some(last) = children.iter().rev().find(|it| it.node_id == node_id) else {
            return Ok(None);
        };
        let page = last_page(store, last.child)?;
        let Some(EventKind::WorkflowFailed(end)) = page.last().map(|it| &it.event.kind) else {
            return Ok(None);
        };
        way += &node_id;
        match &end.cause {
            WorkflowFailure::NodesFailed(nodes) if !nodes.is_empty() => {
                way += "/";
                (id, node_id) = (last.child, nodes[0].clone());
            }
            cause => {
                let error = render::workflow_failure(cause);
                return Ok(Some(Leaf { way, error }));
            }
        }
    }
    Ok(None)
}

/// Why this node failed, with what only the workflow's text and the rest of its log say.
fn of_cause(
    store: &mut dyn Reader,
    id: ExecutionId,
    page: &[StoredEvent],
    failed: NodeExhausted,
) -> Result<Option<String>, StoreError> {
    let named = match (&failed.cause, store.execution(id)?) {
        (NodeFailure::UnresolvedExpression(_), Some(record)) => {
            unresolved::error(&Written::of(store, &record)?, &failed)
        }
        (NodeFailure::ChildRefused(code), _) => {
            let asked = page.iter().rev().find_map(|it| match &it.event.kind {
                EventKind::ChildRequested(it) if it.node_id == failed.node_id => {
                    it.workflow.as_ref()
                }
                _ => None,
            });
            Some(render::child_refusal(*code, asked))
        }
        _ => None,
    };
    let kind = EventKind::NodeExhausted(failed);
    Ok(named.or_else(|| render::error(&kind).map(|error| error.into_owned())))
}

/// Says of nodes that failed for a child, or for instances, for what these failed.
pub(super) fn tell(
    store: &mut dyn Reader,
    id: ExecutionId,
    nodes: &mut Nodes,
) -> Result<(), StoreError> {
    let failed = nodes.failed_below();
    for (node_id, error, is_map) in failed.into_iter().take(NODES_MAX) {
        let leaf = match of(store, id, &node_id) {
            // What is damaged of a child is told by those who read its log.
            Err(error) if error.is_of_one() => None,
            leaf => leaf?,
        };
        // What failed by itself is told already.
        let leaf = leaf.filter(|leaf| leaf.way != node_id);
        let Some(Leaf { way, error: leaf }) = leaf else {
            continue;
        };
        let error = match is_map {
            // A single instance is named already.
            true if error.ends_with(&format!(": {way}")) => format!("{error}: {leaf}"),
            true => format!("{error}; {way}: {leaf}"),
            false => format!("its child failed: {way}: {leaf}"),
        };
        nodes.set_error(&node_id, error);
    }
    Ok(())
}

fn exhausted(page: &[StoredEvent], node_id: &str) -> Option<NodeExhausted> {
    page.iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::NodeExhausted(it) if it.node_id == node_id => Some(it.clone()),
            _ => None,
        })
}

/// The last events of a log; none of one that is erased, tampered with or not there.
fn last_page(store: &mut dyn Reader, id: ExecutionId) -> Result<Vec<StoredEvent>, StoreError> {
    let Some(record) = store.execution(id)? else {
        return Ok(Vec::new());
    };
    if record.erased.is_some() || record.tampering.is_some() {
        return Ok(Vec::new());
    }
    let first = record
        .head
        .sequence
        .saturating_sub(u64::from(EVENTS_PAGE_MAX));
    store.events(id, first + 1, EVENTS_PAGE_MAX)
}
