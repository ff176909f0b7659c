//! Cases that are built in Rust.

use std::time::Duration;

use serde_json::json;

use super::{Act, Case, Expectation, NodeAnswer, TestFile};
use crate::error::WorkError;
use crate::live::{Answer, Approval, Workflow};
use crate::model::Status;

fn file() -> TestFile {
    let text = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "a",
        "nodes": {
            "a": { "kind": { "type": "tool", "tool_ref": "t" }, "node_timeout_secs": 60 },
            "b": { "kind": { "type": "human_approval", "description": "?" } },
            "c": { "kind": { "type": "tool", "tool_ref": "t" } },
            "d": { "kind": { "type": "tool", "tool_ref": "t" } },
        },
        "edges": [
            { "from": "a", "to": "b", "condition": "state.x > 1 && input.go" },
            { "from": "a", "to": "c", "condition": "state.x <= 1" },
            { "from": "b", "to": "d" }, { "from": "c", "to": "d" },
        ],
    });
    let workflow = Workflow::from_json(text.to_string()).expect("JSON");
    TestFile::new(workflow).expect("it is valid")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(status: Status) -> Expectation {
    Expectation::Status(status)
}

#[test]
fn cases_are_built_without_a_file() {
    let x = |x: u64| NodeAnswer::completes(json!({ "x": x }));
    let approval = Approval::approved("ada").state_patch(json!({ "by": "ada" }));
    let file = file()
        .case(
            Case::new("long way")
                .input(json!({ "go": true }))
                .attempts("a", [NodeAnswer::times_out(), NodeAnswer::dies(), x(2)])
                .answer(
                    "d",
                    NodeAnswer::completes(Answer::output(json!([1]))).after(seconds(7)),
                )
                .act(Act::decide(seconds(100), "b", approval).by("desk"))
                .expect(status(Status::Completed))
                .expect(Expectation::path(["a", "b", "d"]))
                .expect(Expectation::skipped(["c"]))
                .expect(Expectation::State(
                    json!({ "x": 2.0, "by": "ada", "d": [1] }).into(),
                ))
                .expect(Expectation::elapsed(seconds(107))),
        )
        .case(
            Case::new("short way")
                .answer("a", x(1))
                .expect(Expectation::path(["a", "c", "d"])),
        );
    let report = file.run().expect("they are played");
    assert!(report.passed(), "{report:#?}");
    let live: Vec<usize> = report.edges.iter().map(|edge| edge.live_in).collect();
    assert_eq!(live, [1, 1, 1, 1]);
    assert_eq!(
        file.run().expect("they are played"),
        report,
        "the same again"
    );
}

#[test]
fn r7_conditions_are_true_as_the_scheduler_sees_them() {
    let edges = |input, x| {
        let answer = NodeAnswer::completes(json!({ "x": x }));
        let case = Case::new("one").input(input).answer("a", answer);
        let file = file().case(case.expect(Expectation::Order(vec!["a".into()])));
        let report = file.run().expect("it is played");
        let live = report.edges.into_iter().filter(|edge| edge.live_in > 0);
        live.map(|edge| format!("{}{}", edge.from, edge.to))
            .collect::<Vec<_>>()
    };
    assert_eq!(edges(json!({ "go": 1 }), json!(2)), ["ab"]);
    assert_eq!(edges(json!({}), json!(2)), [""; 0]);
    assert_eq!(edges(json!({}), json!(0)), ["ac", "cd"]);
    assert_eq!(edges(json!({}), json!("text")), [""; 0]);
}

#[test]
fn a_case_that_names_what_is_not_there_is_refused() {
    let error = |case: Case| {
        let error = file().case(case).run().expect_err("it cannot be played");
        error.to_string()
    };
    let expects = || Case::new("c").expect(status(Status::Failed));
    let fails = || NodeAnswer::fails(WorkError::permanent("no"));
    for (case, said) in [
        (Case::new("c"), "it expects nothing"),
        (
            expects().answer("e", fails()),
            "the workflow has no node `e`",
        ),
        (expects().answer("b", fails()), "no worker answers `b`"),
        (
            expects().act(Act::skip(seconds(1), "e")),
            "the workflow has no node `e`",
        ),
        (
            expects().expect(Expectation::path(["e"])),
            "the workflow has no node `e`",
        ),
    ] {
        let error = error(case);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_execution_that_waits_is_running_at_the_end() {
    let answer = NodeAnswer::completes(json!({ "x": 2 }));
    let case = Case::new("one")
        .input(json!({ "go": 1 }))
        .answer("a", answer);
    let pauses = [
        Act::pause(seconds(5)),
        Act::unpause(seconds(9)).reason("it is day"),
    ];
    let case = pauses.into_iter().fold(case, Case::act);
    let case = case
        .expect(status(Status::Running))
        .expect(Expectation::elapsed(seconds(9)));
    let report = file().case(case).run().expect("it is played");
    assert!(report.passed(), "{report:#?}");
}

/// A node that starts `other`, and a map of children in place.
fn with_children() -> TestFile {
    let tool = json!({ "type": "tool", "tool_ref": "t" });
    let body = json!({
        "start_node": "x",
        "nodes": { "x": { "kind": tool }, "y": { "kind": tool }, "z": { "kind": tool } },
        "edges": [
            { "from": "x", "to": "y", "condition": "state.n > 1" },
            { "from": "x", "to": "z", "condition": "state.n <= 1 || input.item == 3" },
        ],
    });
    let map = json!({
        "type": "map", "over": "input.list",
        "body": { "type": "subgraph", "body": body, "input_mapping": { "item": "item" } },
    });
    let by_name = json!({ "type": "subgraph", "workflow_id": "other", "version": "1.0.0", "output_key": "got" });
    let text = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "a",
        "nodes": {
            "a": { "kind": by_name, "retry_policy": "no_retry" },
            "each": { "kind": map },
            "b": { "kind": tool },
        },
        "edges": [
            { "from": "a", "to": "each", "condition": "state.got.n == 1" },
            { "from": "a", "to": "b", "condition": "state.got.n != 1" },
        ],
    });
    let workflow = Workflow::from_json(text.to_string()).expect("JSON");
    TestFile::new(workflow).expect("it is valid")
}

