//! Of what was guessed, only that is told without which it is not the same.
//!
//! Something need not be assumed if the same makes the node run, and nothing less, whatever
//! becomes of it. As nobody can try all that many things may come to together, two futures
//! stand for all of them: in both, what is left out of the list goes the way that leads
//! nowhere (no value, no choice, a loop that goes on), and the conditions that are left out all
//! hold in one of them and all do not in the other.
//!
//! First many are left out at once, then fewer, at last one after the other, until none can be
//! left out any more. That takes as many trials as the square of their number at the most.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::answer::Assumption;
use super::future::{Future, Given};
use super::trial::{Stop, Trial};
use super::unknowns::{Guesses, Unknowns};
use crate::model::{Event, EventKind, Status, node_of_run};

/// Something that was guessed, and mattered on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Guess {
    /// What a condition comes to, by its place.
    Condition(usize),
    /// The target that the worker of this node chooses.
    Choice(String),
    /// The loop of this node ends.
    Loop(String),
    /// An expression of a node has a value.
    Value(String, String),
}

/// What makes a node run, and what was guessed for that.
pub(super) struct Assumed<'t, 'a> {
    pub(super) trial: &'t mut Trial<'a>,
    pub(super) guesses: &'t Guesses,
    pub(super) given: &'t [Given],
    pub(super) choices: &'t BTreeMap<String, String>,
    /// Whether none of what is given can be left out.
    pub(super) is_minimal: bool,
}

impl Assumed<'_, '_> {
    /// What has to be assumed of what these events tell; and whether nothing of it can be left
    /// out. Otherwise there was more to try than is tried.
    pub(super) fn least(mut self, events: &[Event]) -> Result<(Vec<Assumption>, bool), Stop> {
        let all = guessed(events, self.trial.unknowns, self.guesses);
        let (least, is_least) = self.that_matter(all)?;
        let told = least.iter().map(|guess| self.told(guess)).collect();
        Ok((told, is_least))
    }

    fn that_matter(&mut self, mut listed: Vec<Guess>) -> Result<(Vec<Guess>, bool), Stop> {
        let mut piece = listed.len();
        while piece > 0 {
            let before = listed.len();
            let mut start = 0;
            while start < listed.len() {
                let end = (start + piece).min(listed.len());
                let rest = [&listed[..start], &listed[end..]].concat();
                match self.are_enough(&rest) {
                    Ok(true) => listed = rest,
                    Ok(false) => start = end,
                    Err(Stop::CutOff) => return Ok((listed, false)),
                    Err(stop) => return Err(stop),
                }
            }
            // One may matter no more when another one is left out.
            if piece > 1 || listed.len() == before {
                piece /= 2;
            }
        }
        Ok((listed, true))
    }

    fn are_enough(&mut self, listed: &[Guess]) -> Result<bool, Stop> {
        Ok(self.are_enough_where_others(false, listed)?
            && self.are_enough_where_others(true, listed)?)
    }

    /// Whether the same makes the node run, and nothing less, where all other conditions come
    /// to this.
    fn are_enough_where_others(&mut self, hold: bool, listed: &[Guess]) -> Result<bool, Stop> {
        let listed: BTreeSet<&Guess> = listed.iter().collect();
        let mut guesses = self.guesses.clone();
        for (number, holds) in guesses.holds.iter_mut().enumerate() {
            if !listed.contains(&Guess::Condition(number)) {
                *holds = hold;
            }
        }
        guesses.values.retain(|(node_id, pointer)| {
            listed.contains(&Guess::Value(node_id.clone(), pointer.clone()))
        });
        let loops = self.trial.unknowns.loops();
        let loops = loops.filter(|(id, _)| !listed.contains(&Guess::Loop((*id).to_owned())));
        guesses.endless = loops.map(|(id, _)| id.to_owned()).collect();
        let mut choices = self.choices.clone();
        choices.retain(|id, _| listed.contains(&Guess::Choice(id.clone())));
        let Some(mut future) = self.trial.future(&guesses)? else {
            return Ok(false);
        };
        let enough = self.is_the_same(&mut future, &choices);
        self.trial.end(future);
        enough
    }

    fn is_the_same(
        &self,
        future: &mut Future,
        choices: &BTreeMap<String, String>,
    ) -> Result<bool, Stop> {
        let all: Vec<&Given> = self.given.iter().collect();
        if !self.trial.suffices(future, &all, choices)? {
            return Ok(false);
        }
        // What might do with less says nothing of how little would do.
        let parts = if self.is_minimal { all.len() } else { 0 };
        for place in 0..parts {
            let mut rest = all.clone();
            rest.remove(place);
            if self.trial.suffices(future, &rest, choices)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn told(&self, guess: &Guess) -> Assumption {
        let unknowns = self.trial.unknowns;
        match guess {
            Guess::Condition(number) => unknowns.condition_assumed(*number, self.guesses),
            Guess::Choice(node_id) => Assumption::Choice {
                node_id: node_id.clone(),
                target: self.choices.get(node_id).cloned().unwrap_or_default(),
            },
            Guess::Loop(node_id) => {
                let mut loops = unknowns.loops();
                let of_node = loops.find(|(id, _)| id == node_id);
                Assumption::LoopEnds {
                    node_id: node_id.clone(),
                    condition: of_node.map_or("", |(_, condition)| condition).to_owned(),
                }
            }
            Guess::Value(node_id, pointer) => Assumption::Value {
                node_id: node_id.clone(),
                pointer: pointer.clone(),
            },
        }
    }
}

/// What was guessed of what these events tell.
fn guessed(events: &[Event], unknowns: &Unknowns, guesses: &Guesses) -> Vec<Guess> {
    let conditions = unknowns.judged(events, guesses).into_iter();
    let chosen = events.iter().filter_map(|event| match &event.kind {
        EventKind::NodeCompleted(it) if it.chosen_target.is_some() => Some(it.node_id.clone()),
        _ => None,
    });
    let ended = events.iter().filter_map(|event| match &event.kind {
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            Some(node_of_run(&it.node_id))
        }
        _ => None,
    });
    let ended: HashSet<&str> = ended.collect();
    let loops = unknowns.loops().filter(|(id, _)| ended.contains(id));
    let values = guesses.values.iter().cloned();
    conditions
        .map(Guess::Condition)
        .chain(chosen.map(Guess::Choice))
        .chain(loops.map(|(id, _)| Guess::Loop(id.to_owned())))
        .chain(values.map(|(node_id, pointer)| Guess::Value(node_id, pointer)))
        .collect()
}
