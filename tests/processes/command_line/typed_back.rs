//! What the program says to type works when it is typed.

use std::process::Command;

use refrain_tests::binary;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said};

/// Run what a person would type, in a shell.
fn types_in_a_shell(desk: &Desk, command: &str) -> Said {
    let folder = binary::path().parent().expect("it is in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![folder.to_owned()];
    folders.extend(std::env::split_paths(&path));
    let output = Command::new("sh")
        .arg("-c")
        .arg(command)
        .current_dir(desk.path())
        .env_remove("REFRAIN_DB")
        .env("PATH", std::env::join_paths(folders).expect("a path"))
        .output()
        .expect("a shell runs");
    Said::of(&output)
}

/// Texts that a shell, or the reader of arguments, could take for something else. Those
/// that rule R1 has for no id of a node are correlation keys only.
const TEXTS: [&str; 14] = [
    "plain",
    "-rf",
    "--help",
    "--",
    "a b",
    "it's",
    "a`b",
    "$HOME",
    "!!",
    "*",
    "漢字",
    "a\u{202e}b",
    "{}",
    "\\n",
];

/// The commands that are said in lines of their own.
fn said_to_type(said: &Said) -> Vec<String> {
    let lines = said.out.lines().map(str::trim_start);
    lines
        .filter(|line| line.starts_with("refrain ") || line.starts_with("w1="))
        .map(str::to_owned)
        .collect()
}

/// What stands behind this, to the end of its line.
fn behind<'a>(text: &'a str, words: &str) -> &'a str {
    let rest = text.split_once(words).expect(words).1;
    rest.lines().next().expect("a line")
}

#[test]
fn what_it_says_to_type_works_for_every_id_and_path() {
    for (db, texts) in [
        ("it.db", &TEXTS[..]),
        ("my own.db", &TEXTS[..2]),
        ("-x.db", &TEXTS[1..3]),
        ("it's\n", &TEXTS[..2]),
        ("a\u{202e}b.db", &TEXTS[..2]),
    ] {
        let desk = Desk::new();
        desk.file("w.json", waiting_for(texts).to_string());
        let approvals = texts.iter().filter(|text| is_id(text)).count();
        let waits = approvals + texts.len();
        let flag = format!("--db={db}");
        let running = desk.begins(&["run", "w.json", &flag]);
        let id = desk.until("an execution is listed", || {
            let said = desk.types(&["list", "--json", &flag]);
            let list: Value = serde_json::from_str(&said.out).ok()?;
            list["executions"][0]["execution_id"]
                .as_str()
                .map(str::to_owned)
        });
        let commands = desk.until("all of them wait", || {
            let commands = said_to_type(&desk.types(&["show", &id, &flag]));
            (commands.len() == waits).then_some(commands)
        });

        let paused = desk.types(&["pause", &id, &flag]);
        let unpause = behind(&paused.err, "type: ");
        assert_eq!(types_in_a_shell(&desk, unpause).code, Some(0), "{unpause}");
        let nobody = desk.types(&["show", "exec_00000000000000000000000000000000", &flag]);
        let list = nobody.err.split('`').nth(1).expect("a command");
        let listed = types_in_a_shell(&desk, list);
        assert!(listed.out.contains(&id), "{list}: {listed:?}");

        for command in commands {
            let said = types_in_a_shell(&desk, &command);
            assert_eq!(said.code, Some(0), "{command}: {said:?}");
            assert!(said.err.contains("is recorded"), "{command}: {said:?}");
        }
        let ended = running.ends();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

/// Whether a node may have this id (rule R1).
fn is_id(text: &str) -> bool {
    !text.starts_with('-') && !text.contains('!')
}

/// A workflow that waits for an event under each of these texts, and for a person under
/// each that is an id.
fn waiting_for(texts: &[&str]) -> Value {
    let mut nodes = serde_json::Map::new();
    for (place, text) in texts.iter().enumerate() {
        let approval = json!({ "type": "human_approval", "description": "?" });
        let event =
            json!({ "type": "wait", "condition": "external_event", "correlation_key": text });
        if is_id(text) {
            nodes.insert((*text).to_owned(), json!({ "kind": approval }));
        }
        nodes.insert(format!("event-{place}"), json!({ "kind": event }));
    }
    let branches: Vec<&String> = nodes.keys().collect();
    let all = json!({ "kind": { "type": "parallel", "branches": branches } });
    nodes.insert("all".to_owned(), all);
    json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "all", "nodes": nodes, "edges": [],
    })
}
