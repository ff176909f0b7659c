//! What programs read: one JSON document each, with keys that stay.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, event};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .map(|object| object.keys().map(String::as_str).collect())
        .unwrap_or_default();
    keys.sort_unstable();
    keys
}

const RECORD: [&str; 15] = [
    "erased",
    "events",
    "execution_id",
    "guest",
    "head",
    "key",
    "last_at",
    "next_wake",
    "simulated",
    "started_at",
    "status",
    "tampered",
    "tenant",
    "workflow_id",
    "workflow_version",
];
const RUN: [&str; 8] = [
    "error",
    "events",
    "execution_id",
    "failed_nodes",
    "final_state",
    "guest",
    "status",
    "waits_until",
];

/// A desk at which this workflow has run, and what the run said.
fn ran() -> (Desk, Value) {
    let desk = Desk::new();
    desk.file(
        "w.json",
        chain(&[
            ("a", command(&["echo", "{\"x\": 1.50}"])),
            ("b", command(&["true"])),
        ])
        .to_string(),
    );
    let run = desk.document(&["run", "w.json", "--json"], 0);
    (desk, run)
}

fn id_of(run: &Value) -> &str {
    run["execution_id"].as_str().expect("an id")
}

#[test]
fn documents_of_runs_have_their_keys() {
    let (desk, run) = ran();
    assert_eq!(keys(&run), RUN);
    assert_eq!(run["status"], "completed");
    let id = id_of(&run);

    let resume = desk.document(&["resume", id, "--json"], 0);
    assert_eq!(
        (keys(&resume), keys(&resume["executions"][0])),
        (vec!["executions"], RUN.to_vec())
    );
}

#[test]
fn documents_of_executions_have_their_keys() {
    let (desk, run) = ran();
    let id = id_of(&run);
    let list = desk.document(&["list", "--json"], 0);
    let mut listed = RECORD.to_vec();
    listed.insert(1, "error");
    listed.insert(7, "labels");
    listed.insert(0, "child_of");
    assert_eq!(
        (keys(&list), keys(&list["executions"][0])),
        (vec!["damaged", "executions"], listed)
    );

    let show = desk.document(&["show", id, "--json"], 0);
    let mut expected = [
        &RECORD[..],
        &[
            "cancelling",
            "damaged",
            "error",
            "final_state",
            "forked_from",
            "labels",
            "nodes",
            "state",
            "waiting",
        ],
    ]
    .concat();
    expected.sort_unstable();
    assert_eq!(keys(&show), expected);
    let node = [
        "attempts",
        "ended_at",
        "error",
        "node_id",
        "queue",
        "since",
        "started_at",
        "state",
        "waited_ms",
        "worked_ms",
    ];
    assert_eq!(keys(&show["nodes"][0]), node);
}

#[test]
fn a_log_as_json_is_a_header_and_its_events() {
    let (desk, run) = ran();
    let id = id_of(&run);
    let log = desk.types(&["log", id, "--json"]).out;
    let header: Value = log
        .lines()
        .next()
        .map(serde_json::from_str)
        .expect("a line")
        .expect("JSON");
    assert_eq!(
        keys(&header),
        ["erased", "events", "execution_id", "tampered"]
    );
    let events = desk.events(id);
    assert_eq!(header["events"], events.len());
    let first = &events[0];
    assert_eq!(
        (&first["sequence"], &first["type"], &first["origin"]),
        (&1.into(), &"workflow_started".into(), &"fact".into())
    );
}

#[test]
fn documents_of_explanations_and_audits_have_their_keys() {
    let (desk, run) = ran();
    let id = id_of(&run);
    let explain = desk.document(&["explain", id, "a", "--json"], 0);
    assert_eq!(
        keys(&explain),
        [
            "execution_id",
            "node_id",
            "reasons",
            "state",
            "what_would_run"
        ]
    );
    assert_eq!(
        keys(&explain["reasons"][0]),
        ["data", "message", "reason", "remedies"]
    );

    let audit = desk.document(&["audit", "--all", "--json"], 0);
    assert_eq!(keys(&audit), ["executions", "failed"]);
    assert_eq!(
        keys(&audit["executions"][0]),
        [
            "decisions",
            "divergence",
            "events",
            "execution_id",
            "head",
            "verdict"
        ]
    );
}

#[test]
fn documents_of_workflows_and_schedulers_have_their_keys() {
    let (desk, run) = ran();
    let valid = desk.document(&["validate", "w.json", "--json"], 0);
    assert_eq!(
        keys(&valid),
        [
            "edges",
            "faults",
            "ignored",
            "in_kinds",
            "in_scripts",
            "nodes",
            "queues",
            "unreachable",
            "valid",
            "version",
            "workflow_id"
        ]
    );
    let guest = desk.document(&["guest", "--json"], 0);
    assert_eq!(keys(&guest), ["bytes", "digest", "name", "version"]);
    assert_eq!(guest["digest"], run["guest"]);
    assert_eq!(desk.types(&["guest", "export", "g.wasm"]).code, Some(0));
    let check = desk.document(&["guest", "check", "g.wasm", "--json"], 0);
    assert_eq!(
        keys(&check),
        [
            "digest",
            "name",
            "problem",
            "refused_imports",
            "remedies",
            "valid",
            "version"
        ]
    );
    assert_eq!(check["digest"], guest["digest"]);
}

