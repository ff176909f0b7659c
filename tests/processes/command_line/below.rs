//! What happens below an execution, in the instances of its maps and in its children, is
//! told where that execution is asked for, with what to type.

use serde_json::{Value, json};

use super::desk::{Desk, Said, approval, chain, command, tool};

/// A node that starts a child: this workflow, written in place.
fn child(body: &Value) -> Value {
    let mut body = body.clone();
    let fields = body.as_object_mut().expect("an object");
    fields.remove("workflow_id");
    fields.remove("version");
    json!({ "type": "subgraph", "body": body })
}

/// A map over these elements, of which this shell script is made for each with the element
/// in `$A`.
fn map(over: &str, script: &str) -> Value {
    let env = json!({ "A": "${item}" });
    let body = json!({ "type": "command", "argv": ["sh", "-c", script], "env": env });
    json!({ "type": "map", "over": over, "body": body })
}

/// Nodes without an order among them, each with its kind.
fn side_by_side(nodes: &[(&str, Value)]) -> Value {
    let mut workflow = chain(nodes);
    workflow["edges"] = json!([]);
    let branches: Vec<&str> = nodes.iter().map(|(id, _)| *id).collect();
    workflow["nodes"]["fan"] = json!({ "kind": { "type": "parallel", "branches": branches } });
    workflow["start_node"] = "fan".into();
    workflow
}

fn at_once(workflow: &mut Value, node: &str) {
    workflow["nodes"][node]["retry_policy"] = "no_retry".into();
}

/// A workflow whose only node has a child that fails at once.
fn failing_child() -> Value {
    let mut body = chain(&[("x", command(&["false"]))]);
    at_once(&mut body, "x");
    let mut workflow = chain(&[("c", child(&body))]);
    at_once(&mut workflow, "c");
    workflow
}

fn run(desk: &Desk, workflow: &Value) -> Said {
    desk.file("w.json", workflow.to_string());
    desk.types(&["run", "w.json"])
}

