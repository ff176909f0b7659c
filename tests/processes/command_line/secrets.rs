//! Secrets that workflows name: they reach programs and servers, and nothing else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use refrain_tests::binary;
use refrain_tests::http_server::{Asked, HttpServer, answer};
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain};

/// The secrets, none of which is a part of anything else here.
const KEY: &str = "kq7-\"Zw0\" p/x";
const TOKEN: &str = "tk-93kd02mfhs";
const PIN: &str = "48151623";

/// What a secret would look like where it was found.
fn traces() -> Vec<Vec<u8>> {
    let escaped = Value::from(KEY).to_string();
    let percent = "kq7-%22Zw0%22%20p%2Fx";
    let all = [KEY, &escaped[1..escaped.len() - 1], percent, TOKEN, PIN];
    all.map(|text| text.as_bytes().to_vec()).into()
}

fn assert_none_in(bytes: &[u8], place: &str) {
    for trace in traces() {
        let found = bytes.windows(trace.len()).position(|part| part == trace);
        let around = found.map(|at| {
            let until = bytes.len().min(at + 200);
            String::from_utf8_lossy(&bytes[at.saturating_sub(200)..until])
        });
        assert_eq!(around, None, "found in {place}");
    }
}

/// All files of the folder, the log of changes too.
fn assert_none_stored(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            let bytes = fs::read(&path).expect("it can be read");
            assert_none_in(&bytes, &path.display().to_string());
        }
    }
}

/// `refrain` and these words, with two secrets in the environment.
fn types(desk: &Desk, words: &[&str]) -> Output {
    let mut command = binary::refrain(desk.path());
    command
        .args(words)
        .env("RUST_LOG", "trace")
        .env("REFRAIN_SECRET_KEY", KEY)
        .env(
            "REFRAIN_SECRET_TOKEN",
            "another, which the file comes before",
        )
        .env("REFRAIN_SECRET_UNUSED", TOKEN)
        .env("REFRAIN_TOKEN", "a token of this program's own")
        .env("REFRAIN_KEY", "a key of this program's own")
        .env("REFRAIN_KEEP", "yes");
    command.output().expect("it starts")
}

/// A file outside of the folder, for its owner alone.
fn secrets_file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), content).expect("it is written");
    file
}

/// Says what the program was given, and what no program is given, in all the ways there
/// are, one of them in two pieces.
const SAY: &str = r#"
    echo "stderr: $1 $TOKEN $REFRAIN_SECRET_KEY$REFRAIN_SECRET_UNUSED" >&2
    printf 'pieces: tk-93k' >&2; sleep 0.7; echo 'd02mfhs' >&2
    key=$(printf %s "$1" | sed 's/"/\\"/g')
    printf '{"key": "%s", "token": "%s", "pin": %s, "of": "%s"}\n' "$key" "$TOKEN" "$2" "$OF"
"#;

fn commands() -> Value {
    let kind = |script: &str| {
        json!({
            "type": "command",
            "argv": ["sh", "-c", script, "sh", "${secret.KEY}", "${secret.PIN}"],
            "env": { "TOKEN": "${secret.TOKEN}", "OF": "$${secret.KEY} of ${execution_id}" },
        })
    };
    let fails = format!("{SAY} exit 7");
    let mut workflow = chain(&[("says", kind(SAY)), ("fails", kind(&fails))]);
    workflow["nodes"]["fails"]["retry_policy"] = json!("no_retry");
    workflow
}

/// Answers with all that it was asked.
fn echo(asked: &Asked) -> Vec<u8> {
    let all = format!("{} {:?} {}", asked.path, asked.headers, asked.body);
    let key = asked.headers.get("x-key").map_or("", String::as_str);
    match asked.path.starts_with("/fails") {
        true => answer(
            "400 Bad",
            &[&format!("X-Echo: {TOKEN}")],
            format!("{key} {all}"),
        ),
        false => answer(
            "200 OK",
            &[
                &format!("X-Echo: {TOKEN}"),
                "Content-Type: application/json",
            ],
            json!({ "all": all, "key": key, "pin": 48_151_623 }).to_string(),
        ),
    }
}

fn requests(server: &HttpServer) -> Value {
    let kind = |path: &str| {
        json!({
            "type": "http", "method": "POST",
            "url": server.url(&format!("/{path}/${{secret.KEY}}?t=${{secret.TOKEN}}")),
            "headers": { "Authorization": "Bearer ${secret.TOKEN}", "X-Key": "${secret.KEY}" },
            "body": { "pin": "${secret.PIN}", "of": "${execution_id}" },
        })
    };
    let mut workflow = chain(&[("asks", kind("good")), ("fails", kind("fails"))]);
    workflow["nodes"]["fails"]["retry_policy"] = json!("no_retry");
    workflow
}

