//! A guest with which nothing is wrong, but that it never ends: it takes its share
//! of each turn, and all others go on.

use std::time::{Duration, Instant};

use refrain::model::Status;
use refrain::replay::{Auditor, Verdict};
use refrain::{Engine, ExecutionId, WorkItem, Workflow};
use refrain_tests::component::workspace;
use refrain_tests::engines::{Place, library};
use refrain_tests::wat_guest::assembled;
use refrain_tests::workflows::tools;
use serde_json::json;

pub(super) fn component() -> Vec<u8> {
    let file = workspace().join("tests/guests/hostile/something_each_time.wat");
    assembled(&file).unwrap_or_else(|error| panic!("{error:#}"))
}

async fn engine(place: &Place, guest: Option<Vec<u8>>) -> Engine {
    let mut builder = Engine::builder().boxed_store(place.store());
    if let Some(component) = guest {
        builder = builder.guest(component);
    }
    let engine = builder.start().await.expect("the engine starts");
    let workflow = Workflow::from_json(tools("a -> b").to_string()).expect("JSON");
    engine.register(workflow).await.expect("it is valid");
    engine
}

fn events(place: &Place, id: ExecutionId) -> u64 {
    let record = place.store().execution(id).expect("it can be read");
    record.expect("it is there").head.sequence
}

/// In the same engine, and in another one that shares the store: the write lock is
/// given up in between. It is stalled by none of that, and its log is clean.
#[tokio::test(flavor = "multi_thread")]
async fn law3_who_never_ends_leaves_the_others_their_turns() {
    for place in Place::each() {
        let hostile = engine(&place, Some(component())).await;
        hostile.work("tool", |_: WorkItem| async move { Ok(json!({})) });
        let endless = hostile.start("w", "1.0.0", json!({})).await;
        let endless = endless.expect("it starts").id();
        let honest = engine(&place, None).await;
        let before = events(&place, endless);
        for _ in 0..2 {
            let execution = honest.start("w", "1.0.0", json!({})).await;
            // Worked on by the engine that has the other one.
            let ended = execution.expect("it starts").finished().await;
            assert_eq!(ended.expect("it ends").status, Status::Completed);
        }
        assert!(events(&place, endless) > before, "and it goes on itself");
        honest.shutdown().await;

        // The end is not put off by it either: one call, or two.
        let asked = Instant::now();
        hostile.stop().await;
        assert!(asked.elapsed() < Duration::from_secs(15), "{asked:?}");
        let record = place.store().execution(endless).expect("it can be read");
        let record = record.expect("it is there");
        assert_eq!(record.status, Status::Running);
        assert!(record.is_owed_a_step());
        assert!(record.head.sequence < 1_000, "{}", record.head.sequence);
        let mut library = library();
        let audit = Auditor::new(&mut library).audit_stored(place.store().as_mut(), endless);
        let audit = audit.expect("it can be audited").expect("it is there");
        assert_eq!(audit.verdict, Verdict::Clean, "{:?}", audit.divergence);
        assert!(audit.owed_a_step);
    }
}
