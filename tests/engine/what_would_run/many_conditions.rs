//! Where many conditions are not judged yet: only those are assumed without which it is not
//! the same.

use std::cell::RefCell;

use anyhow::{Result, ensure};
use proptest::prelude::*;
use refrain::replay::{Needs, Prospect, Prospects};
use refrain_guest::notation::play;
use refrain_tests::coverage::Coverage;
use refrain_tests::runner;

use super::case::Case;
use super::tables::said;
use super::{library, travel};

/// So many clauses, each written for its number.
fn each(count: usize, clause: impl Fn(usize) -> String) -> String {
    let clauses: Vec<String> = (0..count).map(clause).collect();
    clauses.join(", ")
}

/// What would make a node of this graph run, whose first node is under way.
fn asked(graph: &str, node: &str) -> Result<String> {
    let table = format!("{graph}\n0000 tick => schedule a");
    let played = play(&table).map_err(anyhow::Error::msg)?;
    let mut travel = travel(&library()?, &played.world.workflow, &played.world.events)?;
    Ok(said(&Prospects::of(&mut travel).what_would_run(node)?))
}

#[test]
fn of_many_conditions_those_that_do_not_matter_are_not_assumed() -> Result<()> {
    let aside = each(40, |n| format!("a -> c{n} if state.y{n}"));
    // Only one leads to it.
    let graph = format!("a -> b if state.x, {aside}");
    ensure!(asked(&graph, "b")? == "complete a | a -> b if state.x");
    // None does.
    let graph = format!("a -> b, {aside}");
    ensure!(asked(&graph, "b")? == "complete a");
    // A few lead to nodes that a join waits for, too, and there is room for all.
    let waited_for = format!("a -> b if state.x, {aside}, b -> j, c0 -> j, c39 -> j");
    let said = asked(&format!("{waited_for}\nlimits 64 64"), "j")?;
    let expected = "complete a, complete b | a -> b if state.x, a -> c0 unless state.y0, a -> c39 unless state.y39";
    ensure!(said == expected, "{said}");
    // Where there is not, whatever takes it matters, and some of it may.
    let said = asked(&waited_for, "j")?;
    ensure!((10..38).contains(&said.matches("unless").count()), "{said}");
    Ok(())
}

#[test]
fn of_many_conditions_all_that_matter_are_assumed() -> Result<()> {
    let waited_for = each(20, |n| format!("a -> c{n:02} if state.y{n}, c{n:02} -> j"));
    let graph = format!("a -> b if state.x, b -> j, {waited_for}");
    let unless = each(20, |n| format!("a -> c{n:02} unless state.y{n}"));
    let expected = format!("complete a, complete b | a -> b if state.x, {unless}");
    ensure!(asked(&graph, "j")? == expected);
    Ok(())
}

/// Trying is bounded: where there is more to try, the answer holds all the same, and says so.
#[test]
fn that_there_may_be_fewer_is_said() -> Result<()> {
    let many = 900;
    let waited_for = each(many, |n| {
        format!("a -> c{n:03} if state.y{n}, c{n:03} -> j")
    });
    let graph = format!("a -> b if state.x, b -> j, {waited_for}");
    let said = asked(&graph, "j")?;
    ensure!(
        said.starts_with("complete a, complete b | a -> b if state.x, "),
        "{said}"
    );
    ensure!(said.ends_with(" (assumes more than is needed)"), "{said}");
    Ok(())
}

/// A graph of this many nodes, between any two of which an edge may lead on, under a condition
/// of its own; each behind the first has one from the node before.
fn graphs() -> impl Strategy<Value = (String, usize)> {
    let pairs = NODES_MAX * (NODES_MAX - 1) / 2;
    let drawn = prop::collection::vec(0_u8..8, pairs);
    (7..=NODES_MAX, drawn).prop_map(|(nodes, drawn)| {
        let pairs = (1..nodes).flat_map(|to| (0..to).map(move |from| (from, to)));
        let edges = pairs.zip(drawn).enumerate();
        let edges = edges.filter_map(|(n, ((from, to), drawn))| match drawn {
            0 => Some(format!("{} -> {}", name(from), name(to))),
            1 => Some(format!("{} -> {} on failure", name(from), name(to))),
            2 if from + 1 < to => None,
            _ => Some(format!("{} -> {} if state.k{n}", name(from), name(to))),
        });
        let edges: Vec<String> = edges.collect();
        let conditions = edges.iter().filter(|edge| edge.contains(" if ")).count();
        (edges.join(", "), conditions)
    })
}

const NODES_MAX: usize = 9;

fn name(node: usize) -> char {
    char::from(b'a' + u8::try_from(node).expect("there are few nodes"))
}

#[test]
fn by_the_model_nothing_is_assumed_that_does_not_matter() {
    let seen = RefCell::new(Coverage::default());
    let library = library().expect("the built-in scheduler");
    let agreed = runner(12).run(&graphs(), |(graph, conditions)| {
        let table = format!("{graph}\n0000 tick => schedule a");
        let played = play(&table).map_err(TestCaseError::fail)?;
        let world = &played.world;
        let mut travel = travel(&library, &world.workflow, &world.events)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        for target in [name(3), name(5), name(6)].map(String::from) {
            let asked = Prospects::of(&mut travel).what_would_run(&target);
            let needs = match asked {
                Ok(Prospect::Needs(needs)) => needs,
                Ok(_) => continue,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            note(&mut seen.borrow_mut(), &needs, conditions);
            let case = Case {
                workflow: &world.workflow,
                log: &world.events,
                target: &target,
                needs: &needs,
            };
            let judged = case.judge().and_then(|()| case.judge_assumptions());
            judged.map_err(|difference| TestCaseError::fail(difference.to_string()))?;
        }
        Ok(())
    });
    agreed.unwrap_or_else(|difference| panic!("{difference}"));
    let seen = seen.into_inner();
    println!("{seen:#?}");
    for (what, in_a_thousand) in [
        ("more than 16 conditions", 500),
        ("a condition that does not matter", 500),
        ("several that do", 300),
    ] {
        seen.must_hold(what, in_a_thousand);
    }
}

fn note(seen: &mut Coverage, needs: &Needs, conditions: usize) {
    seen.case();
    let assumed = needs.assumptions.len();
    for (what, is_so) in [
        ("more than 16 conditions", conditions > 16),
        ("a condition that does not matter", assumed < conditions),
        ("several that do", assumed > 1),
    ] {
        if is_so {
            seen.count(what);
        }
    }
}