fn tasks() -> Value {
    let kind = |how: &str| json!({ "type": "task", "queue": "own", "how": how, "deep": [{ "key": "${secret.KEY}", "pin": "<${secret.PIN}>" }] });
    let mut workflow = chain(&[("says", kind("good")), ("fails", kind("bad"))]);
    workflow["nodes"]["fails"]["retry_policy"] = json!("no_retry");
    workflow
}

/// A worker that repeats its item on both of its outputs.
const WORKER: &str =
    r#"item=$(cat); echo "$item" >&2; echo "$item"; case "$item" in *'"bad"'*) exit 3;; esac"#;

/// Nothing that is kept, shown or exported holds a secret, whatever workers repeat.
#[test]
fn r29_a_secret_is_in_no_log_message_output_or_export() {
    let server = HttpServer::start("127.0.0.1", echo);
    let file = secrets_file(&json!({ "TOKEN": TOKEN, "PIN": PIN }).to_string());
    let secrets = file.path().display().to_string();
    let desk = Desk::new();
    let worker = format!("own=sh -c {}", shlex(WORKER));
    for (name, workflow) in [
        ("commands.json", commands()),
        ("requests.json", requests(&server)),
        ("tasks.json", tasks()),
    ] {
        let mut workflow = workflow;
        workflow["workflow_id"] = json!(name);
        desk.file(name, workflow.to_string());
        for more in [&["--json"][..], &["-v"]] {
            let mut words = vec!["run", name, "--secrets", &secrets, "--worker", &worker];
            words.extend(more);
            let ran = types(&desk, &words);
            assert_eq!(ran.status.code(), Some(1), "{}", binary::stderr(&ran));
            assert_none_in(&ran.stdout, "stdout");
            assert_none_in(&ran.stderr, "stderr");
            assert_none_stored(desk.path());
        }
        let id = desk.execution();
        let mut said = String::new();
        for words in [
            &["show", &id][..],
            &["show", &id, "--json"],
            &["log", &id],
            &["log", &id, "--json"],
            &["explain", &id],
            &["output", &id],
            &["output", &id, "--json"],
            &["export", &id],
            &["dead"],
            &["dead", "--json"],
        ] {
            let shown = types(&desk, words);
            assert_none_in(&shown.stdout, &words.join(" "));
            assert_none_in(&shown.stderr, &words.join(" "));
            said += &binary::stdout(&shown);
        }
        assert!(said.contains("***KEY***"), "{name}: {said}");
        assert!(said.contains("***PIN***"), "{name}: {said}");
        let audit = desk.types(&["audit", &id]);
        assert_eq!(audit.code, Some(0), "{audit:?}");
    }
    // They did arrive.
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    for asked in asked {
        assert!(
            asked
                .path
                .ends_with("/kq7-%22Zw0%22%20p%2Fx?t=tk-93kd02mfhs")
        );
        assert_eq!(asked.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(asked.headers["x-key"], KEY);
        assert!(asked.body.contains(PIN), "{}", asked.body);
        assert!(asked.body.contains("exec_"), "{}", asked.body);
    }
}

/// The text in quotes, as words of a command are.
fn shlex(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn r29_a_program_is_given_its_secrets_and_no_variable_with_one() {
    let desk = Desk::new();
    let script = r#"test "$KEY" = "$(cat key)" || exit 1
        test -z "$REFRAIN_SECRET_KEY$REFRAIN_SECRET_UNUSED$REFRAIN_TOKEN$REFRAIN_KEY" || exit 2
        test "$REFRAIN_KEEP" = yes || exit 4
        test "$OF" = '$'"{secret.KEY} $REFRAIN_EXECUTION" || exit 3
        echo "{\"key\": \"<$TOKEN>\"}""#;
    desk.file("key", KEY);
    let kind = json!({
        "type": "command", "argv": ["sh", "-c", script],
        "env": { "KEY": "${secret.KEY}", "TOKEN": "${secret.TOKEN}", "OF": "$${secret.KEY} ${execution_id}" },
    });
    desk.file("w.json", chain(&[("a", kind)]).to_string());
    let file = secrets_file(&format!("# mine\nTOKEN={TOKEN}\n"));
    let ran = types(
        &desk,
        &[
            "run",
            "w.json",
            "--secrets",
            &file.path().display().to_string(),
        ],
    );
    assert_eq!(ran.status.code(), Some(0), "{}", binary::stderr(&ran));
    let state: Value = serde_json::from_slice(&ran.stdout).expect("the state");
    assert_eq!(state, json!({ "key": "<***TOKEN***>" }));
}

#[test]
fn r29_a_secret_that_is_not_there_is_named_and_can_be_given_later() {
    let desk = Desk::new();
    let kind = json!({ "type": "command", "argv": ["true", "${secret.LATER}"] });
    desk.file("w.json", chain(&[("a", kind)]).to_string());
    let ran = desk.types(&["run", "w.json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("no secret LATER"), "{ran:?}");
    let failed = desk.until_event(&desk.execution(), "node_failed");
    assert_eq!(failed["error_class"], "unknown_secret");
    assert_eq!(failed["retryable"], json!(false));
    desk.document(&["fork", "@last", "--from", "a", "--json"], 0);
    let resumed = binary::refrain(desk.path())
        .args(["resume", "@last"])
        .env("REFRAIN_SECRET_LATER", KEY)
        .output()
        .expect("it starts");
    assert_eq!(
        resumed.status.code(),
        Some(0),
        "{}",
        binary::stderr(&resumed)
    );

    desk.file("w.json", {
        let kind = json!({ "type": "command", "argv": ["true", "${secret.SHORT}"] });
        chain(&[("a", kind)]).to_string()
    });
    let short = binary::refrain(desk.path())
        .args(["run", "w.json", "--db", "other.db"])
        .env("REFRAIN_SECRET_SHORT", "abc")
        .output()
        .expect("it starts");
    let said = binary::stderr(&short);
    assert!(said.contains("SHORT has fewer than 4 bytes"), "{said}");
}

#[test]
fn r29_a_file_of_secrets_that_cannot_be_used_is_refused_before_anything_runs() {
    let desk = Desk::new();
    let kind = json!({ "type": "command", "argv": ["true"] });
    desk.file("w.json", chain(&[("a", kind)]).to_string());
    let refused = |mode: u32, content: &str, words: &[&str]| {
        let file = secrets_file(content);
        let rights = fs::Permissions::from_mode(mode);
        fs::set_permissions(file.path(), rights).expect("its rights");
        let path = file.path().display().to_string();
        let said = desk.types(&[words, &["--secrets", &path]].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(!said.err.contains("hunter"), "{said:?}");
        said.err
    };
    let run = &["run", "w.json"][..];
    for (mode, content, words, told) in [
        (0o644, "KEY=hunter2", run, "chmod 600 /"),
        (0o640, "KEY=hunter2", &["work"], "chmod 600 /"),
        (0o604, "KEY=hunter2", &["resume"], "chmod 600 /"),
        (0o600, "hunter2", run, "none of NAME=VALUE, line 1"),
        (0o600, "{\"KEY\": 1}", run, "no text"),
        (0o600, "{\"KEY\": \"\"}", run, "KEY is empty"),
        (0o000, "KEY=hunter2", run, ""),
    ] {
        if mode == 0 && fs::read("/etc/shadow").is_ok() {
            // Rights are nothing to root.
            continue;
        }
        let said = refused(mode, content, words);
        assert!(said.contains(told), "{said}");
    }
    let missing = desk.types(&["run", "w.json", "--secrets", "nowhere"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert_eq!(desk.files(), ["w.json"], "nothing was begun");
}

/// The server of the example, until the test is over.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let killed = self.0.kill().and_then(|()| self.0.wait());
        assert!(killed.is_ok(), "it lives on");
    }
}

/// As its documents say, but for the port.
#[test]
fn the_example_with_a_secret_runs_against_its_server() {
    let mut server = Command::new(binary::example("quotes_server"));
    let server = server.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
    let mut server = Server(server.expect("it starts"));
    let stdout = server.0.stdout.take().expect("stdout is a pipe");
    let mut lines = BufReader::new(stdout).lines();
    let first = lines.next().expect("a line").expect("a text");
    let place = first.split_whitespace().find(|it| it.starts_with("http"));
    let place = place.expect("an address").trim_end_matches(',');

    let desk = Desk::new();
    let example = include_str!("../../../host/examples/secret.json");
    let example = example.replace("http://127.0.0.1:8765", place);
    desk.file("secret.json", example);
    let run = |token: &str, claim: u32| {
        let mut command = binary::refrain(desk.path());
        let input = json!({ "claim": claim }).to_string();
        command.args(["run", "secret.json", "--input", &input]);
        command.env("REFRAIN_SECRET_QUOTES_TOKEN", token);
        command.output().expect("it starts")
    };
    let cheap = run("open-sesame", 17);
    assert_eq!(cheap.status.code(), Some(0), "{}", binary::stderr(&cheap));
    let state: Value = serde_json::from_slice(&cheap.stdout).expect("the state");
    let expected = json!({ "quote": "q-17", "price": 119, "booked": true });
    assert_eq!(state, expected);
    let dear = run("open-sesame", 99);
    let state: Value = serde_json::from_slice(&dear.stdout).expect("the state");
    assert_eq!(state["refuse"], "693 is too much");
    let unknown = run("wrong-token", 17);
    assert_eq!(unknown.status.code(), Some(1));
    let said = binary::stderr(&unknown);
    assert!(said.contains("401"), "{said}");
    assert!(!said.contains("wrong-token"), "{said}");
}
