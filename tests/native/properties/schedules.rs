//! Rules R2 to R4: how often it decides changes the order of things, and
//! not what happens.
//!
//! This holds where the world's answers are a matter of node and attempt
//! alone, conditions of what their source wrote (see `confluent`), and where
//! time passes only when nothing else is left to do. Elsewhere it cannot hold:
//! who is cancelled in time, and what a condition reads, is then a matter of
//! when.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use refrain_guest::contract::{ChildName, EventKind, Fact, Outcome, Status};
use refrain_guest::notation::{Action, Child, EXECUTION, Graph, ItemState, Memory, foresee, step};
use refrain_guest::shell::Scheduler;
use refrain_guest::strategies::{Workflow, workflows};
use serde_json::Value;

use crate::properties::confluent;
use crate::properties::machines::graph;
use crate::properties::{fail, holds};

#[test]
fn r02_r04_told_one_by_one_or_many_at_once_the_same_runs_and_the_same_end() {
    holds(
        100,
        (workflows(), any::<u8>(), 2..6_usize),
        |(workflow, luck, many)| {
            let every = Run::new(&workflow, luck, 1).ended().map_err(fail)?;
            let some = Run::new(&workflow, luck, many).ended().map_err(fail)?;
            let last = Run::new(&workflow, luck, usize::MAX)
                .ended()
                .map_err(fail)?;
            prop_assert_eq!(&every, &some);
            prop_assert_eq!(&every, &last);
            Ok(())
        },
    );
}

/// What does not depend on the schedule.
#[derive(Debug, PartialEq)]
struct Came {
    runs: BTreeSet<(String, u32)>,
    states: BTreeMap<String, Value>,
    data: Value,
    end: EventKind,
}

/// An execution that is told so many things at once, and decides in between.
struct Run {
    scheduler: Scheduler,
    graph: Graph,
    world: Memory,
    luck: u8,
    pace: usize,
}

impl Run {
    fn new(workflow: &Workflow, luck: u8, pace: usize) -> Self {
        let graph = graph(workflow, &confluent::text(workflow));
        Self {
            scheduler: Scheduler::new(),
            world: Memory::new(&graph, 0),
            graph,
            luck,
            pace,
        }
    }

    fn ended(mut self) -> Result<Came, String> {
        let mut outcome = self.say(&[])?.1;
        for _ in 0..10_000 {
            if matches!(
                outcome.status,
                Status::Completed | Status::Failed | Status::Cancelled
            ) {
                return self.came();
            }
            let mut happened = false;
            for answers in self.answers()?.chunks(self.pace) {
                let (taken, came) = self.say(answers)?;
                happened |= taken;
                outcome = came;
            }
            if !happened {
                let waiting = self.world.waiting().map(|item| item.not_before);
                let next = waiting
                    .chain(outcome.next_wake)
                    .filter(|at| *at > self.world.now)
                    .min();
                self.world.now = next.ok_or("nothing can happen any more")?;
                outcome = self.say(&[])?.1;
            }
        }
        Err("it does not end".to_owned())
    }

    /// All of this is said at once. Whether any of it was taken: a stall, for
    /// one, refuses claims.
    fn say(&mut self, actions: &[String]) -> Result<(bool, Outcome), String> {
        let actions: Option<Vec<_>> = actions.iter().map(|it| Action::read(it)).collect();
        let foreseen = foresee(&self.world, &self.graph, &actions.ok_or("no action")?)?;
        let taken = foreseen.facts.len() > foreseen.refused.len();
        let mut outcome = self.step(foreseen.facts)?;
        while outcome.more {
            outcome = self.step(Vec::new())?;
        }
        Ok((taken, outcome))
    }

    fn step(&mut self, facts: Vec<Fact>) -> Result<Outcome, String> {
        step(&mut self.world, &mut self.scheduler, facts).map_err(|error| format!("{error:?}"))
    }

    /// All that the world has to say now.
    fn answers(&mut self) -> Result<Vec<String>, String> {
        let mut answers = Vec::new();
        let stall = self.inspect()?["stalled"]["node_id"].clone();
        answers.extend(stall.as_str().map(|node_id| format!("skip {node_id}")));
        for (node_id, node) in self.nodes()? {
            match (node["state"].as_str(), node["waits_for"].as_str()) {
                (Some("waiting"), Some("approval")) => answers.push(format!("approve {node_id}")),
                (Some("waiting"), Some(key)) => answers.push(format!("signal {key} {{}}")),
                _ => {}
            }
        }
        let open = self.world.items.values().filter(|item| {
            item.state != ItemState::Settled && item.item.not_before <= self.world.now
        });
        answers.extend(open.map(|item| self.answer(&item.item.node_id, item.item.attempt)));
        let children = self.world.children.values().filter(|child| child.is_open);
        answers.extend(children.map(|child| self.answer_of(child)));
        Ok(answers)
    }

    /// The same, of a child: it is started, then it ends. Of one that nobody waits for, the
    /// end is refused.
    fn answer_of(&self, child: &Child) -> String {
        let ChildName {
            node_id, attempt, ..
        } = &child.order.name;
        if child.id.is_none() {
            return format!("begin {node_id}");
        }
        match self.thrown(node_id, *attempt) {
            0..3 => format!("end {node_id} failed why=boom"),
            3 => format!("end {node_id} cancelled"),
            thrown => format!("end {node_id} {{\"k\":{}}}", thrown % 2),
        }
    }

    /// A matter of node, attempt and luck.
    fn answer(&self, node_id: &str, attempt: u32) -> String {
        match self.thrown(node_id, attempt) {
            0..3 => format!("fail {node_id} io_error"),
            3 => format!("fail {node_id} other fatal"),
            thrown => format!("complete {node_id} {{\"{node_id}\":{}}}", thrown % 2),
        }
    }

    fn thrown(&self, node_id: &str, attempt: u32) -> u32 {
        let name: u32 = node_id.bytes().map(u32::from).sum();
        (name * 7 + attempt * 13 + u32::from(self.luck)) % 11
    }

    fn nodes(&mut self) -> Result<BTreeMap<String, Value>, String> {
        let mut state = self.inspect()?;
        serde_json::from_value(state["nodes"].take()).map_err(|error| error.to_string())
    }

    fn inspect(&mut self) -> Result<Value, String> {
        let inspection = self.scheduler.inspect(&mut self.world, EXECUTION);
        let state = inspection.map_err(|error| format!("{error:?}"))?.state;
        serde_json::from_str(&state).map_err(|error| error.to_string())
    }

    fn came(mut self) -> Result<Came, String> {
        let data = self.inspect()?["state"].take();
        let mut nodes = self.nodes()?;
        let states = nodes
            .iter_mut()
            .map(|(id, node)| (id.clone(), node["state"].take()));
        let runs = self.world.items.keys().cloned().collect();
        let last = self.world.events.last().ok_or("no log")?;
        Ok(Came {
            runs,
            states: states.collect(),
            data,
            end: last.kind.clone(),
        })
    }
}
