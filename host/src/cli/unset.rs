//! What is told of a success that has silently left something out: conditions that read
//! what was never there.

use refrain::Engine;
use refrain::model::{EventKind, NodeState, Status};
use refrain::render::{UnsetPath, unset_paths};
use serde_json::Value;

use super::seen::Seen;

/// So many skipped nodes are looked at.
const LOOKED_AT_MAX: usize = 20;

/// The paths that were never set, and for which nodes were skipped, where the execution
/// has completed. Costs nothing where no node was skipped.
pub(super) async fn of(engine: &Engine, seen: &Seen) -> anyhow::Result<Vec<UnsetPath>> {
    let skipped = seen
        .nodes
        .iter()
        .filter(|it| it.state == NodeState::Skipped);
    let skipped: Vec<&str> = skipped
        .take(LOOKED_AT_MAX)
        .map(|node| node.id.as_str())
        .collect();
    let state = match &seen.ending.final_state {
        Some(state) if seen.record.status == Status::Completed && !skipped.is_empty() => state,
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
    for node_id in skipped {
        let explanation = execution.explain(node_id).await?;
        unset.extend(unset_paths(&explanation, &state, &input));
    }
    Ok(unset)
}
