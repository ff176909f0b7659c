//! Law 9: what `explain` says of a node is what becomes of it next.

use proptest::prelude::*;
use refrain_guest::apply::apply;
use refrain_guest::contract::{
    ApprovalDecision, ApprovalReceived, CancelReason, CancelRequested, Event, EventKind,
    Explanation, ExternalEventReceived, NextStep, NodeRequest, OperatorNote, Origin, ReasonCause,
    Remedy,
};
use refrain_guest::decide::decide;
use refrain_guest::explain::{Seen, explain};
use refrain_guest::guards::has_to_fork;
use refrain_guest::instance::{RunIx, run_id};
use refrain_guest::machine::Machine;
use refrain_guest::snapshot;
use refrain_guest::strategies::{History, Workflow};
use refrain_guest::time::Timestamp;

use crate::properties::ledger::subject;
use crate::properties::machines::begun;
use crate::properties::{holds, lives};

/// At each event: what is decided next was told of its node.
#[test]
fn law9_what_is_decided_next_was_explained() {
    holds(120, lives(), |history| {
        at_each_event(&history, |machine, event| {
            let decision = decide(machine, Timestamp(event.at), u32::MAX);
            let Some(decision) = decision.map(|decision| decision.event) else {
                return Ok(());
            };
            if let Some(node) = subject(&decision.kind) {
                let explanation = explain(machine, node, &Seen::default()).expect("a node");
                prop_assert!(
                    foretells(&explanation, &decision.kind),
                    "{decision:?} was not foretold at {}: {explanation:?}",
                    event.sequence
                );
            }
            Ok(())
        })
    });
}

/// At each event after which nothing is decided: nothing is foretold.
#[test]
fn law9_nothing_is_foretold_where_nothing_is_decided() {
    holds(120, lives(), |history| {
        at_each_event(&history, |machine, event| {
            if decide(machine, Timestamp(event.at), u32::MAX).is_some() {
                return Ok(());
            }
            for node in named(machine) {
                let explanation = explain(machine, &node, &Seen::default()).expect("a node");
                prop_assert!(
                    !is_promised(&explanation),
                    "nothing is decided at {}: {explanation:?}",
                    event.sequence
                );
            }
            Ok(())
        })
    });
}

/// At each event: what `explain` says that somebody can do is taken.
#[test]
fn law9_each_remedy_is_taken() {
    holds(120, lives(), |history| {
        at_each_event(&history, |machine, event| {
            let snapshot = snapshot::take(machine);
            for node in named(machine) {
                let explanation = explain(machine, &node, &Seen::default()).expect("a node");
                let reasons = explanation.reasons.iter();
                for remedy in reasons.flat_map(|reason| &reason.remedies) {
                    let Some(kind) = deed(remedy) else { continue };
                    let deed = Event {
                        sequence: event.sequence + 1,
                        at: event.at,
                        origin: Origin::Fact,
                        kind,
                    };
                    let plan = history.workflow().plan().clone();
                    let digest = &machine.state().started.workflow_digest;
                    let machine = snapshot::restore(plan, digest, &snapshot);
                    let taken = apply(&mut machine.expect("a snapshot"), &deed);
                    prop_assert!(
                        taken.is_ok(),
                        "{remedy:?} of {explanation:?} at {}: {taken:?}",
                        event.sequence
                    );
                }
            }
            Ok(())
        })
    });
}

/// The ids of all nodes, and of all compensations that there are.
fn named(machine: &Machine) -> Vec<String> {
    let nodes = machine.plan().nodes.iter().map(|node| node.id.clone());
    let undo = |run: &RunIx| {
        let node = &machine.plan().nodes[run.node.0 as usize];
        run_id(&node.id, run.undo())
    };
    nodes
        .chain(machine.state().undos.keys().map(undo))
        .collect()
}

/// The fact that a remedy comes to. `None` for a worker: one does not have to say
/// anything.
fn deed(remedy: &Remedy) -> Option<EventKind> {
    let (reason, by) = (None, None);
    let request = |node: &String| NodeRequest {
        node_id: node.clone(),
        reason: None,
        by: None,
    };
    Some(match remedy {
        Remedy::Approve(node) => EventKind::ApprovalReceived(ApprovalReceived {
            node_id: node.clone(),
            user_id: "ada".to_owned(),
            decision: ApprovalDecision::Approved,
            comment: None,
            state_patch: None,
            by,
        }),
        Remedy::Signal(key) => EventKind::ExternalEventReceived(ExternalEventReceived {
            correlation_key: key.clone(),
            payload: "1".to_owned(),
            event_id: None,
            by,
        }),
        Remedy::Retry(node) => EventKind::RetryRequested(request(node)),
        Remedy::Skip(node) => EventKind::SkipRequested(request(node)),
        Remedy::Lift => EventKind::StallLifted(OperatorNote { reason, by }),
        Remedy::Unpause => EventKind::ExecutionUnpaused(OperatorNote { reason, by }),
        Remedy::Cancel => EventKind::CancelRequested(CancelRequested { reason, by }),
        Remedy::StartWorker(_) => return None,
    })
}

/// A node's own decision is promised for the next step; what time or an
/// operator or the ending brings is told with that as the reason.
fn foretells(explanation: &Explanation, decision: &EventKind) -> bool {
    let tells = |is_it: fn(&ReasonCause) -> bool| {
        let mut causes = explanation.reasons.iter().map(|reason| &reason.cause);
        causes.any(is_it)
    };
    match decision {
        EventKind::NodeTimedOut(_) | EventKind::TimerFired(_) => tells(is_time),
        EventKind::NodeCancelled(it) if it.reason == CancelReason::MapSettled => {
            tells(|cause| matches!(cause, ReasonCause::WasStopped(CancelReason::MapSettled)))
        }
        EventKind::NodeCancelled(_) => tells(is_of_execution) || tells(is_of_operator),
        _ => is_promised(explanation) || tells(is_time) || tells(is_of_operator),
    }
}

fn is_time(cause: &ReasonCause) -> bool {
    matches!(
        cause,
        ReasonCause::NotBefore(_) | ReasonCause::TimesOut(_) | ReasonCause::WaitEnds(_)
    )
}

fn is_of_execution(cause: &ReasonCause) -> bool {
    matches!(
        cause,
        ReasonCause::StalledByPolicy(_)
            | ReasonCause::StalledByHost(_)
            | ReasonCause::Paused
            | ReasonCause::BeingCancelled
            | ReasonCause::OutOfTime
            | ReasonCause::WasStopped(_)
            | ReasonCause::NotNeeded
    )
}

fn is_of_operator(cause: &ReasonCause) -> bool {
    matches!(
        cause,
        ReasonCause::SkippedOnceLifted | ReasonCause::NextStep(NextStep::SkipByOperator)
    )
}

fn is_promised(explanation: &Explanation) -> bool {
    let mut causes = explanation.reasons.iter().map(|reason| &reason.cause);
    causes.any(|cause| matches!(cause, ReasonCause::NextStep(_)))
}

fn at_each_event(
    history: &History,
    check: impl Fn(&Machine, &Event) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let workflow: &Workflow = history.workflow();
    let mut machine = begun(workflow, &history.log()[0]);
    if !has_to_fork(&machine) {
        check(&machine, &history.log()[0])?;
    }
    for event in &history.log()[1..] {
        apply(&mut machine, event).expect("the log is legal");
        // No log is left there: a fork goes its own way in the step that makes it.
        if !has_to_fork(&machine) {
            check(&machine, event)?;
        }
    }
    Ok(())
}
