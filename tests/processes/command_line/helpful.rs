//! What is said to who has typed almost the right thing.

use serde_json::json;

use crate::command_line::desk::{Desk, approval, chain, command};

#[test]
fn who_types_something_else_for_an_id_is_told_what_helps() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let id = desk.execution();
    for (words, tip) in [
        (
            &["explain", "a", &id][..],
            "the id of the execution comes before all else",
        ),
        (&["explain", "a", "b"], "`refrain list` shows the ids"),
        (&["show", &id[..5]], "`refrain list` shows the ids"),
        (
            &["explain", "--file", "log.ndjson", "a"],
            "with --file, name the node with `--node NODE`",
        ),
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        let tips: Vec<&str> = said
            .err
            .lines()
            .filter(|line| line.contains("tip:"))
            .collect();
        assert_eq!(tips.len(), 1, "{words:?}: {said:?}");
        assert!(tips[0].contains(tip), "{words:?}: {said:?}");
    }
    let (status, show) = (desk.types(&["status", &id]), desk.types(&["show", &id]));
    assert_eq!((status.code, &status.out), (Some(0), &show.out));
}

#[test]
fn a_dash_is_stdin_where_a_file_is_read() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["cat"]))]).to_string();
    desk.file("w.json", &workflow);
    let typed = |words: &[&str], stdin: &str| {
        let piped = desk.pipes(words, stdin);
        assert_eq!(piped.code, Some(0), "{words:?}: {piped:?}");
        piped.out
    };
    assert!(typed(&["validate", "-"], &workflow).contains("is valid"));
    assert_eq!(
        typed(&["run", "-"], &workflow),
        "{\n  \"input\": {},\n  \"state\": {}\n}\n"
    );
    let said = typed(&["run", "w.json", "--input", "@-"], "{\"n\": 1}");
    assert!(said.contains("\"n\": 1"), "{said}");
    let log = desk.types(&["export", "@last"]).out;
    assert!(typed(&["audit", "--file", "-"], &log).contains("clean"));
    let twice = desk.pipes(&["audit", "--file", "-", "--file", "-"], &log);
    assert_eq!(twice.code, Some(2), "{twice:?}");
}

#[test]
fn a_fault_of_a_text_is_named_by_its_line() {
    let desk = Desk::new();
    desk.file("w.json", "{\n  \"workflow_id\": \"w\",\n  oops\n}");
    for words in [&["validate", "w.json"][..], &["run", "w.json"]] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(1), "{words:?}: {said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains(" at line 3, column 3 (byte "), "{said:?}");
    }
}

#[test]
fn a_dash_is_the_stdout_of_an_export() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let id = desk.execution();
    let (plain, dash) = (
        desk.types(&["export", &id]),
        desk.types(&["export", &id, "-o", "-"]),
    );
    assert_eq!((dash.code, &dash.out), (Some(0), &plain.out));
    assert!(!desk.files().contains(&"-".to_owned()));
}

#[test]
fn what_cannot_be_written_is_named_as_it_was_typed() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    assert_eq!(desk.types(&["backup", "b.db"]).code, Some(0));
    for words in [
        &["backup", "none/there.db"][..],
        &["restore", "b.db", "--db", "none/there.db"],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        let expected =
            "error: none/there.db cannot be written: its folder none does not exist; create it\n";
        assert_eq!(said.err, expected, "{words:?}");
    }
    let empty = refrain_tests::binary::refrain(desk.path())
        .arg("list")
        .env("REFRAIN_DB", "")
        .output()
        .expect("it starts");
    let said = refrain_tests::binary::stderr(&empty);
    assert!(said.contains("tip: REFRAIN_DB is set, and empty"), "{said}");
}

#[test]
fn a_value_that_is_none_is_told_with_what_would_be_one() {
    let desk = Desk::new();
    let span = "it should be a span, as in 500ms, 30s or 1h30m";
    let number = "it should be a whole number from 1 on";
    for (words, expected) in [
        (&["work", "--until-idle", "--wait", "foo"][..], span),
        (&["resume", "--wait", "-1s"], span),
        (
            &["whatif", "--all", "--simulated", "--workers", "0"],
            number,
        ),
        (&["audit", "--all", "--jobs", "0"], number),
        (&["list", "--limit", "0"], number),
        (&["dead", "--limit", "0"], number),
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {said:?}");
    }
}

#[test]
fn an_attempt_that_there_is_not_has_no_output() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let words = ["output", "@last", "a", "--attempt"];
    assert_eq!(desk.types(&[&words[..], &["1"]].concat()).code, Some(0));
    let error = desk.document(&[&words[..], &["3", "--json"]].concat(), 2)["error"].clone();
    assert_eq!(error["code"], "unknown_attempt");
    let said = "node \"a\" has had 1 attempt, and none after that";
    assert_eq!(error["message"], said);
}

#[test]
fn a_node_that_is_nearly_named_is_asked_for() {
    let desk = Desk::new();
    let body = json!({
        "start_node": "decide", "nodes": { "decide": { "kind": approval() } }, "edges": [],
    });
    let map = json!({
        "type": "map", "over": "input.list", "body": { "type": "subgraph", "body": body },
    });
    desk.file("w.json", chain(&[("each", map)]).to_string());
    let words = ["start", "w.json", "--input", r#"{"list": [1]}"#];
    assert_eq!(desk.types(&words).code, Some(0));
    desk.types(&["resume", "--wait", "0s"]);
    for (words, expected) in [
        (&["approve", "@last", "eahc"][..], "did you mean \"each\"?"),
        (&["retry", "@last", "eahc"], "did you mean \"each\"?"),
        (&["skip", "@last", "eahc"], "did you mean \"each\"?"),
        (
            &["approve", "@last", "each[0]"],
            "did you mean \"each[0]/decide\", which waits in a child of it?",
        ),
        (
            &["approve", "@last", "each[0]/decode"],
            "did you mean \"decide\"?",
        ),
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {said:?}");
    }
}

#[test]
fn a_key_that_is_taken_is_told_with_what_is_another() {
    let desk = Desk::new();
    let mut workflow = chain(&[("a", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    workflow["version"] = "2.0.0".into();
    desk.file("newer.json", workflow.to_string());
    let words = ["--key", "k"];
    assert_eq!(
        desk.types(&[&["start", "w.json"], &words[..]].concat())
            .code,
        Some(0)
    );
    for (start, differs) in [
        (&["start", "w.json", "--input", r#"{"n": 1}"#][..], "input"),
        (&["start", "newer.json"], "version of the workflow"),
        (
            &["start", "w.json", "--label", "a=b", "--priority", "9"],
            "priority, list of labels",
        ),
    ] {
        let said = desk.types(&[start, &words[..]].concat());
        assert_eq!(said.code, Some(2), "{start:?}: {said:?}");
        let expected = format!("and this is another {differs}; choose another key");
        assert!(said.err.contains(&expected), "{start:?}: {said:?}");
    }
}

#[test]
fn a_backup_is_a_file_and_none_of_simulations() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    for (to, expected) in [
        ("-", "a backup is a file, and no stream"),
        ("refrain.db.sim", "is the name of a file of simulations"),
    ] {
        let said = desk.types(&["backup", to]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
        assert!(!desk.files().contains(&to.to_owned()));
    }
}
