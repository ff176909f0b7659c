//! Why a node is where it is.

use super::failure::{node_failure, stall};
use crate::id::ExecutionId;
use crate::model::{
    AttemptFailure, CancelReason, Completion, FalseCondition, NextStep, ReasonCause, Seen,
    SeenValue, Timestamp, instance_of,
};
use crate::names;
use crate::time::rfc3339;

/// The reason in a sentence, with names, numbers and times in it.
#[must_use]
pub fn sentence(node: &str, cause: &ReasonCause) -> String {
    edges(node, cause)
        .or_else(|| finalizers(node, cause))
        .or_else(|| attempts(node, cause))
        .or_else(|| waits(node, cause))
        .or_else(|| ends(node, cause))
        .unwrap_or_else(|| execution(cause))
}

fn edges(node: &str, cause: &ReasonCause) -> Option<String> {
    Some(match cause {
        ReasonCause::UnmetPredecessor(it) => format!(
            "node `{node}` needs node `{}`, which is {}",
            it.node_id,
            names::node_state(it.state)
        ),
        ReasonCause::FailedPredecessor(it) => {
            let needs = format!(
                "node `{node}` needs node `{}`, which failed for good",
                it.node_id
            );
            match &it.cause {
                Some(cause) => format!("{needs}: {}", node_failure(cause)),
                None => needs,
            }
        }
        ReasonCause::MorePredecessors(count) => {
            format!("{count} more predecessors are not settled")
        }
        ReasonCause::SkippedPredecessor(from) => {
            format!("node `{node}` comes after node `{from}`, which was skipped")
        }
        ReasonCause::OtherTarget(it) => {
            format!(
                "node `{}` chose `{}`, not `{node}`",
                it.node_id, it.chosen_target
            )
        }
        ReasonCause::NoTarget(from) => {
            format!("node `{from}` chose no target, and `{node}` runs only when chosen")
        }
        ReasonCause::FalseCondition(it) => false_condition(node, it),
        ReasonCause::DeadEdge(from) => format!("the edge from `{from}` to `{node}` is dead"),
        ReasonCause::MoreDeadEdges(count) => format!("{count} more incoming edges are dead"),
        ReasonCause::NoEdge => format!("nothing leads to node `{node}`"),
        _ => return None,
    })
}

fn false_condition(node: &str, it: &FalseCondition) -> String {
    let FalseCondition {
        node_id,
        condition,
        seen,
    } = it;
    let sentence = match node_id == node {
        // What the node itself was settled by: its `while`, or its `over`.
        true => format!("node `{node}` was settled by what it read at `{condition}`"),
        false => format!(
            "the condition `{condition}` from `{node_id}` to `{node}` was false when node `{node_id}` was settled"
        ),
    };
    let seen: Vec<String> = seen.iter().map(seen_value).collect();
    match seen.is_empty() {
        true => sentence,
        false => format!("{sentence}: {}", seen.join(", ")),
    }
}

fn seen_value(SeenValue { path, value }: &SeenValue) -> String {
    match value {
        Seen::Missing => format!("`{path}` was missing"),
        Seen::Value(json) => format!("`{path}` was {json}"),
        Seen::TooLong(bytes) => format!("`{path}` was a value of {bytes} bytes"),
    }
}

fn finalizers(node: &str, cause: &ReasonCause) -> Option<String> {
    Some(match cause {
        ReasonCause::NotAtTheEnd(it) => format!(
            "finalizer `{node}` runs when the execution ends; {} node(s) are under way, and {} can go on",
            it.under_way, it.ready
        ),
        ReasonCause::EarlierFinalizers(count) => {
            format!("finalizer `{node}` comes after {count} other finalizer(s) that have not ended")
        }
        ReasonCause::OtherEnding => {
            format!("finalizer `{node}` does not run on the ending that the execution comes to")
        }
        _ => return None,
    })
}

