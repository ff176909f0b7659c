//! What of a log is printed, and how it is followed.

use std::fs;
use std::process::Stdio;

use refrain_tests::binary;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command};
use crate::command_line::logs::{FILE, ended, waiting};

#[test]
fn of_a_log_what_is_asked_for_is_printed() {
    let (desk, id) = ended();
    let all = desk.types(&["log", &id, "--ndjson"]);
    let export = fs::read_to_string(desk.path().join(FILE)).expect("a file");
    let lines: Vec<&str> = export.lines().skip(1).collect();
    assert_eq!(all.out.lines().collect::<Vec<_>>(), lines);
    let from = desk.types(&["log", "--file", FILE, "--ndjson", "--from", "3"]);
    assert_eq!(from.out.lines().collect::<Vec<_>>(), lines[2..]);
    let some = desk.types(&[
        "log",
        &id,
        "--ndjson",
        "--node",
        "then",
        "--kind",
        "node_started",
        "--kind",
        "node_completed",
    ]);
    let kinds: Vec<String> = some
        .out
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).expect("an event");
            format!("{} {}", event["type"], event["node_id"])
        })
        .collect();
    assert_eq!(
        kinds,
        [r#""node_started" "then""#, r#""node_completed" "then""#]
    );
    let none = desk.types(&["log", &id, "--kind", "stalled"]);
    assert_eq!((none.code, &*none.out), (Some(0), ""), "{none:?}");
}

#[test]
fn a_map_is_printed_with_its_instances() {
    let desk = Desk::new();
    let workflow = json!({
        "workflow_id": "map", "version": "1.0.0", "start_node": "each",
        "nodes": { "each": { "kind": {
            "type": "map", "over": "[1, 2]", "output_key": "all", "body": command(&["echo", "{}"]),
        } } },
        "edges": [],
    });
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let started = |node: &str| {
        let said = desk.types(&["log", id, "--node", node, "--kind", "node_started"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out.lines().count()
    };
    assert_eq!([started("each"), started("each[1]")], [2, 1]);
}

#[test]
fn a_log_is_followed_until_its_execution_has_ended() {
    let (desk, id) = waiting(approval());
    let so_far = desk.types(&["log", &id]);
    let mut command = binary::refrain(desk.path());
    command.args(["log", &id, "--follow", "--ndjson"]);
    let following = desk.begins_with(command);
    let approved = desk.types(&["approve", &id, "wait"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let resumed = desk.types(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let followed = following.ends();
    assert_eq!(followed.code, Some(0), "{followed:?}");
    let whole = desk.types(&["log", &id, "--ndjson"]);
    assert_eq!(followed.out, whole.out);
    assert!(whole.out.lines().count() > so_far.out.lines().count());
    assert!(whole.out.contains("workflow_completed"));
}

#[test]
fn a_pipe_that_is_closed_early_ends_a_followed_log_quietly() {
    let (desk, id) = waiting(approval());
    let mut child = binary::refrain(desk.path())
        .args(["log", &id, "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let approved = desk.types(&["approve", &id, "wait"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(binary::stderr(&output), "");
}

#[test]
fn nothing_of_a_file_steers_a_terminal() {
    let desk = Desk::new();
    let workflow = chain(&[(
        "say",
        command(&["printf", "%s", r#"{"word": "\u001b[2J"}"#]),
    )]);
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let export = desk.types(&["export", id, "-o", FILE]);
    assert_eq!(export.code, Some(0), "{export:?}");
    for words in [
        vec!["show", "--file", FILE, "--at", "4"],
        vec!["show", "--file", FILE],
        vec!["log", "--file", FILE],
        vec!["log", "--file", FILE, "--ndjson"],
        vec!["explain", "--file", FILE, "--node", "say\u{1b}[2J"],
        vec!["show", "--file", "no\u{1b}[2J.ndjson"],
    ] {
        let said = desk.types(&words);
        assert!(!said.out.contains('\u{1b}'), "{words:?}: {said:?}");
        assert!(!said.err.contains('\u{1b}'), "{words:?}: {said:?}");
    }
}
