//! Of what makes a node run, what can be left out is left out; and of what was assumed, what
//! does not matter.

use std::collections::BTreeMap;

use super::answer::{Assumption, NeededFact, Needs};
use super::future::{Future, Given};
use super::trial::{Found, Stop, Trial};
use super::unknowns::Guesses;
use crate::model::{Event, EventKind, Status, node_of_run};

/// So many are tried one by one.
const ONE_BY_ONE_MAX: usize = 64;

/// Of so many, each selection is tried.
const EACH_SELECTION_MAX: usize = 6;

/// So many conditions are tried both ways.
const CONDITIONS_MAX: usize = 16;

/// What is needed of what was found.
pub(super) fn needs(trial: &mut Trial<'_>, found: Found) -> Result<Needs, Stop> {
    let Found {
        mut future,
        guesses,
        mut given,
        choices,
    } = found;
    let mut is_minimal = false;
    if given.len() <= ONE_BY_ONE_MAX {
        let mut fewest = Fewest {
            trial,
            choices: &choices,
        };
        match fewest.leave_out(&mut future, &mut given) {
            Ok(()) => is_minimal = true,
            Err(Stop::CutOff) => {}
            Err(stop) => return Err(stop),
        }
        // Once more, for what is judged on the way; whatever it costs.
        let left = std::mem::replace(&mut trial.fuel, u64::MAX);
        let all: Vec<&Given> = given.iter().collect();
        let suffices = trial.suffices(&mut future, &all, &choices)?;
        debug_assert!(suffices, "it did before");
        trial.fuel = left;
    }
    let events = future.events().to_vec();
    trial.end(future);
    let judged = trial.unknowns.judged(&events, &guesses);
    let listed = match is_minimal && judged.len() <= CONDITIONS_MAX {
        true => Conditions {
            trial,
            guesses: &guesses,
            given: &given,
            choices: &choices,
        }
        .that_matter(judged)?,
        false => judged,
    };
    let mut needs = Needs {
        assumptions: listed
            .iter()
            .map(|number| trial.unknowns.assumed(*number, &guesses))
            .chain(others(trial, &events, &guesses))
            .collect(),
        is_minimal,
        ..Needs::default()
    };
    for it in given {
        match it {
            Given::Act(act) => needs.acts.push(act),
            Given::Fact(fact) => needs.facts.push(as_known(trial, fact, &guesses)),
        }
    }
    Ok(needs)
}

/// The fact without its time, where that follows on a guess. What waits at the place already
/// is known to wait until then.
fn as_known(trial: &Trial<'_>, fact: NeededFact, guesses: &Guesses) -> NeededFact {
    let NeededFact::Time { at, node_id } = fact else {
        return fact;
    };
    let guessed = trial.unknowns.guessed_time(guesses);
    let is_guess = guessed.is_some_and(|guessed| at >= guessed);
    let waits_until = |id: &String| trial.nodes.named(id)?.wait.as_ref()?.until();
    let is_known = node_id.as_ref().and_then(waits_until) == Some(at);
    match is_guess && !is_known {
        true => NeededFact::UnknownTime { node_id },
        false => NeededFact::Time { at, node_id },
    }
}

/// What is assumed besides conditions of edges.
fn others(trial: &Trial<'_>, events: &[Event], guesses: &Guesses) -> Vec<Assumption> {
    let chosen = events.iter().filter_map(|event| match &event.kind {
        EventKind::NodeCompleted(it) => Some(Assumption::Choice {
            node_id: it.node_id.clone(),
            target: it.chosen_target.clone()?,
        }),
        _ => None,
    });
    let ended = events.iter().filter_map(|event| match &event.kind {
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            Some(node_of_run(&it.node_id))
        }
        _ => None,
    });
    let ended = ended.collect();
    let loops = trial.unknowns.loops_of(&ended);
    let values = guesses.values.iter();
    let values = values.map(|(node_id, pointer)| Assumption::Value {
        node_id: node_id.clone(),
        pointer: pointer.clone(),
    });
    chosen.chain(loops).chain(values).collect()
}

