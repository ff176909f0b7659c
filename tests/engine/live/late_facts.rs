//! What callers and workers bring after a deadline: whatever is due at a turn's time is
//! decided before the turn offers anything, however long its engine was busy elsewhere.

use std::time::Duration;

use refrain::model::{RefusalCode, Status};
use refrain::store::ExecutionRecord;
use refrain::{
    Approval, Claim, Engine, EngineError, Execution, ManualClock, Steps, WorkError, Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all, log};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

/// An engine without workers, that is stepped by hand.
struct Desk {
    place: Place,
    engine: Engine,
    steps: Steps,
    clock: ManualClock,
}

impl Desk {
    fn new(place: Place, lease: Duration) -> Self {
        let clock = ManualClock::new(BEGIN);
        let builder = Engine::builder()
            .boxed_store(place.store())
            .clock(clock.clone())
            .lease(lease)
            .seed(1);
        let (engine, steps) = builder.stepped().expect("it can be put together");
        Self {
            place,
            engine,
            steps,
            clock,
        }
    }

    /// It waits, in the state in which its start leaves it.
    fn start(&mut self, workflow: &Value) -> Execution {
        let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
        let (engine, steps) = (&self.engine, &mut self.steps);
        let registered = steps.until(engine.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    }

    fn claim(&mut self) -> Vec<Claim> {
        let claims = self.steps.until(self.engine.claim("tool", 9, "outside"));
        claims.expect("it is answered").expect("a queue")
    }

    /// Time passes, and the engine does not look.
    fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    fn log(&mut self, execution: &Execution) -> Vec<String> {
        self.steps.until(log(execution)).expect("it is answered")
    }

    fn record(&self, execution: &Execution) -> ExecutionRecord {
        let record = self.place.store().execution(execution.id());
        record.expect("it can be read").expect("it is there")
    }

    /// The log ends with these events, and an audit finds the same.
    fn ends_with(mut self, execution: &Execution, end: &[&str]) {
        let log = self.log(execution);
        assert!(
            log.ends_with(&end.iter().map(|&name| name.into()).collect::<Vec<_>>()),
            "{log:?}"
        );
        drop((self.steps, self.engine));
        audit_all(&self.place, "late");
    }
}

const LEASE: Duration = Duration::from_secs(60);

/// A minute's lease, and each deadline is five seconds.
fn desks() -> [Desk; 2] {
    Place::each().map(|place| Desk::new(place, LEASE))
}

fn waits_for_k() -> Value {
    json!({ "kind": { "type": "wait", "condition": "external_event", "correlation_key": "k", "timeout_secs": 5 } })
}

fn has_ended<T>(answer: &Result<T, EngineError>) -> bool {
    matches!(answer, Err(EngineError::Refused { code, .. }) if *code == RefusalCode::Ended)
}

fn is_stale<T>(answer: &Result<T, EngineError>) -> bool {
    matches!(answer, Err(EngineError::Stale { .. }))
}

#[test]
fn r19_an_approval_after_the_timeout_is_refused() {
    let approval =
        json!({ "kind": { "type": "human_approval", "description": "Pay?", "timeout_secs": 5 } });
    for (ms, counts) in [(4_999, true), (5_000, false), (3_600_000, false)] {
        for mut desk in desks() {
            let execution = desk.start(&single(approval.clone()));
            desk.pass(ms);
            let approved = desk
                .steps
                .until(execution.approve("a", Approval::approved("ada")));
            let approved = approved.expect("it is answered");
            assert_eq!(approved.is_ok(), counts, "{ms}: {approved:?}");
            let end: &[&str] = match counts {
                true => &[
                    "approval_received a",
                    "node_settled a",
                    "workflow_completed",
                ],
                false => &["interrupt_raised a", "node_exhausted a", "workflow_failed"],
            };
            desk.ends_with(&execution, end);
        }
    }
}

#[test]
fn r19_a_signal_after_the_timeout_wakes_nobody() {
    let wait = waits_for_k();
    for mut desk in desks() {
        let execution = desk.start(&single(wait.clone()));
        desk.pass(5_000);
        let sent = desk.steps.until(execution.signal("k", json!({})));
        let sent = sent.expect("it is answered");
        assert!(has_ended(&sent), "{sent:?}");
        desk.ends_with(&execution, &["node_exhausted a", "workflow_failed"]);
    }
}

#[test]
fn r14_an_answer_after_the_timeout_is_stale() {
    let mut node = tool();
    node["node_timeout_secs"] = json!(5);
    for (ms, counts) in [(4_999, true), (5_000, false), (30_000, false)] {
        for mut desk in desks() {
            let execution = desk.start(&single(node.clone()));
            let claim = desk.claim().remove(0).id;
            desk.pass(ms);
            let answered = desk
                .steps
                .until(desk.engine.complete(claim.clone(), json!({})));
            let answered = answered.expect("it is answered");
            assert_eq!(answered.is_ok(), counts, "{ms}: {answered:?}");
            assert_eq!(is_stale(&answered), !counts, "{ms}: {answered:?}");
            let end: &[&str] = match counts {
                true => &["node_completed a", "workflow_completed"],
                false => &["node_started a", "node_timed_out a", "retry_scheduled a"],
            };
            desk.ends_with(&execution, end);
        }
    }
}

#[test]
fn r14_a_failure_and_a_release_after_the_timeout_are_stale() {
    let mut node = tool();
    node["node_timeout_secs"] = json!(5);
    for releases in [false, true] {
        for mut desk in desks() {
            let execution = desk.start(&single(node.clone()));
            let claim = desk.claim().remove(0).id;
            desk.pass(5_000);
            let late = match releases {
                true => desk.steps.until(desk.engine.release(claim, None)),
                false => desk
                    .steps
                    .until(desk.engine.fail(claim, WorkError::retryable("too much"))),
            };
            let late = late.expect("it is answered");
            assert!(is_stale(&late), "{late:?}");
            desk.ends_with(
                &execution,
                &["node_started a", "node_timed_out a", "retry_scheduled a"],
            );
        }
    }
}

/// Where a lease and an attempt end at once, the attempt has timed out, and the end of
/// its lease is nobody's failure.
#[test]
fn r14_an_attempt_whose_lease_ends_too_has_timed_out() {
    let mut node = tool();
    node["node_timeout_secs"] = json!(5);
    for place in Place::each() {
        let mut desk = Desk::new(place, Duration::from_secs(5));
        let execution = desk.start(&single(node.clone()));
        assert_eq!(desk.claim().len(), 1);
        for _ in 0..3 {
            desk.pass(5_000);
            desk.steps.step();
        }
        assert_eq!(desk.record(&execution).status, Status::Running);
        desk.ends_with(
            &execution,
            &["node_started a", "node_timed_out a", "retry_scheduled a"],
        );
    }
}

#[test]
fn r14_nothing_is_claimed_of_a_workflow_that_is_over_time() {
    for mut desk in desks() {
        let mut workflow = single(tool());
        workflow["timeouts"] = json!({ "workflow_timeout": 5 });
        let execution = desk.start(&workflow);
        desk.pass(5_000);
        assert_eq!(desk.claim(), []);
        assert_eq!(desk.record(&execution).status, Status::Failed);
        let end = desk.log(&execution);
        assert!(!end.contains(&"node_started a".to_owned()), "{end:?}");
        desk.ends_with(&execution, &["workflow_failed"]);
    }
}

/// What came to be due while its scheduler's failure held it is decided when that is
/// lifted, before it is told anything.
#[test]
fn r19_a_signal_right_behind_a_lifted_stall_is_late_too() {
    let wait = waits_for_k();
    for mut desk in desks() {
        let execution = desk.start(&single(wait.clone()));
        fails_once(&desk.place, &execution);
        assert_eq!(desk.record(&execution).status, Status::Stalled);
        desk.pass(5_000);
        let both =
            async { tokio::join!(execution.lift_stall(None), execution.signal("k", json!({}))) };
        let (lifted, sent) = desk.steps.until(both).expect("it is answered");
        lifted.expect("it is lifted");
        assert!(has_ended(&sent), "{sent:?}");
        desk.ends_with(
            &execution,
            &["stall_lifted", "node_exhausted a", "workflow_failed"],
        );
    }
}

/// An engine whose calls have too little fuel tells the execution something.
fn fails_once(place: &Place, execution: &Execution) {
    let limits = refrain::guest::CallLimits {
        fuel: Some(1_000),
        fuel_per_byte: 0,
        ..refrain::guest::CallLimits::default()
    };
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(ManualClock::new(BEGIN))
        .call_limits(limits);
    let (failing, mut steps) = builder.stepped().expect("it can be put together");
    let told = steps.until(failing.execution(execution.id()).pause(None));
    let told = told.expect("it is answered");
    assert!(matches!(told, Err(EngineError::Guest { .. })), "{told:?}");
}
