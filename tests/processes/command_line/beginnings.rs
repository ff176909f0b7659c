//! `refrain whatif` about other beginnings: of workflows that name no version, of those
//! within others, and what is said where something would be decided otherwise.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, command};

const THRICE: &str = r#"twice={"max_attempts":3,"backoff":"fixed","initial_delay":1}"#;

/// A workflow without a version, which is known by its text, with another one within it.
fn unversioned() -> Value {
    let tried = |argv: &[&str]| json!({ "kind": command(argv), "retry_policy": "twice" });
    let policies =
        json!({ "twice": { "max_attempts": 2, "backoff": "fixed", "initial_delay": 1 } });
    json!({
        "workflow_id": "nv", "start_node": "a", "retry_policies": policies,
        "nodes": {
            "a": tried(&["true"]),
            "sub": { "kind": { "type": "subgraph", "body": {
                "start_node": "x", "nodes": { "x": { "kind": command(&["true"]) } }, "edges": [],
            }}},
        },
        "edges": [{ "from": "a", "to": "sub" }],
    })
}

#[test]
fn a_workflow_that_is_known_by_its_text_is_asked_about_with_another_text() {
    let desk = Desk::new();
    desk.file("w.json", unversioned().to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let words = ["whatif", "--all", "--retry-policy", THRICE, "--json"];
    let asked = desk.document(&words, 1);
    let each = asked["executions"].as_array().expect("a list");
    let of = |is_root: bool| {
        let found = each.iter().find(|it| (it["execution_id"] == id) == is_root);
        found.expect("it is asked about")
    };
    // The order of a node names its attempts, and nothing else is otherwise.
    let divergence = &of(true)["divergence"];
    assert_eq!(divergence["sequence"], 2, "{divergence}");
    assert_eq!(divergence["difference"][0]["pointer"], "/item_digest");
    assert_eq!(divergence["advice"], "keep_beginning");
    assert_eq!(of(false)["outcome"], "same", "{asked}");

    let words = [
        "whatif",
        "--all",
        "--simulated",
        "--retry-policy",
        THRICE,
        "--json",
    ];
    let simulated = desk.document(&words, 0);
    assert_eq!(
        simulated["executions"].as_array().map(Vec::len),
        Some(1),
        "{simulated}"
    );
}

#[test]
fn an_execution_is_not_told_to_be_left_with_a_scheduler_that_it_has() {
    let desk = Desk::new();
    desk.file("w.json", unversioned().to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let asked = desk.types(&["whatif", id, "--retry-policy", THRICE]);
    assert!(
        asked.out.contains("\n    next: nothing is to be done: "),
        "{asked:?}"
    );
}

#[test]
fn what_is_given_twice_is_refused() {
    let desk = Desk::new();
    desk.file("w.json", unversioned().to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    for (words, said) in [
        (
            &["--limits", "max_concurrent_nodes=1,max_concurrent_nodes=2"][..],
            "max_concurrent_nodes is given twice",
        ),
        (
            &["--retry-policy", THRICE, "--retry-policy", THRICE],
            "the retry policy \"twice\" is given twice",
        ),
    ] {
        let refused = desk.types(&[&["whatif", "--all"], words].concat());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(said), "{refused:?}");
    }
}
