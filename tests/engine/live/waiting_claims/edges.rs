//! Requests and claims at the edges of what may be asked.

use std::pin::pin;
use std::time::Duration;

use refrain::error::Overload;
use refrain::limits::{CALLERS_PER_REQUEST_MAX, QUEUES_PER_REQUEST_MAX, TEXT_BYTES_MAX};
use refrain::{ClaimId, ClaimRequest, EngineError, ExecutionId, Receipt};
use refrain_tests::engines::{Place, audit_all};
use refrain_tests::workflows::{single, tool};
use serde_json::json;

use super::{MINUTE, Outside, request};
use crate::live::scene::side_by_side;

/// A caller that repeats a request waits for as long as it said itself.
#[test]
fn callers_of_one_request_wait_each_for_their_own_time() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        let engine = outside.engine.clone();
        let mut long = pin!(engine.claim_waiting(request("r1").wait(MINUTE)));
        assert!(outside.steps.until(long.as_mut()).is_none());
        let at_once = outside.given(request("r1")).expect("an answer");
        assert_eq!(at_once, [], "it does not wait for the other");
        let second = Duration::from_secs(1);
        let mut short = pin!(engine.claim_waiting(request("r1").wait(second)));
        assert!(outside.steps.until(short.as_mut()).is_none());
        outside.clock.advance(second);
        let short = outside.steps.until(short).expect("its time is over");
        assert_eq!(short.expect("an answer"), []);
        assert!(outside.steps.until(long.as_mut()).is_none());
        outside.start(&single(tool()));
        let long = outside.steps.until(long).expect("there is work");
        assert_eq!(long.expect("work").len(), 1);
    }
}

#[test]
fn one_request_lets_so_many_callers_wait_and_those_that_left_do_not_count() {
    let place = Place::memory();
    let mut outside = Outside::at(&place, 1);
    let engine = outside.engine.clone();
    let mut waiting: Vec<_> = (0..CALLERS_PER_REQUEST_MAX)
        .map(|_| Box::pin(engine.claim_waiting(request("r1").wait(MINUTE))))
        .collect();
    for wait in &mut waiting {
        assert!(outside.steps.until(wait.as_mut()).is_none());
    }
    let refused = outside.given(request("r1")).expect_err("one too many");
    assert!(
        matches!(refused, EngineError::Overloaded(Overload::Request { waiting })
            if waiting == CALLERS_PER_REQUEST_MAX),
        "{refused}"
    );
    waiting.truncate(CALLERS_PER_REQUEST_MAX - 1);
    assert_eq!(outside.given(request("r1")).expect("an answer"), []);
    outside.start(&single(tool()));
    for wait in waiting {
        let given = outside.steps.until(wait).expect("there is work");
        assert_eq!(given.expect("work").len(), 1);
    }
}

#[test]
fn what_a_request_names_has_a_bound() {
    let place = Place::memory();
    let mut outside = Outside::at(&place, 1);
    let of = |queues: Vec<String>| ClaimRequest::new("outside", "r1", queues);
    let many = vec!["q".to_owned(); QUEUES_PER_REQUEST_MAX + 1];
    let long = "q".repeat(TEXT_BYTES_MAX + 1);
    let by = "w".repeat(TEXT_BYTES_MAX + 1);
    for (request, code) in [
        (of(many[1..].to_vec()), ""),
        (of(Vec::new()), ""),
        (of(vec![String::new(), "nobody's".to_owned()]), ""),
        (of(many), "too_many"),
        (of(vec![long.clone()]), "too_long"),
        (ClaimRequest::new(by.clone(), "r1", ["tool"]), "too_long"),
        (ClaimRequest::new("w", by, ["tool"]), "too_long"),
    ] {
        match outside.given(request) {
            Ok(claims) => assert_eq!((claims.len(), code), (0, "")),
            Err(error) => assert_eq!(error.code(), code, "{error}"),
        }
    }
    let engine = outside.engine.clone();
    let claimed = outside.steps.until(engine.claim(&long, 1, "w"));
    let refused = claimed.expect("an answer").expect_err("it is too long");
    assert_eq!(refused.code(), "too_long");
}

#[test]
fn no_number_is_too_great_to_ask_for() {
    for place in Place::each() {
        let mut outside = Outside::at(&place, 1);
        let engine = outside.engine.clone();
        let endless = request("r1").wait(Duration::MAX).max(usize::MAX);
        let mut endless = pin!(engine.claim_waiting(endless));
        assert!(outside.steps.until(endless.as_mut()).is_none());
        outside.clock.advance(MINUTE * 60 * 24);
        assert!(outside.steps.until(endless.as_mut()).is_none());
        outside.start(&side_by_side(4, &json!({})));
        let given = outside.steps.until(endless).expect("there is work");
        assert_eq!(given.expect("work").len(), 4);
        outside.start(&side_by_side(3, &json!({})));
        assert_eq!(outside.given(request("r2").max(0)).expect("an answer"), []);
        let all = outside.steps.until(engine.claim("tool", usize::MAX, "w"));
        assert_eq!(all.expect("an answer").expect("work").len(), 3);
        drop(outside);
        audit_all(&place, "after claims of all");
    }
}

/// Whatever a claim is said to be: only the one that holds is taken, and by any engine.
#[test]
fn law7_what_is_no_claim_is_stale_in_every_question() {
    for place in Place::each() {
        let (mut one, mut other) = (Outside::at(&place, 1), Outside::at(&place, 2));
        one.start(&single(tool()));
        let claim = one.given(request("r1")).expect("work").remove(0).id;
        let engine = other.engine.clone();
        for wrong in [
            ClaimId {
                execution: ExecutionId::random(),
                ..claim.clone()
            },
            ClaimId {
                node_id: "n".repeat(TEXT_BYTES_MAX),
                ..claim.clone()
            },
            ClaimId {
                attempt: u32::MAX,
                ..claim.clone()
            },
            ClaimId {
                attempt: 0,
                ..claim.clone()
            },
            ClaimId {
                fence: u64::MAX,
                ..claim.clone()
            },
            ClaimId {
                fence: 0,
                ..claim.clone()
            },
        ] {
            let renewed = other.steps.until(engine.renew(wrong.clone()));
            let renewed = renewed.expect("an answer").expect_err("it does not hold");
            let released = other.steps.until(engine.release(wrong.clone(), None));
            let released = released.expect("an answer").expect_err("it does not hold");
            let completed = other.steps.until(engine.complete(wrong, json!({})));
            let completed = completed.expect("an answer").expect_err("it does not hold");
            for error in [renewed, released, completed] {
                let code = error.code();
                assert!(["stale", "unknown_execution"].contains(&code), "{error}");
            }
        }
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let unnamed = other
            .steps
            .until(engine.release(claim.clone(), Some(&long)));
        let unnamed = unnamed.expect("an answer").expect_err("it is too long");
        assert_eq!(unnamed.code(), "too_long");
        // Another engine than the one that gave the claim takes it back.
        let released = other
            .steps
            .until(engine.release(claim.clone(), Some("ada")));
        let released = released.expect("an answer").expect("it holds");
        assert_eq!(released, Receipt::Recorded);
        let again = one.given(request("r1")).expect("work").remove(0).id;
        assert!(again.fence > claim.fence);
        assert_eq!(again.attempt, claim.attempt);
        drop((engine, one, other));
        audit_all(&place, "after claims that were none");
    }
}