/// Leaves out what can be.
struct Fewest<'t, 'a> {
    trial: &'t Trial<'a>,
    choices: &'t BTreeMap<String, String>,
}

impl Fewest<'_, '_> {
    /// Leaves out one after the other, as long as one can be; and then, if there are few, any
    /// number at once, because what is left out may make up for something else.
    fn leave_out(&mut self, future: &mut Future, given: &mut Vec<Given>) -> Result<(), Stop> {
        loop {
            while self.leave_one_out(future, given)? {}
            match self.smaller(future, given)? {
                Some(smaller) => *given = smaller,
                None => return Ok(()),
            }
        }
    }

    fn leave_one_out(&mut self, future: &mut Future, given: &mut Vec<Given>) -> Result<bool, Stop> {
        let mut is_changed = false;
        for place in (0..given.len()).rev() {
            let rest = given.iter().enumerate().filter(|(at, _)| *at != place);
            let rest: Vec<&Given> = rest.map(|(_, it)| it).collect();
            if self.trial.suffices(future, &rest, self.choices)? {
                given.remove(place);
                is_changed = true;
            }
        }
        Ok(is_changed)
    }

    /// A selection of them, two or more fewer, that does as well.
    fn smaller(
        &mut self,
        future: &mut Future,
        given: &[Given],
    ) -> Result<Option<Vec<Given>>, Stop> {
        if given.len() > EACH_SELECTION_MAX {
            return Ok(None);
        }
        for selected in 0_u32..1 << given.len() {
            if selected.count_ones() as usize + 2 > given.len() {
                continue;
            }
            let is_in = |(place, _): &(usize, &Given)| selected & (1 << place) != 0;
            let selection = given.iter().enumerate().filter(is_in);
            let selection: Vec<&Given> = selection.map(|(_, it)| it).collect();
            if self.trial.suffices(future, &selection, self.choices)? {
                return Ok(Some(selection.into_iter().cloned().collect()));
            }
        }
        Ok(None)
    }
}

/// Finds the conditions that matter.
struct Conditions<'t, 'a> {
    trial: &'t mut Trial<'a>,
    guesses: &'t Guesses,
    given: &'t [Given],
    choices: &'t BTreeMap<String, String>,
}

impl Conditions<'_, '_> {
    /// Those of these without which it is not the same, whether all others hold or none does.
    fn that_matter(mut self, judged: Vec<usize>) -> Result<Vec<usize>, Stop> {
        let mut listed = judged.clone();
        for number in judged {
            let rest: Vec<usize> = listed.iter().copied().filter(|it| *it != number).collect();
            match self.are_enough(&rest) {
                Ok(true) => listed = rest,
                Ok(false) => {}
                Err(Stop::CutOff) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(listed)
    }

    fn are_enough(&mut self, listed: &[usize]) -> Result<bool, Stop> {
        Ok(self.are_enough_where_others(false, listed)?
            && self.are_enough_where_others(true, listed)?)
    }

    /// Whether the same makes the node run, and nothing less, where all other conditions come
    /// to this.
    fn are_enough_where_others(&mut self, hold: bool, listed: &[usize]) -> Result<bool, Stop> {
        let mut guesses = self.guesses.clone();
        for (number, holds) in guesses.holds.iter_mut().enumerate() {
            if !listed.contains(&number) {
                *holds = hold;
            }
        }
        let Some(mut future) = self.trial.future(&guesses)? else {
            return Ok(false);
        };
        let enough = self.is_the_same(&mut future);
        self.trial.end(future);
        enough
    }

    fn is_the_same(&self, future: &mut Future) -> Result<bool, Stop> {
        let all: Vec<&Given> = self.given.iter().collect();
        if !self.trial.suffices(future, &all, self.choices)? {
            return Ok(false);
        }
        for place in 0..all.len() {
            let mut rest = all.clone();
            rest.remove(place);
            if self.trial.suffices(future, &rest, self.choices)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
