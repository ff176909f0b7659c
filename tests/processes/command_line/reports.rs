//! Executions as one HTML file.

use std::fs;

use crate::command_line::desk::{Desk, approval, chain, command};

/// An execution that has ended, and said something.
fn ended() -> (Desk, String) {
    let desk = Desk::new();
    let workflow = chain(&[
        ("say", command(&["echo", r#"{"who": "Ada Lovelace"}"#])),
        ("then", command(&["true"])),
    ]);
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id").to_owned();
    (desk, id)
}

fn page(desk: &Desk) -> String {
    fs::read_to_string(desk.path().join("r.html")).expect("the report")
}

#[test]
fn a_report_is_one_file_and_says_what_it_holds() {
    let (desk, id) = ended();
    let said = desk.types(&["report", &id, "-o", "r.html"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert!(
        said.err.starts_with("1 execution of 8 events in "),
        "{said:?}"
    );
    assert!(
        said.err.contains("it holds all that was given and said"),
        "{said:?}"
    );
    let page = page(&desk);
    assert!(page.contains(r#""holds":"payloads""#) && page.contains(r#""picture":"picture-0""#));
    assert!(page.len() < 1_000_000, "{}", page.len());
    let quiet = desk.types(&["-q", "report", "@last", "-o", "r.html"]);
    assert_eq!(
        (quiet.code, quiet.err.as_str()),
        (Some(0), ""),
        "it replaces its own"
    );
}

#[test]
fn a_report_goes_to_stdout_where_that_is_named() {
    let (desk, id) = ended();
    let said = desk.types(&["report", &id, "-o", "-"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with("<!doctype html>"), "{}", said.err);
    assert!(!desk.path().join("-").exists(), "it is no file's name");
}

#[test]
fn a_report_says_that_what_was_said_was_erased() {
    let (desk, id) = ended();
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let kept = desk.execution();
    assert_eq!(desk.types(&["erase", &id]).code, Some(0));
    for (executions, held) in [
        (
            vec![id.as_str()],
            "what was said is not in it, because it was erased",
        ),
        (vec![&id, &kept], "it holds all that was given and said"),
        (vec![&id, &kept], "; of 1 execution it was erased"),
    ] {
        let words = [&["report", "-o", "r.html"], &executions[..]].concat();
        let said = desk.types(&words);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains(held), "{executions:?}: {said:?}");
    }
}

#[test]
fn a_report_is_made_of_logs_in_files() {
    let (desk, id) = ended();
    for words in [
        vec!["export", &id, "-o", "with.ndjson", "--with-guest"],
        vec!["export", &id, "-o", "without.ndjson"],
        vec!["report", "--file", "with.ndjson", "-o", "r.html"],
        vec!["report", "--file", "without.ndjson", "-o", "r.html"],
        vec!["report", "--file", ".", "-o", "r.html"],
    ] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
    }
    assert!(page(&desk).contains("2 executions"));
}

#[test]
fn without_payloads_only_what_has_ended_is_reported() {
    let (desk, id) = ended();
    for (option, holds) in [("--mask", "masked"), ("--no-payloads", "none")] {
        let said = desk.types(&["report", &id, option, "-o", "r.html"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("what was said is not in it"), "{said:?}");
        assert!(page(&desk).contains(&format!(r#""holds":"{holds}""#)));
    }
    let mut open = chain(&[("ask", approval())]);
    open["version"] = "2.0.0".into();
    desk.file("open.json", open.to_string());
    let started = desk.types(&["start", "open.json"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let said = desk.types(&["report", "@last", "--mask", "-o", "none.html"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("has not ended"), "{said:?}");
    assert!(!desk.files().contains(&"none.html".to_owned()));
}

#[test]
fn what_cannot_be_reported_is_told_with_what_helps() {
    let (desk, id) = ended();
    desk.types(&["export", &id, "-o", "log.ndjson"]);
    let log = fs::read_to_string(desk.path().join("log.ndjson")).expect("the log");
    let lines: Vec<&str> = log.lines().collect();
    desk.file("bad.ndjson", log.replace(lines[3], "no event"));
    for (words, expected) in [
        (vec!["report", "-o", "x.html"], "<EXECUTION>..."),
        (vec!["report", &id], "--output <FILE.html>"),
        (vec!["report", &id, "-o", "."], "it is a folder"),
        (
            vec!["report", "exec_00", "-o", "x.html"],
            "there is no execution",
        ),
        (
            vec!["report", "--file", "bad.ndjson", "-o", "x.html"],
            "refrain audit --file bad.ndjson",
        ),
        (
            vec!["report", &id, "--sign-with", "key", "-o", "x.html"],
            "add --mask or --no-payloads",
        ),
        (
            vec!["report", &id, "--mask", "--no-payloads", "-o", "x.html"],
            "cannot be used with",
        ),
    ] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
    }
}
