//! Rules R2 to R4: how often it is ticked changes the order of things, and
//! not what happens.
//!
//! This holds where the world's answers are a matter of node and attempt
//! alone, conditions of what their source wrote (see `confluent`), and where
//! time passes only when nothing else is left to do. Elsewhere it cannot hold:
//! who is cancelled in time, and what a condition reads, is then a matter of
//! when.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use refrain_guest::contract::{EventKind, Outcome, Status};
use refrain_guest::notation::facts;
use refrain_guest::notation::{Action, EXECUTION, ItemState, Memory};
use refrain_guest::shell::Scheduler;
use refrain_guest::strategies::{Workflow, workflows};
use serde_json::Value;

use crate::properties::confluent;
use crate::properties::machines::graph;
use crate::properties::{fail, holds};

#[test]
fn r02_r04_ticked_after_each_fact_or_after_many_the_same_runs_and_the_same_end() {
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

/// An execution that is ticked after so many facts, and when there are no more.
struct Run {
    scheduler: Scheduler,
    world: Memory,
    luck: u8,
    pace: usize,
    untold: usize,
}

impl Run {
    fn new(workflow: &Workflow, luck: u8, pace: usize) -> Self {
        let graph = graph(workflow, &confluent::text(workflow));
        let mut world = Memory::new(&graph, 0);
        world.append_fact(world.start(&graph));
        Self {
            scheduler: Scheduler::new(),
            world,
            luck,
            pace,
            untold: 0,
        }
    }

    fn ended(mut self) -> Result<Came, String> {
        for _ in 0..10_000 {
            let outcome = self.tick()?;
            if matches!(
                outcome.status,
                Status::Completed | Status::Failed | Status::Cancelled
            ) {
                return self.came();
            }
            let mut happened = false;
            for action in self.answers()? {
                happened |= self.offer(&action)?;
            }
            if !happened {
                let waiting = self.world.waiting().map(|item| item.not_before);
                let next = waiting
                    .chain(outcome.next_wake)
                    .filter(|at| *at > self.world.now)
                    .min();
                self.world.now = next.ok_or("nothing can happen any more")?;
            }
        }
        Err("it does not end".to_owned())
    }

    fn tick(&mut self) -> Result<Outcome, String> {
        self.untold = 0;
        loop {
            let last = self.world.events.len() as u64;
            let ticked = self.scheduler.tick(&mut self.world, EXECUTION, last);
            let outcome = ticked.map_err(|error| format!("{error:?}"))?;
            if !outcome.more {
                return Ok(outcome);
            }
        }
    }

    /// Whether it may happen now: a stall refuses claims.
    fn offer(&mut self, action: &str) -> Result<bool, String> {
        let action = Action::read(action).ok_or("no action")?;
        for kind in facts(&self.world, &action)? {
            let fact = self.world.fact(kind);
            if self
                .scheduler
                .admit(&mut self.world, EXECUTION, &fact)
                .is_err()
            {
                return Ok(false);
            }
            self.world.append_fact(fact);
        }
        self.untold += 1;
        if self.untold >= self.pace {
            self.tick()?;
        }
        Ok(true)
    }

    /// All that the world has to say now.
    fn answers(&mut self) -> Result<Vec<String>, String> {
        let mut answers = Vec::new();
        let stall = self.inspect()?["stalled"].to_string();
        for (node_id, node) in self.nodes()? {
            match (node["state"].as_str(), node["waits_for"].as_str()) {
                (Some("failing"), _) if stall.starts_with(&format!("\"node `{node_id}`")) => {
                    answers.push(format!("skip {node_id}"));
                }
                (Some("waiting"), Some("approval")) => answers.push(format!("approve {node_id}")),
                (Some("waiting"), Some(key)) => answers.push(format!("signal {key} {{}}")),
                _ => {}
            }
        }
        let open = self.world.items.values().filter(|item| {
            item.state != ItemState::Settled && item.item.not_before <= self.world.now
        });
        answers.extend(open.map(|item| self.answer(&item.item.node_id, item.item.attempt)));
        Ok(answers)
    }

    /// A matter of node, attempt and luck.
    fn answer(&self, node_id: &str, attempt: u32) -> String {
        let name: u32 = node_id.bytes().map(u32::from).sum();
        let thrown = (name * 7 + attempt * 13 + u32::from(self.luck)) % 11;
        match thrown {
            0..3 => format!("fail {node_id} io_error"),
            3 => format!("fail {node_id} other fatal"),
            thrown => format!("complete {node_id} {{\"{node_id}\":{}}}", thrown % 2),
        }
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
