//! `refrain test`: what a person types and sees.

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

/// The blocks of the page that begin with these words, each with what follows them.
fn blocks<'a>(page: &'a str, begin: &str) -> Vec<(&'a str, &'a str)> {
    let parts = page
        .split("\n```")
        .filter_map(|part| part.strip_prefix(begin));
    let block = |part: &'a str| part.split_once('\n').expect("a block has lines");
    parts.map(block).collect()
}

#[test]
fn every_example_of_the_page_prints_what_stands_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/testing-workflows.md");
    let page = fs::read_to_string(page).expect("the page");
    let desk = Desk::new();
    for (name, text) in blocks(&page, "yaml ") {
        desk.file(name, text);
    }
    let commands = blocks(&page, "console");
    assert!(commands.len() >= 6, "{}", commands.len());
    for (_, block) in commands {
        let (typed, printed) = block.split_once('\n').expect("what is typed, and printed");
        let words = typed.strip_prefix("$ refrain ").expect("a command");
        // Words in quotation marks are one.
        let words: Vec<&str> =
            words
                .split('"')
                .enumerate()
                .fold(Vec::new(), |mut words, (at, part)| {
                    match at % 2 {
                        0 => words.extend(part.split_whitespace()),
                        _ => words.push(part),
                    }
                    words
                });
        let said = desk.types(&words);
        let found = format!("{}{}", said.out, said.err);
        assert_eq!(found.trim_end(), printed.trim_end(), "{typed}");
    }
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

// ---- files that cannot be used -------------------------------------------------------

#[test]
fn every_fault_is_told_with_its_place_its_line_and_a_remedy() {
    let said = tested("nodes:\n  frist: {output: 1}\nexpekt: {status: completed}\n");
    assert_eq!(
        faults(&said),
        [
            "w.test.yaml:3:3: the case expects nothing",
            "  3 |   one:",
            "    |   ^",
            "  remedy: add `expect`, such as `expect: {status: completed}`",
            "w.test.yaml:5:7: the workflow has no node `frist`",
            "  5 |       frist: {output: 1}",
            "    |       ^",
            "  remedy: did you mean `first`?",
            "w.test.yaml:6:5: a case has no key `expekt`",
            "  6 |     expekt: {status: completed}",
            "    |     ^",
            "  remedy: did you mean `expect`?",
        ]
    );
    assert!(
        said.err.ends_with("error: 3 faults: nothing was tested\n"),
        "{}",
        said.err
    );
}

