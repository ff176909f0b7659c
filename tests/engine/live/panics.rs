//! Workers that panic, wherever they do: each is a failed attempt, and nothing
//! else comes to harm.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use refrain::model::Status;
use refrain::{Engine, Json, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

/// The workflow of one node that is tried twice.
fn twice() -> Value {
    let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "quick" }));
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    workflow
}

/// Its worker panics in the first attempt with this message, and answers in
/// the second.
async fn is_tried_again(register: impl Fn(&Engine), message: &str) {
    let place = Place::file();
    let engine = engine(&place).await;
    register(&engine);
    let execution = start(&engine, &twice()).await;
    let end = tokio::time::timeout(Duration::from_secs(30), execution.finished()).await;
    let end = end.expect("a panic is no reason to wait").expect("it ends");
    assert_eq!(end.status, Status::Completed, "{message}");
    assert_eq!(end.final_state.as_str(), r#"{"attempt":2}"#);
    let told = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    assert!(told.contains(message), "{message}: {told}");
    engine.shutdown().await;
    audit_all(&place, message);
}

#[tokio::test]
async fn a_worker_that_panics_before_its_future_exists_is_a_failed_attempt() {
    let register = |engine: &Engine| {
        engine.work("tool", |item: WorkItem| {
            assert!(item.attempt > 1, "no future yet");
            async move { Ok(json!({ "attempt": item.attempt })) }
        });
    };
    is_tried_again(register, "the worker panicked: no future yet").await;
}

/// Becomes JSON, or panics.
struct Spelled(u32);

impl From<Spelled> for Json {
    fn from(Spelled(attempt): Spelled) -> Self {
        assert!(attempt > 1, "it cannot be spelled");
        json!({ "attempt": attempt }).into()
    }
}

#[tokio::test]
async fn an_answer_that_panics_on_its_way_into_json_is_a_failed_attempt() {
    let register = |engine: &Engine| {
        engine.work(
            "tool",
            |item: WorkItem| async move { Ok(Spelled(item.attempt)) },
        );
    };
    is_tried_again(register, "the worker panicked: it cannot be spelled").await;
}

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any(self.0);
        }
    }
}

#[tokio::test]
async fn a_worker_whose_values_panic_when_they_are_dropped_is_a_failed_attempt() {
    let register = |engine: &Engine| {
        engine.work("tool", |item: WorkItem| async move {
            let _bomb = (item.attempt == 1).then(|| Bomb("dropped at the end"));
            Ok(json!({ "attempt": item.attempt }))
        });
    };
    is_tried_again(register, "the worker panicked: dropped at the end").await;
}

#[tokio::test]
async fn a_panic_whose_message_panics_is_a_failed_attempt() {
    let register = |engine: &Engine| {
        engine.work("tool", |item: WorkItem| async move {
            if item.attempt == 1 {
                std::panic::panic_any(Arc::new(Bomb("the message")));
            }
            Ok(json!({ "attempt": item.attempt }))
        });
    };
    is_tried_again(register, "the worker panicked: without a message").await;
}

/// A future that answers at once, and panics when it is dropped.
struct Answered {
    attempt: u32,
    _bomb: Option<Bomb>,
}

impl Future for Answered {
    type Output = Result<Value, WorkError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(json!({ "attempt": self.attempt })))
    }
}

#[tokio::test]
async fn a_future_that_panics_when_it_is_dropped_is_a_failed_attempt() {
    let register = |engine: &Engine| {
        engine.work("tool", |item: WorkItem| {
            let attempt = item.attempt;
            Answered {
                attempt,
                _bomb: (attempt == 1).then(|| Bomb("the future")),
            }
        });
    };
    is_tried_again(register, "the worker panicked: the future").await;
}

/// Stopped halfway, by an engine that is stepped: its own thread drops it.
#[test]
fn a_future_that_panics_when_it_is_stopped_harms_nobody_else() {
    let builder = Engine::builder().boxed_store(Place::Memory(Default::default()).store());
    let (engine, mut steps) = builder.stepped().expect("an engine");
    engine.work("tool", |_| async move {
        let _bomb = Bomb("stopped");
        std::future::pending::<()>().await;
        Ok(json!({}))
    });
    let execution = steps.until(start(&engine, &single(tool())));
    let execution = execution.expect("steps suffice");
    while steps.step() == refrain::Next::Now {}
    steps
        .until(execution.cancel(None))
        .expect("steps suffice")
        .expect("it can be cancelled");
    let end = steps.until(execution.finished()).expect("steps suffice");
    assert_eq!(end.expect("it ends").status, Status::Cancelled);
}
