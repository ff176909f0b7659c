//! A machine and its world, in the middle of a history: what is said to it in
//! words happens, if this crate's own machine takes it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::choice::Clock;
use super::history::{History, Told, Turn};
use super::workflow::Workflow;
use crate::apply::{apply, start};
use crate::contract::Event;
use crate::decide::drain;
use crate::guards::next_wake;
use crate::machine::Machine;
use crate::notation::{Action, Memory, facts, name_items};
use crate::time::{Millis, Timestamp};

/// A machine and its world, in the middle of a history.
pub(super) struct Player {
    pub(super) machine: Machine,
    pub(super) world: Memory,
    workflow: Workflow,
    turns: Vec<Turn>,
    told: Told,
    /// Where the log was cut, if something was not decided there.
    pub(super) undecided_at: Option<usize>,
    /// What the wall clock shows; behind `world.now` after it was set back.
    wall: u64,
}

impl Player {
    /// An execution that has just been started, and has decided nothing yet.
    pub(super) fn start(workflow: &Workflow) -> Self {
        let first = workflow.start(0);
        let machine = start(workflow.plan().clone(), &workflow.digest(), &first)
            .expect("the workflow's own event 1 starts it");
        let mut world = workflow.world(0);
        world.append_fact(first.clone());
        let mut turn = Turn::new(0);
        turn.facts.push(first);
        Self {
            machine,
            world,
            workflow: workflow.clone(),
            turns: [turn].into(),
            told: Told::default(),
            undecided_at: None,
            wall: 0,
        }
    }

    /// A history, to be gone on with.
    pub(super) fn resume(history: History) -> Self {
        let workflow = history.workflow;
        Self {
            wall: history.world.now,
            machine: machine(&workflow, &history.world.events),
            world: history.world,
            workflow,
            turns: history.turns,
            told: history.told,
            undecided_at: None,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.machine.state().ended.is_some()
    }

    /// Law 5: a turn's reading is the wall clock's, but never less than the
    /// last one; while the wall clock is behind, what passes is added to that.
    pub(super) fn wait(&mut self, clock: Clock) {
        let (before, passed) = (self.world.now, self.passed(clock));
        self.wall = match clock {
            Clock::Set(seconds) => self.wall.saturating_add_signed(i64::from(seconds) * 1000),
            Clock::Pass(_) | Clock::UntilSomething => self.wall.saturating_add(passed),
        };
        self.world.now = if self.wall >= before {
            self.wall
        } else {
            before + passed
        };
    }

    fn passed(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Pass(ms) => u64::from(ms),
            Clock::Set(_) => 0,
            Clock::UntilSomething => self.until_something().map_or(1, |Millis(ms)| ms),
        }
    }

    /// How long it takes until a deadline passes or an item may be claimed.
    pub(super) fn until_something(&self) -> Option<Millis> {
        let now = Timestamp(self.world.now);
        let waiting = self.world.waiting().map(|item| Timestamp(item.not_before));
        let next = waiting.chain(next_wake(&self.machine));
        next.filter(|at| *at > now).min().map(|at| at.since(now))
    }

    /// Let so much time pass by both clocks.
    pub(super) fn pass(&mut self, span: Millis) {
        self.world.now += span.0;
        self.wall = self.world.now;
    }

    pub(super) fn begin_turn(&mut self) {
        self.turns.push(Turn::new(self.world.now));
    }

    /// Let an action happen, if it is legal. Whether it was.
    pub(super) fn act(&mut self, text: &str) -> bool {
        let action = Action::read(text).expect("an action has a verb");
        let kinds = facts(&self.world, &action).expect("what is said is in the notation");
        let turn = self.turns.last_mut().expect("a turn has begun");
        for (place, kind) in kinds.into_iter().enumerate() {
            let fact = self.world.fact(kind);
            if let Err(illegal) = apply(&mut self.machine, &fact) {
                assert!(
                    place == 0,
                    "law 7: the answer to a claim is legal: {illegal:?}"
                );
                return false;
            }
            self.world.append_fact(fact.clone());
            turn.facts.push(fact);
        }
        turn.actions.push(String::from(text));
        true
    }

    /// In the turn that has begun, become a fork that has so many events in common with
    /// what there is, and has still to go its own way.
    pub(super) fn cut(&mut self, common: usize) {
        let begun = self.turns.pop().expect("a turn has begun");
        let turns = self.turns.iter();
        let mut kept: Vec<Turn> = turns.map_while(|turn| turn.up_to(common as u64)).collect();
        // Turns at which nothing happened belong to what is cut off.
        while kept.last().is_some_and(Turn::is_empty) {
            kept.pop();
        }
        let is_whole = self.turns.get(kept.len() - 1) == kept.last();
        let is_undecided = !is_whole || self.undecided_at == Some(common);
        self.undecided_at = is_undecided.then_some(common);
        self.told.cut(&self.turns, kept.len());
        self.turns = kept;
        self.world
            .fork_at(common)
            .expect("the log has so many events");
        self.machine = machine(&self.workflow, &self.world.events);
        self.turns[0].facts[0] = self.world.events[0].clone();
        self.turns.push(begun);
        let turn = self.turns.last_mut().expect("it was pushed");
        turn.actions.push(format!("cut {common}"));
    }

    /// Decide until there is no more: the end of a turn.
    pub(super) fn decide(&mut self) {
        let turn = self.turns.last_mut().expect("a turn has begun");
        loop {
            let mut batch = drain(&mut self.machine, Timestamp(self.world.now))
                .expect("a machine takes its own decisions");
            name_items(&mut batch);
            self.world
                .append_batch(batch.events.clone(), &batch.orders)
                .expect("an order is what its decision names");
            turn.steps.push(batch.events);
            if !batch.more {
                return;
            }
        }
    }

    pub(super) fn into_history(self) -> History {
        History {
            workflow: self.workflow,
            turns: self.turns,
            told: self.told,
            world: self.world,
        }
    }
}

fn machine(workflow: &Workflow, log: &[Event]) -> Machine {
    let (first, rest) = log.split_first().expect("a history starts");
    let plan = workflow.plan().clone();
    let mut machine = start(plan, &workflow.digest(), first).expect("a history is legal");
    for event in rest {
        apply(&mut machine, event).expect("a history is legal");
    }
    machine
}
