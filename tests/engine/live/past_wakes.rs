//! Wakes that have passed count as now, and everyone has a turn: executions
//! whose scheduler asks for such wakes again and again hold up no others.

use std::time::Duration;

use refrain::limits::{PAST_WAKE_PAUSE_MS, TurnLimits, WAKES_PER_TURN_MAX};
use refrain::model::Status;
use refrain::{Engine, ManualClock, Next, Steps, Workflow};
use refrain_tests::engines::{BEGIN, Place};
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::single;
use serde_json::json;

/// Takes every fact, decides nothing, and wants to be woken five milliseconds after the epoch.
const WAKE_ME_AT_5: &str = "
    (i64.store (i32.const 1040) (local.get $last))
    (i32.store8 (i32.const 1048) (i32.const 1))
    (i64.store (i32.const 1056) (i64.const 5))
    (i32.store8 (i32.const 1064) (i32.const 0))
    (i32.const 1024)";

fn few(wakes: usize) -> TurnLimits {
    TurnLimits {
        wakes,
        ..TurnLimits::default()
    }
}

fn engine(place: &Place, seed: u64, limits: TurnLimits) -> (Engine, Steps, ManualClock) {
    let clock = ManualClock::new(BEGIN);
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone())
        .turn_limits(limits)
        .seed(seed);
    let (engine, steps) = builder.stepped().expect("it can be put together");
    (engine, steps, clock)
}

/// A workflow of one timer.
fn register(engine: &Engine, steps: &mut Steps) {
    let timer = json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } });
    let workflow = Workflow::from_json(single(timer).to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
}

/// So many executions of a scheduler that asks for wakes in the past.
fn start_hostile(place: &Place, number: usize) {
    let guest = WatGuest {
        step: WAKE_ME_AT_5,
        ..WatGuest::default()
    };
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(ManualClock::new(BEGIN))
        .guest(guest.component().expect("it can be assembled"))
        .seed(1_000);
    let (engine, mut steps) = builder.stepped().expect("it can be put together");
    for _ in 0..number {
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts");
    }
}

#[test]
fn wakes_that_have_passed_hide_no_timer() {
    // How many go into one turn, how many ask for the past, how many turns
    // these take until the last of them has had one.
    let usual = TurnLimits::default();
    for (limits, hostile, turns) in [
        (few(1), 3, 4),
        (few(4), 4, 2),
        (few(4), 11, 3),
        (usual, WAKES_PER_TURN_MAX + 1, 2),
    ] {
        for place in Place::each() {
            let (engine, mut steps, clock) = engine(&place, 1, limits);
            register(&engine, &mut steps);
            start_hostile(&place, hostile);
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            let execution = started.expect("it is answered").expect("it starts");
            let comes_to_rest = (0..turns + 2).any(|_| steps.step() != Next::Now);
            assert!(comes_to_rest, "{limits:?}: it turns on and on");
            clock.advance(Duration::from_secs(5));
            for _ in 0..turns {
                steps.step();
            }
            let record = place.store().execution(execution.id());
            let record = record.expect("it can be read").expect("it is there");
            assert_eq!(record.status, Status::Completed, "{limits:?}, {hostile}");
        }
    }
}

/// It rests between two looks, and looks again.
#[test]
fn a_wake_that_has_passed_is_looked_at_again_after_a_pause() {
    for place in Place::each() {
        let (engine, mut steps, clock) = engine(&place, 1, TurnLimits::default());
        register(&engine, &mut steps);
        start_hostile(&place, 1);
        for round in 1..4 {
            while steps.step() == Next::Now {}
            let now = BEGIN + (round - 1) * PAST_WAKE_PAUSE_MS;
            assert_eq!(steps.step(), Next::At(now + PAST_WAKE_PAUSE_MS));
            clock.advance(Duration::from_millis(PAST_WAKE_PAUSE_MS));
        }
    }
}

#[test]
fn limits_that_let_nothing_through_are_refused() {
    for limits in [
        few(0),
        TurnLimits {
            facts: 0,
            ..TurnLimits::default()
        },
        TurnLimits {
            claims: 0,
            ..TurnLimits::default()
        },
        TurnLimits {
            expiries: 0,
            ..TurnLimits::default()
        },
    ] {
        let builder = Engine::builder()
            .boxed_store(Place::memory().store())
            .turn_limits(limits);
        let error = builder.stepped().expect_err("nothing would ever happen");
        assert!(error.to_string().contains("set each"), "{error}");
    }
}
