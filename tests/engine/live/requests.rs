//! Requests of the built-in worker: redirects, statuses, bodies, secrets.

use std::sync::atomic::{AtomicUsize, Ordering};

use refrain::model::Status;
use refrain::{Engine, Finished};
use refrain_tests::engines::{Place, engine, start};
use refrain_tests::http_server::{Asked, HttpServer, answer};
use refrain_tests::workflows::single;
use serde_json::{Value, json};

/// Make a request, at most three times, and tell how it ended and the log.
async fn request(engine: &Engine, mut kind: Value) -> (Finished, String) {
    kind["type"] = json!("http");
    // Each is a workflow of its own.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let id = format!("w{}", COUNT.fetch_add(1, Ordering::SeqCst));
    let mut workflow = single(json!({ "kind": kind, "retry_policy": "quick" }));
    workflow["workflow_id"] = json!(id);
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 3, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    let execution = start(engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    let log = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    (end, log)
}

fn attempts(log: &str) -> usize {
    log.matches("NodeFailed(").count()
}

async fn http_engine() -> Engine {
    let engine = engine(&Place::memory()).await;
    engine.work_http(4);
    engine
}

/// Sends all on to another path, or to another place, and says what arrived.
fn redirecting(elsewhere: String) -> HttpServer {
    HttpServer::start("127.0.0.1", move |asked| {
        let to = |status: &str, place: &str| answer(status, &[&format!("location: {place}")], "");
        match asked.path.as_str() {
            "/301" => to("301 Moved Permanently", "here"),
            "/302" => to("302 Found", "./here"),
            "/303" => to("303 See Other", "/here"),
            "/307" => to("307 Temporary Redirect", "/here"),
            "/308" => to("308 Permanent Redirect", "//127.0.0.1/no-such-port"),
            "/loop" => to("302 Found", "/loop"),
            "/ftp" => to("302 Found", "ftp://127.0.0.1/here"),
            "/nowhere" => answer("302 Found", &[], ""),
            "/away" => to("307 Temporary Redirect", &elsewhere),
            _ => answer(
                "200 OK",
                &[],
                json!({ "did": asked.method, "got": asked.body }).to_string(),
            ),
        }
    })
}

#[tokio::test]
async fn redirects_within_the_origin_are_followed_as_browsers_do_it() {
    let server = redirecting(String::new());
    let engine = http_engine().await;
    for (path, method, did, got) in [
        ("/301", "POST", "GET", ""),
        ("/302", "POST", "GET", ""),
        ("/302", "PUT", "PUT", "{\"a\":1}"),
        ("/303", "PUT", "GET", ""),
        ("/307", "POST", "POST", "{\"a\":1}"),
        ("/307", "DELETE", "DELETE", "{\"a\":1}"),
    ] {
        let kind = json!({ "url": server.url(path), "method": method, "body": { "a": 1 }, "headers": { "X-Api-Key": "mine" } });
        let (end, log) = request(&engine, kind).await;
        let expected = json!({ "did": did, "got": got }).to_string();
        assert_eq!(end.final_state.as_str(), expected, "{path} {method}: {log}");
        let last = server.asked().pop().expect("it was asked");
        assert_eq!(last.path, "/here");
        assert_eq!(last.headers["x-api-key"], "mine");
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_fails_once() {
    let elsewhere = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    let server = redirecting(elsewhere.url("/"));
    let engine = http_engine().await;
    for (path, follow, told, asked) in [
        ("/away", None, "another origin", 1),
        ("/away", Some("same_origin"), "another origin", 1),
        ("/308", None, "another origin", 1),
        ("/307", Some("never"), "is not followed", 1),
        ("/ftp", Some("anywhere"), "\\\"ftp\\\"", 1),
        ("/nowhere", Some("anywhere"), "does not say where to", 1),
        ("/loop", None, "more than 10 redirects", 11),
    ] {
        let before = server.asked().len();
        let mut kind = json!({ "url": server.url(path), "method": "POST" });
        if let Some(follow) = follow {
            kind["follow_redirects"] = json!(follow);
        }
        let (end, log) = request(&engine, kind).await;
        assert_eq!(end.status, Status::Failed, "{path}: {log}");
        assert!(
            log.contains(told) && log.contains("Some(\"redirect\")"),
            "{path}: {log}"
        );
        assert_eq!(attempts(&log), 1, "{path}: {log}");
        assert_eq!(server.asked().len() - before, asked, "{path}");
    }
    assert_eq!(elsewhere.asked(), []);
    engine.shutdown().await;
}

#[tokio::test]
async fn elsewhere_is_asked_only_on_demand_and_without_the_nodes_headers() {
    let elsewhere = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], r#"{"there":1}"#));
    let server = redirecting(elsewhere.url("/x"));
    let engine = http_engine().await;
    let url = server.url("/away").replace("http://", "http://me:hunter2@");
    let headers = json!({ "X-Api-Key": "mine", "Authorization": "Bearer mine", "Cookie": "a=b", "Content-Type": "text/json" });
    let kind = json!({ "url": url, "method": "POST", "body": { "a": 1 }, "headers": headers, "follow_redirects": "anywhere" });
    let (end, log) = request(&engine, kind).await;
    assert_eq!(end.final_state.as_str(), r#"{"there":1}"#, "{log}");
    let [
        Asked {
            method,
            body,
            headers,
            ..
        },
    ] = &elsewhere.asked()[..]
    else {
        panic!("it was asked once");
    };
    assert_eq!((method.as_str(), body.as_str()), ("POST", "{\"a\":1}"));
    assert_eq!(headers["content-type"], "text/json");
    for name in ["x-api-key", "authorization", "cookie"] {
        assert!(!headers.contains_key(name), "{headers:?}");
        assert!(server.asked()[0].headers.contains_key(name));
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn the_status_says_whether_a_further_attempt_may_help() {
    let server = HttpServer::start("127.0.0.1", |asked| {
        if asked.count > 1 {
            return answer("200 OK", &[], r#"{"well":1}"#);
        }
        match asked.path.as_str() {
            "/latin" => answer("503 Service Unavailable", &[], b"nicht verf\xfcgbar"),
            "/long" => answer("500 Internal Server Error", &[], "x".repeat(5 << 20)),
            "/packed" => answer(
                "502 Bad Gateway",
                &["content-encoding: gzip"],
                b"\x1f\x8b\x08",
            ),
            "/cut" => b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 100\r\n\r\nslow".to_vec(),
            "/408" => answer("408 Request Timeout", &[], ""),
            "/425" => answer("425 Too Early", &[], ""),
            "/429" => answer("429 Too Many Requests", &["retry-after: 7"], "wait"),
            "/date" => answer(
                "503 Busy",
                &["retry-after: Fri, 31 Dec 1999 23:59:59 GMT"],
                "",
            ),
            "/501" => answer("501 Not Implemented", &[], ""),
            "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":".to_vec(),
            "/chunk" => {
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n".to_vec()
            }
            "/silent" => Vec::new(),
            _ => answer("418 I'm a teapot", &[], "no"),
        }
    });
    let engine = http_engine().await;
    for (path, class, told) in [
        ("/latin", "server_error", "verf"),
        ("/long", "server_error", "xxxx"),
        ("/packed", "server_error", "502"),
        ("/cut", "server_error", "slow"),
        ("/408", "timeout", "408"),
        ("/425", "rate_limit", "425"),
        ("/429", "rate_limit", "to be asked again after 7 s: wait"),
        (
            "/date",
            "server_error",
            "to be asked again after Fri, 31 Dec 1999 23:59:59 GMT",
        ),
        ("/501", "server_error", "501"),
        ("/broken", "connection_reset", "broke off"),
        ("/chunk", "connection_reset", "broke off"),
        ("/silent", "connection_reset", "could not be asked"),
    ] {
        let (end, log) = request(&engine, json!({ "url": server.url(path) })).await;
        assert_eq!(end.final_state.as_str(), r#"{"well":1}"#, "{path}: {log}");
        assert_eq!(attempts(&log), 1, "{path}: {log}");
        assert!(log.contains(&format!("Some({class:?})")), "{path}: {log}");
        assert!(log.contains(told), "{path}: {log}");
    }
    let (end, log) = request(&engine, json!({ "url": server.url("/tea") })).await;
    assert_eq!((end.status, attempts(&log)), (Status::Failed, 1), "{log}");
    let closed = json!({ "url": "http://127.0.0.1:9/" });
    let (_, log) = request(&engine, closed).await;
    assert!(log.contains("Some(\"io_error\")"), "{log}");
    assert_eq!(attempts(&log), 3, "{log}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_success_is_read_or_told_and_never_of_another_type() {
    let server = HttpServer::start("127.0.0.1", |asked| {
        let json = &["content-type: application/json; charset=utf-8"][..];
        match asked.path.as_str() {
            "/204" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            "/head" => answer("200 OK", json, "")[..].to_vec(),
            "/103" => [
                b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
                &answer("200 OK", &[], "[1]")[..],
            ]
            .concat(),
            "/mark" => answer("200 OK", json, b"\xEF\xBB\xBF{\"x\":1.50}"),
            "/wide" => answer("200 OK", &[], b"\xFF\xFE{\0}\0"),
            "/latin" => answer("200 OK", &[], b"caf\xe9"),
            "/packed" => answer("200 OK", &["content-encoding: gzip"], b"\x1f\x8b\x08"),
            "/none" => answer("200 OK", json, "{'a': 1}"),
            "/text" => answer("200 OK", &["content-type: text/plain"], "{'a': 1}"),
            _ => answer("304 Not Modified", &[], ""),
        }
    });
    let engine = http_engine().await;
    for (method, path, expected) in [
        ("GET", "/204", Ok("{}")),
        ("HEAD", "/head", Ok("{}")),
        ("GET", "/103", Ok(r#"{"a":[1]}"#)),
        ("GET", "/mark", Ok(r#"{"x":1.50}"#)),
        ("GET", "/text", Ok(r#"{"a":"{'a': 1}"}"#)),
        ("GET", "/wide", Err("UTF-16")),
        ("GET", "/latin", Err("no UTF-8")),
        ("GET", "/packed", Err("gzip")),
        ("GET", "/none", Err("calls JSON")),
        ("GET", "/304", Err("304")),
    ] {
        let (end, log) = request(
            &engine,
            json!({ "url": server.url(path), "method": method }),
        )
        .await;
        match expected {
            Ok(state) => assert_eq!(end.final_state.as_str(), state, "{path}: {log}"),
            Err(told) => {
                assert_eq!(
                    (end.status, attempts(&log)),
                    (Status::Failed, 1),
                    "{path}: {log}"
                );
                assert!(log.contains(told), "{path}: {log}");
            }
        }
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn no_error_holds_a_secret_of_its_request() {
    let server = HttpServer::start("127.0.0.1", |asked| match asked.path.split('?').next() {
        Some("/echo") => answer("400 Bad Request", &[], format!("{asked:?}")),
        _ => answer("302 Found", &["location: ftp://me:SECRET-5@h/"], ""),
    });
    let engine = http_engine().await;
    let secret = |url: String| url.replace("http://", "http://me:SECRET-1@");
    for url in [
        secret(server.url("/echo?q=cats&access_token=SECRET-2")),
        secret(server.url("/away?sig=SECRET-2")),
        "http://me:SECRET-1@127.0.0.1:9/?key=SECRET-2".to_owned(),
        "http://SECRET-1@host.invalid/".to_owned(),
    ] {
        let headers = json!({ "X-Api-Key": "SECRET-3", "Authorization": "Bearer SECRET-4" });
        let (end, log) = request(&engine, json!({ "url": url, "headers": headers })).await;
        assert_eq!(end.status, Status::Failed, "{log}");
        let errors = log
            .split("NodeFailed(")
            .skip(1)
            .map(|rest| rest.split("class:").next().expect("the error comes before"));
        for error in errors {
            assert!(error.contains("***@"), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
    engine.shutdown().await;
}

/// Servers take such a segment for the folder above: the request would be about something
/// else than the workflow says.
#[tokio::test]
async fn r29_no_expression_leads_to_another_path() {
    let server = HttpServer::start("127.0.0.1", |asked| {
        answer("200 OK", &[], json!({ "path": asked.path }).to_string())
    });
    let engine = http_engine().await;
    for (path, segment) in [
        ("/users/${'..'}/delete", ".."),
        ("/users/${'.'}", "."),
        ("/users/.${'.'}?a", ".."),
        ("/users/%2E${'.'}/", "%2E."),
    ] {
        let (end, log) = request(&engine, json!({ "url": server.url(path) })).await;
        assert_eq!((end.status, attempts(&log)), (Status::Failed, 1), "{log}");
        assert!(log.contains("Some(\"unusable_value\")"), "{log}");
        let said = format!("the value at /kind/url has the segment `{segment}`");
        assert!(log.contains(&said), "{log}");
    }
    for (path, asked) in [
        ("/users/${'../a'}/delete", "/users/..%2Fa/delete"),
        ("/users/${'...'}?q=${'..'}", "/users/...?q=.."),
    ] {
        let (end, log) = request(&engine, json!({ "url": server.url(path) })).await;
        assert_eq!(
            end.final_state.as_str(),
            json!({ "path": asked }).to_string(),
            "{log}"
        );
    }
    assert_eq!(server.asked().len(), 2);
    engine.shutdown().await;
}
