//! Questions that a guest answers: no turn waits for them, they wait for no turn, and all
//! of them have bounds.

use refrain::error::Overload;
use refrain::limits::{
    IDLE_EXECUTIONS_CACHED_MAX, QUESTIONS_OF_A_GUEST_AT_ONCE_MAX, QUESTIONS_OF_A_GUEST_MAX,
};
use refrain::model::Status;
use refrain::store::StoreError;
use refrain::{EngineError, ExecutionId, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, start};
use refrain_tests::workflows::{single, tool, tools};
use rusqlite::Connection;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::gate::{PATIENCE, gated};

#[tokio::test]
async fn guests_answer_while_a_turn_is_open() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 100).await;
        let execution = start(&engine, &single(tool())).await;
        let before = execution.inspect().await.expect("a state");
        let _open = gate.commits.shut_meanwhile();
        let cancelling = tokio::spawn({
            let execution = execution.clone();
            async move { execution.cancel(None).await }
        });
        let answered = timeout(PATIENCE, async {
            gate.commits.until_waiting(1).await;
            let state = execution.inspect().await.expect("a state");
            assert_eq!(state, before, "nothing that is not committed");
            execution.explain("a").await.expect("an explanation");
            let unknown = execution.explain("nowhere").await;
            assert!(matches!(unknown, Err(EngineError::UnknownNode { .. })));
            let workflow = Workflow::from_json(tools("a -> b").to_string()).expect("JSON");
            engine.validate(workflow).await.expect("it is valid");
        });
        answered
            .await
            .expect("it is answered while the turn is open");
        assert!(!cancelling.is_finished(), "its turn is not written");
        gate.commits.open();
        cancelling.await.expect("no panic").expect("it is taken");
        let after = execution.inspect().await.expect("a state");
        assert_ne!(after, before, "what was acknowledged is answered");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn turns_and_reads_go_on_while_guests_answer_and_one_question_too_many_is_told_so() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 10_000).await;
        let execution = start(&engine, &single(tool())).await;
        let _open = gate.pages.shut_meanwhile();
        let mut asked = JoinSet::new();
        for _ in 0..=QUESTIONS_OF_A_GUEST_MAX {
            let execution = execution.clone();
            asked.spawn(async move { execution.explain("a").await.map(drop) });
        }
        let at_work = gate.pages.until_waiting(QUESTIONS_OF_A_GUEST_AT_ONCE_MAX);
        timeout(PATIENCE, at_work).await.expect("guests are asked");
        let went_on = timeout(PATIENCE, async {
            let other = engine.start("w", "1.0.0", json!({})).await;
            let other = other.expect("it starts");
            other.cancel(None).await.expect("it is cancelled");
            let record = other.record().await.expect("a record");
            assert_eq!(record.status, Status::Cancelled);
            asked.join_next().await.expect("one is answered")
        });
        let refused = went_on.await.expect("nobody waits for an answer");
        let refused = refused.expect("no panic").expect_err("there is no room");
        let waiting = QUESTIONS_OF_A_GUEST_MAX;
        assert!(
            matches!(refused, EngineError::Overloaded(Overload::Questions { waiting: it }) if it == waiting),
            "{refused}"
        );
        assert_eq!(refused.code(), "overloaded");
        // Who gives up leaves the guest at work, and its place with it.
        asked.shutdown().await;
        execution.record().await.expect("a record");
        assert_eq!(gate.pages.waiting(), QUESTIONS_OF_A_GUEST_AT_ONCE_MAX);
        let asked = tokio::spawn({
            let execution = execution.clone();
            async move { execution.explain("a").await.map(drop) }
        });
        execution.record().await.expect("a record");
        assert!(!asked.is_finished(), "there is no place for it yet");
        gate.pages.open();
        asked.await.expect("no panic").expect("an explanation");
        engine.shutdown().await;
        audit_all(&place, "after many questions");
    }
}

#[tokio::test]
async fn a_question_about_what_is_not_there_or_was_tampered_with_says_so() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        unreachable!("it is a file");
    };
    let first = engine(&place).await;
    let execution = start(&first, &single(tool())).await.id();
    let nobody = first.execution(ExecutionId::random()).inspect().await;
    assert!(matches!(nobody, Err(EngineError::UnknownExecution(_))));
    first.shutdown().await;
    let file = Connection::open(folder.path().join("refrain.db")).expect("a database");
    let changed = file.execute(
        "UPDATE events SET hash = zeroblob(32) WHERE sequence = 2",
        (),
    );
    assert_eq!(changed.expect("it is changed"), 1);
    drop(file);
    let engine = engine(&place).await;
    let answers = [
        engine.execution(execution).inspect().await.map(drop),
        engine.execution(execution).explain("a").await.map(drop),
    ];
    for answer in answers {
        let Err(EngineError::Store(error)) = answer else {
            panic!("{answer:?}");
        };
        assert!(
            matches!(*error, StoreError::Tampered { execution: id, sequence: 2, .. } if id == execution),
            "{error}"
        );
    }
    engine.shutdown().await;
}

/// More executions than guests remember, asked about in turns: the answers are the same,
/// and one that was written to since is answered anew.
#[tokio::test]
async fn what_guests_remember_of_executions_changes_no_answer() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &single(tool())).await;
        let first = execution.inspect().await.expect("a state");
        for _ in 0..=IDLE_EXECUTIONS_CACHED_MAX {
            let other = engine.start("w", "1.0.0", json!({})).await;
            let other = other.expect("it starts");
            other.inspect().await.expect("a state");
        }
        assert_eq!(execution.inspect().await.expect("a state"), first);
        // Another engine writes to it.
        let rival = refrain_tests::engines::engine(&place).await;
        rival
            .execution(execution.id())
            .cancel(None)
            .await
            .expect("it is cancelled");
        rival.shutdown().await;
        assert_ne!(execution.inspect().await.expect("a state"), first);
        engine.shutdown().await;
    }
}
