//! What is tried, and in which order: first what makes a log much smaller, then what makes
//! it say less.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::{Case, Turn};
use super::play::PlayedTurn;
use super::search::{Candidate, Search};
use super::spots::{Document, Spot, Step};
use super::{facts, items, kinds, names, nodes, spots};
use crate::limits::PRIORITY_DEFAULT;
use crate::log::kind_name;
use crate::model::{EventKind, Limits};
use crate::replay::verdict::AuditError;

/// Logs of up to so many events are looked at value by value.
const EVENTS_TO_READ_MAX: usize = 400;

/// So deep are values left out of JSON.
const DEPTH_MAX: usize = 12;

/// As many instances of a map may be needed besides those that something is told of.
const INSTANCES_MORE_MAX: usize = 2;

/// The seed of executions in tests of schedulers.
const SEED: u64 = 7;

/// Many of the facts are of a kind if at least this share of them is.
const SHARE_OF_MANY: usize = 16;

/// Tries until nothing can be left out any more, or the search is told not to go on.
pub(super) fn shrink(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    without_kinds_of_facts(search)?;
    loop {
        let before = search.best.case.clone();
        every(search, facts::without_words)?;
        every(search, facts::without_extras)?;
        without_payloads(search)?;
        without_nodes(search)?;
        without_items(search)?;
        without_facts(search)?;
        search.sweep(
            |best| nodes::edges(&best.case),
            |best, removed| nodes::without_edges(&best.case, removed),
        )?;
        settings(search)?;
        times(search)?;
        if search.best.recording.events.len() <= EVENTS_TO_READ_MAX {
            fail_at_once(search)?;
            plain_nodes(search)?;
            short_lists(search)?;
            without_values(search)?;
            least_values(search)?;
            short_names(search)?;
        }
        if search.is_over || search.best.case == before {
            return Ok(());
        }
    }
}

/// Says as many facts as can be in a simpler way: all of them, or else some.
fn every(
    search: &mut Search<'_, '_>,
    simple: fn(&EventKind) -> EventKind,
) -> Result<(), AuditError> {
    let some = |best: &Candidate, marked: &[bool]| {
        let mut other = best.case.clone();
        let facts = other.facts_mut();
        for (fact, _) in facts.zip(marked).filter(|(_, marked)| **marked) {
            *fact = simple(fact);
        }
        Some(other)
    };
    let is_simple = search.best.case.facts().all(|fact| simple(fact) == *fact);
    if is_simple {
        return Ok(());
    }
    let count = search.best.case.facts().count();
    if let Some(all) = some(&search.best, &vec![true; count])
        && search.holds(&all)?
    {
        return Ok(());
    }
    search.sweep(|best| best.case.facts().count(), some)
}

fn without_payloads(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let mut case = search.best.case.clone();
    "{}".clone_into(&mut case.started.initial_input);
    search.holds(&case)?;
    every(search, facts::without_payload)
}

fn without_nodes(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    search.sweep(
        |best| nodes::in_order(&best.case).len(),
        |best, removed| nodes::without(&best.case, &nodes::in_order(&best.case), removed),
    )
}

fn without_items(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let lists = |best: &Candidate| items::lists(&best.case, &best.played);
    for place in 0..lists(&search.best).len() {
        search.sweep(
            |best| lists(best).get(place).map_or(0, |list| list.items),
            |best, removed| items::without(&best.case, lists(best).get(place)?, removed),
        )?;
    }
    Ok(())
}

/// Leaves out facts, and turns in which time passes.
fn without_facts(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    search.sweep(
        |best| best.case.turns.iter().map(parts).sum(),
        |best, removed| {
            let case = &best.case;
            let mut removed = removed.iter().copied();
            let mut next = || removed.next().unwrap_or_default();
            let mut left = case.clone();
            left.turns = Vec::with_capacity(case.turns.len());
            for turn in &case.turns {
                let facts = turn.facts.iter().filter(|_| !next());
                let facts: Vec<EventKind> = facts.cloned().collect();
                let is_gone = match turn.facts.is_empty() {
                    true => next(),
                    false => facts.is_empty(),
                };
                if !is_gone || left.turns.is_empty() {
                    left.turns.push(Turn { at: turn.at, facts });
                }
            }
            Some(left)
        },
    )
}

