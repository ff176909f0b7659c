//! The reference model and the guest read the rules alike.
//!
//! The model (`refrain_tests::model`) scans everything for each decision; the
//! guest scans nothing. On every generated history they must come to the same:
//! each decision with all its fields and the digest of its work item, where a
//! tick is cut, the status and the next wake after each turn.

use std::cell::RefCell;

use proptest::prelude::*;
use refrain_guest::contract::Event;
use refrain_guest::machine::Machine;
use refrain_guest::strategies::{History, Turn, histories, workflows};
use refrain_tests::model::Model;
use refrain_tests::runner;
use refrain_tests::seen::Seen;

#[test]
fn r01_to_r20_two_readings_of_the_rules_agree() {
    let seen = RefCell::new(Seen::default());
    let agreed = runner(2_000).run(&histories(workflows()), |history| {
        note(&mut seen.borrow_mut(), &history);
        agrees(&history).map_err(TestCaseError::fail)
    });
    agreed.unwrap_or_else(|difference| panic!("{difference}"));
    let seen = seen.into_inner();
    println!("{seen:#?}");
    seen.must_hold_each_decision();
    seen.must_hold("more", 50);
}

/// What a history came across.
fn note(seen: &mut Seen, history: &History) {
    seen.case();
    for turn in history.turns() {
        turn.decisions().for_each(|event| seen.event(&event.kind));
        turn.ticks.iter().skip(1).for_each(|_| seen.count("more"));
    }
}

/// A guest and the model, reading the same log.
struct Pair {
    machine: Machine,
    model: Model,
}

fn agrees(history: &History) -> Result<(), String> {
    let mut pair = Pair::new(history)?;
    for turn in history.turns() {
        pair.turn(turn)
            .map_err(|difference| format!("at {} ms: {difference}", turn.at))?;
    }
    Ok(())
}

impl Pair {
    fn new(history: &History) -> Result<Self, String> {
        let (workflow, first) = (history.workflow(), &history.log()[0]);
        let plan = workflow.plan().clone();
        let machine = Machine::start(plan, &workflow.digest(), first);
        Ok(Self {
            machine: machine.map_err(|illegal| illegal.reason)?,
            model: Model::new(workflow.text(), first),
        })
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), String> {
        let mut facts = turn.facts.iter().filter(|fact| fact.sequence > 1);
        facts.try_for_each(|fact| self.read(fact))?;
        for (place, tick) in turn.ticks.iter().enumerate() {
            tick.iter().try_for_each(|decision| self.read(decision))?;
            let more_follows = place + 1 < turn.ticks.len();
            if self.model.is_cut() != more_follows {
                return Err(format!("tick {place} is cut: {more_follows}"));
            }
        }
        self.model.nothing_is_missing()?;
        let by_rules = (self.model.status(), self.model.next_wake());
        let wake = self.machine.next_wake().map(|wake| wake.0);
        let found = (self.machine.status(), wake);
        if by_rules != found {
            return Err(format!("it is {found:?}, and by the rules {by_rules:?}"));
        }
        Ok(())
    }

    fn read(&mut self, event: &Event) -> Result<(), String> {
        let applied = self.machine.apply(event);
        applied.map_err(|illegal| illegal.reason)?;
        self.model.read(event)
    }
}
