//! An engine at rest: what it does then does not grow with what waits.

use std::collections::BTreeMap;
use std::time::Duration;

use refrain::store::MemoryStore;
use refrain::{Engine, Workflow};
use refrain_tests::counting_store::{Count, CountingStore};
use refrain_tests::workflows::single;
use serde_json::json;

const POLL: Duration = Duration::from_millis(10);

/// What an engine asks of its store at each of its polls, while so many
/// executions wait for a person, and someone waits for the end of each.
async fn asked_at_rest(executions: usize) -> BTreeMap<&'static str, u64> {
    let count = Count::default();
    let store = CountingStore::new(MemoryStore::new(), &count);
    let builder = Engine::builder().store(store).fallback_poll(POLL);
    let engine = builder.start().await.expect("it starts");
    engine.work_commands(4);
    let workflow = single(json!({ "kind": { "type": "human_approval", "description": "?" } }));
    let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
    engine.register(workflow).await.expect("valid");
    for _ in 0..executions {
        let execution = engine.start("w", "1.0.0", json!({})).await;
        let execution = execution.expect("it starts");
        tokio::spawn(async move { execution.finished().await.map(drop) });
    }
    tokio::time::sleep(20 * POLL).await;
    drop(count.take());
    tokio::time::sleep(50 * POLL).await;
    let asked = count.take();
    engine.stop().await;
    let polls = asked.get("version").copied().unwrap_or(0).max(1);
    asked
        .into_iter()
        .map(|(method, calls)| (method, calls.div_ceil(polls)))
        .collect()
}

#[tokio::test]
async fn what_an_engine_asks_at_rest_does_not_grow_with_what_waits() {
    let few = asked_at_rest(2).await;
    assert_eq!(few, BTreeMap::from([("lease_holders", 1), ("version", 1)]));
    assert_eq!(asked_at_rest(400).await, few);
}
