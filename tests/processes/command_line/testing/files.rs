//! Files that cannot be used.

use serde_json::Value;

use super::{desk_with, faults};
use crate::command_line::desk::{chain, tool};

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