#[test]
fn each_kind_of_fault_is_told_apart() {
    for (case, place, message) in [
        ("expect: {}", "4:13", "nothing is expected"),
        (
            "expect: {statsu: failed}",
            "4:14",
            "`expect` has no key `statsu`",
        ),
        (
            "expect: {status: done}",
            "4:22",
            "there is no status `done`",
        ),
        (
            "expect: {status: 1}",
            "4:22",
            "`status` is a text, and this is a number",
        ),
        (
            "expect: {path: first}",
            "4:20",
            "`path` is a list of nodes, and this is a text",
        ),
        (
            "expect: {path: [third]}",
            "4:21",
            "the workflow has no node `third`",
        ),
        ("expect: {order: [first]}", "4:21", "this orders nothing"),
        (
            "expect: {elapsed: 5}",
            "4:23",
            "`elapsed` is a span of time, and this is none",
        ),
        (
            "expect: {elapsed: {at_least: 2s, at_most: 1s}}",
            "4:23",
            "`at_least` is more than `at_most`",
        ),
        (
            "expect: {attempts: {first: 1.5}}",
            "4:32",
            "the number of attempts is a whole number",
        ),
        (
            "expect: {attempts: {first: 99999999999}}",
            "4:32",
            "the number of attempts is a whole number",
        ),
        (
            "expect: {state_includes: 5}",
            "4:30",
            "`state_includes` is a mapping, and this is a number",
        ),
        (
            "nodes: {first: []}\nexpect: {status: failed}",
            "4:20",
            "the list of answers is empty",
        ),
        (
            "nodes: {first: {fail: x, timeout: true}}\nexpect: {status: failed}",
            "4:30",
            "an answer ends the attempt once",
        ),
        (
            "nodes: {first: {fail: x, patch: {}}}\nexpect: {status: failed}",
            "4:30",
            "`patch` says nothing of an answer that fails",
        ),
        (
            "nodes: {first: {class: x}}\nexpect: {status: failed}",
            "4:21",
            "`class` says nothing of an answer that completes",
        ),
        (
            "nodes: {first: {dies: false}}\nexpect: {status: failed}",
            "4:27",
            "`dies` is `true`, and nothing else",
        ),
        (
            "nodes: {first: {dies: true, after: 1s}}\nexpect: {status: failed}",
            "4:33",
            "`after` says nothing",
        ),
        (
            "nodes: {first: {patch: [1]}}\nexpect: {status: failed}",
            "4:28",
            "`patch` is a mapping, and this is a list",
        ),
        (
            "nodes: {first: {choose: nowhere}}\nexpect: {status: failed}",
            "4:29",
            "the workflow has no node `nowhere`",
        ),
        (
            "acts: {at: 5s}\nexpect: {status: failed}",
            "4:11",
            "`acts` is a list, and this is a mapping",
        ),
        (
            "acts: [{at: 5s}]\nexpect: {status: failed}",
            "4:12",
            "an act does nothing",
        ),
        (
            "acts: [{cancel: true}]\nexpect: {status: failed}",
            "4:12",
            "an act has no time",
        ),
        (
            "acts: [{at: 5s, cancel: true, pause: true}]\nexpect: {status: failed}",
            "4:35",
            "an act does one thing",
        ),
        (
            "acts: [{at: 5s, cancel: true, payload: 1}]\nexpect: {status: failed}",
            "4:35",
            "`payload` says nothing of `cancel`",
        ),
        (
            "acts: [{at: 400d, cancel: true}]\nexpect: {status: failed}",
            "4:12",
            "the case ends before that, at 366d",
        ),
        (
            "acts: [{at: 5s, approve: third}]\nexpect: {status: failed}",
            "4:30",
            "the workflow has no node `third`",
        ),
        (
            "clock: tomorrow\nexpect: {status: failed}",
            "4:12",
            "`clock` is a time, and this is none",
        ),
        (
            "strict: maybe\nexpect: {status: failed}",
            "4:13",
            "`strict` is true or false, and this is a text",
        ),
        (
            "strict: yes\nexpect: {status: failed}",
            "4:13",
            "`yes` is a text to some readers of YAML",
        ),
        (
            "input: &a {}\nexpect: {status: failed}",
            "4:15",
            "anchors are not read here",
        ),
        (
            "input: [1\nexpect: {status: failed}",
            "",
            "this cannot be read: ",
        ),
    ] {
        let said = tested(case);
        let first = faults(&said)[0].to_owned();
        assert!(
            first.starts_with(&format!("w.test.yaml:{place}")),
            "{case}: {first}"
        );
        assert!(first.contains(message), "{case}: {first}");
        assert!(said.err.contains("\n  remedy: "), "{case}: {}", said.err);
    }
}

