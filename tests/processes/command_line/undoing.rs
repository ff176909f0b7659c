//! What people see of compensations (rule R27).

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// `text` is printed, whatever comes on stdin.
fn prints(text: &str) -> Value {
    command(&["echo", text])
}

/// Two steps that are undone, behind a map that is, and a last one that fails.
fn saga(undoes_first: &Value) -> Value {
    let map = json!({ "type": "map", "over": "input.items", "body": prints(r#"{"n": 1}"#) });
    let mut workflow = chain(&[
        ("first", prints(r#"{"id": "f-1"}"#)),
        ("each", map),
        ("last", command(&["sh", "-c", "echo no stock >&2; exit 3"])),
    ]);
    workflow["nodes"]["first"]["compensate"] = undoes_first.clone();
    let undo = "echo undoes $1 of $2 >&2; echo '{}'";
    workflow["nodes"]["each"]["compensate"] = json!({
        "type": "command", "argv": ["sh", "-c", undo, "sh", "${item}", "${output.n}"],
    });
    for node in ["first", "each", "last"] {
        workflow["nodes"][node]["retry_policy"] = "no_retry".into();
    }
    workflow
}

const INPUT: [&str; 2] = ["--input", r#"{"items": ["x", "y"]}"#];

#[test]
fn r27_what_was_done_is_undone_and_shown_below_what_it_undoes() {
    let desk = Desk::new();
    let undo = command(&["sh", "-c", "echo cancels $1 >&2", "sh", "${output.id}"]);
    desk.file("w.json", saga(&undo).to_string());
    let said = desk.types(&[&["run", "w.json"][..], &INPUT].concat());
    assert_eq!(said.code, Some(1), "{said:?}");
    let id = desk.execution();
    let last = said.err.lines().last().expect("a line");
    assert!(last.contains("node last failed"), "{last}");
    // What was undone is not there for a fork to go on with.
    assert!(!last.contains("fork"), "{last}");
    let shown = desk.types(&["show", &id]).out;
    let rows: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("  ") && !line.contains('"'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        rows,
        ["NODE", "first", "first!undo", "each", "last"],
        "{shown}"
    );
    for part in [
        "3 nodes: 2 completed, 1 failed; 3 compensations: 3 completed",
        "2 instances: 2 completed; compensations: 2 completed",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let written = desk.types(&["output", &id, "first!undo"]);
    assert!(written.out.contains("cancels f-1"), "{written:?}");
    let written = desk.types(&["output", &id, "each[1]!undo"]);
    assert!(written.out.contains("undoes y of 1"), "{written:?}");
    let why = desk.types(&["explain", &id, "first!undo"]).out;
    assert!(
        why.contains("first was completed, and this undoes it"),
        "{why}"
    );
    let document = desk.document(&["show", &id, "--node", "each[0]!undo", "--json"], 0);
    assert_eq!(document["nodes"][0]["undoes"], "each[0]");
    let log = desk.types(&["log", &id]).out;
    let order: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once("node_scheduled "))
        .filter_map(|(_, rest)| rest.split(' ').next())
        .filter(|node| node.ends_with("!undo"))
        .collect();
    assert_eq!(order.len(), 3, "{log}");
    assert_eq!(order[2], "first!undo", "{log}");
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}

#[test]
fn r27_what_could_not_be_undone_is_told_and_is_a_dead_letter() {
    let desk = Desk::new();
    let undo = command(&["sh", "-c", "echo nobody there >&2; exit 4"]);
    desk.file("w.json", saga(&undo).to_string());
    let said = desk.types(&[&["run", "w.json"][..], &INPUT].concat());
    assert_eq!(said.code, Some(1), "{said:?}");
    let id = desk.execution();
    let last = said.err.lines().last().expect("a line");
    for part in [
        "node last failed",
        "compensation first!undo failed",
        "nobody there",
    ] {
        assert!(last.contains(part), "{part}: {last}");
    }
    let shown = desk.types(&["show", &id]).out;
    assert!(shown.contains("compensation first!undo failed"), "{shown}");
    let dead = desk.types(&["dead"]).out;
    assert!(dead.contains("first!undo"), "{dead}");
    let causes = desk.types(&["explain", &id]).out;
    assert!(causes.contains("first!undo is failed"), "{causes}");
    let refused = desk.types(&["retry", &id, "first!undo"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[test]
fn r27_what_undoes_and_waits_for_a_worker_is_explained_and_can_be_skipped() {
    let desk = Desk::new();
    let undo = json!({ "type": "task", "queue": "undoers", "what": "${output.id}" });
    desk.file("w.json", saga(&undo).to_string());
    let started = desk.types(&[&["start", "w.json"][..], &INPUT].concat());
    assert_eq!(started.code, Some(0), "{started:?}");
    let said = desk.types(&["work", "--until-idle"]);
    let id = desk.execution();
    let why = desk.types(&["explain", &id]).out;
    for part in ["first!undo is scheduled", "this undoes it", "undoers"] {
        assert!(why.contains(part), "{part}: {why}\n{said:?}");
    }
    let skipped = desk.types(&["skip", &id, "first!undo"]);
    assert_eq!(skipped.code, Some(0), "{skipped:?}");
    let shown = desk.types(&["show", &id]).out;
    assert!(shown.contains("failed"), "{shown}");
}
