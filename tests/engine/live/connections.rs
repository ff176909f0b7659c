//! Requests of the built-in worker: connections that are kept, what a request says of
//! itself, what the log says of its answer.

use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use refrain::log::json::write_stored;
use refrain::{Engine, Finished};
use refrain_tests::engines::{Place, engine, start};
use refrain_tests::http_server::{HttpServer, answer, kept};
use refrain_tests::workflows::single;
use serde_json::{Value, json};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

async fn http_engine() -> Engine {
    let engine = engine(&Place::memory()).await;
    engine.work_http(4);
    engine
}

/// Run a chain of requests, which are not repeated; how it ended, its id and its log.
async fn chain(engine: &Engine, id: &str, kinds: &[Value]) -> (Finished, String, String) {
    let node = |index: usize| format!("n{index}");
    let mut workflow = single(json!({}));
    workflow["workflow_id"] = json!(id);
    workflow["start_node"] = json!(node(0));
    let nodes = kinds.iter().enumerate().map(|(index, kind)| {
        let mut kind = kind.clone();
        kind["type"] = json!("http");
        (
            node(index),
            json!({ "kind": kind, "retry_policy": "no_retry" }),
        )
    });
    workflow["nodes"] = nodes.collect();
    let edges = (1..kinds.len()).map(|to| json!({ "from": node(to - 1), "to": node(to) }));
    workflow["edges"] = edges.collect();
    let execution = start(engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    let log = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    (end, execution.id().to_string(), log)
}

#[tokio::test]
async fn steps_of_a_chain_share_a_connection() {
    let server = HttpServer::keeping(|asked| match asked.path.as_str() {
        "/away" => kept("302 Found", &["location: /a"], "over there"),
        "/no" => kept("404 Not Found", &[], "no"),
        "/last" => answer("200 OK", &[], "{}"),
        _ => kept("200 OK", &["connection: keep-alive"], "{}"),
    });
    let engine = http_engine().await;
    let ask = |path: &str| json!({ "url": server.url(path) });
    for (workflow, paths, connections) in [
        (
            "same",
            &["/a", "/a", "/away", "/b"][..],
            &[1, 1, 1, 1, 1][..],
        ),
        ("closed", &["/last", "/a"], &[1, 2]),
        ("refused", &["/no"], &[2]),
        ("after", &["/a"], &[2]),
    ] {
        let before = server.asked().len();
        let kinds: Vec<_> = paths.iter().map(|path| ask(path)).collect();
        let (_, _, log) = chain(&engine, workflow, &kinds).await;
        let asked = &server.asked()[before..];
        let over: Vec<_> = asked.iter().map(|asked| asked.connection).collect();
        assert_eq!(over, connections, "{workflow}: {log}");
    }
    engine.shutdown().await;
}

/// A kept connection may be closed while a request is on its way.
#[tokio::test]
async fn what_may_have_been_carried_out_is_not_asked_again() {
    let server = HttpServer::keeping(|asked| match asked.path.as_str() {
        "/close" if asked.count == 1 => Vec::new(),
        _ => kept("200 OK", &[], "{}"),
    });
    for (method, failures) in [("GET", 0), ("PUT", 0), ("POST", 1), ("PATCH", 1)] {
        let server = HttpServer::keeping(|asked| match asked.path.as_str() {
            "/close" if asked.count == 1 => Vec::new(),
            _ => kept("200 OK", &[], "{}"),
        });
        let engine = http_engine().await;
        let ask = |path: &str| json!({ "url": server.url(path), "method": method });
        let (_, _, log) = chain(&engine, "w", &[ask("/a"), ask("/close")]).await;
        assert_eq!(
            log.matches("NodeFailed(").count(),
            failures,
            "{method}: {log}"
        );
        assert_eq!(
            log.contains("connection_reset"),
            failures > 0,
            "{method}: {log}"
        );
        engine.shutdown().await;
    }
    // Over a connection that is new, the server's word stands.
    let engine = http_engine().await;
    let (_, _, log) = chain(&engine, "w", &[json!({ "url": server.url("/close") })]).await;
    assert!(log.contains("connection_reset"), "{log}");
    engine.shutdown().await;
}

#[tokio::test]
async fn an_attempt_that_is_stopped_stops_its_request() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().expect("a connection");
        let mut request = [0; 1024];
        let first = stream.read(&mut request).expect("a request");
        tell.send(first).expect("somebody listens");
        let rest = stream.read(&mut request).expect("its end");
        tell.send(rest).expect("somebody listens");
    });
    let engine = http_engine().await;
    let workflow = single(json!({ "kind": { "type": "http", "url": url } }));
    let execution = start(&engine, &workflow).await;
    let told = tokio::task::spawn_blocking(move || {
        let asked = told.recv_timeout(PATIENCE).expect("it is asked");
        assert!(asked > 0);
        told
    });
    let told = told.await.expect("a thread");
    execution.cancel(None).await.expect("it is cancelled");
    let rest = tokio::task::spawn_blocking(move || told.recv_timeout(PATIENCE));
    let rest = rest.await.expect("a thread");
    assert_eq!(rest.expect("the connection is closed"), 0);
    engine.shutdown().await;
}

