//! Generated histories: what is said to make a node run does, by the model of the rules, and
//! no part of it does, whatever the conditions come to that it does not assume anything of.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::Result;
use proptest::prelude::*;
use refrain::model::node_of_run;
use refrain::replay::{NeededFact, Needs, Prospect, Prospects, Travel};
use refrain_guest::contract::{Event, EventKind};
use refrain_guest::strategies::{History, Shape, histories, workflows_of};
use refrain_tests::coverage::Coverage;
use refrain_tests::runner;

use super::case::Case;
use super::{library, travel};

/// Nodes of a workflow that is asked about.
const NODES_MAX: usize = 12;

#[test]
fn what_is_said_to_make_a_node_run_does_and_no_part_of_it_does() {
    let seen = RefCell::new(Coverage::default());
    let library = library().expect("the built-in scheduler");
    let workflows = prop::sample::select(&Shape::ALL[..])
        .prop_flat_map(|shape| workflows_of(shape, 2..=9_usize));
    let agreed = runner(80).run(&histories(workflows), |history| {
        if history.workflow().plan().nodes.len() > NODES_MAX {
            return Ok(());
        }
        seen.borrow_mut().case();
        let mut travel = travel(&library, history.workflow().text(), history.log())
            .expect("the log is that of an execution");
        let asked = ask(&mut travel, &history, &mut seen.borrow_mut());
        asked.map_err(|difference| TestCaseError::fail(difference.to_string()))
    });
    agreed.unwrap_or_else(|difference| panic!("{difference}"));
    let seen = seen.into_inner();
    println!("{seen:#?}");
    for (what, in_a_thousand) in [
        ("needs", 1000),
        ("complete", 500),
        ("fail", 10),
        ("approve", 20),
        ("signal", 20),
        ("time", 20),
        ("an act", 20),
        ("an assumption", 100),
        ("two facts", 50),
        ("judged by the model", 1000),
    ] {
        seen.must_hold(what, in_a_thousand);
    }
}

/// Asks at the ends of some turns about each node that waits there.
fn ask(travel: &mut Travel, history: &History, seen: &mut Coverage) -> Result<()> {
    let turns = history.turns().len();
    let mut ends = 0;
    for (number, turn) in history.turns().iter().enumerate() {
        let events = turn.facts.iter().chain(turn.decisions());
        ends = events.map(|event| event.sequence).max().unwrap_or(ends);
        // A few places of each history: others come about otherwise.
        if ![0, turns / 2, turns - 1].contains(&number) {
            continue;
        }
        let log = &history.log()[..ends as usize];
        if has_to_fork(log) {
            continue;
        }
        travel.go(ends)?;
        for target in targets(history, log) {
            let prospect = Prospects::of(travel).what_would_run(&target)?;
            note(seen, &prospect);
            let nothing = Needs::default();
            let needs = match &prospect {
                Prospect::Needs(needs) => needs,
                Prospect::NotFound => &nothing,
                _ => continue,
            };
            let case = Case {
                workflow: history.workflow().text(),
                log,
                target: &target,
                needs,
            };
            if prospect == Prospect::NotFound {
                case.judge_not_found()?;
            } else if case.is_judged() {
                seen.count("judged by the model");
                case.judge()?;
                case.judge_assumptions()?;
            }
        }
    }
    Ok(())
}

/// Whether a fork is cut here, and decides nothing before it has begun as one.
fn has_to_fork(log: &[Event]) -> bool {
    let EventKind::WorkflowStarted(started) = &log[0].kind else {
        return false;
    };
    let forks = |after: u64| {
        let is_fork = |it: &Event| matches!(it.kind, EventKind::ExecutionForked(_));
        log.iter().any(|it| it.sequence > after && is_fork(it))
    };
    let origin = started.forked_from.as_ref();
    origin.is_some_and(|origin| !forks(origin.sequence))
}

/// The nodes, and a few of the instances and compensations that the log names.
fn targets(history: &History, log: &[Event]) -> Vec<String> {
    let nodes = history.workflow().plan().nodes.iter();
    let mut targets: Vec<String> = nodes.map(|node| node.id.clone()).collect();
    let runs = log.iter().filter_map(|event| match &event.kind {
        EventKind::NodeScheduled(it) => Some(&it.node_id),
        EventKind::ChildRequested(it) => Some(&it.node_id),
        EventKind::NodeExhausted(it) => Some(&it.node_id),
        _ => None,
    });
    let runs: BTreeSet<&String> = runs.filter(|id| node_of_run(id) != **id).collect();
    targets.extend(runs.into_iter().rev().take(RUNS_MAX).cloned());
    targets
}

/// Instances and compensations that are asked about at one place.
const RUNS_MAX: usize = 2;

fn note(seen: &mut Coverage, prospect: &Prospect) {
    let Prospect::Needs(needs) = prospect else {
        seen.count(match prospect {
            Prospect::Begun(_) => "begun",
            Prospect::Settled(_) => "settled",
            Prospect::Ended(_) => "ended",
            Prospect::Ending => "ending",
            Prospect::NotFound => "not found",
            _ => "cut off",
        });
        return;
    };
    seen.count("needs");
    for fact in &needs.facts {
        seen.count(match fact {
            NeededFact::Complete(_) => "complete",
            NeededFact::Fail(_) => "fail",
            NeededFact::Approve(_) => "approve",
            NeededFact::Signal { .. } => "signal",
            NeededFact::Time { .. } => "time",
            _ => "another fact",
        });
    }
    for (what, is_so) in [
        ("two facts", needs.facts.len() > 1),
        ("an act", !needs.acts.is_empty()),
        ("an assumption", !needs.assumptions.is_empty()),
        ("not minimal", !needs.is_minimal),
    ] {
        if is_so {
            seen.count(what);
        }
    }
}
