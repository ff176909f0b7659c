//! Native core and component answer the same, byte for byte; and so does the
//! component whatever it runs under.
//!
//! Each is given the same generated workflows and facts, legal and illegal.
//! Whatever they answer must be equal: decisions as canonical bytes, orders,
//! outcomes, refusals, explanations, the state.

mod course;
mod scheduler;

use std::cell::RefCell;

use proptest::prelude::*;
use refrain::guest::{CallLimits, Sandbox};
use refrain::model::{EventKind, Origin};
use refrain_guest::strategies::{histories, hostile_logs, workflows};
use refrain_tests::coverage::Coverage;
use refrain_tests::runner;

use course::{Answer, Course, play, read};
use scheduler::{Component, Native};

#[test]
fn law2_the_component_decides_what_the_native_core_decides() -> anyhow::Result<()> {
    agrees(1_600, Component::new(Sandbox::new(CallLimits::default())?)?)
}

#[test]
fn law10_an_instance_dropped_at_any_moment_decides_the_same() -> anyhow::Result<()> {
    let sandbox = Sandbox::new(CallLimits::default())?;
    agrees(250, Component::new(sandbox)?.dropped(7))
}

#[test]
fn law2_a_guest_without_a_fuel_meter_decides_the_same() -> anyhow::Result<()> {
    let unmetered = CallLimits {
        fuel: None,
        ..CallLimits::default()
    };
    agrees(400, Component::new(Sandbox::new(unmetered)?)?)
}

#[test]
fn law2_an_interpreted_guest_decides_the_same() -> anyhow::Result<()> {
    let sandbox = Sandbox::interpreting(CallLimits::default())?;
    agrees(150, Component::new(sandbox)?)
}

#[test]
fn law2_native_core_and_component_refuse_a_hostile_log_alike() -> anyhow::Result<()> {
    let component = Component::new(Sandbox::new(CallLimits::default())?)?;
    let component = RefCell::new(component);
    let seen = RefCell::new(Coverage::default());
    runner(400).run(&hostile_logs(), |hostile| {
        let natively = read(&hostile, &mut Native::default());
        let in_wasm = read(&hostile, &mut *component.borrow_mut());
        prop_assert_eq!(&natively, &in_wasm);
        let mut seen = seen.borrow_mut();
        seen.case();
        seen.count(if natively.is_err() { "refused" } else { "read" });
        Ok(())
    })?;
    let seen = seen.into_inner();
    println!("{seen:#?}");
    seen.must_hold("refused", 300);
    Ok(())
}

/// Play so many generated histories with the native core and with the
/// component; panic with the smallest on which they differ.
fn agrees(base: u32, component: Component) -> anyhow::Result<()> {
    let component = RefCell::new(component);
    let seen = RefCell::new(Coverage::default());
    runner(base).run(&histories(workflows()), |history| {
        let natively = play(&history, &mut Native::default());
        let in_wasm = play(&history, &mut *component.borrow_mut());
        let differ = |(left, right): &(&Answer, &Answer)| left != right;
        let mut pairs = natively.answers.iter().zip(&in_wasm.answers);
        if let Some((native, wasm)) = pairs.find(differ) {
            return Err(TestCaseError::fail(format!(
                "natively: {native:#?}\nin the component: {wasm:#?}"
            )));
        }
        prop_assert_eq!(natively.answers.len(), in_wasm.answers.len());
        note(&mut seen.borrow_mut(), &natively);
        Ok(())
    })?;
    let seen = seen.into_inner();
    println!("{seen:#?}");
    seen.must_hold_each_decision();
    for (what, in_a_thousand) in [
        ("taken", 5_000),
        ("refused", 2_000),
        ("more", 50),
        ("end", 300),
    ] {
        seen.must_hold(what, in_a_thousand);
    }
    Ok(())
}

/// What a course came across.
fn note(seen: &mut Coverage, course: &Course) {
    seen.case();
    for answer in &course.answers {
        match answer {
            Answer::Stepped {
                outcome: Ok(outcome),
                offered,
                ..
            } => {
                let refused = outcome.refused.len();
                (0..refused).for_each(|_| seen.count("refused"));
                (refused..*offered).for_each(|_| seen.count("taken"));
                (0..usize::from(outcome.more)).for_each(|_| seen.count("more"));
            }
            Answer::Stepped { .. } | Answer::Inspected(_) | Answer::Explained(_) => {}
        }
    }
    let decisions = course
        .log
        .iter()
        .filter(|event| event.origin == Origin::Decision);
    decisions.for_each(|event| seen.event(&event.kind));
    let last = course.log.last().map(|event| &event.kind);
    if let Some(
        EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_),
    ) = last
    {
        seen.count("end");
    }
}
