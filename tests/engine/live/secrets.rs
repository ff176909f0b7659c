//! Secrets for workers: who is given which, and what is left of them in what is stored.

use std::fs;
use std::sync::{Arc, Mutex};

use refrain::limits::HTTP_ERROR_BYTES_MAX;
use refrain::model::{GenAi, Status};
use refrain::secrets::{Secrets, put_in};
use refrain::{
    Answer, Engine, Execution, HttpWorker, WorkError, WorkItem, Workflow, without_secrets,
};
use refrain_tests::engines::{Place, audit_all, start};
use refrain_tests::http_server::{HttpServer, answer};
use refrain_tests::workflows::single;
use serde_json::{Value, json};

/// Where each tenant has a key of its own, and one secret cannot be told now.
struct Vault;

impl Secrets for Vault {
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError> {
        match name {
            "KEY" => Ok(Some(key(tenant))),
            "PIN" => Ok(Some("1234".to_owned())),
            "SEALED" => Err(WorkError::retryable("the vault is sealed").class("vault")),
            _ => Ok(None),
        }
    }
}

fn key(tenant: &str) -> String {
    format!("hunter2-of-{tenant}")
}

async fn engine(place: &Place, tenant: &str) -> Engine {
    let builder = Engine::builder().boxed_store(place.store());
    let builder = builder.tenant(tenant).secrets(Vault);
    builder.start().await.expect("the engine starts")
}

/// A task whose field `key` is this.
fn task(key: &str) -> Value {
    let kind = json!({ "type": "task", "queue": "own", "key": key, "n": 1.50 });
    single(json!({ "kind": kind, "retry_policy": "no_retry" }))
}

/// All that is said of the execution, and its end.
async fn told(execution: &Execution) -> (Status, String) {
    let end = execution.finished().await.expect("it ends");
    let events = execution.events(1, 100).await.expect("a log");
    let items = execution.items().await.expect("its items");
    (end.status, format!("{end:?} {events:?} {items:?}"))
}

#[tokio::test]
async fn r29_an_own_worker_is_shown_the_secrets_of_its_tenant() {
    for place in Place::each() {
        for tenant in ["default", "acme"] {
            let engine = engine(&place, tenant).await;
            let seen = Arc::new(Mutex::new(Vec::new()));
            let sees = Arc::clone(&seen);
            engine.work("own", move |item: WorkItem| {
                let kind: Value = item.kind().expect("a kind").parse().expect("JSON");
                sees.lock().expect("nobody panics here").push(item.payload);
                async move { Ok(json!({ "said": kind["key"], "n": kind["n"] })) }
            });
            let execution = start(&engine, &task("<${secret.KEY}> of ${execution_id}")).await;
            let (status, told) = told(&execution).await;
            assert_eq!(status, Status::Completed);
            assert!(!told.contains("hunter2"), "{told}");
            let said = format!("<***KEY***> of {}", execution.id());
            assert!(told.contains(&said), "{told}");
            let seen = seen.lock().expect("nobody panics here").concat();
            let given = format!("<{}> of {}", key(tenant), execution.id());
            assert!(seen.contains(&given), "{seen}");
            assert!(!seen.contains("templates"), "{seen}");
            engine.shutdown().await;
        }
        audit_all(&place, "after secrets");
    }
}

