//! `refrain test`: what a person types and sees.

mod faults;
mod files;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said, chain, command, tool};

/// A workflow of two nodes, and a test file with this one case of it.
fn desk_with(case: &str) -> Desk {
    let desk = Desk::new();
    let nodes = [("first", tool()), ("second", command(&["true"]))];
    desk.file("w.json", chain(&nodes).to_string());
    let case = case.trim_end().replace('\n', "\n    ");
    let cases = format!("workflow: w.json\ncases:\n  one:\n    {case}\n");
    desk.file("w.test.yaml", cases);
    desk
}

fn tested(case: &str) -> Said {
    desk_with(case).types(&["test", "w.test.yaml"])
}

/// The lines that tell of faults, and nothing else was said.
fn faults(said: &Said) -> Vec<&str> {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    let lines = said.err.lines().filter(|line| !line.starts_with("error: "));
    lines.collect()
}

// ---- the repository's own ------------------------------------------------------------

#[test]
fn the_examples_pass_and_cover_every_edge() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/examples");
    let desk = Desk::new();
    let names = |end: &str| {
        let files = fs::read_dir(&folder)
            .expect("a folder")
            .map(|it| it.expect("a file"));
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names
            .filter_map(|it| it.strip_suffix(end).map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(".json"),
        names(".test.yaml"),
        "each example has its tests"
    );
    let files: Vec<String> = names(".test.yaml")
        .iter()
        .map(|name| {
            folder
                .join(format!("{name}.test.yaml"))
                .display()
                .to_string()
        })
        .collect();
    let mut words = vec!["test"];
    words.extend(files.iter().map(String::as_str));
    let said = desk.types(&words);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.out.contains("never live"), "{}", said.out);
    assert!(
        desk.files().is_empty(),
        "nothing is written: {:?}",
        desk.files()
    );
}

// ---- cases ---------------------------------------------------------------------------

#[test]
fn a_case_that_fails_says_what_was_expected_and_what_happened() {
    let said = tested(
        "nodes:\n  first: {fail: \"no \\u001B[31mluck\", retryable: false}\nexpect:\n  status: completed\n  failed: [first]\n",
    );
    assert_eq!(said.code, Some(1), "{said:?}");
    for line in [
        "  failed  one",
        "    - status",
        "        expected  completed",
        "        found     failed",
        "    + failed: first",
        "  edges: 0 of 1 were live; never live:",
        "    first -> second",
        "1 case: 0 passed, 1 failed",
    ] {
        assert!(
            said.out.lines().any(|it| it == line),
            "{line}: {}",
            said.out
        );
    }
    assert!(!said.out.contains('\u{1b}'), "{:?}", said.out);
    let table = said.out.lines().skip_while(|line| !line.contains("TIME"));
    let rows: Vec<&str> = table.take_while(|line| !line.is_empty()).collect();
    assert!(rows.len() >= 5, "{rows:?}");
    for row in rows {
        assert!(row.chars().count() <= 80, "{row}");
    }
}

#[test]
fn the_same_file_gives_the_same_output_to_the_byte() {
    let desk = desk_with(
        "nodes:\n  first: [{fail: x}, {dies: true}]\nacts:\n  - {at: 1s, pause: true}\n  - {at: 1m, unpause: true}\nexpect: {status: failed}\n",
    );
    let first = desk.types(&["test", "w.test.yaml", "--json"]);
    let second = desk.types(&["test", "w.test.yaml", "--json"]);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert_eq!(first.out, second.out);
}