fn attempts(node: &str, cause: &ReasonCause) -> Option<String> {
    Some(match cause {
        ReasonCause::WaitsForWorker(it) => format!(
            "attempt {} of node `{node}` waits on the queue `{}` for a worker, since {}",
            it.attempt,
            it.queue,
            time(it.since)
        ),
        ReasonCause::WorkerAtWork(it) if it.worker_id.parse::<ExecutionId>().is_ok() => format!(
            "child {} has been running for attempt {} of node `{node}` since {}",
            it.worker_id,
            it.attempt,
            time(it.since)
        ),
        ReasonCause::WorkerAtWork(it) if it.worker_id.is_empty() => format!(
            "attempt {} of node `{node}` has asked for its child since {}",
            it.attempt,
            time(it.since)
        ),
        ReasonCause::WorkerAtWork(it) => format!(
            "worker `{}` has been doing attempt {} of node `{node}` since {}",
            it.worker_id,
            it.attempt,
            time(it.since)
        ),
        ReasonCause::NotBefore(at) => {
            format!(
                "the next attempt of node `{node}` may begin at {}",
                time(*at)
            )
        }
        ReasonCause::TimesOut(at) => {
            format!("the attempt of node `{node}` times out at {}", time(*at))
        }
        ReasonCause::LastFailure(it) => {
            let class = it.error_class.as_ref();
            let class = class.map_or(String::new(), |class| format!(" of class {class}"));
            format!(
                "node `{node}` is at attempt {} of {}; the last failure{class}: {}",
                it.attempt,
                it.max_attempts,
                why(it)
            )
        }
        // A scheduler says of the bound of a map and of that of the execution the same.
        ReasonCause::NoRoom(it) if instance_of(node).is_some() => format!(
            "node `{node}` could run, but {} of {} nodes (max_concurrent of its map, or max_concurrent_nodes) are in flight",
            it.used, it.allowed
        ),
        ReasonCause::NoRoom(it) => format!(
            "node `{node}` could run, but {} of {} nodes (max_concurrent_nodes) are in flight",
            it.used, it.allowed
        ),
        _ => return None,
    })
}

fn why(failure: &AttemptFailure) -> std::borrow::Cow<'_, str> {
    failure
        .cause
        .as_ref()
        .map_or("no error given".into(), node_failure)
}

fn waits(node: &str, cause: &ReasonCause) -> Option<String> {
    Some(match cause {
        ReasonCause::WaitsForApproval(question) if question.is_empty() => {
            format!("node `{node}` waits for a person to decide")
        }
        ReasonCause::WaitsForApproval(question) => {
            format!("node `{node}` waits for a person to decide on \"{question}\"")
        }
        ReasonCause::WaitsForEvent(key) => {
            format!("node `{node}` waits for the external event `{key}`")
        }
        ReasonCause::WaitEnds(at) => {
            format!("the wait of node `{node}` ends by itself at {}", time(*at))
        }
        ReasonCause::NextStep(step) => match step {
            NextStep::Dispatch => format!(
                "node `{node}` is dispatched at the next step, as far as max_dispatch_per_tick reaches"
            ),
            NextStep::Settle => {
                format!("node `{node}` is settled by the scheduler at its next step")
            }
            NextStep::Skip => format!("node `{node}` is skipped at the next step"),
            NextStep::JudgeFailure => {
                format!("what follows the failure of node `{node}` is decided at the next step")
            }
            NextStep::SkipByOperator => format!(
                "an operator asked for node `{node}` to be skipped; this is done at the next step"
            ),
        },
        ReasonCause::SkippedOnceLifted => format!(
            "an operator asked for node `{node}` to be skipped; this is done when the stall is lifted"
        ),
        _ => return None,
    })
}

fn ends(node: &str, cause: &ReasonCause) -> Option<String> {
    Some(match cause {
        ReasonCause::WasCompleted(it) => completed(node, it),
        ReasonCause::FailedForGood(it) => match it.attempt {
            0 => format!("node `{node}` failed for good: {}", why(it)),
            attempts => format!(
                "node `{node}` failed for good after {attempts} of {} attempts: {}",
                it.max_attempts,
                why(it)
            ),
        },
        ReasonCause::SkippedByOperator => {
            format!("an operator asked for node `{node}` to be skipped; it counts as completed")
        }
        ReasonCause::WasStopped(reason) => {
            let because = match reason {
                CancelReason::CancelRequested => "the execution is cancelled",
                CancelReason::WorkflowTimedOut => "the workflow's time ran out",
                CancelReason::ByOperator => "an operator asked for it",
                CancelReason::JoinSatisfied => "the join that it led to is satisfied without it",
                CancelReason::MapSettled => "its map is settled without it",
                CancelReason::Terminated => "the workflow was terminated",
                CancelReason::BudgetExceeded => "the workflow's budget is spent",
            };
            format!("node `{node}` was stopped because {because}")
        }
        ReasonCause::NotNeeded => {
            format!(
                "node `{node}` was skipped because the join that it led to is satisfied without it"
            )
        }
        _ => return None,
    })
}

fn completed(node: &str, it: &Completion) -> String {
    let by = match &it.worker_id {
        Some(worker) => format!("worker `{worker}` at attempt {}", it.attempt),
        None => "the scheduler itself".to_owned(),
    };
    let chosen = it.chosen_target.as_ref().map_or(String::new(), |target| {
        format!(", with `{target}` as the chosen target")
    });
    format!(
        "node `{node}` was completed by {by} at {}{chosen}",
        time(it.at)
    )
}