/// The workflow that it starts by name: it waits for an event.
fn other() -> Workflow {
    let text = json!({
        "workflow_id": "other", "version": "1.0.0", "start_node": "n",
        "nodes": {
            "n": { "kind": { "type": "tool", "tool_ref": "t" } },
            "w": { "kind": { "type": "wait", "condition": "external_event", "correlation_key": "k" } },
        },
        "edges": [{ "from": "n", "to": "w" }],
    });
    Workflow::from_json(text.to_string()).expect("JSON")
}

fn n(n: u64) -> NodeAnswer {
    NodeAnswer::completes(json!({ "n": n }))
}

#[test]
fn r22_a_child_that_is_not_given_is_answered_for_as_a_whole() {
    let file = with_children()
        .case(
            Case::new("as a whole")
                .input(json!({ "list": [] }))
                .answer("a", n(2).after(seconds(5)))
                .expect(Expectation::path(["a", "b"]))
                .expect(Expectation::elapsed(seconds(5))),
        )
        .case(
            Case::new("it fails")
                .answer("a", NodeAnswer::fails(WorkError::permanent("no")))
                .expect(Expectation::Failed(vec!["a".into()])),
        );
    let report = file.run().expect("they are played");
    assert!(report.passed(), "{report:#?}");
    let error = with_children()
        .case(
            Case::new("c")
                .answer("a/n", n(1))
                .expect(status(Status::Failed)),
        )
        .run()
        .expect_err("its nodes are not there");
    assert!(error.to_string().contains("is not given"), "{error}");
}

#[test]
fn r22_children_are_played_and_named_by_the_way_to_them() {
    let signal = Act::signal(seconds(9), crate::live::Signal::new("k", json!({})));
    let child = |node: &str, expected| Expectation::Child {
        node: node.into(),
        expected,
    };
    let file = with_children()
        .child_workflow(other())
        .expect("it is valid");
    let file = file.case(
        Case::new("played")
            .input(json!({ "list": [1, 2, 3] }))
            .answer("a/n", n(1))
            .act(signal.of_child("a"))
            .answer("each/x", n(1))
            .answer("each[1]/x", n(2))
            .expect(status(Status::Completed))
            .expect(Expectation::path([
                "a", "each[0]", "each[1]", "each[2]", "each",
            ]))
            .expect(Expectation::skipped(["b"]))
            .expect(child("a", vec![Expectation::path(["n", "w"])]))
            .expect(child("each[1]", vec![Expectation::path(["x", "y"])]))
            .expect(child("each[2]", vec![Expectation::skipped(["y"])]))
            .expect(Expectation::elapsed(seconds(9))),
    );
    let report = file.run().expect("it is played");
    assert!(report.passed(), "{report:#?}");
    let edge = |from: &str, to: &str| {
        let found = report
            .edges
            .iter()
            .find(|it| it.from == from && it.to == to);
        found.map(|it| it.live_in)
    };
    assert_eq!(edge("each/x", "each/y"), Some(1));
    assert_eq!(edge("each/x", "each/z"), Some(1));
    assert_eq!(edge("a", "each"), Some(1));
    assert_eq!(edge("a", "b"), Some(0));
    assert_eq!(edge("a/n", "a/w"), None, "that workflow has its own tests");
}

#[test]
fn r22_what_is_expected_of_children_can_fail() {
    let failed = |expectation: Expectation| {
        let case = Case::new("c")
            .answer("a", n(1))
            .input(json!({ "list": [7, 8] }));
        let report = with_children().case(case.expect(expectation)).run();
        let report = report.expect("it is played");
        let verdicts = report.cases[0].verdicts.iter().filter(|it| !it.is_met);
        verdicts.map(|it| it.subject.clone()).collect::<Vec<_>>()
    };
    let children = |node: &str, expected| Expectation::Children {
        node: node.into(),
        expected,
    };
    let skipped = || vec![Expectation::skipped(["y"])];
    let none: [&str; 0] = [];
    assert_eq!(
        failed(children("each[0]", vec![vec![status(Status::Completed)]])),
        none
    );
    assert_eq!(
        failed(children("each[0]", vec![skipped(), skipped()])),
        [
            "children of each[0]",
            "child 1 of each[0]: skipped",
            "child 2 of each[0]"
        ]
    );
    let last = Expectation::Child {
        node: "each[2]".into(),
        expected: skipped(),
    };
    assert_eq!(failed(last), ["child of each[2]"]);
}