/// In each of its fields, and where it panics.
#[tokio::test]
async fn r29_nothing_that_a_worker_says_is_stored_with_a_secret() {
    for (how, told_instead) in [
        ("answers", "***KEY***"),
        ("fails", "no entry for ***KEY***"),
        ("panics", "the worker panicked: ***KEY***"),
    ] {
        let place = Place::memory();
        let engine = engine(&place, "default").await;
        engine.work("own", move |item: WorkItem| async move {
            let kind: Value = item.kind()?.parse()?;
            let key = kind["key"].as_str().expect("a text").to_owned();
            match how {
                "answers" => {
                    let mut call = GenAi::default();
                    call.model = Some(key.clone());
                    call.system = Some(format!("s-{key}"));
                    call.finish_reason = Some(key.clone());
                    let answer = Answer::output(json!({ &key: [&key] }))
                        .patch(json!({ "deep": { "key": format!("a{key}b") } }))
                        .gen_ai(call)
                        .telemetry(json!({ "used": key }));
                    Ok(answer)
                }
                "fails" => Err(WorkError::permanent(format!("no entry for {key}")).class(key)),
                _ => panic!("{key}"),
            }
        });
        let execution = start(&engine, &task("${secret.KEY}")).await;
        let (_, told) = told(&execution).await;
        assert!(!told.contains("hunter2"), "{how}: {told}");
        assert!(told.contains(told_instead), "{how}: {told}");
        engine.shutdown().await;
        audit_all(&place, how);
    }
}

#[tokio::test]
async fn r29_without_its_secret_no_worker_begins() {
    for (text, class, attempts) in [
        ("${secret.NONE}", "unknown_secret", 1),
        ("${secret.KEY} ${secret.NONE}", "unknown_secret", 1),
        ("${secret.SEALED}", "vault", 2),
    ] {
        let place = Place::memory();
        let engine = engine(&place, "default").await;
        engine.work("own", |_| async { Ok(json!({ "it": "began" })) });
        let mut workflow = task(text);
        workflow["nodes"]["a"]["retry_policy"] = json!("twice");
        workflow["retry_policies"] = json!({ "twice": {
            "max_attempts": 2, "backoff": "fixed", "initial_delay": 0, "max_delay": 1
        } });
        let execution = start(&engine, &workflow).await;
        let (status, told) = told(&execution).await;
        assert_eq!(status, Status::Failed, "{told}");
        assert_eq!(told.matches("NodeFailed(").count(), attempts, "{told}");
        assert!(told.contains(&format!("{class:?}")), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        engine.shutdown().await;
    }
}

/// What comes in two pieces, while the program runs on; the database is looked at while it
/// is in use, so that its log of changes is there.
#[tokio::test]
async fn r29_output_is_kept_without_a_secret_that_comes_in_pieces() {
    let place = Place::file();
    let engine = engine(&place, "default").await;
    engine.work_commands(1);
    let script = "printf 'one %s' hunter2; sleep 0.7; printf '%s two' -of-default; sleep 0.7; \
        printf 'hunter2-of-' >&2; sleep 0.7; exit 1";
    let kind = json!({ "type": "command", "argv": ["sh", "-c", script, "${secret.KEY}"] });
    let execution = start(
        &engine,
        &single(json!({ "kind": kind, "retry_policy": "no_retry" })),
    )
    .await;
    let (_, told) = told(&execution).await;
    let kept = execution.output("a", 0).await.expect("it is kept");
    let kept: Vec<u8> = kept.into_iter().flat_map(|it| it.piece.bytes).collect();
    let kept = String::from_utf8_lossy(&kept).into_owned();
    assert_eq!(kept, "one ***KEY*** twohunter2-of-", "a part is no secret");
    assert!(!told.contains(&key("default")), "{told}");
    let Place::File(folder) = &place else {
        unreachable!("it is a file");
    };
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        let bytes = fs::read(entry.expect("a file").path()).expect("it can be read");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&key("default")), "it is in a file");
        files += 1;
    }
    assert!(files >= 2, "the database and its log of changes");
    engine.shutdown().await;
    audit_all(&place, "after output");
}

