//! Of what makes a node run, what can be left out is left out.

use std::collections::BTreeMap;

use super::answer::{NeededFact, Needs};
use super::assumed::Assumed;
use super::future::{Future, Given};
use super::trial::{Found, Stop, Trial};
use super::unknowns::Guesses;

/// So many are tried one by one.
const ONE_BY_ONE_MAX: usize = 64;

/// Of so many, each selection is tried.
const EACH_SELECTION_MAX: usize = 6;

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
    let assumed = Assumed {
        trial: &mut *trial,
        guesses: &guesses,
        given: &given,
        choices: &choices,
        is_minimal,
    };
    let (assumptions, has_least_assumptions) = assumed.least(&events)?;
    let mut needs = Needs {
        assumptions,
        is_minimal,
        has_least_assumptions,
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
    let waits_until = |id: &String| trial.past.nodes.named(id)?.wait.as_ref()?.until();
    let is_known = node_id.as_ref().and_then(waits_until) == Some(at);
    match is_guess && !is_known {
        true => NeededFact::UnknownTime { node_id },
        false => NeededFact::Time { at, node_id },
    }
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
