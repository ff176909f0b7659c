//! Logs that are followed: slowly, from strange places, and by those who leave.

use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::Status;
use refrain::{ExecutionId, Signal};
use refrain_tests::engines::{Place, engine, start};
use refrain_tests::workflows::tools;
use serde_json::json;

/// More events than are read at once come while nobody asks: none is left out, and who
/// dropped its subscription meanwhile holds nobody up.
#[tokio::test]
async fn one_that_lags_behind_is_given_every_event_and_one_that_leaves_is_not_missed() {
    let place = Place::memory();
    let engine = engine(&place).await;
    let execution = start(&engine, &tools("a -> b")).await;
    let mut lagging = execution.subscribe(1);
    let first = lagging.next().await.expect("the log").expect("events");
    let leaving = execution.subscribe(1);
    for number in 0..EVENTS_PAGE_MAX + 10 {
        let signal = Signal::new(format!("k{number}"), json!(number));
        execution.send(signal).await.expect("it is kept");
    }
    drop(leaving);
    engine.work("tool", |_| async move { Ok(json!({})) });
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    let mut sequences: Vec<u64> = first.iter().map(|it| it.event.sequence).collect();
    while let Some(events) = lagging.next().await.expect("the log") {
        assert!(!events.is_empty() && events.len() <= EVENTS_PAGE_MAX as usize);
        sequences.extend(events.iter().map(|it| it.event.sequence));
    }
    let head = execution.record().await.expect("a record").head.sequence;
    assert!(head > u64::from(EVENTS_PAGE_MAX));
    assert_eq!(sequences, (1..=head).collect::<Vec<_>>());
    assert_eq!(lagging.next().await.expect("the log"), None, "again");
    engine.shutdown().await;
}

#[tokio::test]
async fn one_from_a_strange_place_is_told_of_the_end() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let nobody = engine.execution(ExecutionId::random());
        let unknown = nobody.subscribe(1).next().await.expect_err("there is none");
        assert_eq!(unknown.code(), "unknown_execution");
        let execution = start(&engine, &tools("a -> b")).await;
        let mut beyond = execution.subscribe(u64::MAX);
        let follows = tokio::spawn(async move { beyond.next().await });
        let mut from_zero = execution.subscribe(0);
        let events = from_zero.next().await.expect("the log").expect("events");
        assert_eq!(events[0].event.sequence, 1);
        engine.work("tool", |_| async move { Ok(json!({})) });
        execution.finished().await.expect("it ends");
        let told = follows.await.expect("it does not panic");
        assert_eq!(told.expect("the log"), None);
        let mut waits = start(&engine, &tools("a -> b")).await.subscribe(u64::MAX);
        let waits = tokio::spawn(async move { waits.next().await });
        engine.shutdown().await;
        match waits.await.expect("it does not panic") {
            Ok(ended) => assert_eq!(ended, None),
            Err(error) => assert_eq!(error.code(), "shut_down"),
        }
    }
}