fn execution(cause: &ReasonCause) -> String {
    match cause {
        ReasonCause::StalledByPolicy(reason) => {
            format!("the execution is stalled: {}", stall(reason))
        }
        ReasonCause::StalledByHost(reason) => {
            format!("the execution is stalled: the scheduler could not go on: {reason}")
        }
        ReasonCause::Paused => "the execution is paused".to_owned(),
        ReasonCause::BeingCancelled => "the execution is being cancelled".to_owned(),
        ReasonCause::OutOfTime => {
            "the workflow's time ran out, and the execution is ending".to_owned()
        }
        ReasonCause::HasEnded(status) => {
            format!("the execution has ended ({})", names::status(*status))
        }
        _ => unreachable!("each other reason has its sentence above"),
    }
}

fn time(at: Timestamp) -> String {
    rfc3339(at).unwrap_or_else(|| "after the year 9999".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Activity, FailedPredecessor, NodeExhausted, NodeFailure, NodeState, OrderedAttempt,
        OtherTarget, Predecessor, RunningAttempt, StallReason, Status, Usage,
    };

    fn boom() -> NodeFailure {
        NodeFailure::AttemptFailed("boom".into())
    }

    fn failure(attempt: u32, class: Option<&str>) -> AttemptFailure {
        AttemptFailure {
            attempt,
            max_attempts: 3,
            cause: Some(boom()),
            error_class: class.map(str::to_owned),
        }
    }

    fn condition(seen: Vec<SeenValue>) -> ReasonCause {
        ReasonCause::FalseCondition(FalseCondition {
            node_id: "a".into(),
            condition: "state.x > 1".into(),
            seen,
        })
    }

    fn seen(path: &str, value: Seen) -> SeenValue {
        SeenValue {
            path: path.into(),
            value,
        }
    }

    fn completion(worker_id: Option<&str>) -> ReasonCause {
        ReasonCause::WasCompleted(Completion {
            at: 1,
            worker_id: worker_id.map(str::to_owned),
            attempt: 2,
            chosen_target: worker_id.map(|_| "c".to_owned()),
        })
    }

    #[test]
    fn each_reason_has_its_sentence() {
        let exhausted = || StallReason::AttemptsExhausted(NodeExhausted::new("a", 2, boom()));
        #[rustfmt::skip]
        let table = [
            (ReasonCause::UnmetPredecessor(Predecessor { node_id: "a".into(), state: NodeState::BackingOff }), "node `n` needs node `a`, which is backing_off"),
            (ReasonCause::FailedPredecessor(FailedPredecessor { node_id: "a".into(), cause: Some(boom()) }), "node `n` needs node `a`, which failed for good: boom"),
            (ReasonCause::FailedPredecessor(FailedPredecessor { node_id: "a".into(), cause: None }), "node `n` needs node `a`, which failed for good"),
            (ReasonCause::MorePredecessors(3), "3 more predecessors are not settled"),
            (ReasonCause::SkippedPredecessor("a".into()), "node `n` comes after node `a`, which was skipped"),
            (ReasonCause::OtherTarget(OtherTarget { node_id: "a".into(), chosen_target: "c".into() }), "node `a` chose `c`, not `n`"),
            (ReasonCause::NoTarget("a".into()), "node `a` chose no target, and `n` runs only when chosen"),
            (condition(vec![]), "the condition `state.x > 1` from `a` to `n` was false when node `a` was settled"),
            (condition(vec![seen("state.x", Seen::Value("1".into())), seen("state.y", Seen::Missing), seen("state.z", Seen::TooLong(5_000))]), "the condition `state.x > 1` from `a` to `n` was false when node `a` was settled: `state.x` was 1, `state.y` was missing, `state.z` was a value of 5000 bytes"),
            (ReasonCause::FalseCondition(FalseCondition { node_id: "n".into(), condition: "last.more".into(), seen: vec![seen("last.more", Seen::Missing)] }), "node `n` was settled by what it read at `last.more`: `last.more` was missing"),
            (ReasonCause::DeadEdge("a".into()), "the edge from `a` to `n` is dead"),
            (ReasonCause::MoreDeadEdges(2), "2 more incoming edges are dead"),
            (ReasonCause::NoEdge, "nothing leads to node `n`"),
            (ReasonCause::NotAtTheEnd(Activity { under_way: 2, ready: 1 }), "finalizer `n` runs when the execution ends; 2 node(s) are under way, and 1 can go on"),
            (ReasonCause::EarlierFinalizers(1), "finalizer `n` comes after 1 other finalizer(s) that have not ended"),
            (ReasonCause::OtherEnding, "finalizer `n` does not run on the ending that the execution comes to"),
            (ReasonCause::WaitsForWorker(OrderedAttempt { attempt: 1, queue: "tool".into(), since: 0 }), "attempt 1 of node `n` waits on the queue `tool` for a worker, since 1970-01-01T00:00:00.000Z"),
            (ReasonCause::WorkerAtWork(RunningAttempt { attempt: 1, worker_id: "w".into(), since: 0 }), "worker `w` has been doing attempt 1 of node `n` since 1970-01-01T00:00:00.000Z"),
            (ReasonCause::NotBefore(1_000), "the next attempt of node `n` may begin at 1970-01-01T00:00:01.000Z"),
            (ReasonCause::TimesOut(u64::MAX), "the attempt of node `n` times out at after the year 9999"),
            (ReasonCause::LastFailure(failure(2, Some("io"))), "node `n` is at attempt 2 of 3; the last failure of class io: boom"),
            (ReasonCause::NoRoom(Usage { used: 2, allowed: 2 }), "node `n` could run, but 2 of 2 nodes (max_concurrent_nodes) are in flight"),
            (ReasonCause::WaitsForApproval("May it?".into()), "node `n` waits for a person to decide on \"May it?\""),
            (ReasonCause::WaitsForApproval(String::new()), "node `n` waits for a person to decide"),
            (ReasonCause::WaitsForEvent("k".into()), "node `n` waits for the external event `k`"),
            (ReasonCause::WaitEnds(0), "the wait of node `n` ends by itself at 1970-01-01T00:00:00.000Z"),
            (ReasonCause::NextStep(NextStep::Dispatch), "node `n` is dispatched at the next step, as far as max_dispatch_per_tick reaches"),
            (ReasonCause::NextStep(NextStep::Settle), "node `n` is settled by the scheduler at its next step"),
            (ReasonCause::NextStep(NextStep::Skip), "node `n` is skipped at the next step"),
            (ReasonCause::NextStep(NextStep::JudgeFailure), "what follows the failure of node `n` is decided at the next step"),
            (ReasonCause::NextStep(NextStep::SkipByOperator), "an operator asked for node `n` to be skipped; this is done at the next step"),
            (ReasonCause::SkippedOnceLifted, "an operator asked for node `n` to be skipped; this is done when the stall is lifted"),
            (completion(Some("w")), "node `n` was completed by worker `w` at attempt 2 at 1970-01-01T00:00:00.001Z, with `c` as the chosen target"),
            (completion(None), "node `n` was completed by the scheduler itself at 1970-01-01T00:00:00.001Z"),
            (ReasonCause::FailedForGood(failure(0, None)), "node `n` failed for good: boom"),
            (ReasonCause::FailedForGood(failure(3, None)), "node `n` failed for good after 3 of 3 attempts: boom"),
            (ReasonCause::SkippedByOperator, "an operator asked for node `n` to be skipped; it counts as completed"),
            (ReasonCause::WasStopped(CancelReason::CancelRequested), "node `n` was stopped because the execution is cancelled"),
            (ReasonCause::WasStopped(CancelReason::WorkflowTimedOut), "node `n` was stopped because the workflow's time ran out"),
            (ReasonCause::WasStopped(CancelReason::ByOperator), "node `n` was stopped because an operator asked for it"),
            (ReasonCause::WasStopped(CancelReason::JoinSatisfied), "node `n` was stopped because the join that it led to is satisfied without it"),
            (ReasonCause::WasStopped(CancelReason::MapSettled), "node `n` was stopped because its map is settled without it"),
            (ReasonCause::WasStopped(CancelReason::Terminated), "node `n` was stopped because the workflow was terminated"),
            (ReasonCause::WasStopped(CancelReason::BudgetExceeded), "node `n` was stopped because the workflow's budget is spent"),
            (ReasonCause::NotNeeded, "node `n` was skipped because the join that it led to is satisfied without it"),
            (ReasonCause::StalledByPolicy(exhausted()), "the execution is stalled: node `a` failed at attempt 2 (boom), and its policy asks for a person"),
            (ReasonCause::StalledByHost("out of fuel".into()), "the execution is stalled: the scheduler could not go on: out of fuel"),
            (ReasonCause::Paused, "the execution is paused"),
            (ReasonCause::BeingCancelled, "the execution is being cancelled"),
            (ReasonCause::OutOfTime, "the workflow's time ran out, and the execution is ending"),
            (ReasonCause::HasEnded(Status::Failed), "the execution has ended (failed)"),
        ];
        for (cause, words) in table {
            assert_eq!(sentence("n", &cause), words);
        }
        assert_eq!(
            sentence(
                "m[3]",
                &ReasonCause::NoRoom(Usage {
                    used: 2,
                    allowed: 2
                })
            ),
            "node `m[3]` could run, but 2 of 2 nodes (max_concurrent of its map, or max_concurrent_nodes) are in flight"
        );
    }
}
