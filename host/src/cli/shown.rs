//! What `refrain show` says to programs.

use std::collections::BTreeMap;

use refrain::names;
use refrain::replay::nodes::Node;
use refrain::store::ended;
use refrain::time::rfc3339;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::children::Child;
use super::damage::DamagedDocument;
use super::labels::LabelsDocument;
use super::list::RecordDocument;
use super::log_source::Place;
use super::show::View;
use super::waiting::Waiting;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    record: RecordDocument<'a>,
    /// Behind which event it is shown, where that is not as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<Place>,
    forked_from: Option<OriginDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParentDocument<'a>>,
    #[serde(skip_serializing_if = "<[Child]>::is_empty")]
    children: &'a [Child],
    labels: LabelsDocument<'a>,
    /// What it is now, while it has not ended.
    state: Option<&'a RawValue>,
    /// Why it cannot be told, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_error: Option<&'a str>,
    final_state: Option<&'a RawValue>,
    error: Option<&'a str>,
    cancelling: bool,
    nodes: Vec<NodeDocument<'a>>,
    waiting: Vec<Value>,
    damaged: Vec<DamagedDocument<'a>>,
}

#[derive(Serialize)]
struct OriginDocument<'a> {
    execution_id: &'a str,
    /// The last event that both have in common.
    sequence: u64,
}

#[derive(Serialize)]
struct ParentDocument<'a> {
    execution_id: &'a str,
    node_id: &'a str,
}

#[derive(Serialize)]
struct NodeDocument<'a> {
    node_id: &'a str,
    state: &'static str,
    attempts: u32,
    queue: Option<&'a str>,
    since: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    /// Milliseconds under way without a worker, and in the hands of workers.
    waited_ms: Option<u64>,
    worked_ms: u64,
    error: Option<&'a str>,
    /// What it undoes, if it is a compensation.
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a str>,
    /// How many instances of a map are in each state.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<BTreeMap<&'static str, u32>>,
}

/// What there is to show, for programs.
pub(super) fn document(view: &View) -> anyhow::Result<Document<'_>> {
    Ok(Document {
        record: RecordDocument::of(&view.record, view.simulated),
        behind: view.place,
        forked_from: view.forked_from.as_ref().map(|origin| OriginDocument {
            execution_id: &origin.execution_id,
            sequence: origin.sequence,
        }),
        parent: view.parent.as_ref().map(|parent| ParentDocument {
            execution_id: &parent.execution_id,
            node_id: &parent.node_id,
        }),
        children: &view.children.shown,
        labels: LabelsDocument::of(&view.labels),
        final_state: view
            .ending
            .final_state
            .as_deref()
            .map(serde_json::from_str)
            .transpose()?,
        state: match &view.state {
            Some(Ok(state)) => Some(serde_json::from_str(state)?),
            _ => None,
        },
        state_error: match &view.state {
            Some(Err(why)) => Some(why),
            _ => None,
        },
        error: view.ending.error.as_deref(),
        cancelling: view.ending.is_cancelling() && !ended(view.record.status),
        nodes: view
            .nodes
            .iter()
            .map(|node| NodeDocument::of(node, view))
            .collect(),
        waiting: view.waiting.iter().map(Waiting::document).collect(),
        damaged: view.damaged.iter().map(DamagedDocument::of).collect(),
    })
}

impl<'a> NodeDocument<'a> {
    fn of(node: &'a Node, view: &View) -> Self {
        let now = view.now;
        Self {
            instances: view.told.instances_of(node),
            node_id: &node.id,
            undoes: node.undoes(),
            state: names::node_state(node.state),
            attempts: node.attempts,
            queue: node.queue.as_deref(),
            since: node.since.and_then(rfc3339),
            started_at: node.started_at.and_then(rfc3339),
            ended_at: node.ended_at.and_then(rfc3339),
            waited_ms: node.waited_ms(now),
            worked_ms: node.worked_ms(now),
            error: node.error.as_deref(),
        }
    }
}