#[test]
fn commands_that_act_answer_with_a_document_too() {
    let desk = Desk::new();
    let ask = json!({ "kind": approval() });
    let hear = json!({ "kind": event() });
    let fail = json!({ "kind": command(&["false"]), "retry_policy": "no_retry" });
    let split = json!({ "type": "parallel", "branches": ["ask", "hear", "fail"] });
    let workflow = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "split", "edges": [],
        "nodes": { "split": { "kind": split }, "ask": ask, "hear": hear, "fail": fail },
    });
    let running = desk.runs(&workflow);
    let id = desk.execution();
    desk.until_event(&id, "node_exhausted");
    let signal = ["signal", &id, "key", "--event-id", "1", "--json"];
    for (words, status, recorded) in [
        (&["pause", &id, "--json"][..], "paused", true),
        (&["unpause", &id, "--json"], "running", true),
        (&["approve", &id, "ask", "--json"], "running", true),
        (&["skip", &id, "fail", "--json"], "running", true),
        (&signal, "completed", true),
        (&signal, "completed", false),
    ] {
        let document = desk.document(words, 0);
        let expected = json!({ "execution_id": id, "status": status, "recorded": recorded });
        match words[0] {
            // What comes of it may be there already, or not yet.
            "skip" | "signal" => assert_eq!(document["recorded"], recorded),
            _ => assert_eq!(document, expected),
        }
    }
    assert_eq!(running.ends().code, Some(0));
    let backup = desk.document(&["backup", "b.db", "--json"], 0);
    assert_eq!(
        backup,
        json!({ "database": "refrain.db", "backup": "b.db", "left_out": null })
    );
    let restore = desk.document(&["restore", "b.db", "--json"], 0);
    assert_eq!(keys(&restore), ["backup", "database", "kept"]);
}

#[test]
fn what_cannot_be_done_is_told_in_a_document_too() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    desk.file("bad.json", "{}");
    let bad = desk.document(&["run", "bad.json", "--json"], 1);
    assert_eq!(bad, desk.document(&["validate", "bad.json", "--json"], 1));
    let nobody = format!("exec_{}", "0".repeat(32));
    for (words, code) in [
        (&["pause", id, "--json"][..], json!("refused")),
        (&["show", &nobody, "--json"], json!("unknown_execution")),
        (&["log", &nobody, "--json"], json!("unknown_execution")),
        (&["explain", id, "b", "--json"], json!("unknown_node")),
        (&["audit", &nobody, "--json"], json!("unknown_execution")),
        (
            &["list", "--db", "none.db", "--json"],
            json!("store_missing"),
        ),
        (&["pause", id, "--jsom", "--json"], json!("usage")),
        (&["restore", "none.db", "--json"], json!("backup_missing")),
    ] {
        let document = desk.document(words, 2);
        assert_eq!(keys(&document), ["error"], "{words:?}");
        let error = &document["error"];
        assert_eq!(keys(error), ["code", "message", "remedy"], "{words:?}");
        assert_eq!(error["code"], code, "{words:?}: {error}");
        let message = error["message"].as_str().expect("a text");
        assert!(!message.is_empty(), "{words:?}");
    }
}

#[test]
fn numbers_keep_their_text() {
    let desk = Desk::new();
    desk.file(
        "w.json",
        chain(&[(
            "a",
            command(&["echo", "{\"x\": 1.50, \"y\": 12345678901234567890123}"]),
        )])
        .to_string(),
    );
    let run = desk.types(&["run", "w.json", "--json"]);
    assert!(
        run.out.contains("1.50") && run.out.contains("12345678901234567890123"),
        "{run:?}"
    );
    let id = desk.execution();
    for words in [
        &["show", &id, "--json"][..],
        &["show", &id],
        &["log", &id, "--json"],
        &["log", &id],
    ] {
        let said = desk.types(words);
        assert!(
            said.out.contains("1.50") && said.out.contains("12345678901234567890123"),
            "{words:?}: {said:?}"
        );
    }
}

#[test]
fn exit_codes_tell_good_from_bad() {
    let desk = Desk::new();
    desk.file("good.json", chain(&[("a", command(&["true"]))]).to_string());
    let mut bad = chain(&[("a", command(&["false"]))]);
    bad["workflow_id"] = "bad".into();
    bad["nodes"]["a"]["retry_policy"] = "no_retry".into();
    desk.file("bad.json", bad.to_string());
    assert_eq!(desk.types(&["run", "good.json"]).code, Some(0));
    let failed = desk.document(&["run", "bad.json", "--json"], 1);
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"], "node(s) failed terminally: a");
    assert_eq!(
        failed["final_state"],
        serde_json::json!({}),
        "of a failed execution too"
    );
    let id = failed["execution_id"].as_str().expect("an id");
    let said = desk.types(&["show", id]);
    assert_eq!(said.code, Some(0), "it could be shown: {said:?}");
    assert!(said.out.contains("node a failed: "), "{said:?}");
    assert_eq!(
        desk.types(&["audit", id]).code,
        Some(0),
        "it failed lawfully"
    );
    assert_eq!(desk.types(&["resume", id]).code, Some(1));
    assert_eq!(
        desk.types(&["resume"]).code,
        Some(0),
        "nothing is left to do"
    );
}

#[test]
fn an_audit_names_in_its_document_what_could_not_be_audited() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let nobody = format!("exec_{}", "0".repeat(32));
    let audit = desk.document(&["audit", id, &nobody, "--json"], 2);
    assert_eq!(audit["executions"][0]["verdict"], "clean");
    let failed = &audit["failed"][0];
    assert_eq!(keys(failed), ["error", "execution_id"]);
    assert_eq!(failed["execution_id"], nobody.as_str());
    assert_eq!(failed["error"]["code"], "unknown_execution");
    assert_eq!(keys(&failed["error"]), ["code", "message", "remedy"]);
}
