//! Programs of the built-in worker: how they start, end, and are stopped.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use refrain::model::Status;
use refrain::{Engine, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use refrain_tests::workflows::single;
use serde_json::{Value, json};
use tempfile::TempDir;

/// More than any of these takes, and less than what they leave behind lives.
const SOON: Duration = Duration::from_secs(30);

async fn command_engine() -> Engine {
    let engine = engine(&Place::memory()).await;
    engine.work_commands(4);
    engine
}

/// A workflow of one command, of which there are at most three quick attempts.
fn command(id: &str, argv: &[&str]) -> Value {
    let kind = json!({ "type": "command", "argv": argv });
    let mut workflow = single(json!({ "kind": kind, "retry_policy": "quick" }));
    workflow["workflow_id"] = json!(id);
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 3, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    workflow
}

/// Run it, and tell the status, the state and the log.
async fn run(engine: &Engine, workflow: &Value) -> (Status, String, String) {
    let execution = start(engine, workflow).await;
    let end = execution.finished().await.expect("it ends");
    let log = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    (end.status, end.final_state.to_string(), log)
}

fn attempts(log: &str) -> usize {
    log.matches("NodeFailed(").count()
}

/// Kills the process whose number a file holds, when the test is over.
struct Leftover<'a>(&'a Path);

impl Drop for Leftover<'_> {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.0) {
            let kill = std::process::Command::new("kill").arg(pid.trim()).status();
            assert!(kill.is_ok_and(|it| it.success()), "it lived on");
        }
    }
}