/// Starts it, and works on it until it has to wait.
fn left_waiting(desk: &Desk, workflow: &Value) {
    desk.file("w.json", workflow.to_string());
    assert_eq!(desk.types(&["start", "w.json"]).code, Some(0));
    let said = desk.types(&["resume", "@last", "--wait", "0s"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// The id of the child that was listed first.
fn child_of(desk: &Desk) -> String {
    let shown = desk.document(&["show", "@last", "--json"], 0);
    let id = shown["children"][0]["execution_id"].as_str();
    id.expect("a child").to_owned()
}

#[test]
fn law9_a_stalled_child_is_told_of_with_what_helps() {
    let desk = Desk::new();
    let mut body = chain(&[("x", command(&["test", "-e", "fixed"]))]);
    body["retry_policies"] = json!({ "ask": { "max_attempts": 1, "on_exhausted": "pause" } });
    body["nodes"]["x"]["retry_policy"] = "ask".into();
    let workflow = chain(&[("c", child(&chain(&[("d", child(&body))])))]);
    let ran = run(&desk, &workflow);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("c/d/x"), "{ran:?}");
    let below =
        desk.document(&["show", "@last", "--json"], 0)["children"][0]["children"][0].clone();
    let stalled = below["execution_id"].as_str().expect("a child").to_owned();
    let error = below["error"].as_str().expect("why it is stalled");
    assert!(error.contains("node `x` failed at attempt 1"), "{error}");
    let resumed = desk.types(&["resume", "@last", "--wait", "10ms"]);
    assert_eq!(resumed.code, Some(1), "{resumed:?}");
    let (shown, explained) = (
        desk.types(&["show", "@last"]),
        desk.types(&["explain", "@last"]),
    );
    for said in [&ran.err, &resumed.err, &shown.out, &explained.out] {
        for verb in ["retry", "skip"] {
            assert!(
                said.contains(&format!("refrain {verb} {stalled} x")),
                "{said}"
            );
        }
    }
    desk.file("fixed", "");
    let retried = desk.types(&["retry", "@last", "c/d/x"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(retried.err.contains(&stalled), "{retried:?}");
    let root = desk.document(&["show", "@last", "--json"], 0)["execution_id"].clone();
    let resume = format!("refrain resume {}", root.as_str().expect("an id"));
    assert!(
        retried.err.contains(&resume),
        "its root goes on: {retried:?}"
    );
    assert_eq!(desk.types(&["resume", "@last"]).code, Some(0));
    let shown = desk.types(&["show", "@last"]);
    assert!(!shown.out.contains("stalled"), "{shown:?}");
}

#[test]
fn the_last_that_was_started_is_no_child() {
    let desk = Desk::new();
    let body = chain(&[("x", command(&["echo", "1"]))]);
    let workflow = chain(&[("c", child(&body)), ("d", command(&["echo", "2"]))]);
    desk.file("w.json", workflow.to_string());
    let started = desk.types(&["start", "w.json"]);
    let id = started.out.trim().to_owned();
    let resumed = desk.types(&["resume", "@last"]);
    assert!(resumed.out.starts_with(&id), "{resumed:?}");
    let shown = desk.document(&["show", "@last", "--json"], 0);
    assert_eq!(shown["execution_id"], *id);
    assert_eq!(shown["status"], "completed");
    let listed = |options: &[&str]| {
        let document = desk.document(&[&["list", "--json"], options].concat(), 0);
        document["executions"].as_array().expect("a list").len()
    };
    assert_eq!((listed(&[]), listed(&["--roots"])), (2, 1));
    // A fork is a root, too.
    let forked = desk.types(&["fork", &id, "--at", "1"]);
    assert_eq!(forked.code, Some(0), "{forked:?}");
    let resumed = desk.types(&["resume", "@last"]);
    assert!(resumed.out.starts_with(forked.out.trim()), "{resumed:?}");
    assert_eq!(listed(&["--roots"]), 2);
}

#[test]
fn r21_all_that_failed_of_a_map_is_retried_by_the_map() {
    let desk = Desk::new();
    let mut workflow = side_by_side(&[("ask", approval()), ("m", map("[1]", "exit 1"))]);
    at_once(&mut workflow, "m");
    left_waiting(&desk, &workflow);
    let retried = desk.types(&["retry", "@last", "--all-failed"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(retried.err.contains("the retry is recorded"), "{retried:?}");
    let events = desk.events("@last");
    let requested = events.iter().filter(|it| it["type"] == "retry_requested");
    let nodes: Vec<&Value> = requested.map(|it| &it["node_id"]).collect();
    assert_eq!(nodes, ["m"]);
}

#[test]
fn r21_a_fork_of_a_failed_map_does_nothing_again_that_was_done() {
    let desk = Desk::new();
    let mut workflow = chain(&[(
        "m",
        map(
            "['a','b','c','x','d']",
            "echo $A >> done; test $A != x || test -e fixed",
        ),
    )]);
    workflow["nodes"]["m"]["kind"]["max_concurrent"] = 1.into();
    at_once(&mut workflow, "m");
    let ran = run(&desk, &workflow);
    assert!(ran.err.contains("--from 'm[3]'"), "{ran:?}");
    let failed = desk.document(&["show", "@last", "--json"], 0)["execution_id"].clone();
    let failed = failed.as_str().expect("an id");
    desk.file("fixed", "");
    for place in [&[][..], &["--from", "m[3]"]] {
        desk.file("done", "");
        let forked = desk.types(&[&["fork", failed], place].concat());
        assert_eq!(forked.code, Some(0), "{forked:?}");
        let resumed = desk.types(&["resume", "@last"]);
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        let done = std::fs::read_to_string(desk.path().join("done")).expect("a file");
        assert_eq!(done, "x\nd\n", "{place:?}");
    }
}

#[test]
fn r21_a_map_that_ends_early_counts_what_it_cancelled() {
    let desk = Desk::new();
    let mut workflow = chain(&[("m", map("['a','b','c']", "test $A = b || exec sleep 600"))]);
    let kind = &mut workflow["nodes"]["m"]["kind"];
    (kind["complete_after"], kind["cancel_rest"]) = (1.into(), true.into());
    let ran = run(&desk, &workflow);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let words = "3 instances: 2 cancelled, 1 completed";
    assert!(ran.err.contains(words), "{ran:?}");
}

#[test]
fn r21_what_a_cancelled_instance_answers_is_no_warning() {
    let desk = Desk::new();
    // All of them fail at the same time, and the first failure cancels the others.
    let script = "touch $A; while test ! -e c; do sleep 0.01; done; exit 1";
    let mut workflow = chain(&[("m", map("['a','b','c']", script))]);
    at_once(&mut workflow, "m");
    for _ in 0..6 {
        let ran = run(&desk, &workflow);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(!ran.err.contains("WARN"), "{ran:?}");
        std::fs::remove_file(desk.path().join("c")).expect("a file");
    }
}

#[test]
fn output_says_what_runs_no_program_itself() {
    let desk = Desk::new();
    let body = chain(&[("x", command(&["echo", "1"]))]);
    let workflow = chain(&[
        ("c", child(&body)),
        ("m", map("[1]", "echo $A >&2")),
        ("w", json!({ "type": "parallel", "branches": ["z"] })),
        ("z", command(&["echo", "2"])),
    ]);
    assert_eq!(run(&desk, &workflow).code, Some(0));
    let child = child_of(&desk);
    let said = |node: &str| desk.types(&["output", "@last", node]);
    assert!(
        said("c")
            .err
            .contains(&format!("refrain output {child} NODE")),
        "{:?}",
        said("c")
    );
    let of_map = said("m");
    assert!(of_map.err.contains("'m[0]'"), "{of_map:?}");
    assert_eq!(said("m[0]").out, "1\n");
    let settled = said("w");
    assert!(settled.err.contains("w runs no program"), "{settled:?}");
    for node in ["c", "m", "w"] {
        assert!(!said(node).err.contains("has not begun"), "{node}");
    }
}

#[test]
fn what_failed_at_the_bottom_is_told_at_the_top() {
    let desk = Desk::new();
    let ran = run(&desk, &failing_child());
    let shown = desk.types(&["show", "@last"]);
    let listed = desk.types(&["list", "--roots"]);
    for said in [&ran.err, &shown.out, &listed.out] {
        let leaf = "c/x: false ended with exit status: 1";
        assert!(said.contains(leaf), "{said}");
    }
    let again = desk.types(&["resume", "@last"]);
    assert!(again.out.contains("c/x: false ended"), "{again:?}");
}

#[test]
fn show_says_how_many_children_it_leaves_out() {
    let desk = Desk::new();
    let over: Vec<u32> = (0..101).collect();
    let body = child(&chain(&[("ask", approval())]));
    let kind = json!({ "type": "map", "over": json!(over).to_string(), "body": body });
    let mut workflow = chain(&[("m", kind)]);
    workflow["nodes"]["m"]["kind"]["max_concurrent"] = 101.into();
    left_waiting(&desk, &workflow);
    let shown = desk.types(&["show", "@last"]);
    assert!(
        shown.out.contains("and 1 more, which --json shows"),
        "{shown:?}"
    );
    let document = desk.document(&["show", "@last", "--json"], 0);
    assert_eq!(document["children"].as_array().map(Vec::len), Some(101));
    let failed = desk.types(&["show", "@last", "--failed"]);
    assert!(!failed.out.contains("m[0]"), "none has failed: {failed:?}");
}

#[test]
fn nodes_of_children_are_named_by_the_way_to_them() {
    let desk = Desk::new();
    let body = chain(&[("ask", approval())]);
    left_waiting(&desk, &chain(&[("c", child(&body))]));
    let child = child_of(&desk);
    let explained = desk.types(&["explain", "@last", "c/ask"]);
    assert!(explained.out.contains("ask is waiting"), "{explained:?}");
    let shown = desk.document(&["show", "@last", "--node", "c/ask", "--json"], 0);
    assert_eq!(shown["execution_id"], *child);
    let approved = desk.types(&["approve", "@last", "c/ask"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let nothing = desk.types(&["explain", "@last", "c/none"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert_eq!(desk.types(&["resume", "@last"]).code, Some(0));
}

#[test]
fn a_retried_child_is_told_of_and_several_nodes_wait() {
    let desk = Desk::new();
    let mut body = chain(&[(
        "x",
        command(&["sh", "-c", "test -e a || { touch a; exit 1; }"]),
    )]);
    at_once(&mut body, "x");
    let mut workflow = chain(&[("c", child(&body))]);
    workflow["retry_policies"] = json!({
        "two": { "max_attempts": 2, "backoff": "fixed", "initial_delay": 1 },
    });
    workflow["nodes"]["c"]["retry_policy"] = "two".into();
    let ran = run(&desk, &workflow);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let again = ran.err.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words
            .windows(4)
            .any(|it| it == ["c", "again", "attempt", "2,"] || it == ["c", "again", "attempt", "2"])
    });
    assert!(again, "{ran:?}");
    let node = &desk.document(&["show", "@last", "--json"], 0)["nodes"][0];
    assert_eq!(node["state"], "completed");
    assert_eq!(
        node["error"],
        Value::Null,
        "what failed before is over: {node}"
    );

    let desk = Desk::new();
    left_waiting(&desk, &side_by_side(&[("a", tool()), ("b", tool())]));
    let shown = desk.types(&["show", "@last"]);
    assert!(
        shown.out.contains("2 nodes (a, b) wait for a worker"),
        "{shown:?}"
    );
}

#[test]
fn r22_a_detached_child_is_not_waited_for() {
    let desk = Desk::new();
    let mut detached = child(&chain(&[("ask", approval())]));
    detached["detached"] = true.into();
    let ran = run(&desk, &chain(&[("d", detached)]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let events = desk.events("@last");
    let at = |kind: &str| {
        let event = events.iter().find(|it| it["type"] == kind);
        event.expect(kind)["at"].clone()
    };
    let node = &desk.document(&["show", "@last", "--json"], 0)["nodes"][0];
    assert_eq!(node["state"], "completed");
    assert_eq!(node["ended_at"], at("child_started"), "{node}");
}

#[test]
fn a_stall_is_told_once_each_command_in_a_line() {
    let desk = Desk::new();
    let mut workflow = side_by_side(&[("a", command(&["false"])), ("b", command(&["false"]))]);
    workflow["retry_policies"] = json!({ "ask": { "max_attempts": 1, "on_exhausted": "pause" } });
    for node in ["a", "b"] {
        workflow["nodes"][node]["retry_policy"] = "ask".into();
    }
    let ran = run(&desk, &workflow);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let explained = desk.types(&["explain", "@last"]);
    let told = explained.out.matches("asks for a person").count();
    assert_eq!(told, 1, "{explained:?}");
    for said in [&ran.err, &explained.out] {
        let commands = said
            .lines()
            .filter(|it| it.trim_start().starts_with("`refrain"));
        assert_eq!(commands.count(), 3, "{said}");
    }
}

#[test]
fn columns_of_progress_line_up_from_the_first_line() {
    let desk = Desk::new();
    let body = chain(&[("a-node-with-a-long-name", command(&["echo", "1"]))]);
    let workflow = chain(&[("a", command(&["echo", "2"])), ("c", child(&body))]);
    let ran = run(&desk, &workflow);
    let column = |line: &str| line.find("child ").or(line.find("completed"));
    let columns: Vec<usize> = ran.err.lines().filter_map(column).collect();
    assert_eq!(columns.len(), 3, "{ran:?}");
    assert!(columns.iter().all(|it| *it == columns[0]), "{ran:?}");
}
