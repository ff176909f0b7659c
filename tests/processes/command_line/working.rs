//! Starting and working apart: `start` leaves at once, `work` works on all, and programs
//! are workers of any queue.

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
    let missing = run("tool=./not/there", 1);
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
