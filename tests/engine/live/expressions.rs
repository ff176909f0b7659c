//! Rule R29 with real workers: what expressions come to, and what cannot be handed on.

use refrain::Engine;
use refrain::model::Status;
use refrain_tests::engines::{Place, audit_all, engine, start};
use refrain_tests::http_server::{HttpServer, answer};
use serde_json::{Value, json};

async fn working(place: &Place) -> Engine {
    let engine = engine(place).await;
    engine.work_commands(2);
    engine.work_http(2);
    engine.work("tool", async |_| {
        Ok(json!({ "who": "Zoë x/y", "n": 1, "line": "a\r\nB: c", "nul": "a\0b" }))
    });
    engine
}

/// A node `s` that fills the state, and then this one.
fn after_state(id: &str, kind: &Value) -> Value {
    json!({
        "workflow_id": id, "version": "1.0.0", "start_node": "s",
        "nodes": { "s": { "kind": { "type": "tool", "tool_ref": "t" } }, "a": { "kind": kind } },
        "edges": [{ "from": "s", "to": "a" }]
    })
}

#[tokio::test]
async fn r29_a_program_and_a_server_get_what_expressions_come_to() {
    let server = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    for place in Place::each() {
        let engine = working(&place).await;
        let echo = json!({
            "type": "command",
            "argv": ["sh", "-c", "printf '%s|' \"$@\" \"$WHO\" \"$PWD\"", "sh", "${state.n}", "n=${state.n}", "$${n}", "${[state.n]}"],
            "env": { "WHO": "${state.who}" },
            "cwd": "/${state.n == 1 ? 'tmp' : ''}",
        });
        let execution = start(&engine, &after_state("echo", &echo)).await;
        let end = execution.finished().await.expect("it ends");
        let state: Value = end.final_state.parse().expect("it is JSON");
        assert_eq!(state["a"], "1|n=1|${n}|[1]|Zoë x/y|/tmp|");

        let ask = json!({
            "type": "http", "method": "POST", "url": server.url("/u/${state.who}?n=${state.n}"),
            "headers": { "X-N": "${state.n}" }, "body": { "who": "${state.who}", "n": "${state.n}" },
        });
        let execution = start(&engine, &after_state("ask", &ask)).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let asked = server.asked().pop().expect("it was asked");
        assert_eq!(asked.path, "/u/Zo%C3%AB%20x%2Fy?n=1");
        assert_eq!(asked.headers["x-n"], "1");
        let body: Value = serde_json::from_str(&asked.body).expect("it is JSON");
        assert_eq!(body, json!({ "who": "Zoë x/y", "n": 1 }));
        engine.shutdown().await;
        audit_all(&place, "after expressions");
    }
}

/// One attempt, one class, and the place; never a second header, or half an argument.
#[tokio::test]
async fn r29_what_cannot_be_handed_on_fails_the_attempt_for_good() {
    let server = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    let place = Place::memory();
    let engine = working(&place).await;
    for (id, kind, pointer) in [
        (
            "header",
            json!({ "type": "http", "url": server.url("/"), "headers": { "X-A~B": "${state.line}" } }),
            "/kind/headers/X-A~0B",
        ),
        (
            "argv",
            json!({ "type": "command", "argv": ["echo", "${state.nul}"] }),
            "/kind/argv/1",
        ),
        (
            "env",
            json!({ "type": "command", "argv": ["env"], "env": { "A": "x${state.nul}" } }),
            "/kind/env/A",
        ),
        (
            "cwd",
            json!({ "type": "command", "argv": ["pwd"], "cwd": "/tmp/${state.nul}" }),
            "/kind/cwd",
        ),
    ] {
        let execution = start(&engine, &after_state(id, &kind)).await;
        let end = execution.finished().await.expect("it ends");
        let log = format!("{:?}", execution.events(1, 100).await.expect("a log"));
        assert_eq!(end.status, Status::Failed, "{id}: {log}");
        assert_eq!(log.matches("NodeFailed(").count(), 1, "{id}: {log}");
        assert!(log.contains("Some(\"unusable_value\")"), "{id}: {log}");
        assert!(
            log.contains(&format!("the value at {pointer} holds")),
            "{id}: {log}"
        );
    }
    assert_eq!(server.asked().len(), 0);
    engine.shutdown().await;
    audit_all(&place, "after values that nobody can be given");
}
