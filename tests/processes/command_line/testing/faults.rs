//! Cases that cannot be played.

use serde_json::json;

use super::{faults, tested};
use crate::command_line::desk::{Desk, Said, chain, tool};

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

/// The first fault of each of these cases is told at this place, so, and with a remedy.
fn are_told(rows: &[(&str, &str, &str)]) {
    for (case, place, message) in rows {
        let said = tested(case);
        is_told(&said, case, place, message);
    }
}

fn is_told(said: &Said, case: &str, place: &str, message: &str) {
    let first = faults(said)[0].to_owned();
    assert!(
        first.starts_with(&format!("w.test.yaml:{place}")),
        "{case}: {first}"
    );
    assert!(first.contains(message), "{case}: {first}");
    assert!(said.err.contains("\n  remedy: "), "{case}: {}", said.err);
}

#[test]
fn faults_of_what_is_expected_are_told_apart() {
    are_told(&[
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
    ]);
}

#[test]
fn faults_of_answers_are_told_apart() {
    are_told(&[
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
    ]);
}

#[test]
fn faults_of_acts_are_told_apart() {
    are_told(&[
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
    ]);
}

#[test]
fn r22_a_node_that_starts_no_child_has_none() {
    are_told(&[
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
    ]);
}

#[test]
fn faults_of_single_values_are_told_apart() {
    are_told(&[
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
    ]);
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
        let (line, column) = place.split_once(':').expect("a place");
        let line: usize = line.parse().expect("a number");
        let line = if line > 3 { line + lines } else { line };
        is_told(&said, case, &format!("{line}:{column}"), message);
    }
}
