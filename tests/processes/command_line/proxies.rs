//! Requests by way of the proxies that the environment names.

use refrain_tests::binary;
use refrain_tests::http_server::{HttpServer, answer};
use serde_json::json;

use crate::command_line::desk::{Desk, chain};

/// Ask a URL in this environment; the exit code, and what was said.
fn ask(url: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
    let desk = Desk::new();
    let kind = json!({ "type": "http", "url": url, "headers": { "X-Mine": "1" } });
    let mut workflow = chain(&[("a", kind)]);
    workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
    desk.file("w.json", workflow.to_string());
    let output = binary::refrain(desk.path())
        .args(["run", "w.json"])
        .envs(env.iter().copied())
        .output()
        .expect("it starts");
    (output.status.code(), binary::stderr(&output))
}

#[test]
fn a_proxy_is_asked_for_the_whole_url() {
    let proxy = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    let with_password = proxy.url("").replace("http://", "http://me:pw@");
    let url = "http://nowhere.invalid:81/a?b=c";
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (code, said) = ask(url, &[(variable, &with_password)]);
        assert_eq!(code, Some(0), "{variable}: {said}");
        let asked = proxy.asked().pop().expect("it is asked");
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", url));
        assert_eq!(asked.headers["host"], "nowhere.invalid:81");
        assert_eq!(asked.headers["x-mine"], "1");
        assert_eq!(asked.headers["proxy-authorization"], "Basic bWU6cHc=");
    }
}

#[test]
fn a_proxy_is_asked_to_let_https_through_and_sees_nothing_of_it() {
    let proxy = HttpServer::start("127.0.0.1", |_| answer("403 Forbidden", &[], "no"));
    let url = "https://nowhere.invalid/a";
    let (code, said) = ask(url, &[("HTTPS_PROXY", &proxy.url(""))]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("403 Forbidden"), "{said}");
    let asked = proxy.asked().pop().expect("it is asked");
    assert_eq!(asked.method, "CONNECT");
    assert_eq!(asked.path, "nowhere.invalid:443");
    assert!(!asked.headers.contains_key("x-mine"), "{asked:?}");
}

#[test]
fn what_the_environment_exempts_is_asked_directly() {
    let server = HttpServer::start("127.0.0.1", |_| answer("200 OK", &[], "{}"));
    let proxy = HttpServer::start("127.0.0.1", |_| answer("500 No", &[], "no"));
    let proxy_url = proxy.url("");
    for exempt in ["127.0.0.1", "127.0.0.0/8", "*"] {
        let env = [("HTTP_PROXY", proxy_url.as_str()), ("no_proxy", exempt)];
        let (code, said) = ask(&server.url("/"), &env);
        assert_eq!(code, Some(0), "{exempt}: {said}");
    }
    assert_eq!(proxy.asked(), []);
}

#[test]
fn what_is_no_proxy_is_told_without_its_password() {
    for (proxy, told) in [
        ("socks5://me:secret@h:1", "is of the kind \"socks5\""),
        ("http://me:secret@", "write it as http://host:port"),
    ] {
        let (code, said) = ask("http://nowhere.invalid/", &[("HTTP_PROXY", proxy)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("HTTP_PROXY") && said.contains(told), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