#[tokio::test]
async fn r29_a_worker_that_claims_is_given_templates_and_puts_secrets_in_itself() {
    let place = Place::memory();
    let engine = engine(&place, "default").await;
    let kind = json!({ "type": "http", "url": "http://127.0.0.1:9/", "headers": { "A": "${secret.KEY}" } });
    let execution = start(
        &engine,
        &single(json!({ "kind": kind, "retry_policy": "no_retry" })),
    )
    .await;
    let claims = engine.claim("http", 1, "outside").await.expect("a claim");
    let [claim] = &claims[..] else {
        panic!("one item");
    };
    let mut item = claim.item.clone();
    assert!(item.payload.contains(r#""templates":["/kind/headers/A"]"#));
    let unasked = HttpWorker::new().run(item.clone()).await;
    let unasked = unasked.expect_err("a header would be the template itself");
    assert!(unasked.to_string().contains("its secrets"), "{unasked:?}");

    let secrets: [Box<dyn Secrets>; 1] = [Box::new(Vault)];
    let masks = put_in(&mut item, &secrets).expect("it is known");
    assert!(item.payload.contains("hunter2"));
    let answer = Answer::output(json!({ "used": key("default") }));
    let answer = without_secrets(&masks, Ok(answer)).expect("nothing is in its way");
    engine
        .complete(claim.id.clone(), answer)
        .await
        .expect("it is taken");
    let (status, told) = told(&execution).await;
    assert_eq!(status, Status::Completed);
    assert!(
        told.contains("***KEY***") && !told.contains("hunter2"),
        "{told}"
    );
}

/// Of each instance, the payload has the body in the place of the kind.
#[tokio::test]
async fn r29_the_instances_of_a_map_are_given_their_secrets() {
    let place = Place::memory();
    let engine = engine(&place, "default").await;
    engine.work_commands(2);
    let body = json!({
        "type": "command",
        "argv": ["sh", "-c", "echo \"$KEY\"", "sh"],
        "env": { "KEY": "${item}:${secret.KEY}:${index}" },
    });
    let map = json!({ "type": "map", "over": "input.list", "body": body });
    let workflow = single(json!({ "kind": map, "retry_policy": "no_retry" }));
    let id = workflow["workflow_id"].as_str().expect("an id").to_owned();
    let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
    engine.register(workflow).await.expect("it is valid");
    let input = json!({ "list": ["x", "${secret.KEY}"] });
    let execution = engine.start(&id, "1.0.0", input).await.expect("it starts");
    let end = execution.finished().await.expect("it ends");
    let state: Value = end.final_state.parse().expect("JSON");
    let expected = json!(["x:***KEY***:0", "${secret.KEY}:***KEY***:1"]);
    assert_eq!(state["a"], expected);
    engine.shutdown().await;
    audit_all(&place, "after a map");
}

/// A refusal's body is repeated only in its beginning: a secret that is cut there is left
/// out.
#[tokio::test]
async fn r29_a_secret_that_is_cut_is_left_out() {
    let server = HttpServer::start("127.0.0.1", |asked| {
        let body = format!("{}{}", "x".repeat(HTTP_ERROR_BYTES_MAX - 12), asked.body);
        answer("400 Bad Request", &[], body)
    });
    let place = Place::memory();
    let engine = engine(&place, "default").await;
    engine.work_http(1);
    let kind = json!({ "type": "http", "method": "POST", "url": server.url("/"), "body": "${secret.KEY}" });
    let execution = start(&engine, &single(json!({ "kind": kind }))).await;
    let (_, told) = told(&execution).await;
    assert!(
        told.contains("xx\\\""),
        "the quote of the body is there: {told}"
    );
    assert!(!told.contains("hunter"), "{told}");
    engine.shutdown().await;
}

/// Other numbers hold a short one by chance.
#[tokio::test]
async fn r29_a_number_is_hidden_where_it_stands_alone_and_leaves_others_as_they_are() {
    let said = r#"{"total":812345,"paid":true,"pin":1234,"told":"1234, not x1234"}"#;
    for output in [None, Some("json"), Some("last_line")] {
        let engine = engine(&Place::memory(), "default").await;
        engine.work_commands(1);
        let mut kind = json!({
            "type": "command", "argv": ["echo", said], "env": { "PIN": "${secret.PIN}" }
        });
        if let Some(output) = output {
            kind["output"] = json!(output);
        }
        let execution = start(&engine, &single(json!({ "kind": kind }))).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(
            end.final_state.as_str(),
            r#"{"paid":true,"pin":"***PIN***","told":"***PIN***, not x1234","total":812345}"#
        );
        engine.shutdown().await;
    }
}