#[test]
fn faults_of_the_file_as_a_whole_are_told() {
    let desk = desk_with("expect: {status: completed}");
    let wrong = chain(&[("a", tool())])
        .to_string()
        .replace("\"tool\"", "\"toll\"");
    desk.file("wrong.json", wrong);
    desk.file("folder.yaml", "");
    for (name, text, fault) in [
        ("empty.yaml", "", "empty.yaml:1:1: there is nothing in it"),
        (
            "list.yaml",
            "[]",
            "list.yaml:1:1: a test file is a mapping, and this is a list",
        ),
        (
            "none.yaml",
            "cases: {}",
            "none.yaml:1:1: the workflow is not named",
        ),
        (
            "no_cases.yaml",
            "workflow: w.json",
            "no_cases.yaml:1:1: there are no cases",
        ),
        (
            "no_case.yaml",
            "workflow: w.json\ncases: {}",
            "no_case.yaml:2:8: there are no cases",
        ),
        (
            "number.yaml",
            "workflow: 5\ncases: {}",
            "number.yaml:1:11: `workflow` is the path of a file",
        ),
        (
            "gone.yaml",
            "workflow: gone.json\ncases: {}",
            "gone.yaml:1:11: the workflow gone.json: it cannot be read: ",
        ),
        (
            "text.yaml",
            "workflow: w.txt\ncases: {}",
            "text.yaml:1:11: the workflow w.txt: the end of its name",
        ),
        (
            "wrong.yaml",
            "workflow: wrong.json\ncases: {}",
            "wrong.json:1:",
        ),
        (
            "key.yaml",
            "workflow: w.json\ncase: {}\ncases: {a: {expect: {status: failed}}}",
            "key.yaml:2:1: a test file has no key `case`",
        ),
        (
            "bad.json",
            "{\"workflow\": \"w.json\",\n \"cases\": {,}}",
            "bad.json:2:12: this is not JSON: ",
        ),
        (
            "yaml.json",
            "workflow: w.json",
            "yaml.json:1:1: this is not JSON: ",
        ),
        (
            "test.toml",
            "",
            "test.toml: the end of its name does not say how it is written",
        ),
        (
            "mark.yaml",
            "\u{feff}workflow: w.json",
            "mark.yaml: it begins with a byte order mark",
        ),
    ] {
        desk.file(name, text);
        let said = desk.types(&["test", name]);
        let first = faults(&said)[0].to_owned();
        assert!(first.starts_with(fault), "{name}: {first}");
        assert!(said.err.contains("\n  remedy: "), "{name}: {}", said.err);
    }
    desk.file("bytes.yaml", [0xff, 0xfe, 0x41, 0x00]);
    let said = desk.types(&["test", "bytes.yaml", "gone.test.yaml", "."]);
    assert_eq!(
        faults(&said)
            .iter()
            .filter(|line| line.contains("remedy"))
            .count(),
        3,
        "{said:?}"
    );
    let document = desk.document(&["test", "w.test.yaml", "gone.test.yaml", "--json"], 2);
    assert_eq!(document["error"]["code"], "test_file");
    assert_eq!(document["faults"][0]["file"], "gone.test.yaml");
    assert_eq!(document["faults"][0]["line"], Value::Null);
}

#[test]
fn hostile_files_are_refused_and_cost_little() {
    let desk = desk_with("expect: {status: completed}");
    let laughs = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
        let before = at - 1;
        format!("{text}a{at}: &a{at} [*a{before}, *a{before}, *a{before}]\n")
    });
    let names: String = (0..50_000)
        .map(|at| format!("      n{at}: {{}}\n"))
        .collect();
    let names = format!(
        "workflow: w.json\ncases:\n  a:\n    nodes:\n{names}    expect: {{status: failed}}\n"
    );
    for (what, text) in [
        ("laughs", laughs),
        ("lists", "[".repeat(1_000_000)),
        ("mappings", "{a: ".repeat(300_000)),
        ("dashes", "- ".repeat(1_000_000)),
        ("a key", format!("{}: 1", "k".repeat(2_000_000))),
        ("a text", format!("\"{}", "x".repeat(3_000_000))),
        ("digits", format!("a: {}", "9".repeat(3_000_000))),
        ("questions", "? ".repeat(1_000_000)),
        ("names", names),
        ("too long", "#".repeat(5_000_000)),
        ("zeros", "\0".repeat(1_000_000)),
    ] {
        desk.file("hostile.yaml", text);
        let said = desk.types(&["test", "hostile.yaml"]);
        assert_eq!(said.code, Some(2), "{what}");
        assert!(said.err.contains("remedy: "), "{what}: {:.300}", said.err);
        assert!(said.err.len() < 100_000, "{what}: {}", said.err.len());
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
    let late = "    clock: 9999-12-31T23:59:59.000Z\n    until: 1m\n";
    desk.file("w.test.yaml", case(late));
    let said = desk.types(&["test", "w.test.yaml"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}
