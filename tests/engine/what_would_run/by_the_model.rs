//! Generated histories: what is said to make a node run does, by the model of the rules, and
//! no part of it does, whatever the conditions come to that it does not assume anything of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use proptest::prelude::*;
use refrain::model::node_of_run;
use refrain::replay::{Assumption, NeededAct, NeededFact, Needs, Prospect, Prospects, Travel};
use refrain_guest::contract::{
    ApprovalDecision, ApprovalReceived, ChildEnded, ChildStarted, Event, EventKind,
    ExternalEventReceived, NodeCompleted, NodeFailed, NodeRequest, NodeStarted, OperatorNote,
    Origin, Status,
};
use refrain_guest::strategies::{History, Shape, histories, workflows_of};
use refrain_tests::coverage::Coverage;
use refrain_tests::model::Model;
use refrain_tests::runner;
use serde_json::Value;

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
        travel.go(ends)?;
        for node in &history.workflow().plan().nodes {
            let prospect = Prospects::of(travel).what_would_run(&node.id)?;
            note(seen, &prospect);
            let Prospect::Needs(needs) = prospect else {
                continue;
            };
            let log = &history.log()[..ends as usize];
            let case = Case {
                workflow: history.workflow().text(),
                log,
                target: &node.id,
                needs: &needs,
            };
            if case.is_judged() {
                seen.count("judged by the model");
                case.judge()?;
            }
        }
    }
    Ok(())
}

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