#[tokio::test]
async fn each_attempt_has_a_key_of_its_own() {
    let server = HttpServer::start("127.0.0.1", |asked| {
        if asked.count == 1 {
            answer("503 Service Unavailable", &[], "")
        } else {
            answer("200 OK", &[], "{}")
        }
    });
    let engine = http_engine().await;
    let again = json!({ "quick": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    let node = |headers: Value| {
        let kind =
            json!({ "type": "http", "url": server.url("/"), "method": "POST", "headers": headers });
        json!({ "kind": kind, "retry_policy": "quick" })
    };
    let mut workflow = single(node(json!({})));
    workflow["retry_policies"] = again;
    workflow["nodes"]["b"] = node(json!({ "idempotency-key": "mine" }));
    workflow["edges"] = json!([{ "from": "a", "to": "b" }]);
    let execution = start(&engine, &workflow).await;
    execution.finished().await.expect("it ends");
    let asked = server.asked();
    let keys: Vec<_> = asked
        .iter()
        .map(|asked| asked.headers["idempotency-key"].as_str())
        .collect();
    let id = execution.id();
    let expected = [format!("{id}/a/1"), format!("{id}/a/2"), "mine".to_owned()];
    assert_eq!(keys, expected);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_body_may_be_empty() {
    let server = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    let engine = http_engine().await;
    for (method, body, sent, length) in [
        ("POST", json!(""), "", Some("0")),
        ("PUT", json!(""), "", Some("0")),
        ("DELETE", json!(""), "", None),
        ("GET", json!(""), "", None),
        ("POST", json!("a"), "\"a\"", Some("3")),
        (
            "POST",
            Value::Null,
            r#"{"state":{},"input":{}}"#,
            Some("23"),
        ),
        ("DELETE", json!([1]), "[1]", Some("3")),
    ] {
        let mut kind = json!({ "url": server.url("/"), "method": method });
        if !body.is_null() {
            kind["body"] = body.clone();
        }
        let (_, _, log) = chain(
            &engine,
            &format!("{method}{body}").replace('"', "_"),
            &[kind],
        )
        .await;
        let asked = server.asked().pop().expect("it is asked");
        assert_eq!(asked.method, method, "{log}");
        assert_eq!(asked.body, sent, "{method} {body}");
        let header = |name: &str| asked.headers.get(name).map(String::as_str);
        assert_eq!(header("content-length"), length, "{method} {body}");
        assert_eq!(
            header("content-type").is_some(),
            !sent.is_empty(),
            "{method} {body}"
        );
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn the_log_has_the_status_and_the_headers_without_secrets() {
    let server = HttpServer::start("127.0.0.1", |_| {
        let headers = [
            "Location: /things/7?token=SECRET",
            "X-Two: a",
            "X-Two: b",
            "Set-Cookie: id=SECRET",
            "Keep-Alive: timeout=5",
        ];
        answer("201 Created", &headers, "{}")
    });
    let engine = http_engine().await;
    let workflow = single(json!({ "kind": { "type": "http", "url": server.url("/") } }));
    let execution = start(&engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.as_str(), "{}");
    let log = execution.events(1, 100).await.expect("a log");
    let read = |event| serde_json::from_str::<Value>(&write_stored(event)).expect("JSON");
    let log: Vec<_> = log.iter().map(read).collect();
    let telemetry = log.iter().find_map(|event| event.get("telemetry"));
    let expected = json!({ "http": { "status": 201, "headers": {
        "location": "/things/7?token=***", "x-two": "a, b", "set-cookie": "***", "content-length": "2",
    } } });
    assert_eq!(telemetry, Some(&expected), "{log:?}");
    engine.shutdown().await;
}
