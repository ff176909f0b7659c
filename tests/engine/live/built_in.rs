//! The built-in workers: programs and requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use refrain::model::Status;
use refrain::{Engine, Workflow};
use refrain_tests::engines::{Place, engine, start};
use refrain_tests::workflows::single;
use serde_json::{Value, json};

/// Run one command, and tell its final state or its error.
async fn command(engine: &Engine, version: &str, mut kind: Value) -> (Status, String) {
    kind["type"] = json!("command");
    let mut workflow = single(json!({ "kind": kind, "retry_policy": "no_retry" }));
    workflow["version"] = json!(version);
    let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
    engine.register(workflow).await.expect("valid");
    let started = engine
        .start("w", version, json!({ "n": 1 }))
        .await
        .expect("it starts");
    let end = started.finished().await.expect("it ends");
    let items = started.items().await.expect("a queue").found;
    let errors: String = items
        .iter()
        .map(|item| format!("{:?}", item.state))
        .collect();
    (end.status, format!("{}{errors}", end.final_state))
}

#[tokio::test]
async fn commands_answer_on_stdout() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work_commands(4);
    let sh = |script: &str| json!({ "argv": ["sh", "-c", script] });
    let environment =
        json!({ "argv": ["sh", "-c", "echo $V; pwd"], "env": { "V": "v" }, "cwd": "/" });
    let table = [
        (
            json!({ "argv": ["echo", r#"{"x": 1.50}"#] }),
            Status::Completed,
            r#"{"x":1.50}"#,
        ),
        (
            json!({ "argv": ["echo", "hello"] }),
            Status::Completed,
            r#"{"a":"hello"}"#,
        ),
        (
            json!({ "argv": ["echo", "[1]"] }),
            Status::Completed,
            r#"{"a":[1]}"#,
        ),
        (json!({ "argv": ["true"] }), Status::Completed, "{}"),
        (sh("cat"), Status::Completed, r#""n":1"#),
        (environment, Status::Completed, r#"{"a":"v\n/"}"#),
        (
            sh("echo oh >&2; exit 3"),
            Status::Failed,
            "exit status: 3; it said: oh",
        ),
        (
            json!({ "argv": ["/no/such/program"] }),
            Status::Failed,
            "could not be started",
        ),
        (
            json!({ "argv": ["echo", r#"{"x":1,"x":2}"#] }),
            Status::Failed,
            "twice",
        ),
    ];
    for (version, (kind, status, told)) in (1..).zip(table) {
        let (found, text) = command(&engine, &format!("{version}.0.0"), kind.clone()).await;
        assert_eq!(found, status, "{kind}: {text}");
        assert!(text.contains(told), "{kind}: {text}");
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn r14_a_timeout_kills_the_whole_process_group() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("alive");
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work_commands(4);
    let script = format!(
        "(while :; do date > {}; sleep 0.05; done) & wait",
        file.display()
    );
    let mut node = json!({ "kind": { "type": "command", "argv": ["sh", "-c", script] } });
    node["retry_policy"] = json!("no_retry");
    node["node_timeout_secs"] = json!(1);
    let end = start(&engine, &single(node))
        .await
        .finished()
        .await
        .expect("it ends");
    assert_eq!(end.status, Status::Failed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    std::fs::remove_file(&file).expect("the program ran");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!file.exists(), "what the program started is dead too");
    engine.shutdown().await;
}

#[tokio::test]
async fn requests_are_made_and_refusals_classed() {
    let address = serve();
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work_http(4);
    let node = |path: &str, method: &str| {
        let url = format!("http://{address}{path}");
        json!({ "kind": { "type": "http", "url": url, "method": method, "body": { "x": 1 } }, "retry_policy": "no_retry" })
    };
    let mut workflow = single(node("/echo", "POST"));
    workflow["nodes"]["b"] = node("/busy", "POST");
    workflow["nodes"]["c"] = node("/gone", "POST");
    workflow["edges"] = json!([{ "from": "a", "to": "b" }, { "from": "a", "to": "c" }]);
    let execution = start(&engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.as_str(), r#"{"x":1}"#);
    let told = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    assert!(
        told.contains("rate_limit") && told.contains("client_error"),
        "{told}"
    );
    // Of a body that is empty, nothing is said.
    for said in [
        "answered 429 Too Many Requests: later",
        "answered 404 Not Found\"",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    engine.shutdown().await;
}

/// A server that knows three answers, for as long as the test runs.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.expect("a connection")).expect("an exchange");
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut line, mut length) = (String::new(), String::from("."), 0);
    reader.read_line(&mut first)?;
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, text) = match first.split_whitespace().nth(1) {
        Some("/echo") => ("200 OK", String::from_utf8_lossy(&body).into_owned()),
        Some("/busy") => ("429 Too Many Requests", "later".to_owned()),
        _ => ("404 Not Found", String::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}
