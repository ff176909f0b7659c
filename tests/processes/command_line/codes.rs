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

/// Each of these fails with its code, and does nothing.
fn have_codes(desk: &Desk, table: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (code, words) in table {
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

#[test]
fn what_is_typed_wrong_has_a_code() {
    let (desk, [good, bad, _]) = furnished();
    let nobody = format!("exec_{}", "0".repeat(32));
    have_codes(
        &desk,
        &[
            ("usage", &["show"]),
            ("usage", &["start", "good.json", "--label", "team"]),
            ("usage", &["fork", &bad, "--result", "a"]),
            ("unknown_execution", &["show", &nobody]),
            ("unknown_execution", &["show", "exec_ffffffff"]),
            ("unknown_node", &["explain", &good, "b"]),
            ("unknown_node", &["output", &good, "b"]),
        ],
    );
}

#[test]
fn files_that_cannot_be_used_have_codes() {
    let (desk, _) = furnished();
    have_codes(
        &desk,
        &[
            ("workflow_unreadable", &["run", "none.json"]),
            ("workflow_unreadable", &["run", "folder"]),
            ("workflow_unreadable", &["start", "mark.json"]),
            ("workflow_unreadable", &["validate", "none.json"]),
            (
                "json_unreadable",
                &["run", "good.json", "--input", "@none.json"],
            ),
            ("invalid_json", &["run", "good.json", "--input", "{"]),
            (
                "invalid_json",
                &["run", "good.json", "--input", "@text.txt"],
            ),
            (
                "component_unreadable",
                &["run", "good.json", "--guest", "none.wasm"],
            ),
            (
                "invalid_component",
                &["run", "good.json", "--guest", "text.txt"],
            ),
            ("log_unreadable", &["audit", "--file", "none.ndjson"]),
            (
                "anchors_unreadable",
                &["audit", "--all", "--anchors", "none.json"],
            ),
            (
                "invalid_anchors",
                &["audit", "--all", "--anchors", "text.txt"],
            ),
            ("test_file", &["test", "none.test.yaml"]),
            ("file_exists", &["init", "."]),
        ],
    );
}

#[test]
fn databases_that_cannot_be_used_have_codes() {
    let (desk, _) = furnished();
    have_codes(
        &desk,
        &[
            ("store_missing", &["list", "--db", "none.db"]),
            ("store_missing", &["show", "@last", "--db", "none.db"]),
            ("store_foreign", &["list", "--db", "other.sqlite"]),
            (
                "store_failed",
                &["run", "good.json", "--db", "none/here.db"],
            ),
            (
                "folder_missing",
                &["restore", "b.db", "--db", "none/here.db"],
            ),
            ("backup_missing", &["restore", "none.db"]),
            ("store_failed", &["backup", "b.db"]),
            ("not_written", &["init", "text.txt/inner"]),
        ],
    );
}

#[test]
fn what_cannot_be_done_with_executions_has_codes() {
    let (desk, [good, bad, waits]) = furnished();
    have_codes(
        &desk,
        &[
            ("invalid_label", &["start", "good.json", "--label", "a b=c"]),
            ("refused", &["pause", &good]),
            ("ended", &["retry", &bad, "a"]),
            ("refused", &["retry", &good, "b"]),
            ("refused", &["approve", &waits, "b"]),
            ("invalid_json", &["approve", &waits, "a", "--patch", "{"]),
            ("invalid_json", &["signal", &waits, "key", "{"]),
            ("json_unreadable", &["signal", &waits, "key", "@none.json"]),
            ("not_forked", &["fork", &good, "--from", "b"]),
            (
                "unknown_queue",
                &["work", "--queue", "nobodys", "--until-idle"],
            ),
            (
                "invalid_worker",
                &[
                    "work",
                    "--worker",
                    "tool=a",
                    "--worker",
                    "tool=b",
                    "--until-idle",
                ],
            ),
        ],
    );
}
