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
