//! Why an execution has ended, where its nodes alone do not say it; and what the edges of a
//! failed node saw that might have handled the failure.

use refrain::model::{
    EventKind, Explanation, ReasonCause, WorkflowFailure, instance_of, node_of_run,
};
use refrain::render;
use refrain::replay::nodes::Nodes;
use refrain::store::{ExecutionRecord, Reader, StoreError, ended};
use serde_json::Value;

use super::text::{Text, text};

/// The text of an execution's workflow, read.
#[derive(Default)]
pub(super) struct Written(Value);

impl Written {
    /// The workflow of this execution; nothing if the store has it no longer.
    pub(super) fn of(store: &mut dyn Reader, record: &ExecutionRecord) -> Result<Self, StoreError> {
        let ExecutionRecord {
            tenant,
            workflow_id,
            workflow_version,
            ..
        } = record;
        let found = store.workflow(tenant, workflow_id, workflow_version)?;
        // What is registered is JSON.
        let workflow = found.and_then(|found| serde_json::from_str(&found.text).ok());
        Ok(Self(workflow.unwrap_or_default()))
    }

    /// The text as JSON; null if the store has it no longer.
    pub(super) fn json(&self) -> &Value {
        &self.0
    }

    /// The edges with a condition that are judged when this node fails: where each leads, and
    /// its condition.
    pub(super) fn failure_edges(&self, node_id: &str) -> Vec<(&str, &str)> {
        let edges = self.0["edges"].as_array().into_iter().flatten();
        let judged = edges.filter(|edge| {
            edge["from"] == node_id && (edge["on"] == "failure" || edge["on"] == "always")
        });
        judged
            .filter_map(|edge| Some((edge["to"].as_str()?, edge["condition"].as_str()?)))
            .collect()
    }

    /// Whether the workflow has this node, or the one that this is an instance or a
    /// compensation of; also where the text is not there.
    pub(super) fn has_node(&self, node_id: &str) -> bool {
        let nodes = self.0["nodes"].as_object();
        nodes.is_none_or(|nodes| nodes.contains_key(node_of_run(node_id)))
    }

    /// The ids of its nodes; none if the text is not there.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &str> {
        let nodes = self.0["nodes"].as_object().into_iter().flatten();
        nodes.map(|(id, _)| id.as_str())
    }

    /// Whether nobody waits for the child of this node: it is completed when that was started,
    /// and its log says no more of it.
    pub(super) fn is_detached(&self, node_id: &str) -> bool {
        let nodes = &self.0["nodes"];
        let kind = match instance_of(node_id) {
            Some((map, _)) => &nodes[map]["kind"]["body"],
            None => &nodes[node_id]["kind"],
        };
        kind["detached"] == true
    }

    /// How many instances of this map may be under way at once. `None` if it does not say.
    pub(super) fn max_concurrent_of(&self, map: &str) -> Option<u64> {
        self.0["nodes"][map]["kind"]["max_concurrent"].as_u64()
    }

    /// The node of the kind `terminate` that was reached, if one was.
    fn terminated_by<'n>(&self, nodes: &'n Nodes) -> Option<&'n str> {
        let is_terminate = |id: &str| self.0["nodes"][id]["kind"]["type"] == "terminate";
        let mut nodes = nodes.iter().map(|node| node.id.as_str());
        nodes.find(|id| is_terminate(id))
    }
}

/// Why an execution has ended, where it did not simply complete or fail for its nodes.
/// `None` if there is nothing to say.
pub(super) fn why(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    nodes: &Nodes,
    written: &Written,
) -> Result<Option<Text>, StoreError> {
    if !ended(record.status) {
        return Ok(None);
    }
    let last = store.events(record.id, record.head.sequence, 1)?;
    let Some(last) = last.first() else {
        return Ok(None);
    };
    let by_node = || match written.terminated_by(nodes) {
        Some(node) => text!("node {:?} ended it", node),
        None => text!("a node of the kind `terminate` ended it"),
    };
    Ok(match &last.event.kind {
        EventKind::WorkflowCompleted(_) => written.terminated_by(nodes).map(|_| by_node()),
        EventKind::WorkflowFailed(failed) => match &failed.cause {
            WorkflowFailure::NodesFailed(_) => None,
            WorkflowFailure::Terminated(reason) => {
                let reason = reason
                    .as_deref()
                    .map(|reason| text!(": {}", Text::lines(reason)));
                Some(text!("{}{}", by_node(), reason.unwrap_or_default()))
            }
            cause => Some(Text::lines(&render::workflow_failure(cause))),
        },
        EventKind::WorkflowCancelled(cancelled) => {
            let reason = cancelled.reason.as_deref();
            let reason = reason.map(|reason| text!(": {}", Text::lines(reason)));
            Some(text!("it was cancelled{}", reason.unwrap_or_default()))
        }
        _ => None,
    })
}

/// What the conditions saw of the edges that lead from a failed node to this one, in
/// sentences.
pub(super) fn refused(explanation: &Explanation, from: &str) -> Vec<Text> {
    let causes = explanation.reasons.iter().map(|reason| &reason.cause);
    let refused = causes.filter(|cause| match cause {
        ReasonCause::FalseCondition(it) => it.node_id == from,
        _ => false,
    });
    let sentence = |cause| Text::part_of_lines(&render::sentence(&explanation.node_id, cause));
    refused.map(sentence).collect()
}
