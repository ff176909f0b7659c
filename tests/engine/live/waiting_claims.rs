//! Workers outside of the engine that wait for work: served by the engine's own turns,
//! and the same items for the same request (law 7).

mod edges;

use std::pin::pin;
use std::time::Duration;

use refrain::{
    Claim, ClaimRequest, Engine, EngineError, Execution, ManualClock, Next, Steps, WorkError,
    Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all, rest};
use refrain_tests::faulty_store::{Fate, FaultyStore, Plan};
use refrain_tests::workflows::{single, tool};
use serde_json::json;

use super::scene::side_by_side;

const MINUTE: Duration = Duration::from_secs(60);

struct Outside {
    engine: Engine,
    steps: Steps,
    clock: ManualClock,
    plan: Plan,
}

impl Outside {
    /// An engine without workers of its own.
    fn at(place: &Place, seed: u64) -> Self {
        let (clock, plan) = (ManualClock::new(BEGIN), Plan::recording());
        let builder = Engine::builder()
            .boxed_store(Box::new(FaultyStore::boxed(place.store(), &plan)))
            .clock(clock.clone())
            .seed(seed);
        let (engine, steps) = builder.stepped().expect("it can be put together");
        let mut outside = Self {
            engine,
            steps,
            clock,
            plan,
        };
        outside.rest();
        outside
    }

    fn rest(&mut self) {
        rest(&mut self.steps);
    }

    fn start(&mut self, workflow: &serde_json::Value) -> Execution {
        let id = workflow["workflow_id"].as_str().expect("a text").to_owned();
        let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = self.steps.until(self.engine.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let started = self.steps.until(self.engine.start(&id, "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    }

    /// What this request is given, at once.
    fn given(&mut self, request: ClaimRequest) -> Result<Vec<Claim>, EngineError> {
        let given = self.steps.until(self.engine.claim_waiting(request));
        given.expect("it is answered")
    }

    fn complete(&mut self, claim: &Claim) {
        let answer = self.engine.complete(claim.id.clone(), json!({}));
        let answered = self.steps.until(answer).expect("it is answered");
        answered.expect("it is taken");
    }
}

fn request(id: &str) -> ClaimRequest {
    ClaimRequest::new("outside", id, ["other", "tool"])
}

#[test]
fn a_claim_waits_for_work_and_writes_nothing() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        let engine = outside.engine.clone();
        let mut waits = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
        assert!(outside.steps.until(waits.as_mut()).is_none());
        let before = outside.plan.committed().len();
        for _ in 0..5 {
            outside.clock.advance(Duration::from_secs(5));
            outside.rest();
        }
        assert_eq!(outside.plan.committed().len(), before, "nothing is written");
        let execution = outside.start(&single(tool()));
        let given = outside.steps.until(waits.as_mut());
        let given = given.expect("there is work").expect("it is given");
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].id.execution, execution.id());
        outside.complete(&given[0]);
        drop(outside);
        audit_all(&place, "after a claim that waited");
    }
}

#[test]
fn a_claim_that_waited_in_vain_is_told_so() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        assert_eq!(outside.given(request("r0")).expect("an answer"), []);
        let engine = outside.engine.clone();
        let mut waits = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
        assert!(outside.steps.until(waits.as_mut()).is_none());
        let Next::At(at) = outside.steps.step() else {
            panic!("it is to be stepped when the claim waits no longer");
        };
        assert_eq!(at, BEGIN + 60_000);
        outside.clock.advance(MINUTE - Duration::from_millis(1));
        assert!(outside.steps.until(waits.as_mut()).is_none());
        outside.clock.advance(Duration::from_millis(1));
        let given = outside.steps.until(waits.as_mut()).expect("it is told");
        assert_eq!(given.expect("an answer"), []);
    }
}

#[test]
fn law7_a_repeated_request_is_given_the_same_items() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        outside.start(&side_by_side(4, &json!({})));
        let first = outside.given(request("r1").max(2)).expect("work");
        assert_eq!(first.len(), 2);
        outside.clock.advance(Duration::from_secs(1));
        let again = outside.given(request("r1").max(2)).expect("work");
        let ids = |claims: &[Claim]| -> Vec<_> { claims.iter().map(|it| it.id.clone()).collect() };
        assert_eq!(ids(&again), ids(&first));
        let later = |(again, first): (&Claim, &Claim)| again.expires_at > first.expires_at;
        assert!(again.iter().zip(&first).all(later), "leases begin anew");
        // Another worker's request of this id is another request.
        let theirs = ClaimRequest::new("another", "r1", ["tool"]);
        let theirs = outside.given(theirs).expect("work");
        assert!(!ids(&first).contains(&theirs[0].id));
        // What is settled is not given again.
        outside.complete(&first[0]);
        let left = outside.given(request("r1").max(2)).expect("work");
        assert_eq!(ids(&left), ids(&first)[1..]);
        outside.complete(&first[1]);
        let new = outside.given(request("r1").max(2)).expect("work");
        assert_eq!(new.len(), 1, "it holds nothing, and is a new one");
        assert!(!ids(&first).contains(&new[0].id));
        drop(outside);
        audit_all(&place, "after repeats");
    }
}

