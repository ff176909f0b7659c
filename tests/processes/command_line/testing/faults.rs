//! Files that cannot be used.

use serde_json::{Value, json};

use super::{desk_with, tested};
use crate::command_line::desk::{Desk, Said, chain, tool};

fn faults(said: &Said) -> Vec<&str> {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    let lines = said.err.lines().filter(|line| !line.starts_with("error: "));
    lines.collect()
}

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
            "acts: [{at: 5s, approve: second}]\nexpect: {status: failed}",
            "4:30",
            "nobody decides on `second`, whose kind is `command`",
        ),
        (
            "acts: [{at: 5s, cancel: true, child: first}]\nexpect: {status: failed}",
            "4:42",
            "`first` starts no child: its kind is `tool`",
        ),
        (
            "nodes:\n  first/x: {output: 1}\nexpect: {status: failed}",
            "5:7",
            "`first` starts no child",
        ),
        (
            "expect: {children: {first: {status: failed}}}",
            "4:25",
            "`first` starts no child",
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
fn r22_faults_about_children_are_told_apart() {
    let desk = Desk::new();
    let node = json!({ "kind": tool() });
    let body = json!({ "start_node": "x", "nodes": { "x": node }, "edges": [] });
    let child = json!({ "type": "subgraph", "body": body });
    let by_name = json!({ "type": "subgraph", "workflow_id": "other", "version": "1.0.0" });
    let map = json!({ "type": "map", "over": "input.list", "body": child });
    let nodes = [("sub", child), ("each", map), ("far", by_name)];
    desk.file("w.json", chain(&nodes).to_string());
    desk.file("other.json", chain(&[("a", tool())]).to_string());
    for (top, case, place, message) in [
        (
            "",
            "nodes: {sub: {output: 1}}",
            "4:13",
            "no worker answers `sub`: it starts a child",
        ),
        (
            "",
            "nodes: {sub/y: {output: 1}}",
            "4:13",
            "the workflow of what `sub` starts has no node `y`",
        ),
        (
            "",
            "nodes: {far/a: {output: 1}}",
            "4:13",
            "the workflow of what `far` starts is not given",
        ),
        (
            "",
            "nodes: {far: {fail: so, retryable: false}}",
            "4:29",
            "`retryable` says nothing of `far`",
        ),
        (
            "",
            "nodes: {sub/x: {choose: sub}}",
            "4:29",
            "has no node `sub`",
        ),
        (
            "",
            "expect: {path: [sub/x]}",
            "4:21",
            "`x` is a node of the child of `sub`",
        ),
        (
            "",
            "expect: {attempts: {sub/x: 1}}",
            "4:25",
            "`x` is a node of the child of `sub`",
        ),
        (
            "",
            "expect: {children: {each: {status: failed}}}",
            "4:25",
            "`each` is a map",
        ),
        (
            "",
            "expect: {children: {far: {status: failed}}}",
            "4:25",
            "the child of `far` is not played",
        ),
        (
            "",
            "expect: {children: {sub: {path: ['y']}}}",
            "4:38",
            "has no node `y`",
        ),
        (
            "workflows: other.json\n",
            "expect: {status: failed}",
            "2:12",
            "`workflows` is a list of paths",
        ),
        (
            "workflows: [other.json]\n",
            "expect: {status: failed}",
            "2:13",
            "no node starts chain 1.0.0",
        ),
        (
            "workflows: [gone.json]\n",
            "expect: {status: failed}",
            "2:13",
            "the workflow gone.json",
        ),
    ] {
        let expected = match case.contains("expect") {
            true => "",
            false => "\n    expect: {status: failed}",
        };
        let lines = top.lines().count();
        let text = format!("workflow: w.json\n{top}cases:\n  one:\n    {case}{expected}\n");
        desk.file("w.test.yaml", text);
        let said = desk.types(&["test", "w.test.yaml"]);
        let first = faults(&said)[0].to_owned();
        let (line, column) = place.split_once(':').expect("a place");
        let line: usize = line.parse().expect("a number");
        let line = if line > 3 { line + lines } else { line };
        assert!(
            first.starts_with(&format!("w.test.yaml:{line}:{column}")),
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