fn parts(turn: &Turn) -> usize {
    turn.facts.len().max(1)
}

/// What event 1 says besides, as it usually is.
fn settings(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let usual: [fn(&mut Case); 4] = [
        |case| case.started.limits = Limits::default(),
        |case| case.started.seed = SEED,
        |case| case.started.priority = PRIORITY_DEFAULT,
        |case| "default".clone_into(&mut case.started.tenant),
    ];
    for usual in usual {
        let mut case = search.best.case.clone();
        usual(&mut case);
        search.holds(&case)?;
    }
    Ok(())
}

/// Small times: all at once, else from the beginning of all time on, and with small spans in
/// between.
fn times(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let mut at_once = search.best.case.clone();
    for turn in &mut at_once.turns {
        turn.at = 0;
    }
    if search.holds(&at_once)? {
        return Ok(());
    }
    let mut early = search.best.case.clone();
    let first = early.turns[0].at;
    for turn in &mut early.turns {
        turn.at -= first;
    }
    search.holds(&early)?;
    let mut place = 1;
    while let Some([before, turn]) = search.best.case.turns.get(place - 1..=place) {
        let span = turn.at - before.at;
        for smaller in [0, 1, span / 2].into_iter().filter(|it| *it < span) {
            let mut case = search.best.case.clone();
            for turn in &mut case.turns[place..] {
                turn.at -= span - smaller;
            }
            if search.holds(&case)? {
                break;
            }
        }
        if search.is_over {
            break;
        }
        place += 1;
    }
    Ok(())
}

/// One failure that nothing can cure in the place of several that something could.
fn fail_at_once(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let count = search.best.case.facts().count();
    for place in 0..count {
        let mut case = search.best.case.clone();
        let fact = case.facts_mut().nth(place);
        if let Some(fact) = fact
            && facts::fail(fact)
        {
            search.holds(&case)?;
        }
    }
    Ok(())
}

/// Ordinary work in the place of other kinds of nodes, and of the children of instances.
fn plain_nodes(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let ways: [fn(&Candidate, &str) -> Option<Case>; 3] = [
        |best, id| nodes::plain(&best.case, id),
        |best, id| kinds::as_work(&best.case, &best.played, id),
        |best, id| kinds::with_working_instances(&best.case, id),
    ];
    let ids: Vec<String> = search.best.case.nodes().cloned().collect();
    for id in ids {
        for way in ways {
            if let Some(case) = way(&search.best, &id)
                && search.holds(&case)?
            {
                break;
            }
        }
    }
    Ok(())
}

