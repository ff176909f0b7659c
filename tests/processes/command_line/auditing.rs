//! `refrain audit` over many logs: in parallel, out of folders, in one order.

use std::fs;

use refrain_tests::component::product::DIVERGENT;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// A desk with some executions, each exported into the folder `logs`, and their names there.
fn exported(executions: usize) -> (Desk, Vec<String>) {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"])), ("b", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    fs::create_dir(desk.path().join("logs")).expect("a folder");
    let mut names = Vec::new();
    for place in 0..executions {
        let run = desk.document(&["run", "w.json", "--json"], 0);
        let id = run["execution_id"].as_str().expect("an id").to_owned();
        let name = format!("logs/{place}.ndjson");
        let said = desk.types(&["export", &id, "-o", &name]);
        assert_eq!(said.code, Some(0), "{said:?}");
        names.push(name);
    }
    (desk, names)
}

fn files(audited: &Value) -> Vec<&str> {
    let executions = audited["executions"].as_array().expect("a list");
    let files = executions.iter().map(|it| it["file"].as_str());
    files.map(|file| file.expect("a path")).collect()
}

#[test]
fn many_threads_answer_in_the_order_of_one() {
    let (desk, names) = exported(5);
    for words in [&["audit", "--all"][..], &["audit", "--file", "logs"]] {
        let on = |jobs: &str| desk.types(&[words, &["--jobs", jobs]].concat());
        let (one, many) = (on("1"), on("3"));
        assert_eq!((one.code, many.code), (Some(0), Some(0)), "{one:?}");
        assert_eq!(one.out.lines().count(), 5, "{one:?}");
        assert_eq!(one.out, many.out);
        assert_eq!((one.err, many.err), (String::new(), String::new()));
    }
    let audited = desk.document(&["audit", "--file", "logs", "--json"], 0);
    assert_eq!(files(&audited), names);
}

#[test]
fn logs_of_a_folder_are_told_by_their_paths() {
    let (desk, names) = exported(3);
    // Only what ends in .ndjson is a log.
    desk.file("logs/notes.txt", "not one");
    let log = fs::read_to_string(desk.path().join(&names[1])).expect("a log");
    desk.file(
        &names[1],
        log.replace("\"worker_id\":\"", "\"worker_id\":\"x"),
    );
    desk.file("logs/3.ndjson", "no log\n");
    let said = desk.types(&["audit", "--file", "logs"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let verdicts = [
        ("clean", "logs/0.ndjson"),
        ("tampered", "logs/1.ndjson"),
        ("clean", "logs/2.ndjson"),
        ("unreadable", "logs/3.ndjson"),
    ];
    let lines = said.out.lines().filter(|line| line.contains("; in logs/"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), verdicts.len(), "{said:?}");
    for (line, (verdict, file)) in lines.iter().zip(verdicts) {
        assert!(line.contains(&format!("  {verdict}  ")), "{said:?}");
        assert!(line.ends_with(&format!("; in {file}")), "{said:?}");
    }
    // Of one log there is nothing to tell apart.
    let said = desk.types(&["audit", "--file", &names[0]]);
    assert!(!said.out.contains("; in "), "{said:?}");
    // What cannot even be opened keeps no other from being audited.
    let words = ["audit", "--file", &names[0], "none.ndjson", &names[2]];
    let said = desk.types(&words);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(said.out.matches("  clean  ").count(), 2, "{said:?}");
    assert!(said.err.contains("none.ndjson"), "{said:?}");
    fs::create_dir(desk.path().join("empty")).expect("a folder");
    let said = desk.types(&["audit", "--file", "empty"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("none of its files ends in .ndjson"));
}

#[test]
fn a_guest_that_one_log_brings_serves_all_of_them() {
    let desk = Desk::new();
    let divergent = DIVERGENT.committed().expect("it is committed");
    desk.file("mine.wasm", divergent);
    let workflow = chain(&[("a", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    fs::create_dir(desk.path().join("logs")).expect("a folder");
    for (name, brings) in [("a", false), ("b", true), ("c", false)] {
        let words = ["run", "w.json", "--guest", "mine.wasm", "--json"];
        let run = desk.document(&words, 0);
        let id = run["execution_id"].as_str().expect("an id");
        let name = format!("logs/{name}.ndjson");
        let with_guest = if brings { &["--with-guest"][..] } else { &[] };
        let said = desk.types(&[&["export", id, "-o", &name], with_guest].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    for jobs in ["1", "2"] {
        let words = ["audit", "--file", "logs", "--jobs", jobs, "--json"];
        let audited = desk.document(&words, 0);
        let executions = audited["executions"].as_array().expect("a list");
        let verdicts = executions.iter().map(|it| &it["verdict"]);
        assert_eq!(verdicts.collect::<Vec<_>>(), vec![&json!("clean"); 3]);
    }
    let alone = desk.types(&["audit", "--file", "logs/a.ndjson"]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
}
