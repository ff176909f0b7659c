//! What is told at the end where something was silently left out, or failed: conditions, and
//! nodes' own expressions, that read what was never there; in children, too.

use std::collections::BTreeSet;

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{Event, EventKind, Explanation, NodeFailure, NodeState, ReasonCause, Status};
use refrain::render::{UnsetPath, expressions_at, unset_in_text, unset_of_node, unset_paths};
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::{ExecutionRecord, StoreError};
use refrain::{Engine, EngineError, Execution};
use serde_json::Value;

use super::ending::Ending;
use super::seen::Seen;
use super::why_ended::Written;

/// So many nodes of an execution are looked at.
const LOOKED_AT_MAX: usize = 20;

/// So many children of an execution, and of theirs, are looked at.
const CHILDREN_MAX: usize = 20;

/// Logs of children that are longer are not looked at.
const EVENTS_MAX: u64 = 10_000;

/// The paths that were never set: those for which nodes were skipped or children not
/// repeated, where the execution has completed, and those over which maps had no list or
/// which texts needed, where it failed. Costs nothing where there are no such nodes.
pub(super) async fn of(
    engine: &Engine,
    seen: &Seen,
    written: &Written,
) -> anyhow::Result<Vec<UnsetPath>> {
    let execution = engine.execution(seen.record.id);
    let log = Log {
        status: seen.record.status,
        nodes: &seen.nodes,
        final_state: seen.ending.final_state.as_deref(),
    };
    match asked(&log).is_empty() {
        true => Ok(Vec::new()),
        false => of_one(&execution, &log, written).await,
    }
}

/// The same of the children of an execution that have ended, and of theirs: their nodes have
/// the way to them before their names. `written` reads the workflow of one. What the same
/// condition read in several of them is told once.
pub(super) async fn below(
    engine: &Engine,
    id: ExecutionId,
    mut written: impl FnMut(&ExecutionRecord) -> Result<Written, StoreError>,
) -> anyhow::Result<Vec<UnsetPath>> {
    let mut left = started("", &events(&engine.execution(id)).await?);
    let (mut unset, mut told) = (Vec::new(), BTreeSet::new());
    let mut place = 0;
    while let Some((way, id)) = left.get(place).cloned() {
        place += 1;
        if place > CHILDREN_MAX {
            break;
        }
        let Ok(id) = id.parse() else { continue };
        let execution = engine.execution(id);
        let record = match execution.record().await {
            // What is gone or damaged of one is told by those who look at it.
            Err(_) => continue,
            Ok(record) if record.head.sequence > EVENTS_MAX => continue,
            Ok(record) => record,
        };
        let events = events(&execution).await?;
        left.extend(started(&way, &events));
        let (nodes, ending) = (Nodes::of(&events), Ending::of(&events));
        let log = Log {
            status: record.status,
            nodes: &nodes,
            final_state: ending.final_state.as_deref(),
        };
        if asked(&log).is_empty() {
            continue;
        }
        for mut path in of_one(&execution, &log, &written(&record)?).await? {
            path.node_id.insert_str(0, &way);
            path.from_node_id.insert_str(0, &way);
            if told.insert((path.condition.clone(), path.path.clone())) {
                unset.push(path);
            }
        }
    }
    Ok(unset)
}

/// What is known of an execution that has ended.
struct Log<'a> {
    status: Status,
    nodes: &'a Nodes,
    final_state: Option<&'a str>,
}

/// The nodes that may have read what was never there.
fn asked<'a>(log: &Log<'a>) -> Vec<&'a Node> {
    let is_asked = |node: &&Node| match log.status {
        Status::Completed => {
            let has_child = node.state == NodeState::Completed && node.child;
            node.state == NodeState::Skipped || has_child && !node.is_one_of_many()
        }
        // What was over no list, or had a text that came to null, has done nothing.
        Status::Failed => node.state == NodeState::Failed && node.attempts == 0,
        _ => false,
    };
    log.nodes
        .iter()
        .filter(is_asked)
        .take(LOOKED_AT_MAX)
        .collect()
}

async fn of_one(
    execution: &Execution,
    log: &Log<'_>,
    written: &Written,
) -> anyhow::Result<Vec<UnsetPath>> {
    let Some(state) = log.final_state else {
        return Ok(Vec::new());
    };
    let first = execution.events(1, 1).await?;
    let Some(EventKind::WorkflowStarted(started)) = first.first().map(|it| &it.event.kind) else {
        return Ok(Vec::new());
    };
    let state: Value = serde_json::from_str(state)?;
    let input: Value = serde_json::from_str(&started.initial_input)?;
    let mut unset = Vec::new();
    for node in asked(log) {
        let explanation = execution.explain(&node.id).await?;
        if log.status == Status::Completed {
            unset.extend(unset_paths(&explanation, &state, &input));
        } else if let Some(pointer) = unresolved(&explanation) {
            let expressions = expressions_at(written.json(), &node.id, pointer);
            unset.extend(unset_in_text(&node.id, &expressions, &state, &input));
            continue;
        }
        let outputs = match reads_last(&explanation) {
            true => outputs(execution, &node.id).await?,
            false => Vec::new(),
        };
        unset.extend(unset_of_node(&explanation, &state, &input, &outputs));
    }
    Ok(unset)
}

/// The children that these events started: the way to each, and its id.
fn started(way: &str, events: &[Event]) -> Vec<(String, String)> {
    let started = events.iter().filter_map(|event| match &event.kind {
        EventKind::ChildStarted(it) => Some((format!("{way}{}/", it.node_id), it.child_id.clone())),
        _ => None,
    });
    started.take(CHILDREN_MAX).collect()
}

async fn events(execution: &Execution) -> Result<Vec<Event>, EngineError> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let next = events.last().map_or(1, |event| event.sequence + 1);
        let page = execution.events(next, EVENTS_PAGE_MAX).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page.into_iter().map(|stored| stored.event));
    }
}

/// The place of the text of which an expression came to null, if the node failed for that.
fn unresolved(explanation: &Explanation) -> Option<&str> {
    explanation
        .reasons
        .iter()
        .find_map(|reason| match &reason.cause {
            ReasonCause::FailedForGood(it) => match &it.cause {
                Some(NodeFailure::UnresolvedExpression(pointer)) => Some(pointer.as_str()),
                _ => None,
            },
            _ => None,
        })
}

/// Whether the node's own expression read what its last child came to.
fn reads_last(explanation: &Explanation) -> bool {
    let own = |cause: &ReasonCause| match cause {
        ReasonCause::FalseCondition(it) if it.node_id == explanation.node_id => {
            it.seen.iter().any(|seen| seen.path.starts_with("last"))
        }
        _ => false,
    };
    explanation.reasons.iter().any(|reason| own(&reason.cause))
}

/// What the children of this node came to, one after the other.
async fn outputs(execution: &Execution, node_id: &str) -> Result<Vec<Value>, EngineError> {
    let events = events(execution).await?;
    let outputs = events.iter().filter_map(|event| match &event.kind {
        // What is no JSON was refused when it came.
        EventKind::ChildEnded(it) if it.node_id == node_id => {
            serde_json::from_str(it.output.as_deref()?).ok()
        }
        _ => None,
    });
    Ok(outputs.collect())
}
