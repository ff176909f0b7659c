//! A stall is lifted without asking the guest, and the turn may end there: until
//! the next step nobody knows what the execution is.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use refrain::guest::CallLimits;
use refrain::limits::TurnLimits;
use refrain::model::Status;
use refrain::store::ExecutionRecord;
use refrain::{Builder, Engine, EngineError, ExecutionId, ManualClock, Steps};
use refrain_tests::engines::{BEGIN, Place, audit_all};
use serde_json::json;

use super::scene::{Scene, side_by_side};

/// No call of a scheduler ends with as little.
fn no_fuel(builder: Builder) -> Builder {
    builder.call_limits(CallLimits {
        fuel: Some(1_000),
        fuel_per_byte: 0,
        ..CallLimits::default()
    })
}

/// Turns that are over after the first call of a scheduler.
fn shortest_turns(builder: Builder) -> Builder {
    builder.turn_limits(TurnLimits {
        fuel: 1,
        ..TurnLimits::default()
    })
}

fn engine(place: &Place, like: impl FnOnce(Builder) -> Builder) -> (Engine, Steps) {
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(ManualClock::new(BEGIN));
    like(builder).stepped().expect("it can be put together")
}

fn record(place: &Place, id: ExecutionId) -> ExecutionRecord {
    let record = place.store().execution(id);
    record.expect("it can be read").expect("it is there")
}

#[test]
fn law9_what_is_lifted_and_not_yet_stepped_audits_clean() {
    for place in Place::each() {
        lifted_and_not_yet_stepped(place, false);
    }
}

#[test]
fn r18_what_is_paused_lifted_and_not_yet_stepped_audits_clean() {
    for place in Place::each() {
        lifted_and_not_yet_stepped(place, true);
    }
}

fn lifted_and_not_yet_stepped(place: Place, paused: bool) {
    let mut scene = Scene::new(place, 0);
    let execution = scene.start(&side_by_side(2, &json!({})));
    let other = scene.start(&side_by_side(1, &json!({}))).id();
    if paused {
        let answer = scene.steps.until(execution.pause(None));
        answer.expect("it is answered").expect("it is paused");
    }
    let id = execution.id();
    let place = scene.into_place();

    let (failing, mut steps) = engine(&place, no_fuel);
    let answer = steps.until(failing.execution(id).signal("go", json!({})));
    let answer = answer.expect("it is answered");
    assert!(
        matches!(answer, Err(EngineError::Guest { .. })),
        "{answer:?}"
    );
    assert_eq!(record(&place, id).status, Status::Stalled);
    drop((failing, steps));

    let (short, mut steps) = engine(&place, shortest_turns);
    let lifted = short.execution(id);
    let mut lifted = pin!(lifted.lift_stall(None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(lifted.as_mut().poll(&mut context).is_pending());
    // In the same turn, and its call takes all that the turn has.
    let answer = steps.until(short.execution(other).signal("go", json!({})));
    answer.expect("it is answered").expect("it is taken");
    let answer = steps.until(lifted);
    answer.expect("it is answered").expect("it is lifted");
    drop((short, steps));
    let lifted = record(&place, id);
    assert!(lifted.is_owed_a_step(), "the turn ended before its step");
    assert_eq!(lifted.status, Status::Running);
    audit_all(&place, "lifted");

    let (_usual, mut steps) = engine(&place, |builder| builder);
    steps.step();
    let gone_on = record(&place, id);
    assert!(!gone_on.is_owed_a_step());
    let status = if paused {
        Status::Paused
    } else {
        Status::Running
    };
    assert_eq!(gone_on.status, status);
    audit_all(&place, "gone on");
}
