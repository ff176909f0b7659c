//! A guest that fails in a question, or takes all that it may for each: who asks it is
//! told, turns go on, and others are answered meanwhile.

use refrain::guest::CallLimits;
use refrain::model::Status;
use refrain::{Engine, EngineError, WorkItem};
use refrain_tests::engines::{Place, audit_all, start};
use refrain_tests::wat_guest::{TAKE_ALL, WatGuest};
use refrain_tests::workflows::tools;
use serde_json::json;

/// Questions to the guest that loops.
const COSTLY: usize = 4;

/// Takes all, and loops when it is to explain; whatever else it is asked, it traps.
fn component() -> Vec<u8> {
    let guest = WatGuest {
        step: TAKE_ALL,
        explain: "(loop (br 0)) unreachable",
        ..WatGuest::default()
    };
    guest.component().expect("a component")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_loops_or_traps_in_a_question_keeps_nobody_waiting() {
    for place in Place::each() {
        let limits = CallLimits {
            fuel: Some(1_000_000_000),
            ..CallLimits::default()
        };
        let builder = Engine::builder().boxed_store(place.store());
        let engine = builder.call_limits(limits).start().await;
        let engine = engine.expect("the engine starts");
        engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
        let honest = start(&engine, &tools("a -> b")).await;
        let rival = Engine::builder().boxed_store(place.store());
        let rival = rival.guest(component()).start().await;
        let rival = rival.expect("the engine starts");
        let hostile = rival.start("w", "1.0.0", json!({})).await;
        let hostile = engine.execution(hostile.expect("it starts").id());
        rival.shutdown().await;
        // It is compiled when it is first asked.
        let traps = hostile.inspect().await;
        assert!(matches!(traps, Err(EngineError::Guest { .. })), "{traps:?}");

        let costly: Vec<_> = (0..COSTLY)
            .map(|_| {
                let hostile = hostile.clone();
                tokio::spawn(async move { hostile.explain("a").await })
            })
            .collect();
        let mut rounds = 0;
        while !costly.iter().all(|asked| asked.is_finished()) {
            let execution = engine.start("w", "1.0.0", json!({})).await;
            let ended = execution.expect("it starts").finished().await;
            assert_eq!(ended.expect("it ends").status, Status::Completed);
            honest.explain("a").await.expect("an explanation");
            rounds += 1;
        }
        // Answered one after the other in one thread, each round would wait for one of them.
        assert!(rounds > 2 * COSTLY, "{rounds} rounds");
        for asked in costly {
            let refused = asked.await.expect("no panic").expect_err("it loops");
            assert_eq!(refused.code(), "guest_failed");
            assert!(refused.to_string().contains("fuel"), "{refused}");
        }
        let record = hostile.record().await.expect("a record");
        assert_eq!(record.status, Status::Running, "no question stalls it");
        engine.shutdown().await;
        audit_all(&place, "after costly questions");
    }
}
