//! Starting and working apart: `start` leaves at once, `work` works on all, and programs
//! are workers of any queue.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, tool};

/// A worker for items of any queue: it says what it was given.
const WORKER: &str = r#"sh -c 'read payload; printf "{\"%s\": \"%s %s\"}" "$REFRAIN_NODE" "$REFRAIN_QUEUE" "$REFRAIN_ATTEMPT"'"#;

/// A node that waits for so many seconds.
fn timer(seconds: u64) -> Value {
    json!({ "type": "wait", "condition": "timer", "timeout_secs": seconds })
}

/// Starts this, and answers its id.
fn starts(desk: &Desk, workflow: &Value) -> String {
    // A registered workflow never changes.
    let mut workflow = workflow.clone();
    workflow["workflow_id"] = format!("w{}", desk.files().len()).into();
    let name = format!("{}.json", workflow["workflow_id"].as_str().expect("a text"));
    desk.file(&name, workflow.to_string());
    let said = desk.types(&["start", &name]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.out.trim_end().to_owned()
}

fn status(desk: &Desk, id: &str) -> Value {
    desk.document(&["show", id, "--json"], 0)["status"].take()
}

#[test]
fn what_is_started_waits_until_somebody_works() {
    let desk = Desk::new();
    let id = starts(&desk, &chain(&[("a", command(&["echo", "x"]))]));
    assert_eq!(status(&desk, &id), "running");
    let worked = desk.types(&["work", "--until-idle"]);
    assert_eq!(worked.code, Some(0), "{worked:?}");
    assert_eq!(worked.out, format!("{id}  completed\n"));
    assert_eq!(status(&desk, &id), "completed");
    let with_key = || desk.document(&["start", "w0.json", "--key", "k", "--json"], 0);
    assert_eq!(with_key()["execution_id"], with_key()["execution_id"]);
}

#[test]
fn a_program_is_the_worker_of_a_queue() {
    let desk = Desk::new();
    let id = starts(&desk, &chain(&[("a", tool()), ("b", command(&["true"]))]));
    // Without one, it says who is needed.
    let idle = desk.types(&["work", "--until-idle"]);
    assert_eq!((idle.code, idle.out.as_str()), (Some(0), ""), "{idle:?}");
    assert!(
        idle.err.contains("a waits for a worker of queue \"tool\"")
            && idle.err.contains("refrain work --worker tool=PROGRAM"),
        "{idle:?}"
    );
    let worker = format!("tool={WORKER}");
    let worked = desk.types(&["work", "--until-idle", "--json", "--worker", &worker]);
    let ends: Vec<Value> = worked
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("one document a line"))
        .collect();
    assert_eq!(ends.len(), 1, "{worked:?}");
    assert_eq!(ends[0]["execution_id"], id);
    assert_eq!(ends[0]["final_state"], json!({ "a": "tool 1" }));
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn a_program_reads_the_payload_and_may_fail() {
    let desk = Desk::new();
    let mut workflow = chain(&[("a", tool())]);
    workflow["retry_policies"] = json!({"once": {
        "max_attempts": 1, "backoff": "fixed", "initial_delay": 0, "max_delay": 0,
    }});
    workflow["nodes"]["a"]["retry_policy"] = "once".into();
    desk.file("w.json", workflow.to_string());
    let run = |worker: &str, code| {
        let words = ["run", "w.json", "--json", "--input", r#"{"n": 1}"#];
        desk.document(&[&words[..], &["--worker", worker]].concat(), code)
    };
    let echoed = run("tool=cat", 0);
    let payload = json!({
        "node_id": "a", "kind": tool(), "input": { "state": {}, "input": { "n": 1 } },
    });
    assert_eq!(echoed["final_state"], payload);
    let failed = run("tool=sh -c 'echo no tools >&2; exit 3'", 1);
    assert_eq!(failed["failed_nodes"][0]["node_id"], "a");
    let error = failed["failed_nodes"][0]["error"]
        .as_str()
        .expect("an error");
    assert!(error.contains("no tools"), "{failed}");
    assert_eq!(failed["final_state"], json!({}), "also of a failure");
    // What its file does not tell is found out when it is to be started.
    let script = desk.file("script", "#!/nowhere/sh\n");
    fs::set_permissions(&script, Permissions::from_mode(0o755)).expect("it is there");
    let missing = run("tool=./script", 1);
    let error = missing["failed_nodes"][0]["error"]
        .as_str()
        .expect("an error");
    assert!(error.contains("could not be started"), "{missing}");
}

#[test]
fn a_worker_serves_what_is_started_meanwhile_and_leaves_when_told() {
    let desk = Desk::new();
    let mut works = desk.begins(&["work", "--json", "--worker", &format!("tool={WORKER}")]);
    works.says("working on");
    let ids = [
        starts(&desk, &chain(&[("a", tool())])),
        starts(&desk, &chain(&[("a", tool())])),
    ];
    for id in &ids {
        desk.until_event(id, "workflow_completed");
    }
    works.interrupt();
    let said = works.ends();
    assert_eq!(said.code, Some(0), "{said:?}");
    for id in &ids {
        assert_eq!(said.out.matches(id.as_str()).count(), 1, "{said:?}");
    }
}

#[test]
fn only_the_named_queues_are_worked_on() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"])), ("b", tool())]);
    let id = starts(&desk, &workflow);
    let only_tools = [
        "work",
        "--until-idle",
        "--queue",
        "tool",
        "--worker",
        "tool=true",
    ];
    assert_eq!(desk.types(&only_tools).code, Some(0));
    let begun = |node: &str| {
        let events = desk.events(&id);
        events
            .iter()
            .any(|event| event["type"] == "node_started" && event["node_id"] == node)
    };
    assert!(!begun("a"));
    assert_eq!(desk.types(&["work", "--until-idle"]).code, Some(0));
    assert!(begun("a") && !begun("b"));
    assert_eq!(desk.types(&only_tools).code, Some(0));
    assert_eq!(status(&desk, &id), "completed");
}

#[test]
fn what_is_no_worker_is_refused_before_anything_is_done() {
    let desk = Desk::new();
    for (words, said) in [
        (&["--worker", "tool"][..], "QUEUE=PROGRAM"),
        (&["--worker", "tool=sh 'a"], "not closed"),
        (
            &["--worker", "a=b", "--worker", "a=c"],
            "one `--worker` for each queue",
        ),
        (
            &["--worker", "tool=./nowhere.sh"],
            "there is no file \"./nowhere.sh\"",
        ),
        (
            &["--worker", "tool=nowhere-in-path"],
            "no program \"nowhere-in-path\" is in a folder of PATH",
        ),
        (&["--worker", "tool=/"], "\"/\" is a folder"),
        (&["--queue", "tool"], "--worker tool=PROGRAM"),
        (&["--concurrency", "0"], "--concurrency"),
        (&["--wait", "1s"], "--until-idle"),
        (&["--until-idle", "--wait", "soon"], "--wait"),
    ] {
        let refused = desk.types(&[&["work"], words].concat());
        assert_eq!(refused.code, Some(2), "{words:?}: {refused:?}");
        assert!(refused.err.contains(said), "{words:?}: {refused:?}");
    }
    assert_eq!(desk.files(), Vec::<String>::new());
}

#[test]
fn a_run_says_beforehand_that_a_queue_is_not_served() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", tool())]).to_string());
    let mut runs = desk.begins(&["run", "w.json"]);
    runs.says("has no worker of the queue \"tool\"");
    runs.says("a waits for a worker");
    runs.interrupt();
    runs.ends();
    let served = desk.types(&["run", "w.json", "--worker", "tool=true"]);
    assert!(!served.err.contains("no worker"), "{served:?}");
    assert_eq!(served.code, Some(0), "{served:?}");
}

