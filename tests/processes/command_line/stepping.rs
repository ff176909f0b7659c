//! Executions that go on step by step, and those that are paused at breakpoints.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said, approval, chain, command, tool};

/// What an execution of three programs is run with.
fn desk() -> Desk {
    let desk = Desk::new();
    let workflow = chain(&[
        ("build", command(&["echo", "{\"built\": 1}"])),
        ("check", command(&["echo", "{\"checked\": true}"])),
        ("publish", command(&["echo", "done"])),
    ]);
    desk.file("chain.json", workflow.to_string());
    desk
}

fn said_well(said: &Said) {
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// The kinds of the events of a log, with their nodes.
fn kinds(events: &[Value]) -> Vec<String> {
    let kind = |event: &Value| {
        let node = event["node_id"].as_str();
        let node = node.map(|node| format!(" {node}")).unwrap_or_default();
        format!("{}{node}", event["type"].as_str().unwrap_or_default())
    };
    events.iter().map(kind).collect()
}

#[test]
fn a_run_leaves_at_its_breakpoint_and_goes_on_by_steps_to_its_end() {
    let desk = desk();
    let run = desk.types(&["run", "chain.json", "--break", "check", "--by", "ada"]);
    said_well(&run);
    let id = desk.execution();
    for told in [
        format!("{id} is paused: breakpoint: check"),
        format!("`refrain step {id}` shows its next step"),
        format!("`refrain step --apply {id}` takes it"),
        format!("`refrain unpause {id}`, then `refrain resume {id}`"),
    ] {
        assert!(run.err.contains(&told), "{told}: {run:?}");
    }
    let paused = desk.events(&id);
    assert_eq!(kinds(&paused).last().expect("a log"), "execution_paused");
    assert_eq!(paused.last().expect("a log")["by"], "ada");

    let shown = desk.types(&["step", &id]);
    said_well(&shown);
    assert!(
        shown.out.contains("the next step would append 1 decision:"),
        "{shown:?}"
    );
    assert!(shown.out.contains("7  > node_scheduled check"), "{shown:?}");
    assert!(shown.out.contains("queue_type=command"), "{shown:?}");
    assert!(!shown.out.contains("digest"), "{shown:?}");
    let shown = desk.document(&["step", &id, "--json"], 0);
    let queued = &shown["would_queue"][0];
    assert_eq!(queued["node_id"], "check");
    assert_eq!(queued["payload"]["input"]["state"], json!({ "built": 1 }));
    assert_eq!(desk.events(&id), paused, "nothing was written");

    let taken = desk.types(&["step", &id, "--apply", "--by", "bob", "--reason", "look"]);
    said_well(&taken);
    let events = desk.events(&id);
    #[rustfmt::skip]
    assert_eq!(kinds(&events)[5..], [
        "execution_unpaused", "node_scheduled check", "node_started check", "execution_paused",
        "node_completed check",
    ]);
    for sequence in [5, 8] {
        let note = &events[sequence];
        assert_eq!(
            (&note["by"], &note["reason"]),
            (&json!("bob"), &json!("look"))
        );
    }
    assert!(taken.out.contains("9  < execution_paused"), "{taken:?}");

    let publish = desk.document(&["step", &id, "--apply", "--json"], 0);
    assert_eq!(publish["status"], "paused");
    assert_eq!(publish["applied"], true);
    assert_eq!(publish["appended"][1]["type"], "node_scheduled");
    let last = desk.document(&["step", &id, "--apply", "--json"], 0);
    assert_eq!(last["status"], "completed");
    assert_eq!(
        last["final_state"],
        json!({ "built": 1, "checked": true, "publish": "done" })
    );
    said_well(&desk.types(&["audit", &id]));
}

#[test]
fn a_step_that_decides_nothing_says_what_is_at_work_and_what_is_waited_for() {
    let desk = Desk::new();
    let workflow = chain(&[("ask", approval()), ("act", command(&["true"]))]);
    desk.file("chain.json", workflow.to_string());
    said_well(&desk.types(&["run", "chain.json", "--break", "ask"]));
    let id = desk.execution();
    let shown = desk.types(&["step", &id]);
    said_well(&shown);
    assert!(shown.out.contains("nothing would be decided:"), "{shown:?}");
    assert!(shown.out.contains("ask waits for an approval"), "{shown:?}");
    let before = desk.events(&id);
    let taken = desk.document(&["step", &id, "--apply", "--json"], 0);
    assert_eq!(taken["applied"], false);
    assert_eq!(taken["waiting"][0]["node_id"], "ask");
    assert_eq!(desk.events(&id), before);
}

#[test]
fn work_of_a_queue_that_nobody_serves_stays_and_the_next_step_may_bring_a_worker() {
    let desk = Desk::new();
    desk.file(
        "chain.json",
        chain(&[("any", tool()), ("act", command(&["true"]))]).to_string(),
    );
    said_well(&desk.types(&["run", "chain.json", "--break", "any"]));
    let id = desk.execution();
    let taken = desk.types(&["step", &id, "--apply"]);
    said_well(&taken);
    assert!(taken.err.contains("--worker tool=PROGRAM"), "{taken:?}");
    let shown = desk.document(&["step", &id, "--json"], 0);
    assert_eq!(shown["decisions"], json!([]));
    assert_eq!(
        shown["queued"][0],
        json!({ "node_id": "any", "queue": "tool" })
    );
    let worker = "tool=sh -c 'echo {}'";
    said_well(&desk.types(&["step", &id, "--apply", "--worker", worker]));
    let events = desk.events(&id);
    assert_eq!(kinds(&events).last().expect("a log"), "node_completed any");
    said_well(&desk.types(&["audit", &id]));
}

#[test]
fn a_condition_is_a_breakpoint_too_and_what_is_never_met_is_said() {
    let desk = desk();
    let run = desk.document(
        &[
            "run",
            "chain.json",
            "--break-when",
            "state.built == 1",
            "--json",
        ],
        0,
    );
    assert_eq!(run["status"], "paused");
    assert_eq!(run["paused"][0]["reason"], "breakpoint: state.built == 1");
    let run = desk.types(&["run", "chain.json", "--break-when", "state.built == 2"]);
    said_well(&run);
    assert!(run.err.contains("no breakpoint was met"), "{run:?}");
}

#[test]
fn what_is_no_breakpoint_is_refused_before_a_database_is_made() {
    let desk = desk();
    for (words, told) in [
        (["--break", "chek"], "did you mean `check`?"),
        (["--break", "check[0]"], "is no map"),
        (["--break-when", "state.built =="], "state.built =="),
    ] {
        let run = [&["run", "chain.json", "--json"], &words[..]].concat();
        let refused = desk.document(&run, 2);
        assert_eq!(refused["error"]["code"], "invalid_breakpoint");
        let message = refused["error"]["message"].as_str().expect("a text");
        assert!(message.contains(told), "{message}");
    }
    assert_eq!(desk.files(), ["chain.json"]);
}

#[test]
fn what_is_not_paused_is_not_stepped_and_it_is_said_what_to_type() {
    let desk = desk();
    said_well(&desk.types(&["run", "chain.json"]));
    let ended = desk.execution();
    let mut waits = chain(&[("any", tool())]);
    waits["workflow_id"] = json!("waits");
    desk.file("waits.json", waits.to_string());
    let started = desk.document(&["start", "waits.json", "--json"], 0);
    let running = started["execution_id"].as_str().expect("an id");
    for apply in [&["--json"][..], &["--apply", "--json"]] {
        let refused = desk.document(&[&["step", &ended], apply].concat(), 2);
        assert_eq!(refused["error"]["code"], "ended");
        let refused = desk.document(&[&["step", running], apply].concat(), 2);
        assert_eq!(refused["error"]["code"], "not_paused");
        let remedy = refused["error"]["remedy"].as_str().expect("a text");
        assert!(
            remedy.contains(&format!("refrain pause {running}")),
            "{remedy}"
        );
    }
    let refused = desk.document(&["step", running, "--worker", "tool=true", "--json"], 2);
    assert_eq!(refused["error"]["code"], "usage");
}

#[test]
fn a_node_of_a_child_is_named_by_the_way_to_it() {
    let desk = Desk::new();
    let mut workflow = chain(&[
        ("bill", json!({ "type": "subgraph" })),
        ("act", command(&["true"])),
    ]);
    workflow["nodes"]["bill"]["kind"]["body"] = json!({
        "start_node": "count",
        "nodes": {
            "count": { "kind": command(&["true"]) },
            "send": { "kind": command(&["true"]) },
        },
        "edges": [{ "from": "count", "to": "send" }],
    });
    desk.file("chain.json", workflow.to_string());
    let run = desk.document(&["run", "chain.json", "--break", "bill/send", "--json"], 0);
    assert_eq!(run["status"], "running");
    let paused = &run["paused"][0];
    assert_eq!(paused["reason"], "breakpoint: send");
    let child = paused["execution_id"].as_str().expect("an id");
    let parent = run["execution_id"].as_str().expect("an id");
    assert_ne!(child, parent);
    said_well(&desk.types(&["step", child, "--apply"]));
    let ended = desk.document(&["step", child, "--apply", "--json"], 0);
    assert_eq!(ended["status"], "completed");
    said_well(&desk.types(&["resume", parent]));
    said_well(&desk.types(&["audit", "--all"]));
}