#[test]
fn one_document_says_all_to_programs() {
    let desk = desk_with("nodes:\n  first: {output: 7, after: 1s}\nexpect: {state: {first: 7}}\n");
    let document = desk.document(&["test", "w.test.yaml", "--json"], 0);
    assert_eq!(document["passed"], true);
    let file = &document["files"][0];
    assert_eq!(file["file"], "w.test.yaml");
    let case = &file["cases"][0];
    assert_eq!(case["elapsed_ms"], 1_000);
    assert_eq!(case["state"], json!({ "first": 7 }));
    let expected = json!({ "subject": "state", "expected": "{\"first\":7}", "found": "{\"first\":7}", "met": true });
    assert_eq!(case["expectations"], json!([expected]));
    let happened = case["happened"].as_array().expect("a list");
    assert_eq!(happened[1]["what"], "scheduled");
    assert_eq!(happened[1]["origin"], "decision");
    assert_eq!(file["edges"][0]["live_in"], 1);
}

#[test]
fn several_files_are_played_and_a_case_can_be_named() {
    let desk = desk_with("expect: {status: completed}\n");
    desk.file(
        "other.test.json",
        json!({ "workflow": "w.json", "cases": { "two": { "expect": { "status": "failed" } } } })
            .to_string(),
    );
    let both = desk.types(&["test", "w.test.yaml", "other.test.json"]);
    assert_eq!(both.code, Some(1), "{both:?}");
    assert!(
        both.out.ends_with("2 cases: 1 passed, 1 failed\n"),
        "{}",
        both.out
    );
    let one = desk.types(&["test", "w.test.yaml", "other.test.json", "--case", "one"]);
    assert_eq!(one.code, Some(0), "{one:?}");
    assert!(
        one.out.ends_with("1 case: 1 passed, 0 failed\n"),
        "{}",
        one.out
    );
    let none = desk.types(&["test", "w.test.yaml", "--case", "three"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(
        none.err
            .contains(r#"no case is named "three"; there are "one""#),
        "{none:?}"
    );
}

#[test]
fn what_is_not_as_the_case_says_makes_it_fail() {
    for (case, subject, found) in [
        (
            "strict: true\nexpect: {status: completed}",
            "strict",
            "the case has none",
        ),
        (
            "acts: [{at: 5s, retry: first}]\nexpect: {status: completed}",
            "act",
            "refused: ",
        ),
        (
            "acts: [{at: 0s, signal: k, refused: true}]\nexpect: {}",
            "act",
            "it was taken",
        ),
        (
            "nodes: {first: {output: 1, choose: first}}\nexpect: {status: failed}",
            "answer",
            "refused: ",
        ),
    ] {
        let case = case.replace(
            "expect: {}",
            "nodes: {first: {after: 1s}}\nexpect: {status: completed}",
        );
        let desk = desk_with(&case);
        let document = desk.document(&["test", "w.test.yaml", "--json"], 1);
        let verdicts = document["files"][0]["cases"][0]["expectations"]
            .as_array()
            .expect("a list");
        let unmet: Vec<&Value> = verdicts.iter().filter(|it| it["met"] == false).collect();
        assert_eq!(unmet[0]["subject"], subject, "{case}: {unmet:?}");
        let said = unmet[0]["found"].as_str().expect("a text");
        assert!(said.contains(found), "{case}: {said}");
    }
}

#[test]
fn cases_that_never_end_do() {
    let desk = Desk::new();
    let mut workflow = chain(&[("a", tool())]);
    workflow["retry_policies"] = json!({ "always": {
        "max_attempts": 1000, "backoff": "fixed", "initial_delay": 1, "max_delay": 1,
    } });
    workflow["nodes"]["a"]["retry_policy"] = json!("always");
    desk.file("w.json", workflow.to_string());
    let case = |more: &str| {
        format!(
            "workflow: w.json\ncases:\n  a:\n    nodes: {{a: {{fail: x}}}}\n{more}    expect: {{status: running}}\n"
        )
    };
    desk.file("w.test.yaml", case("    until: 10m\n"));
    let said = desk.types(&["test", "w.test.yaml"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    // The last time that can be written.
    let late = "    clock: \"9999-12-31T23:59:59.000Z\"\n    until: 1m\n";
    desk.file("w.test.yaml", case(late));
    let said = desk.types(&["test", "w.test.yaml"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}
