//! What a log and its workflow add to the scheduler's explanation of a node.

use refrain::model::{ChildRefusal, Explanation, NodeFailure, NodeState, Reason, ReasonCause};
use refrain::replay::Player;
use refrain::replay::nodes::Nodes;

use super::text::{Text, text};
use super::why_ended::{self, Written};

/// Which workflow was asked for, where a child cannot be started because it is not
/// registered: only the log's request says that.
pub(super) fn child(explanation: &Explanation, told: &Nodes) -> Text {
    let is_refused = |reason: &Reason| match &reason.cause {
        ReasonCause::FailedForGood(it) | ReasonCause::LastFailure(it) => matches!(
            it.cause,
            Some(NodeFailure::ChildRefused(ChildRefusal::UnknownWorkflow))
        ),
        _ => false,
    };
    let node = told.named(&explanation.node_id);
    let error = node.and_then(|node| node.error.as_deref());
    match error.filter(|_| explanation.reasons.iter().any(is_refused)) {
        Some(error) => text!("  {}\n", Text::lines(error)),
        None => Text::new(),
    }
}

/// What the edges saw that might have handled the failure of a node, and did not.
pub(super) fn refused_edges(
    player: &mut Player,
    explanation: &Explanation,
    written: &Written,
) -> anyhow::Result<Text> {
    let mut text = Text::new();
    if explanation.state != NodeState::Failed {
        return Ok(text);
    }
    for (to, condition) in written.failure_edges(&explanation.node_id) {
        if to == END {
            text.push(&text!(
                "  its edge to the end has the condition {:?}\n",
                condition
            ));
            continue;
        }
        let target = player.explain(to)?;
        for sentence in why_ended::refused(&target, &explanation.node_id) {
            text.push(&text!("  {}\n", sentence));
        }
    }
    Ok(text)
}

/// What an edge leads to that ends the execution.
const END: &str = "end";