#[test]
fn resume_waits_for_what_is_near_and_says_until_when_it_would_have_to() {
    let desk = Desk::new();
    let near = starts(&desk, &chain(&[("a", timer(1)), ("b", command(&["true"]))]));
    let said = desk.types(&["resume", &near]);
    assert_eq!(said.out, format!("{near}  completed\n"), "{said:?}");
    let far = starts(
        &desk,
        &chain(&[("a", timer(3600)), ("b", command(&["true"]))]),
    );
    let said = desk.types(&["resume", &far]);
    assert_eq!(
        (said.code, said.out),
        (Some(0), format!("{far}  running\n"))
    );
    let line = format!("{far} has nothing to do before ");
    assert!(
        said.err.contains(&line) && said.err.contains("refrain resume"),
        "{}",
        said.err
    );
    // A person's decision is not due at any time.
    let asks = starts(&desk, &chain(&[("a", approval())]));
    let said = desk.document(&["resume", &asks, "--json"], 0);
    assert_eq!(said["executions"][0]["status"], "running");
    assert_eq!(said["executions"][0]["waits_until"], Value::Null);
    // What is due later than that is not waited for.
    let soon = starts(&desk, &chain(&[("a", timer(20))]));
    let said = desk.document(&["resume", &soon, "--json", "--wait", "5s"], 0);
    assert!(said["executions"][0]["waits_until"].is_string(), "{said}");
}

