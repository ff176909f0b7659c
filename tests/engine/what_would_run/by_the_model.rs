//! Generated histories: what is said to make a node run does, by the model of the rules, and
//! no part of it does, whatever the conditions come to that it does not assume anything of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use proptest::prelude::*;
use refrain::model::node_of_run;
use refrain::replay::{Assumption, NeededFact, Needs, Prospect, Prospects, Travel};
use refrain_guest::contract::{Event, EventKind, Status};
use refrain_guest::strategies::{History, Shape, histories, workflows_of};
use refrain_tests::coverage::Coverage;
use refrain_tests::runner;
use serde_json::Value;

use super::world::{Given, World};
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

/// An answer, and what it was given for.
struct Case<'a> {
    workflow: &'a str,
    log: &'a [Event],
    target: &'a str,
    needs: &'a Needs,
}

/// Of so many, each selection is tried.
const EACH_SELECTION_MAX: usize = 6;

impl Case<'_> {
    /// What expressions come to is not put into workflows here.
    fn is_judged(&self) -> bool {
        let mut assumptions = self.needs.assumptions.iter();
        !assumptions.any(|it| matches!(it, Assumption::Value { .. }))
    }

    fn judge(&self) -> Result<()> {
        let acts = self.needs.acts.iter().map(Given::Act);
        let all: Vec<Given<'_>> = acts
            .chain(self.needs.facts.iter().map(Given::Fact))
            .collect();
        // There are more of them than are tried one by one.
        let is_small = all.len() <= 64;
        anyhow::ensure!(
            self.needs.is_minimal == is_small,
            "it is not minimal: {:?}",
            self.needs
        );
        if !is_small {
            return Ok(());
        }
        for others in [false, true] {
            let workflow = self.assuming(others)?;
            let runs = |given: &[Given<'_>]| {
                World::runs(&workflow, (self.log, self.target), self.choices(), given)
            };
            let told = |what: &str, given: &[Given<'_>]| {
                format!(
                    "behind event {}, {} {what} by {given:?} of {:?}, where other conditions are {others}",
                    self.log.len(),
                    self.target,
                    self.needs,
                )
            };
            anyhow::ensure!(
                runs(&all)?,
                "{}\n{workflow}",
                told("is not made to run", &all)
            );
            for part in parts(&all) {
                anyhow::ensure!(
                    !runs(&part)?,
                    "{}\n{workflow}",
                    told("is made to run", &part)
                );
            }
        }
        Ok(())
    }

    /// Where nothing was found, it does not run if all goes well either.
    fn judge_not_found(&self) -> Result<()> {
        for others in [false, true] {
            let workflow = self.assuming(others)?;
            let begins = World::begins_at_last(&workflow, self.log, self.target)?;
            anyhow::ensure!(
                !begins,
                "behind event {}, nothing was found for {}, and it runs where conditions are {others}\n{workflow}",
                self.log.len(),
                self.target,
            );
        }
        Ok(())
    }

    /// The targets that workers are assumed to choose.
    fn choices(&self) -> BTreeMap<String, String> {
        let choices = self.needs.assumptions.iter().filter_map(|it| match it {
            Assumption::Choice { node_id, target } => Some((node_id.clone(), target.clone())),
            _ => None,
        });
        choices.collect()
    }

    /// The workflow with the assumed values in the place of conditions that are not judged
    /// yet, and with this in the place of the others.
    fn assuming(&self, others: bool) -> Result<String> {
        let settled = settled(self.log);
        let mut workflow: Value = serde_json::from_str(self.workflow)?;
        let mut assumed: BTreeMap<(&str, &str, &str), bool> = BTreeMap::new();
        for it in &self.needs.assumptions {
            if let Assumption::Condition {
                from,
                to,
                condition,
                holds,
            } = it
            {
                assumed.insert((from, to, condition), *holds);
            }
        }
        let mut number = 0;
        let mut value = |from: &str, to: &Value, condition: &mut Value| {
            // What reads the input alone is known.
            let text = condition.as_str();
            let Some(text) = text.filter(|it| it.contains("state.") || it.contains("error."))
            else {
                return;
            };
            let key = (from, to.as_str().unwrap_or_default(), text);
            let holds = assumed.get(&key).copied().unwrap_or(others);
            number += 1;
            let relation = if holds { "==" } else { "!=" };
            *condition = format!("{number} {relation} {number}").into();
        };
        let nodes = workflow["nodes"].clone();
        for edge in workflow["edges"].as_array_mut().into_iter().flatten() {
            let from = edge["from"].as_str().unwrap_or_default().to_owned();
            let is_judged = match settled.get(from.as_str()) {
                Some(Settled::Failed) => edge["on"] == "failure" || edge["on"] == "always",
                Some(Settled::Otherwise) => true,
                None => {
                    let kind = &nodes[&from]["kind"];
                    let branches = kind["branches"].as_array();
                    kind["type"] == "condition" && branches.is_some_and(|it| !it.is_empty())
                }
            };
            if !is_judged {
                let to = edge["to"].clone();
                value(&from, &to, &mut edge["condition"]);
            }
        }
        for (id, node) in workflow["nodes"].as_object_mut().into_iter().flatten() {
            if settled.contains_key(id.as_str()) {
                continue;
            }
            let kind = &mut node["kind"];
            let is_condition = kind["type"] == "condition";
            let branches = kind["branches"].as_array_mut().filter(|_| is_condition);
            for branch in branches.into_iter().flatten() {
                let to = branch["target"].clone();
                value(id, &to, &mut branch["condition"]);
            }
            let is_loop = |it: &&Assumption| matches!(it, Assumption::LoopEnds { node_id, .. } if node_id == id);
            if !self.needs.assumptions.iter().any(|it| is_loop(&it)) {
                continue;
            }
            for within in ["/repeat/while", "/body/repeat/while"] {
                let text = kind.pointer_mut(within);
                if let Some(text) = text.filter(|text| text.is_string()) {
                    *text = format!("iteration < {}", iteration(self.log, id)).into();
                }
            }
        }
        Ok(without_nulls(workflow).to_string())
    }
}