#[tokio::test]
async fn a_node_is_settled_when_its_program_has_ended_whatever_it_leaves_behind() {
    let folder = TempDir::new().expect("a folder");
    let engine = command_engine().await;
    for (id, script, status, told) in [
        ("good", r#"echo '{"b":1}'"#, Status::Completed, r#"{"b":1}"#),
        (
            "bad",
            "echo it was so >&2; exit 3",
            Status::Failed,
            "exit status: 3; it said: it was so",
        ),
    ] {
        let pid = folder.path().join(id);
        let _leftover = Leftover(&pid);
        let script = format!("sleep 300 & echo $! > {}; {script}", pid.display());
        let mut workflow = command(id, &["sh", "-c", &script]);
        workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
        let begun = Instant::now();
        let (found, state, log) = run(&engine, &workflow).await;
        assert_eq!(found, status, "{log}");
        assert!(format!("{state}{log}").contains(told), "{state} {log}");
        assert!(begun.elapsed() < SOON, "{id} took {:?}", begun.elapsed());
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn all_that_a_program_wrote_is_read_though_something_holds_the_pipe() {
    let folder = TempDir::new().expect("a folder");
    let pid = folder.path().join("pid");
    let _leftover = Leftover(&pid);
    let engine = command_engine().await;
    let script = format!(
        "sleep 300 & echo $! > {}; head -c 300000 /dev/zero | tr '\\0' x",
        pid.display()
    );
    let (status, state, _) = run(&engine, &command("w", &["sh", "-c", &script])).await;
    assert_eq!(status, Status::Completed);
    assert_eq!(state.len(), 300_000 + r#"{"a":""}"#.len());
    engine.shutdown().await;
}

/// The input is `{"state":{},"input":{"text":"xx…"}}`: what fits into a pipe as it is made,
/// just so or not, and what has to be written as the program reads.
#[tokio::test]
async fn input_of_any_size_comes_through_whether_the_program_hurries_or_not() {
    const PIPE_BUF: usize = 4096;
    let around = r#"{"state":{},"input":{"text":""}}"#.len();
    let engine = command_engine().await;
    let scripts = [
        ("reads", "wc -c"),
        ("waits", "sleep 0.1; wc -c"),
        ("reads-not", "echo 0"),
        ("closes", "exec 0<&-; sleep 0.1; echo 0"),
        ("speaks-twice", "printf 1; sleep 0.1; wc -c"),
    ];
    for (id, script) in scripts {
        let mut workflow =
            single(json!({ "kind": { "type": "command", "argv": ["sh", "-c", script] } }));
        workflow["workflow_id"] = json!(id);
        let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
        engine.register(workflow).await.expect("valid");
        for bytes in [
            around,
            PIPE_BUF - 1,
            PIPE_BUF,
            PIPE_BUF + 1,
            65_536,
            65_537,
            300_000,
        ] {
            let input = json!({ "text": "x".repeat(bytes - around) });
            let started = engine.start(id, "1.0.0", input).await.expect("it starts");
            let end = started.finished().await.expect("it ends");
            let expected = match id {
                "reads" | "waits" => format!(r#"{{"a":{bytes}}}"#),
                "speaks-twice" => format!(r#"{{"a":1{bytes}}}"#),
                _ => r#"{"a":0}"#.to_owned(),
            };
            assert_eq!(end.final_state.as_str(), expected, "{id}: {bytes} bytes");
        }
    }
    engine.shutdown().await;
}

/// Its output is always there to be read, on the one thread that all of this runs on.
#[tokio::test]
async fn a_program_that_writes_without_end_is_stopped_in_time() {
    let engine = command_engine().await;
    for stream in ["stdout", "stderr"] {
        let script = format!("exec yes >/dev/{stream}");
        let kind = json!({ "type": "command", "argv": ["sh", "-c", script] });
        let mut node = json!({ "kind": kind, "retry_policy": "no_retry" });
        node["node_timeout_secs"] = json!(1);
        let mut workflow = single(node);
        workflow["workflow_id"] = json!(stream);
        let begun = Instant::now();
        let (status, _, log) = run(&engine, &workflow).await;
        assert_eq!(status, Status::Failed, "{stream}: {log}");
        assert!(begun.elapsed() < SOON, "{stream}");
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_program_leads_a_session_of_its_own() {
    let engine = command_engine().await;
    let script = "cut -d' ' -f5,6 /proc/$$/stat; echo $$ $$";
    let (_, state, log) = run(&engine, &command("w", &["sh", "-c", script])).await;
    let state: Value = serde_json::from_str(&state).expect("JSON");
    let (found, expected) = state["a"]
        .as_str()
        .and_then(|it| it.split_once('\n'))
        .expect(&log);
    assert_eq!(
        found, expected,
        "its process group and its session are itself"
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_program_is_found_and_surrounded_as_its_node_says() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("own-program");
    fs::write(&path, "#!/bin/sh\npwd; echo $A $REFRAIN_NODE\n").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let folder = fs::canonicalize(folder.path())
        .expect("it is there")
        .display()
        .to_string();
    let engine = command_engine().await;
    let own_path = json!({ "argv": ["own-program"], "env": { "PATH": format!("/no:{folder}:/bin"), "A": "x" }, "cwd": "/" });
    let relative = json!({ "argv": ["own-program"], "env": { "PATH": ".:/bin" }, "cwd": folder });
    let here = json!({ "argv": ["./own-program"], "cwd": folder });
    let nowhere = json!({ "argv": ["true"], "env": { "PATH": "/no" } });
    for (id, kind, told) in [
        ("own", own_path, "{\"a\":\"/\\nx a\"}".to_owned()),
        ("relative", relative, format!("{{\"a\":\"{folder}\\na\"}}")),
        ("here", here, format!("{{\"a\":\"{folder}\\na\"}}")),
        ("nowhere", nowhere, "not_started".to_owned()),
    ] {
        let mut workflow = command(id, &[]);
        workflow["nodes"]["a"]["kind"] = kind;
        workflow["nodes"]["a"]["kind"]["type"] = json!("command");
        let (_, state, log) = run(&engine, &workflow).await;
        assert!(
            format!("{state}{log}").contains(&told),
            "{id}: {state} {log}"
        );
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn what_no_attempt_can_start_fails_once() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, "#!/no/such/interpreter").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        path.display().to_string()
    };
    let (plain, odd) = (file("plain", 0o644), file("odd", 0o755));
    let within = format!("{plain}/within");
    let engine = command_engine().await;
    let mut lost = command("cwd", &["true"]);
    lost["nodes"]["a"]["kind"]["cwd"] = json!("/no/such/folder");
    for workflow in [
        command("none", &["/no/such/program"]),
        command("name", &["no-such-program-anywhere"]),
        command("rights", &[&plain]),
        command("folder", &["/"]),
        command("format", &[&odd]),
        command("within", &[&within]),
        command("long", &["echo", &"x".repeat(300_000)]),
        lost,
    ] {
        let (status, _, log) = run(&engine, &workflow).await;
        assert_eq!((status, attempts(&log)), (Status::Failed, 1), "{log}");
        assert!(log.contains("could not be started"), "{log}");
        assert!(log.contains("Some(\"not_started\")"), "{log}");
    }
    for argv in [&["echo", "a\0b"][..], &[""]] {
        let workflow = Workflow::from_json(command("w", argv).to_string()).expect("JSON");
        assert!(engine.validate(workflow).await.is_err(), "{argv:?}");
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_start_that_may_do_better_is_tried_again() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("program");
    fs::copy("/bin/true", &path).expect("a copy");
    // A program that somebody is writing cannot be started.
    let writer = OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("it is ours");
    let engine = command_engine().await;
    let (status, _, log) = run(&engine, &command("w", &[&path.display().to_string()])).await;
    assert_eq!((status, attempts(&log)), (Status::Failed, 3), "{log}");
    assert!(log.contains("Some(\"io_error\")"), "{log}");
    drop(writer);
    let (status, _, log) = run(&engine, &command("v", &[&path.display().to_string()])).await;
    assert_eq!(status, Status::Completed, "{log}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_program_that_is_stopped_may_tidy_up_and_is_killed_if_it_does_not_end() {
    let folder = TempDir::new().expect("a folder");
    let (tidied, alive) = (folder.path().join("tidied"), folder.path().join("alive"));
    let engine = command_engine().await;
    let tidy = format!(
        "trap 'echo > {}; exit' TERM; while :; do sleep 0.05; done",
        tidied.display()
    );
    let stay = format!(
        "trap '' TERM; while :; do echo > {}; sleep 0.05; done",
        alive.display()
    );
    for (id, script) in [("tidy", tidy), ("stay", stay)] {
        let mut workflow = command(id, &["sh", "-c", &script]);
        workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
        workflow["nodes"]["a"]["node_timeout_secs"] = json!(1);
        let (status, _, log) = run(&engine, &workflow).await;
        assert_eq!(status, Status::Failed, "{log}");
    }
    // It comes to its end after its programs.
    engine.shutdown().await;
    assert!(tidied.exists(), "it was told to end, and had the time");
    fs::remove_file(&alive).expect("the program ran");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!alive.exists(), "it was killed");
}

#[tokio::test]
async fn stop_returns_when_the_programs_have_ended() {
    let folder = TempDir::new().expect("a folder");
    let (begun, tidied) = (folder.path().join("begun"), folder.path().join("tidied"));
    let engine = command_engine().await;
    let script = format!(
        "trap 'sleep 0.3; echo > {}; exit' TERM; echo > {}; while :; do sleep 0.05; done",
        tidied.display(),
        begun.display()
    );
    start(&engine, &command("w", &["sh", "-c", &script])).await;
    let waited = Instant::now();
    while !begun.exists() && waited.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    engine.stop().await;
    assert!(tidied.exists(), "it was told to end, and waited for");
}

/// Another engine, which would begin the next attempt at once, is given nothing before.
#[tokio::test]
async fn r25_a_program_has_ended_when_its_work_is_given_back() {
    let (place, folder) = (Place::file(), TempDir::new().expect("a folder"));
    let path = |name: &str| folder.path().join(name);
    let leaving = engine(&place).await;
    leaving.work_commands(4);
    let script = format!(
        "trap 'sleep 0.5; echo > {}; exit' TERM; echo > {}; while :; do sleep 0.05; done",
        path("tidied").display(),
        path("begun").display()
    );
    let execution = start(&leaving, &command("w", &["sh", "-c", &script])).await;
    let waited = Instant::now();
    while !path("begun").exists() && waited.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let other = engine(&place).await;
    let given_back = other.execution(execution.id());
    let tidied = async {
        wait_for(&given_back, "node_released a", 1).await;
        path("tidied").exists()
    };
    let (tidied, ()) = tokio::join!(tidied, leaving.stop());
    assert!(tidied, "it has ended before");
    let claimed = other.claim("command", 1, "outside").await.expect("a queue");
    assert_eq!(claimed[0].id.attempt, 1);
    other.shutdown().await;
    audit_all(&place, "after a planned restart");
}

#[tokio::test]
async fn nearly_json_and_passwords_are_not_taken_as_they_come() {
    let engine = command_engine().await;
    let (_, state, _) = run(
        &engine,
        &command("mark", &["printf", r#"\357\273\277{"x": 1.50}"#]),
    )
    .await;
    assert_eq!(state, r#"{"x":1.50}"#);
    let (status, _, log) = run(
        &engine,
        &command("wide", &["printf", r"\377\376{\000}\000"]),
    )
    .await;
    assert_eq!((status, attempts(&log)), (Status::Failed, 1), "{log}");
    assert!(log.contains("UTF-16"), "{log}");
    let script = "echo \"fatal: no https://me:hunter2@host/\" >&2; exit 1";
    let (_, _, log) = run(&engine, &command("git", &["sh", "-c", script])).await;
    assert!(log.contains("https://me:***@host/"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    engine.shutdown().await;
}
