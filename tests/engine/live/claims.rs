//! Claims: fences, leases, repeats (law 7, rule R13).

use std::time::Duration;

use refrain::model::Status;
use refrain::{Answer, Claim, Engine, EngineError, Receipt, WorkError};
use refrain_tests::engines::{
    Place, as_time_passes, audit_all, log, manual_engine, start, wait_for,
};
use refrain_tests::workflows::{single, tool, tools};
use serde_json::json;

async fn claim(engine: &Engine) -> Claim {
    for _ in 0..500 {
        if let Some(claim) = engine
            .claim("tool", 1, "outside")
            .await
            .expect("a queue")
            .pop()
        {
            return claim;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there is never an item to claim");
}

#[tokio::test]
async fn law7_a_repeat_is_already_recorded_and_another_answer_is_stale() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let execution = start(&engine, &tools("a -> b")).await;
        let held = claim(&engine).await;
        clock.advance(Duration::from_millis(250));
        let answer = || Answer::output(json!({ "x": 1 }));
        assert_eq!(
            engine.complete(held.id.clone(), answer()).await.ok(),
            Some(Receipt::Recorded)
        );
        let before = log(&execution).await;
        let repeat = engine.complete(held.id.clone(), answer()).await;
        assert_eq!(repeat.ok(), Some(Receipt::AlreadyRecorded));
        let other = engine.complete(held.id.clone(), json!({ "x": 2 })).await;
        assert!(matches!(other, Err(EngineError::Stale { .. })), "{other:?}");
        let failed = engine
            .fail(held.id.clone(), WorkError::retryable("late"))
            .await;
        assert!(
            matches!(failed, Err(EngineError::Stale { .. })),
            "{failed:?}"
        );
        let mut foreign = held.id.clone();
        foreign.fence += 1;
        assert!(matches!(
            engine.complete(foreign, answer()).await,
            Err(EngineError::Stale { .. })
        ));
        assert_eq!(
            log(&execution).await,
            before,
            "nothing of it entered the log"
        );
        let events = format!("{:?}", execution.events(1, 100).await.expect("a log"));
        assert!(
            events.contains("duration-ms: 250") || events.contains("duration_ms: 250"),
            "{events}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r13_an_expired_lease_spends_an_attempt_and_a_late_answer_is_refused() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "two" }));
        workflow["retry_policies"] = json!({ "two": {
            "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
        } });
        let execution = start(&engine, &workflow).await;
        let late = claim(&engine).await;
        clock.advance(Duration::from_secs(9));
        engine.renew(late.id.clone()).await.expect("it holds");
        clock.advance(Duration::from_secs(9));
        assert_eq!(log(&execution).await.len(), 3, "renewed in time: it holds");
        clock.advance(Duration::from_secs(2));
        let second = Duration::from_secs(1);
        as_time_passes(&clock, second, wait_for(&execution, "lease_expired a", 1)).await;
        let answered = engine.complete(late.id, json!({})).await;
        assert!(
            matches!(answered, Err(EngineError::Stale { .. })),
            "{answered:?}"
        );
        clock.advance(Duration::from_secs(3));
        let again = claim(&engine).await;
        assert_eq!(again.id.attempt, 2, "seed 13: the attempt is spent");
        clock.advance(Duration::from_secs(11));
        let end = as_time_passes(&clock, Duration::from_secs(1), execution.finished()).await;
        assert_eq!(end.expect("it ends").status, Status::Failed);
        let told = format!("{:?}", execution.events(1, 100).await.expect("a log"));
        assert!(told.contains("attempts: 2, cause: LeaseExpired"), "{told}");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r10_an_answer_that_will_not_do_changes_nothing() {
    for place in Place::each() {
        let (engine, _) = manual_engine(&place).await;
        let execution = start(&engine, &tools("a -> b")).await;
        let held = claim(&engine).await;
        let before = log(&execution).await;
        let no_object = Answer::output(json!(1)).patch(json!([1]));
        let no_object = engine.complete(held.id.clone(), no_object).await;
        assert!(
            matches!(no_object, Err(EngineError::Json { .. })),
            "{no_object:?}"
        );
        let no_target = Answer::output(json!(1)).chosen_target("nowhere");
        let no_target = engine.complete(held.id.clone(), no_target).await;
        assert!(
            matches!(no_target, Err(EngineError::Refused { .. })),
            "{no_target:?}"
        );
        assert_eq!(log(&execution).await, before);
        let good = engine.complete(held.id, json!({})).await;
        assert_eq!(good.ok(), Some(Receipt::Recorded), "it still holds");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}
