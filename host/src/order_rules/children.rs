//! What a guest orders about children, held against the workflow and its decisions.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{ChildName, ChildOrder, Event, EventKind, WorkOrder, WorkflowName};

/// What a node, or each instance of a map, lets be ordered about children (rule R22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildRules {
    /// The workflow that it names. `None` if the workflow is written in place: then it is
    /// the text.
    workflow: Result<WorkflowName, Box<str>>,
    /// Whether nobody waits for the child.
    pub(crate) is_detached: bool,
    /// The most iterations (rule R23).
    iterations: u32,
}

#[derive(Deserialize)]
struct SubgraphText<'a> {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    workflow_id: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    detached: Option<bool>,
    #[serde(default)]
    repeat: Option<RepeatText>,
}

#[derive(Deserialize)]
struct RepeatText {
    max: u32,
}

impl ChildRules {
    /// The kind of a node, or the body of a map. `None` if it starts no child.
    pub(super) fn of(kind: &str) -> Option<Self> {
        let text: SubgraphText<'_> = serde_json::from_str(kind).ok()?;
        if text.name != SUBGRAPH {
            return None;
        }
        let workflow = match (text.body, text.workflow_id.zip(text.version)) {
            (Some(body), _) => Err(body.get().into()),
            (None, Some((workflow_id, version))) => Ok(WorkflowName {
                workflow_id,
                version,
            }),
            (None, None) => return None,
        };
        Some(Self {
            workflow,
            is_detached: text.detached.unwrap_or(false),
            iterations: text.repeat.map_or(1, |repeat| repeat.max),
        })
    }

    /// The text of the workflow, where it is written in place.
    pub(crate) fn in_place(&self) -> Option<&str> {
        self.workflow.as_ref().err().map(|text| &**text)
    }

    /// Why this child is none that the workflow holds, if it is none.
    pub(super) fn fault(&self, order: &ChildOrder) -> Option<String> {
        if order.workflow.as_ref() != self.workflow.as_ref().ok() {
            return Some("is of another workflow than the node's".to_owned());
        }
        if order.name.iteration >= self.iterations || order.name.attempt == 0 {
            return Some(format!(
                "is attempt {} of iteration {}, and the node has attempts from 1, and {} iterations",
                order.name.attempt, order.name.iteration, self.iterations
            ));
        }
        None
    }

    /// About how much memory these rules take.
    pub(super) fn bytes(&self) -> usize {
        match &self.workflow {
            Ok(name) => name.workflow_id.len() + name.version.len(),
            Err(text) => text.len(),
        }
    }
}

/// The kind that starts a child.
pub(super) const SUBGRAPH: &str = "subgraph";

/// Holds what was ordered about children in a step against what it decided. Says what
/// is wrong, if anything is.
pub(crate) fn unfounded<'a>(
    decisions: impl Iterator<Item = &'a Event> + Clone,
    orders: &[WorkOrder],
) -> Option<String> {
    let started = orders.iter().filter_map(|order| match order {
        WorkOrder::StartChild(order) => Some((&order.name, order.workflow.as_ref())),
        _ => None,
    });
    let requested = decisions.clone().filter_map(|event| match &event.kind {
        EventKind::ChildRequested(it) => Some(it),
        _ => None,
    });
    let mut started = started;
    for it in requested {
        let is_it = started.next().is_some_and(|(name, workflow)| {
            (&*name.node_id, name.attempt, name.iteration)
                == (&*it.node_id, it.attempt, it.iteration)
                && workflow == it.workflow.as_ref()
        });
        if !is_it {
            return Some(format!(
                "node {:?} was decided to have a child, and it was not ordered so",
                it.node_id
            ));
        }
    }
    if let Some((name, _)) = started.next() {
        return Some(format!(
            "a child of node {:?} was ordered without a decision",
            name.node_id
        ));
    }
    let cancelled = orders.iter().filter_map(|order| match order {
        WorkOrder::CancelChild(name) => Some(name),
        _ => None,
    });
    let stops = |event: &Event, name: &ChildName| match &event.kind {
        EventKind::NodeCancelled(it) => it.node_id == name.node_id,
        EventKind::NodeTimedOut(it) => it.node_id == name.node_id,
        _ => false,
    };
    let mut cancelled = cancelled;
    let unfounded = cancelled.find(|name| !decisions.clone().any(|event| stops(event, name)))?;
    Some(format!(
        "the child of node {:?} was cancelled without a decision",
        unfounded.node_id
    ))
}