/// Leaves out all facts of one kind, for those kinds that many are of: they may stand between
/// others, so that no piece of the log holds only them.
fn without_kinds_of_facts(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for fact in search.best.case.turns.iter().flat_map(|turn| &turn.facts) {
        *counts.entry(kind_name(fact)).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let mut many: Vec<(usize, &str)> = counts.into_iter().map(|(name, n)| (n, name)).collect();
    many.retain(|(count, _)| count * SHARE_OF_MANY >= all);
    many.sort_unstable_by(|a, b| b.cmp(a));
    for (_, name) in many {
        let case = without_kind_of_facts(&search.best, name);
        search.holds(&case)?;
    }
    Ok(())
}

/// The same without the turns in which nothing is left to happen.
fn without_kind_of_facts(best: &Candidate, name: &str) -> Case {
    let mut decisions = best.played.turns.iter().map(PlayedTurn::decisions);
    let mut case = best.case.clone();
    let mut is_first = true;
    case.turns.retain_mut(|turn| {
        let before = turn.facts.len();
        turn.facts.retain(|fact| kind_name(fact) != name);
        let is_idle = decisions.next().is_none_or(|decided| decided.is_empty());
        let is_gone = before > 0 && turn.facts.is_empty() && is_idle;
        std::mem::take(&mut is_first) || !is_gone
    });
    case
}

/// Maps over short lists of their own, whatever they went over.
fn short_lists(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let ids: Vec<String> = search.best.case.nodes().cloned().collect();
    for id in ids {
        for more in 0..=INSTANCES_MORE_MAX {
            if let Some(case) = items::of_its_own(&search.best.case, &id, more)
                && search.holds(&case)?
            {
                break;
            }
        }
    }
    Ok(())
}

/// Leaves out keys and items of JSON, level by level.
fn without_values(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    let at = |case: &Case, depth| {
        let mut spots = spots::of_depth(case, depth);
        spots.retain(|spot| !spot.is_frame());
        spots
    };
    for depth in 1..=DEPTH_MAX {
        search.sweep(
            |best| at(&best.case, depth).len(),
            |best, removed| spots::without(&best.case, &at(&best.case, depth), removed),
        )?;
    }
    Ok(())
}

/// Puts small values in the place of others.
fn least_values(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    for (spot, value) in spots::leaves(&search.best.case) {
        if is_name(&spot) {
            continue;
        }
        for smaller in smaller(&spot, &value) {
            let case = spots::with(&search.best.case, &[(spot.clone(), smaller)]);
            if let Some(case) = case
                && search.holds(&case)?
            {
                break;
            }
        }
    }
    Ok(())
}

/// Whether a workflow says there which node or which kind is meant.
fn is_name(spot: &Spot) -> bool {
    let names = [
        "id",
        "type",
        "from",
        "to",
        "start_node",
        "workflow_id",
        "version",
        "target",
    ];
    let is_one =
        matches!(spot.path.last(), Some(Step::Key(name)) if names.contains(&name.as_str()));
    is_one && spot.document == Document::Workflow
}

/// Values that are smaller than this one, the smallest first.
fn smaller(spot: &Spot, value: &Value) -> Vec<Value> {
    let is_condition = |name: &String| name == "condition" || name == "while";
    match value {
        Value::String(text) => {
            let truths = ["true", "false"].map(str::to_owned);
            let mut half = text.len() / 2;
            while !text.is_char_boundary(half) {
                half -= 1;
            }
            let texts = ["", "a", "http://localhost/", &text[..half]].map(str::to_owned);
            let choice = match (spot.document, spot.path.last()) {
                (Document::Workflow, Some(Step::Key(name))) if is_condition(name) => {
                    truths.to_vec()
                }
                _ => texts.to_vec(),
            };
            let choice = choice.into_iter().filter(|it| it.len() < text.len());
            choice.map(Value::from).collect()
        }
        Value::Number(number) => {
            let Some(number) = number.as_u64() else {
                return vec![json!(0), json!(1)];
            };
            let choice = [0, 1, number / 2].into_iter().filter(|it| *it < number);
            choice.map(Value::from).collect()
        }
        Value::Bool(true) => vec![json!(false)],
        _ => Vec::new(),
    }
}

fn short_names(search: &mut Search<'_, '_>) -> Result<(), AuditError> {
    if let Some(names) = names::short(&search.best.case) {
        let all = names::renamed(&search.best.case, &names);
        if !search.holds(&all)? {
            for (old, new) in names.iter().filter(|(_, new)| !names.contains_key(*new)) {
                let one = names::Names::from([(old.clone(), new.clone())]);
                let case = names::renamed(&search.best.case, &one);
                search.holds(&case)?;
            }
        }
    }
    for word in names::words(&search.best.case) {
        let new = names::unused(&search.best.case);
        let case = names::reworded(&search.best.case, &word, &new);
        search.holds(&case)?;
    }
    Ok(())
}
