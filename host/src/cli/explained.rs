//! What a log and its workflow add to the scheduler's explanation of a node.

use std::collections::BTreeSet;

use refrain::guest::CallError;
use refrain::id::ExecutionId;
use refrain::model::{
    ChildRefusal, Explanation, NodeFailure, NodeState, Reason, ReasonCause, SchedulerError, Usage,
    instance_of,
};
use refrain::render;
use refrain::replay::Travel;
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::Timestamp;
use refrain::{EngineError, ErrorRemedy};

use super::database::Database;
use super::failure::curable;
use super::paused::Pause;
use super::remedy;
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

/// The reasons in sentences, each with what to type about it; nothing of that without a
/// database. A stall holds up all nodes: one that was told of is not told again.
pub(super) fn reasons(
    explanation: &Explanation,
    (execution, database): (ExecutionId, Option<&Database>),
    (nodes, written, pause): (&Nodes, &Written, Option<&Pause>),
    now: Timestamp,
    told: &mut BTreeSet<String>,
) -> Vec<Text> {
    let reasons = explanation.reasons.iter();
    let text = |reason: &Reason| {
        let sentence = in_full(&explanation.node_id, &reason.cause, nodes, written);
        let is_stall = matches!(
            reason.cause,
            ReasonCause::StalledByPolicy(_) | ReasonCause::StalledByHost(_)
        );
        if is_stall && !told.insert(sentence.clone()) {
            return text!("the execution is stalled, see above");
        }
        let mut sentence = Text::part_of_lines(&sentence);
        if let (ReasonCause::Paused, Some(pause)) = (&reason.cause, pause) {
            sentence.push(&pause.why());
        }
        let Some(database) = database else {
            return sentence;
        };
        let remedies = remedy::each(&reason.remedies, execution, database);
        match reason.remedies.len() {
            1 => text!("{}: {}", sentence, Text::joined(remedies, ", ")),
            2.. => remedies.fold(sentence, |said, it| text!("{}\n    {}", said, it)),
            0 if is_over(&reason.cause, now) => text!(
                "{}, which has passed: what follows is decided as soon as this works on it: {}",
                sentence,
                database.command("resume", &[execution.to_string()])
            ),
            0 => sentence,
        }
    };
    reasons.map(text).collect()
}

/// Whether it names a time that has passed: nobody has worked on the execution since.
fn is_over(cause: &ReasonCause, now: Timestamp) -> bool {
    matches!(cause, ReasonCause::WaitEnds(at) if *at <= now)
}

/// Whether the scheduler does not answer because it does not take an event of the log.
pub(super) fn is_log_refused(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(CallError::Scheduler(SchedulerError::Illegal(_)))
    )
}

/// That an execution has no such node; of an instance, which ones its map has.
pub(super) fn unknown_node(execution: ExecutionId, node_id: String, told: &Nodes) -> anyhow::Error {
    let map = instance_of(&node_id).and_then(|(map, _)| told.named(map));
    let has = match map.and_then(|map| Some((&map.id, map.instances?))) {
        Some((map, 0)) => format!("{map} has no instances"),
        Some((map, count)) => format!("{map} has the instances 0 to {}", count - 1),
        None => return EngineError::UnknownNode { execution, node_id }.into(),
    };
    curable(
        "unknown_node",
        format!("execution {execution} has no node {node_id:?}: {has}"),
        ErrorRemedy::ShowNodes(execution),
    )
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
