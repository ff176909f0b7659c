//! Laws 6 and 9, rules R15 to R17: everything comes to one end.

use proptest::prelude::*;
use refrain_guest::contract::{Event, EventKind, NodeFailure, WorkflowFailure};
use refrain_guest::instance;
use refrain_guest::notation::replay;
use refrain_guest::state::is_finalizer;
use refrain_guest::strategies::{History, workflows};
use refrain_guest::strategies::{begun, finished};
use refrain_guest::workflow::Plan;
use refrain_guest::workflow::plan::{Body, Kind, PlanText};

use crate::properties::ledger::Ledger;
use crate::properties::{fail, holds, lives};

/// Whatever happened before: once each hold is lifted and each item done, it
/// ends, once, and its log replays.
#[test]
fn law2_law6_law9_whatever_happened_it_comes_to_exactly_one_end() {
    holds(150, lives(), |history| {
        let finished = finished(history);
        prop_assert_eq!(ends(&finished), 1);
        let last = finished.log().last().expect("a log");
        prop_assert!(is_end(&last.kind), "{last:?} is no end");
        replay(finished.workflow().text(), finished.log())
            .map_err(|illegal| fail(format!("{illegal:?}")))
    });
}

/// With all work succeeding, each turn settles a node, or ends a timer: twice
/// as many turns as nodes are enough.
#[test]
fn r15_r16_with_all_work_succeeding_the_end_comes_in_time() {
    holds(150, workflows(), |workflow| {
        let history = finished(begun(&workflow));
        let plan = workflow.plan();
        let log = history.log().iter();
        let instances: usize = log
            .map(|event| match &event.kind {
                EventKind::MapExpanded(it) => it.count as usize,
                _ => 0,
            })
            .sum();
        let turns_max = 2 * (plan.nodes.len() + instances) + 2;
        prop_assert!(
            history.turns().len() <= turns_max,
            "{} turns",
            history.turns().len()
        );
        // What an expression reads may never be there (rule R29).
        let has_expressions = |text: &PlanText| text.literal().is_none();
        let can_fail = |kind: &Kind| match kind {
            Kind::LimitExceeded { .. } | Kind::Terminate(_) => true,
            Kind::Work(work) => work.template.is_some(),
            Kind::Map(map) => match &map.body {
                Body::Work(work) => work.template.is_some(),
                Body::Child(_) => true,
            },
            Kind::Subgraph(_) => true,
            Kind::Wait(wait) => wait.correlation_key.as_ref().is_some_and(has_expressions),
            Kind::HumanApproval(approval) => has_expressions(&approval.description),
            Kind::Condition(_) | Kind::Parallel | Kind::Join(_) => false,
        };
        // So does a map over what is no list.
        let fails = |event: &Event| matches!(&event.kind, EventKind::NodeExhausted(it) if it.cause == NodeFailure::NotAList);
        let may_fail = plan.workflow_timeout.is_some()
            || plan.nodes.iter().any(|node| can_fail(&node.kind))
            || history.log().iter().any(fails);
        let last = history.log().last().expect("a log");
        prop_assert!(
            may_fail || matches!(last.kind, EventKind::WorkflowCompleted(_)),
            "{last:?}"
        );
        Ok(())
    });
}

/// Rule R16's sentence names exactly the nodes that failed for good, sorted.
#[test]
fn r16_a_failed_end_names_what_failed() {
    holds(150, lives(), |history| {
        let finished = finished(history);
        let last = finished.log().last().expect("a log");
        let timed_out = finished
            .log()
            .iter()
            .any(|event| matches!(event.kind, EventKind::WorkflowTimedOut));
        let mut failed: Vec<&str> = Vec::new();
        let plan = finished.workflow().plan();
        let mut ledger = Ledger::new(plan);
        for event in finished.log() {
            ledger.read(event);
            match &event.kind {
                // A failed instance is its map's business, and a failed compensation is
                // nobody's.
                EventKind::NodeExhausted(it) if instance::parse(&it.node_id).is_some() => {}
                EventKind::NodeExhausted(it) if instance::undone(&it.node_id).is_some() => {}
                EventKind::NodeExhausted(it) => failed.push(&it.node_id),
                EventKind::RetryRequested(it) => failed.retain(|node| *node != it.node_id),
                EventKind::NodeSkipped(it) => failed.retain(|node| *node != it.node_id),
                _ => {}
            }
        }
        let is_handled = |node: &str| {
            plan.find(node)
                .is_some_and(|ix| ledger.handled.contains(&ix))
        };
        failed.retain(|node| !is_handled(node));
        let is_finalizer = |node: &&str| {
            let ix = plan.find(node).expect("a node");
            is_finalizer(&plan.nodes[ix.0 as usize].kind)
        };
        if ended_early(plan, finished.log()) {
            failed.retain(is_finalizer);
        }
        failed.sort_unstable();
        match &last.kind {
            EventKind::WorkflowCompleted(_) => prop_assert!(failed.is_empty(), "{failed:?} failed"),
            EventKind::WorkflowFailed(it) if !timed_out => {
                if let WorkflowFailure::Terminated(_) | WorkflowFailure::BudgetExceeded(_) =
                    it.cause
                {
                    return Ok(());
                }
                let failed = failed.iter().map(ToString::to_string).collect();
                prop_assert_eq!(&it.cause, &WorkflowFailure::NodesFailed(failed));
            }
            _ => {}
        }
        Ok(())
    });
}

/// Whether a `terminate` fixed the ending: failed nodes do not change that (rule R24).
fn ended_early(plan: &Plan, log: &[Event]) -> bool {
    log.iter().any(|event| match &event.kind {
        EventKind::NodeSettled(it) => {
            let ix = plan.find(&it.node_id).expect("a node");
            matches!(plan.nodes[ix.0 as usize].kind, Kind::Terminate(_))
        }
        _ => false,
    })
}

fn ends(history: &History) -> usize {
    history
        .log()
        .iter()
        .filter(|event| is_end(&event.kind))
        .count()
}

fn is_end(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    )
}