/// Indexing has put nulls where there was nothing.
fn without_nulls(mut workflow: Value) -> Value {
    for edge in workflow["edges"].as_array_mut().into_iter().flatten() {
        if let Some(edge) = edge.as_object_mut() {
            edge.retain(|_, value| !value.is_null());
        }
    }
    for (_, node) in workflow["nodes"].as_object_mut().into_iter().flatten() {
        if let Some(kind) = node["kind"].as_object_mut() {
            kind.retain(|_, value| !value.is_null());
            for branch in kind
                .get_mut("branches")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(branch) = branch.as_object_mut() {
                    branch.retain(|_, value| !value.is_null());
                }
            }
        }
    }
    workflow
}

/// The parts of these: all of them if they are few, else those with one fewer.
fn parts<'a>(all: &[Given<'a>]) -> Vec<Vec<Given<'a>>> {
    let without = |left_out: &dyn Fn(usize) -> bool| {
        let kept = all
            .iter()
            .enumerate()
            .filter(|(place, _)| !left_out(*place));
        kept.map(|(_, given)| *given).collect()
    };
    match all.len() {
        0..=EACH_SELECTION_MAX => (1_u32..1 << all.len())
            .map(|left_out| without(&|place| left_out & (1 << place) != 0))
            .collect(),
        count => (0..count).map(|it| without(&|place| place == it)).collect(),
    }
}

/// How a node was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Failed,
    Otherwise,
}

/// The nodes that have judged their edges.
fn settled(log: &[Event]) -> BTreeMap<&str, Settled> {
    let mut settled = BTreeMap::new();
    for event in log {
        match &event.kind {
            EventKind::NodeCompleted(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeSettled(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeSkipped(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeCancelled(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeExhausted(it) => settled.insert(&*it.node_id, Settled::Failed),
            EventKind::ChildEnded(it) if it.status == Status::Completed => {
                settled.insert(&*it.node_id, Settled::Otherwise)
            }
            EventKind::ChildRequested(it) => settled.remove(&*it.node_id),
            EventKind::RetryScheduled(it) => settled.remove(&*it.node_id),
            EventKind::RetryRequested(it) => settled.remove(&*it.node_id),
            _ => None,
        };
    }
    settled
}

/// The iteration that a loop is in, from 0; of a map, each instance.
fn iteration(log: &[Event], node: &str) -> u32 {
    let iterations = log.iter().rev().filter_map(|event| match &event.kind {
        EventKind::ChildRequested(it) if node_of_run(&it.node_id) == node => Some(it.iteration),
        _ => None,
    });
    iterations.into_iter().next().unwrap_or(0)
}
