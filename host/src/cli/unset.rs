//! What is told at the end where something was silently left out, or failed: conditions, and
//! nodes' own expressions, that read what was never there.

use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{EventKind, Explanation, NodeState, ReasonCause, Status};
use refrain::render::{UnsetPath, unset_of_node, unset_paths};
use refrain::replay::nodes::Node;
use refrain::{Engine, EngineError, Execution};
use serde_json::Value;

use super::seen::Seen;

/// So many nodes are looked at.
const LOOKED_AT_MAX: usize = 20;

/// The paths that were never set: those for which nodes were skipped or children not
/// repeated, where the execution has completed, and those over which maps had no list,
/// where it failed. Costs nothing where there are no such nodes.
pub(super) async fn of(engine: &Engine, seen: &Seen) -> anyhow::Result<Vec<UnsetPath>> {
    let is_asked = |node: &&Node| match seen.record.status {
        Status::Completed => {
            let has_child = node.state == NodeState::Completed && node.child;
            node.state == NodeState::Skipped || has_child && !node.is_one_of_many()
        }
        // A map that was over no list has done nothing.
        Status::Failed => node.state == NodeState::Failed && node.attempts == 0,
        _ => false,
    };
    let asked = seen.nodes.iter().filter(is_asked);
    let asked: Vec<&Node> = asked.take(LOOKED_AT_MAX).collect();
    let state = match &seen.ending.final_state {
        Some(state) if !asked.is_empty() => state,
        _ => return Ok(Vec::new()),
    };
    let execution = engine.execution(seen.record.id);
    let first = execution.events(1, 1).await?;
    let Some(EventKind::WorkflowStarted(started)) = first.first().map(|it| &it.event.kind) else {
        return Ok(Vec::new());
    };
    let state: Value = serde_json::from_str(state)?;
    let input: Value = serde_json::from_str(&started.initial_input)?;
    let mut unset = Vec::new();
    for node in asked {
        let explanation = execution.explain(&node.id).await?;
        if seen.record.status == Status::Completed {
            unset.extend(unset_paths(&explanation, &state, &input));
        }
        let outputs = match reads_last(&explanation) {
            true => outputs(&execution, &node.id).await?,
            false => Vec::new(),
        };
        unset.extend(unset_of_node(&explanation, &state, &input, &outputs));
    }
    Ok(unset)
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
    let mut outputs = Vec::new();
    let mut next = 1;
    loop {
        let events = execution.events(next, EVENTS_PAGE_MAX).await?;
        let Some(last) = events.last() else {
            return Ok(outputs);
        };
        next = last.event.sequence + 1;
        for stored in &events {
            if let EventKind::ChildEnded(it) = &stored.event.kind
                && it.node_id == node_id
            {
                // What is no JSON was refused when it came.
                let output = it.output.as_deref().map(serde_json::from_str);
                outputs.extend(output.and_then(Result::ok));
            }
        }
    }
}