/// An attempt whose program does not start fails for good, so that is found out before.
#[test]
fn a_worker_that_cannot_be_started_fails_no_execution() {
    let desk = Desk::new();
    desk.file("plain.sh", "#!/bin/sh\necho '{}'\n");
    let id = starts(&desk, &chain(&[("a", tool())]));
    for (words, remedy) in [
        (
            &["work", "--until-idle", "--worker", "tool=./plain.sh"][..],
            "`chmod +x ./plain.sh`",
        ),
        (&["resume", "--worker", "tool=plain.sh"], "./plain.sh"),
        (
            &["run", "running.json", "--worker", "tool=./plan.sh"],
            "correct the path",
        ),
    ] {
        desk.file("running.json", chain(&[("a", tool())]).to_string());
        let error = desk.document(&[words, &["--json"]].concat(), 2)["error"].clone();
        assert_eq!(error["code"], "invalid_worker", "{words:?}: {error}");
        let said = error["remedy"].as_str().expect("a remedy");
        assert!(said.contains(remedy), "{words:?}: {error}");
    }
    let left = desk.document(&["show", &id, "--json"], 0);
    assert_eq!(left["status"], "running");
    assert_eq!(left["nodes"][0]["state"], "scheduled", "{left}");
    let listed = desk.document(&["list", "--json"], 0);
    assert_eq!(listed["executions"].as_array().map(Vec::len), Some(1));
}

/// What is due now has no time to wait for, and many are told of in a few lines.
#[test]
fn who_stops_working_says_in_a_few_lines_what_is_left() {
    let desk = Desk::new();
    for _ in 0..12 {
        starts(&desk, &chain(&[("a", command(&["sleep", "60"]))]));
    }
    let mut works = desk.begins(&["work", "--concurrency", "1"]);
    let id = desk.execution();
    desk.until("one is at work", || {
        let list = desk.document(&["list", "--json"], 0);
        let each = list["executions"].as_array()?.iter();
        each.clone()
            .any(|it| it["events"].as_u64() > Some(2))
            .then_some(())
    });
    works.interrupt();
    works.says("press Ctrl-C again");
    works.interrupt();
    let said = works.ends();
    assert!(!said.err.contains("nothing to do before"), "{said:?}");
    let named = said.err.matches("; to go on with it: ").count();
    assert_eq!(named, 5, "{said:?}");
    let more = said
        .err
        .lines()
        .find(|line| line.contains("and 7 more have not ended"));
    assert!(
        more.is_some_and(|line| line.contains("refrain ")),
        "{id}: {said:?}"
    );

    let mut runs = desk.runs(&chain(&[("a", command(&["sleep", "60"]))]));
    runs.says("chain 1.0.0");
    runs.interrupt();
    runs.says("press Ctrl-C again");
    runs.interrupt();
    let said = runs.ends();
    let report: Value = serde_json::from_str(&said.out).expect("a document");
    assert_eq!(report["waits_until"], Value::Null, "{said:?}");
}
