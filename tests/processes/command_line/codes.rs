//! Each kind of failure has a word for programs, which does not change.

use std::fs;

use serde_json::json;

use crate::command_line::desk::{Desk, approval, chain, command};

/// A desk with a database of an execution that has completed (`a`), one that has failed,
/// and one that waits for a person. Answers their ids.
fn furnished() -> (Desk, [String; 3]) {
    let desk = Desk::new();
    let begin = |name: &str, kind, code| {
        let mut workflow = chain(&[("a", kind)]);
        workflow["workflow_id"] = json!(name);
        workflow["nodes"]["a"]["retry_policy"] = match name {
            "waits" => json!(null),
            _ => json!("no_retry"),
        };
        desk.file(&format!("{name}.json"), workflow.to_string());
        let file = format!("{name}.json");
        let verb = if code == 3 { "start" } else { "run" };
        let run = desk.document(&[verb, &file, "--json"], code % 3);
        run["execution_id"].as_str().expect("an id").to_owned()
    };
    let ids = [
        begin("good", command(&["true"]), 0),
        begin("bad", command(&["false"]), 1),
        begin("waits", approval(), 3),
    ];
    desk.document(&["backup", "b.db", "--json"], 0);
    desk.file("workflow.json", "{}");
    desk.file("text.txt", "no JSON\n");
    desk.file("mark.json", "\u{feff}{}");
    desk.file(
        "other.sqlite",
        "not a database, but a text of some length\n".repeat(100),
    );
    fs::create_dir(desk.path().join("folder")).expect("a folder");
    (desk, ids)
}

#[test]
fn every_failure_has_a_code() {
    let (desk, [good, bad, waits]) = furnished();
    let nobody = format!("exec_{}", "0".repeat(32));
    let table: Vec<(&str, Vec<&str>)> = vec![
        // What is typed.
        ("usage", vec!["show"]),
        ("usage", vec!["start", "good.json", "--label", "team"]),
        ("usage", vec!["fork", &bad, "--result", "a"]),
        ("unknown_execution", vec!["show", &nobody]),
        ("unknown_execution", vec!["show", "exec_ffffffff"]),
        ("unknown_node", vec!["explain", &good, "b"]),
        ("unknown_node", vec!["output", &good, "b"]),
        // Files.
        ("workflow_unreadable", vec!["run", "none.json"]),
        ("workflow_unreadable", vec!["run", "folder"]),
        ("workflow_unreadable", vec!["start", "mark.json"]),
        ("workflow_unreadable", vec!["validate", "none.json"]),
        (
            "json_unreadable",
            vec!["run", "good.json", "--input", "@none.json"],
        ),
        ("invalid_json", vec!["run", "good.json", "--input", "{"]),
        (
            "invalid_json",
            vec!["run", "good.json", "--input", "@text.txt"],
        ),
        (
            "component_unreadable",
            vec!["run", "good.json", "--guest", "none.wasm"],
        ),
        (
            "invalid_component",
            vec!["run", "good.json", "--guest", "text.txt"],
        ),
        ("log_unreadable", vec!["audit", "--file", "none.ndjson"]),
        (
            "anchors_unreadable",
            vec!["audit", "--all", "--anchors", "none.json"],
        ),
        (
            "invalid_anchors",
            vec!["audit", "--all", "--anchors", "text.txt"],
        ),
        ("test_file", vec!["test", "none.test.yaml"]),
        ("file_exists", vec!["init", "."]),
        // Databases.
        ("store_missing", vec!["list", "--db", "none.db"]),
        ("store_missing", vec!["show", "@last", "--db", "none.db"]),
        ("store_foreign", vec!["list", "--db", "other.sqlite"]),
        (
            "store_failed",
            vec!["run", "good.json", "--db", "none/here.db"],
        ),
        (
            "folder_missing",
            vec!["restore", "b.db", "--db", "none/here.db"],
        ),
        ("backup_missing", vec!["restore", "none.db"]),
        ("store_failed", vec!["backup", "b.db"]),
        ("not_written", vec!["init", "text.txt/inner"]),
        // Executions.
        (
            "invalid_label",
            vec!["start", "good.json", "--label", "a b=c"],
        ),
        ("refused", vec!["pause", &good]),
        ("ended", vec!["retry", &bad, "a"]),
        ("refused", vec!["retry", &good, "b"]),
        ("refused", vec!["approve", &waits, "b"]),
        ("invalid_json", vec!["approve", &waits, "a", "--patch", "{"]),
        ("invalid_json", vec!["signal", &waits, "key", "{"]),
        (
            "json_unreadable",
            vec!["signal", &waits, "key", "@none.json"],
        ),
        ("not_forked", vec!["fork", &good, "--from", "b"]),
        (
            "unknown_queue",
            vec!["work", "--queue", "nobodys", "--until-idle"],
        ),
        (
            "invalid_worker",
            vec![
                "work",
                "--worker",
                "tool=a",
                "--worker",
                "tool=b",
                "--until-idle",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (code, words) in &table {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let said = desk.types(&words);
        let document: Result<serde_json::Value, _> = serde_json::from_str(&said.out);
        let found = document.map(|it| it["error"]["code"].clone());
        if said.code != Some(2) || found.as_ref().ok() != Some(&json!(code)) {
            wrong.push(format!("{words:?}: {code} was expected: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Nothing was done.
    assert_eq!(
        desk.document(&["list", "--json"], 0)["executions"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}