/// An act or a fact.
#[derive(Clone, Copy, Debug)]
enum Given<'a> {
    Act(&'a NeededAct),
    Fact(&'a NeededFact),
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
            let runs = |given: &[Given<'_>]| World::runs(&workflow, self, given);
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

/// An execution of which the model decides.
struct World {
    model: Model,
    log: Vec<Event>,
    now: u64,
    /// The unsettled items: attempt, the time before which none is claimed, the fence.
    items: BTreeMap<String, (u32, u64, Option<u64>)>,
    approvals: BTreeSet<String>,
    keys: BTreeMap<String, String>,
    /// The children that are waited for: attempt, iteration, whether they were started.
    children: BTreeMap<String, (u32, u32, bool)>,
    /// The targets that workers choose.
    choices: BTreeMap<String, String>,
}

impl World {
    /// Whether the node of the case runs if just these happen, each as soon as it can after
    /// those before.
    fn runs(workflow: &str, case: &Case<'_>, given: &[Given<'_>]) -> Result<bool> {
        let mut world = Self {
            model: Model::new(workflow, &case.log[0]),
            log: Vec::new(),
            now: 0,
            items: BTreeMap::new(),
            approvals: BTreeSet::new(),
            keys: BTreeMap::new(),
            children: BTreeMap::new(),
            choices: case.choices(),
        };
        world.note(&case.log[0]);
        for event in &case.log[1..] {
            world.read(event.clone())?;
        }
        let was_waiting = world.is_waiting(case.target);
        let was_ordered = world.items.contains_key(case.target);
        let mut left = given.to_vec();
        loop {
            world.decide()?;
            let new = &world.log[case.log.len()..];
            let runs = match (was_waiting, was_ordered) {
                (true, _) => new.iter().any(|it| settles(&it.kind, case.target)),
                (false, true) => world.claim(case.target).is_some(),
                (false, false) => new.iter().any(|it| begins(&it.kind, case.target)),
            };
            if runs {
                return Ok(true);
            }
            let mut place = 0;
            while place < left.len() && !world.give(left[place])? {
                place += 1;
            }
            if place == left.len() {
                return Ok(false);
            }
            left.remove(place);
        }
    }

    fn is_waiting(&self, node: &str) -> bool {
        let waits = self.approvals.contains(node) || self.keys.contains_key(node);
        waits || self.waits_for_time(node)
    }

    fn waits_for_time(&self, node: &str) -> bool {
        let last = self.log.iter().rev().find_map(|event| match &event.kind {
            EventKind::TimerCreated(it) if it.node_id == node => Some(true),
            EventKind::ExecutionForked(_) => Some(false),
            EventKind::NodeExhausted(it) if it.node_id == node => Some(false),
            EventKind::NodeCancelled(it) if it.node_id == node => Some(false),
            kind if settles(kind, node) => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// What the rules lead to now.
    fn decide(&mut self) -> Result<()> {
        while let Some(kind) = self.model.decision(self.now) {
            self.append(kind, Origin::Decision)?;
        }
        Ok(())
    }

    fn append(&mut self, kind: EventKind, origin: Origin) -> Result<()> {
        let sequence = self.log.len() as u64 + 1;
        self.read(Event {
            sequence,
            at: self.now,
            origin,
            kind,
        })
    }

    fn read(&mut self, event: Event) -> Result<()> {
        self.model.read(&event).map_err(anyhow::Error::msg)?;
        self.note(&event);
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        self.now = event.at;
        self.note_item(event);
        match &event.kind {
            EventKind::InterruptRaised(it) => {
                self.approvals.insert(it.node_id.clone());
            }
            EventKind::ApprovalReceived(it) => {
                self.approvals.remove(&it.node_id);
            }
            EventKind::TimerCreated(it) => {
                if let Some(key) = &it.correlation_key {
                    self.keys.insert(it.node_id.clone(), key.clone());
                }
            }
            EventKind::ChildRequested(it) => {
                let child = (it.attempt, it.iteration, false);
                self.children.insert(it.node_id.clone(), child);
            }
            EventKind::ChildStarted(it) => {
                if let Some(child) = self.children.get_mut(&it.node_id) {
                    child.2 = true;
                }
            }
            EventKind::ChildEnded(it) => {
                self.children.remove(&it.node_id);
            }
            EventKind::ChildRefused(it) => {
                self.children.remove(&it.node_id);
            }
            EventKind::ExecutionForked(_) => {
                self.children.clear();
                self.approvals.clear();
                self.keys.clear();
                self.items.values_mut().for_each(|item| item.2 = None);
            }
            _ => {}
        }
        self.log.push(event.clone());
    }

    /// What an event says of items, and of nodes that are settled.
    fn note_item(&mut self, event: &Event) {
        let ends = |world: &mut Self, node: &str| {
            world.items.remove(node);
            world.approvals.remove(node);
            world.keys.remove(node);
            world.children.remove(node);
        };
        match &event.kind {
            EventKind::NodeScheduled(it) => {
                let item = (it.attempt, event.at, None);
                self.items.insert(it.node_id.clone(), item);
            }
            EventKind::RetryScheduled(it) => {
                let item = (it.attempt, event.at + it.delay_ms, None);
                self.items.insert(it.node_id.clone(), item);
            }
            EventKind::NodeStarted(it) => {
                if let Some(item) = self.items.get_mut(&it.node_id) {
                    item.2 = Some(event.sequence);
                }
            }
            EventKind::NodeReleased(it) => {
                if let Some(item) = self.items.get_mut(&it.node_id) {
                    item.2 = None;
                }
            }
            EventKind::NodeCompleted(it) => ends(self, &it.node_id),
            EventKind::NodeSettled(it) => ends(self, &it.node_id),
            EventKind::NodeFailed(it) => ends(self, &it.node_id),
            EventKind::LeaseExpired(it) => ends(self, &it.node_id),
            EventKind::NodeTimedOut(it) => ends(self, &it.node_id),
            EventKind::NodeExhausted(it) => ends(self, &it.node_id),
            EventKind::NodeSkipped(it) => ends(self, &it.node_id),
            EventKind::NodeCancelled(it) => ends(self, &it.node_id),
            _ => {}
        }
    }

    /// Makes something happen, if it can. Whether it could.
    fn give(&mut self, given: Given<'_>) -> Result<bool> {
        if let Given::Fact(NeededFact::Time { at, .. }) = given {
            self.now = self.now.max(*at);
            return Ok(true);
        }
        let Some(kinds) = self.kinds(given) else {
            return Ok(false);
        };
        for kind in kinds {
            self.append(kind, Origin::Fact)?;
        }
        Ok(true)
    }

    fn kinds(&self, given: Given<'_>) -> Option<Vec<EventKind>> {
        let note = || OperatorNote {
            reason: None,
            by: None,
        };
        let status = self.model.status();
        match given {
            Given::Act(NeededAct::Unpause) => self
                .model
                .is_paused()
                .then(|| vec![EventKind::ExecutionUnpaused(note())]),
            Given::Act(NeededAct::Lift) => {
                let is_stalled = status == Status::Stalled;
                is_stalled.then(|| vec![EventKind::StallLifted(note())])
            }
            Given::Act(NeededAct::Retry(node)) => {
                let request = NodeRequest {
                    node_id: node.clone(),
                    reason: None,
                    by: None,
                };
                Some(vec![EventKind::RetryRequested(request)])
            }
            Given::Fact(NeededFact::Complete(node)) => self.completes(node),
            Given::Fact(NeededFact::Fail(node)) => self.fails(node),
            Given::Fact(NeededFact::Approve(node)) => self
                .approvals
                .contains(node)
                .then(|| vec![decided(node, ApprovalDecision::Approved)]),
            Given::Fact(NeededFact::Signal {
                node_id,
                correlation_key,
            }) => {
                let key = self.keys.get(node_id)?;
                (key == correlation_key).then(|| {
                    vec![EventKind::ExternalEventReceived(ExternalEventReceived {
                        correlation_key: key.clone(),
                        payload: "{}".to_owned(),
                        event_id: None,
                        by: None,
                    })]
                })
            }
            _ => None,
        }
    }

    /// The claim of a node's item, if it may be claimed now.
    fn claim(&self, node: &str) -> Option<EventKind> {
        let (attempt, not_before, fence) = *self.items.get(node)?;
        let may =
            fence.is_none() && not_before <= self.now && self.model.status() == Status::Running;
        may.then(|| {
            EventKind::NodeStarted(NodeStarted {
                node_id: node.to_owned(),
                worker_id: "w".to_owned(),
                attempt,
            })
        })
    }

    /// The answer of a worker, behind its claim if nobody has claimed the item yet.
    fn answered(
        &self,
        node: &str,
        answer: impl FnOnce(u32, u64) -> EventKind,
    ) -> Option<Vec<EventKind>> {
        let (attempt, _, fence) = *self.items.get(node)?;
        match fence {
            Some(fence) => Some(vec![answer(attempt, fence)]),
            None => {
                let claim = self.claim(node)?;
                Some(vec![claim, answer(attempt, self.log.len() as u64 + 1)])
            }
        }
    }

    fn completes(&self, node: &str) -> Option<Vec<EventKind>> {
        if self.children.contains_key(node) {
            return self.child(node, Status::Completed);
        }
        self.answered(node, |attempt, fence| {
            EventKind::NodeCompleted(NodeCompleted {
                node_id: node.to_owned(),
                attempt,
                fence,
                output: "null".to_owned(),
                state_patch: "{}".to_owned(),
                duration_ms: 0,
                chosen_target: self.choices.get(node).cloned(),
                gen_ai: None,
                telemetry: None,
                edited_by: None,
            })
        })
    }

    fn fails(&self, node: &str) -> Option<Vec<EventKind>> {
        if self.approvals.contains(node) {
            return Some(vec![decided(node, ApprovalDecision::Rejected)]);
        }
        if self.children.contains_key(node) {
            return self.child(node, Status::Cancelled);
        }
        self.answered(node, |attempt, fence| {
            EventKind::NodeFailed(NodeFailed {
                node_id: node.to_owned(),
                attempt,
                fence,
                error: "boom".to_owned(),
                error_class: None,
                retryable: false,
                retry_after_ms: None,
            })
        })
    }

    fn child(&self, node: &str, status: Status) -> Option<Vec<EventKind>> {
        let (attempt, iteration, is_started) = *self.children.get(node)?;
        let child_id = format!("exec_{}", "c".repeat(32));
        let started = EventKind::ChildStarted(ChildStarted {
            node_id: node.to_owned(),
            attempt,
            iteration,
            child_id: child_id.clone(),
            workflow_digest: "0".repeat(64),
        });
        let ended = EventKind::ChildEnded(ChildEnded {
            node_id: node.to_owned(),
            attempt,
            iteration,
            child_id,
            status,
            sequence: 2,
            head: "0".repeat(64),
            output: (status == Status::Completed).then(|| "{}".to_owned()),
            error: None,
        });
        let is_detached = self.model.is_detached(node);
        Some(match (is_started, is_detached) {
            (true, _) => vec![ended],
            (false, true) => vec![started],
            (false, false) => vec![started, ended],
        })
    }
}

fn decided(node: &str, decision: ApprovalDecision) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived {
        node_id: node.to_owned(),
        user_id: "bob".to_owned(),
        decision,
        comment: None,
        state_patch: None,
        by: None,
    })
}

/// Whether a node that waits has come to its end by this, and was not stopped.
fn settles(kind: &EventKind, node: &str) -> bool {
    matches!(kind, EventKind::NodeSettled(it) if it.node_id == node)
}

/// Whether a node begins with this.
fn begins(kind: &EventKind, node: &str) -> bool {
    let of =
        |run: &str| run == node || run.strip_prefix(node).is_some_and(|it| it.starts_with('['));
    match kind {
        EventKind::NodeScheduled(it) => of(&it.node_id),
        EventKind::RetryScheduled(it) => of(&it.node_id),
        EventKind::ChildRequested(it) => of(&it.node_id),
        EventKind::MapExpanded(it) => of(&it.node_id),
        EventKind::InterruptRaised(it) => of(&it.node_id),
        EventKind::TimerCreated(it) => of(&it.node_id),
        EventKind::NodeSettled(it) => it.node_id == node,
        EventKind::NodeExhausted(it) => {
            let is_limit = matches!(
                it.cause,
                refrain_guest::contract::NodeFailure::LimitExceeded(_)
            );
            is_limit && it.node_id == node
        }
        _ => false,
    }
}
