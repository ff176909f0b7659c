//! What a log and its workflow add to the scheduler's explanation of a node.

use refrain::model::{
    ChildRefusal, Explanation, NodeFailure, NodeState, ReasonCause, Usage, instance_of,
};
use refrain::render;
use refrain::replay::Travel;
use refrain::replay::nodes::{Node, Nodes};

use super::text::{Text, text};
use super::why_ended::{self, Written};

/// The reason in a sentence. Why a node failed stands in it as the log and the workflow's
/// text say it together: which expression came to null, which workflow is not registered.
pub(super) fn in_full(node: &str, cause: &ReasonCause, nodes: &Nodes, written: &Written) -> String {
    if let ReasonCause::NoRoom(usage) = cause
        && let Some(sentence) = held_by_map(node, usage, nodes, written)
    {
        return sentence;
    }
    let sentence = render::sentence(node, cause);
    let (failed, why) = match cause {
        ReasonCause::FailedForGood(it) | ReasonCause::LastFailure(it) => (node, &it.cause),
        ReasonCause::FailedPredecessor(it) => (it.node_id.as_str(), &it.cause),
        _ => return sentence,
    };
    let Some(why) = why.as_ref().filter(|why| is_in_short(why)) else {
        return sentence;
    };
    let error = nodes.named(failed).and_then(|node| node.error.as_deref());
    match (sentence.strip_suffix(&*render::node_failure(why)), error) {
        (Some(before), Some(error)) => format!("{before}{error}"),
        _ => sentence,
    }
}

/// That an instance is held by the bound of its map, where it is. A scheduler says of this
/// bound and of the execution's the same.
fn held_by_map(node: &str, usage: &Usage, nodes: &Nodes, written: &Written) -> Option<String> {
    let (map, _) = instance_of(node)?;
    let allowed = written.max_concurrent_of(map)?;
    let is_under_way = |node: &&Node| {
        node.map() == Some(map)
            && !node.has_failed()
            && node.ended_at.is_none()
            && node.state != NodeState::Pending
    };
    let under_way = nodes.iter().filter(is_under_way).count() as u64;
    (allowed == u64::from(usage.allowed) && under_way >= allowed).then(|| {
        format!(
            "instance `{node}` could run, but {} of {} instances of map `{map}` (its max_concurrent) are under way",
            usage.used, usage.allowed
        )
    })
}

/// Whether a scheduler says of this less than is known.
fn is_in_short(why: &NodeFailure) -> bool {
    matches!(
        why,
        NodeFailure::UnresolvedExpression(_)
            | NodeFailure::ChildRefused(ChildRefusal::UnknownWorkflow)
    )
}

/// What the edges saw that might have handled the failure of a node, and did not.
pub(super) fn refused_edges(
    travel: &mut Travel,
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
        let target = travel.explain(to)?;
        for sentence in why_ended::refused(&target, &explanation.node_id) {
            text.push(&text!("  {}\n", sentence));
        }
    }
    Ok(text)
}

/// What an edge leads to that ends the execution.
const END: &str = "end";
