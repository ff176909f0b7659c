//! Requests for work, of workers who hold items of an execution to which writes conflict.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use refrain::limits::{CONFLICTS_IN_A_ROW_MAX, STORE_RETRY_PAUSE};
use refrain::store::StoreError;
use refrain::{
    Claim, ClaimId, ClaimRequest, Engine, EngineError, Execution, ManualClock, Receipt, Steps,
    Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all};
use refrain_tests::meddled_store::{Meddler, conflict, written};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::conflicts::{Tries, stepped};

/// The first so many commits that write anything conflict.
fn conflicting(tries: &Tries, times: &Arc<AtomicU32>) -> Meddler {
    let (tries, times) = (tries.clone(), Arc::clone(times));
    Box::new(move |turn, _| {
        let written = written(turn);
        if written.is_empty() {
            return Ok(());
        }
        tries.push(turn);
        let one_less = |left: u32| left.checked_sub(1);
        match times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Ok(_) => Err(conflict(written)),
            Err(_) => Ok(()),
        }
    })
}

/// A claim by the same request each time.
async fn request(engine: &Engine) -> Result<Vec<Claim>, EngineError> {
    let request = ClaimRequest::new("worker", "request", ["tool"]);
    engine.claim_waiting(request).await
}

/// An execution whose only item is claimed by that request.
fn claimed(engine: &Engine, steps: &mut Steps) -> (Execution, ClaimId) {
    let workflow = Workflow::from_json(tools("a").to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
    let execution = steps.until(engine.start("w", "1.0.0", json!({})));
    let execution = execution.expect("it is answered").expect("it starts");
    let claims = steps.until(request(engine)).expect("it is answered");
    let claims = claims.expect("there is work");
    (execution, claims[0].id.clone())
}

/// A request that holds an item of a contended execution is given that item, and never
/// told that there is none; where the execution rests, it is told that.
#[test]
fn law7_a_repeated_request_is_given_what_it_holds_or_told_of_the_conflict() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let (tries, times) = (Tries::default(), Arc::default());
        let (engine, mut steps) = stepped(&place, &clock, conflicting(&tries, &times));
        let (execution, claim) = claimed(&engine, &mut steps);
        let mut ask = || steps.until(request(&engine)).expect("it is answered");
        times.store(1, Ordering::SeqCst);
        assert_eq!(ask().expect("it is given")[0].id, claim);
        times.store(CONFLICTS_IN_A_ROW_MAX, Ordering::SeqCst);
        for more in [CONFLICTS_IN_A_ROW_MAX as usize, 0] {
            tries.take();
            let Err(EngineError::Store(error)) = ask() else {
                panic!("it rests");
            };
            let of = match &*error {
                StoreError::Contended { execution, .. } => *execution,
                error => panic!("{error}"),
            };
            assert_eq!((of, tries.count()), (execution.id(), more));
        }
        clock.advance(STORE_RETRY_PAUSE);
        assert_eq!(ask().expect("it is given")[0].id, claim);
        drop(steps);
        audit_all(&place, "requests");
    }
}

/// The answer that settles what a request holds conflicts: until it is written, the
/// request holds its item, and is not told that there is none.
#[test]
fn law7_an_answer_that_is_not_written_makes_no_request_new() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let (tries, times) = (Tries::default(), Arc::default());
        let (engine, mut steps) = stepped(&place, &clock, conflicting(&tries, &times));
        let (_, claim) = claimed(&engine, &mut steps);
        tries.take();
        times.store(1, Ordering::SeqCst);
        let answers = steps.until(async {
            tokio::join!(engine.complete(claim, json!({})), async {
                (request(&engine).await, tries.count())
            })
        });
        let (completed, (claims, after)) = answers.expect("both are answered");
        assert_eq!(completed.expect("it is taken"), Receipt::Recorded);
        assert!(claims.expect("there is no more work").is_empty());
        assert_eq!(after, 2, "it is told so when that is written");
        drop(steps);
        audit_all(&place, "answers that conflict");
    }
}