#[test]
fn law7_requests_of_one_id_that_wait_together_are_given_the_same() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        let engine = outside.engine.clone();
        let mut one = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
        let mut two = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
        let mut other = pin!(engine.claim_waiting(request("r2").wait(MINUTE)));
        assert!(outside.steps.until(one.as_mut()).is_none());
        assert!(outside.steps.until(two.as_mut()).is_none());
        assert!(outside.steps.until(other.as_mut()).is_none());
        outside.start(&single(tool()));
        let one = outside.steps.until(one).expect("there is work");
        let two = outside.steps.until(two).expect("there is work");
        let (one, two) = (one.expect("work"), two.expect("work"));
        assert_eq!(one, two);
        assert_eq!(one.len(), 1);
        assert!(outside.steps.until(other.as_mut()).is_none());
    }
}

#[test]
fn law7_a_request_whose_answer_was_lost_in_a_crash_is_given_the_same_items() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        let execution = outside.start(&single(tool()));
        outside.plan.next(Fate::DiesAfter);
        let engine = outside.engine.clone();
        let lost = outside.given(request("r1").wait(MINUTE));
        lost.expect_err("the store has died");
        drop((engine, outside));
        let mut outside = Outside::at(&place, 2);
        let stranger = outside.given(request("r2")).expect("an answer");
        assert_eq!(stranger, [], "it is claimed");
        let given = outside.given(request("r1")).expect("an answer");
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].id.execution, execution.id());
        outside.complete(&given[0]);
        drop((execution, outside));
        audit_all(&place, "after a crash");
    }
}

/// What the other has given meanwhile is not in the queue any more, and is what the wait
/// ends with all the same.
#[test]
fn law7_a_request_that_waits_at_two_engines_is_given_the_same_by_both() {
    const SECOND: Duration = Duration::from_secs(1);
    for place in Place::each() {
        let (mut one, mut other) = (Outside::at(&place, 1), Outside::at(&place, 2));
        let engine = one.engine.clone();
        let mut waits = pin!(engine.claim_waiting(request("r1").wait(SECOND)));
        assert!(one.steps.until(waits.as_mut()).is_none());
        other.start(&single(tool()));
        let given = other.given(request("r1")).expect("an answer");
        assert_eq!(given.len(), 1);
        // Nothing is due at that time, not even the end of a lease.
        one.clock.advance(SECOND);
        let again = one.steps.until(waits).expect("it waits no longer");
        let again: Vec<_> = again
            .expect("an answer")
            .into_iter()
            .map(|it| it.id)
            .collect();
        assert_eq!(again, [given[0].id.clone()]);
    }
}

#[test]
fn an_engine_that_ends_lets_nobody_wait() {
    let place = Place::memory();
    let mut outside = Outside::at(&place, 1);
    let engine = outside.engine.clone();
    let mut waits = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
    assert!(outside.steps.until(waits.as_mut()).is_none());
    outside.steps.until(engine.shutdown()).expect("it ends");
    let told = outside.steps.until(waits).expect("it is told");
    assert!(matches!(told, Err(EngineError::ShutDown)), "{told:?}");
}

/// What a request has drained says nothing of its queue when it has been served: nobody
/// counts the retries that come to be due there.
#[test]
fn what_comes_to_be_due_after_a_claim_is_found_by_the_next_one() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        outside.start(&single(tool()));
        let first = outside.given(request("r1")).expect("work");
        let id = first[0].id.clone();
        let error = WorkError::retryable("not now");
        let answer = outside.engine.fail(id.clone(), error);
        let answered = outside.steps.until(answer).expect("it is answered");
        answered.expect("it is taken");
        let another = outside.start(&single(tool()));
        let second = outside.given(request("r2")).expect("work");
        assert_eq!(second.len(), 1, "the retry is not due yet");
        assert_eq!(second[0].id.execution, another.id());
        outside.clock.advance(Duration::from_secs(5));
        let third = outside.given(request("r3")).expect("work");
        assert_eq!(third.len(), 1, "the retry is due");
        assert_eq!(
            (third[0].id.execution, third[0].id.attempt),
            (id.execution, 2)
        );
    }
}
