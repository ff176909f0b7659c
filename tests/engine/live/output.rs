//! What programs write, and labels: what is kept of executions besides their logs.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use refrain::limits::OUTPUT_FLUSH_EVERY;
use refrain::model::EventKind;
use refrain::store::{LabelFilter, ListFilter, OutputStream, Turn};
use refrain::{Engine, EngineError, ExecutionId, Start};
use refrain_tests::engines::{Place, audit_all, engine, start};
use refrain_tests::meddled_store::MeddledStore;
use refrain_tests::workflows::single;
use serde_json::{Value, json};

fn script(text: &str) -> Value {
    single(json!({
        "kind": { "type": "command", "argv": ["sh", "-c", text] },
        "retry_policy": "no_retry",
    }))
}

/// What was written of the node `a`: attempt, stream, start and text.
async fn written(engine: &Engine, id: ExecutionId) -> Vec<(u32, OutputStream, u64, String)> {
    let kept = engine
        .execution(id)
        .output("a", 0)
        .await
        .expect("it is there");
    let each = kept.into_iter().map(|kept| {
        let text = String::from_utf8_lossy(&kept.piece.bytes).into_owned();
        (kept.attempt, kept.piece.stream, kept.piece.start, text)
    });
    each.collect()
}

#[tokio::test]
async fn what_a_program_writes_can_be_read() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work_commands(1);
        let run = start(&engine, &script("echo fine >&2; echo '{}'")).await;
        run.finished().await.expect("it ends");
        let stderr = (1, OutputStream::Stderr, 0, "fine\n".to_owned());
        assert_eq!(written(&engine, run.id()).await, [stderr]);
        let unknown = ExecutionId::from_bytes([9; 16]);
        let refused = engine.execution(unknown).output("a", 0).await;
        assert!(
            matches!(refused, Err(EngineError::UnknownExecution(_))),
            "{refused:?}"
        );
        audit_all(&place, "in the end");
    }
}

/// What a turn held: when it was committed, and whether it had output and an answer.
type Seen = Arc<Mutex<Vec<(Instant, bool, bool)>>>;

fn watched(place: &Place, seen: &Seen) -> MeddledStore {
    let seen = Arc::clone(seen);
    let meddler = move |turn: &Turn, _: &mut dyn refrain::store::Store| {
        let mut kinds = turn.executions.iter().flat_map(|change| &change.events);
        let answers = kinds.any(|it| matches!(it.event.kind, EventKind::NodeCompleted(_)));
        let mut seen = seen.lock().expect("nobody panics here");
        seen.push((Instant::now(), !turn.outputs.is_empty(), answers));
        Ok(())
    };
    MeddledStore::new(place.store(), Box::new(meddler))
}

#[tokio::test]
async fn output_of_a_quick_program_costs_no_commit_of_its_own() {
    for (text, is_kept) in [
        ("echo fine >&2", true),
        ("echo '{\"answer\": 1}'", false),
        (":", false),
    ] {
        let (place, seen) = (Place::memory(), Seen::default());
        let store = watched(&place, &seen);
        let engine = Engine::builder()
            .store(store)
            .start()
            .await
            .expect("it starts");
        engine.work_commands(1);
        let begun = Instant::now();
        let run = start(&engine, &script(text)).await;
        run.finished().await.expect("it ends");
        let seen = std::mem::take(&mut *seen.lock().expect("nobody panics here"));
        let with_output: Vec<_> = seen.iter().filter(|(_, output, _)| *output).collect();
        assert_eq!(!with_output.is_empty(), is_kept, "{text}: {seen:?}");
        for (at, _, answers) in with_output {
            // A machine may be so slow that it is no quick program.
            let is_slow = *at - begun >= OUTPUT_FLUSH_EVERY;
            assert!(*answers || is_slow, "{text}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn executions_are_found_by_labels() {
    for place in Place::each() {
        let engine = engine(&place).await;
        start(&engine, &script(":")).await;
        let labelled = |key: &str| Start::new("w", "1.0.0", json!({})).key(key);
        let one = labelled("one").label("team", "a").label("region", "");
        let one = engine.start_with(one.clone()).await.expect("it starts");
        let labels = one.labels().await.expect("it is there");
        let pairs: Vec<(&str, &str)> = labels.iter().map(|it| (&*it.name, &*it.value)).collect();
        assert_eq!(pairs, [("region", ""), ("team", "a")]);
        // The same start again, its labels in another order; and another one by that key.
        let same = labelled("one").label("region", "").label("team", "a");
        let again = engine.start_with(same).await.expect("it is the same");
        assert_eq!(again.id(), one.id());
        let other = engine.start_with(labelled("one").label("team", "b")).await;
        assert!(
            matches!(other, Err(EngineError::KeyTaken { .. })),
            "{other:?}"
        );
        let twice = labelled("two").label("team", "a").label("team", "b");
        let refused = engine.start_with(twice).await.expect_err("two of one name");
        assert_eq!(refused.code(), "invalid_label");

        let filter = ListFilter {
            labels: vec![LabelFilter {
                name: "team".into(),
                value: Some("a".into()),
            }],
            ..ListFilter::default()
        };
        let found = engine.list(filter).await.expect("they are listed").found;
        assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [one.id()]);
        audit_all(&place, "in the end");
    }
}
