//! `refrain whatif`, and the commands that answer in its form.

use std::fs;

use refrain_tests::component::product::DIVERGENT;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// An execution of which the other scheduler would decide the same, and one of which it
/// would not.
struct Asked {
    desk: Desk,
    same: String,
    other: String,
}

fn asked() -> Asked {
    let desk = Desk::new();
    desk.file(
        "divergent.wasm",
        DIVERGENT.committed().expect("it is committed"),
    );
    let mut retried = chain(&[("say", command(&["cat"]))]);
    retried["retry_policies"] = json!({ "mine": { "max_attempts": 2 } });
    retried["nodes"]["say"]["retry_policy"] = json!("mine");
    let fan = json!({
        "workflow_id": "fan", "version": "1.0.0", "start_node": "start",
        "nodes": {
            "start": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
            "left": { "kind": command(&["cat"]) },
            "right": { "kind": command(&["cat"]) },
        },
        "edges": [],
    });
    let [same, other] = [retried, fan].map(|workflow| {
        desk.file("w.json", workflow.to_string());
        let run = desk.document(&["run", "w.json", "--json"], 0);
        run["execution_id"].as_str().expect("an id").to_owned()
    });
    Asked { desk, same, other }
}

#[test]
fn the_check_before_an_upgrade_names_what_would_be_decided_otherwise() {
    let Asked { desk, same, other } = asked();
    let built_in = desk.types(&["whatif", "--all"]);
    assert_eq!(built_in.code, Some(0), "{built_in:?}");
    assert!(
        built_in
            .out
            .starts_with("exact: no decision would be another, 2 the same; 2 logs with "),
        "{built_in:?}"
    );
    let words = [
        "whatif",
        "--all",
        "--guest",
        "divergent.wasm",
        "--junit",
        "junit.xml",
    ];
    let checked = desk.types(&words);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for said in [
        &format!("{other}  divergent  "),
        "event 3: the guest decides otherwise",
        "\n    rule: R2\n",
        "\n    state before: ",
        "\n    next: leave the execution with its own scheduler",
        "exact: 1 log would be decided otherwise, 1 the same; 2 logs with ",
    ] {
        assert!(checked.out.contains(said), "{said:?}: {checked:?}");
    }
    // What would be the same is not worth a line of many, and is one of few.
    assert!(!checked.out.contains(&same), "{checked:?}");
    let named = desk.types(&["whatif", &same, "--guest", "divergent.wasm"]);
    assert!(
        named.code == Some(0) && named.out.contains(&same),
        "{named:?}"
    );

    let document = desk.document(&[&words[..], &["--json", "--jobs", "1"]].concat(), 1);
    assert_eq!(
        (
            &document["mode"],
            &document["summary"]["same"],
            &document["summary"]["diverge"]
        ),
        (&json!("exact"), &json!(1), &json!(1))
    );
    let each = document["executions"].as_array().expect("a list");
    let of = |id: &str| {
        each.iter()
            .find(|it| it["execution_id"] == *id)
            .expect("it")
    };
    assert_eq!(
        (&of(&same)["outcome"], &of(&other)["outcome"]),
        (&json!("same"), &json!("diverges"))
    );
    let divergence = &of(&other)["divergence"];
    assert_eq!(
        (
            &divergence["code"],
            &divergence["rule"],
            &divergence["advice"]
        ),
        (&json!("other_decision"), &json!("R2"), &json!("keep_guest"))
    );
    let junit = fs::read_to_string(desk.path().join("junit.xml")).expect("a file");
    assert!(
        junit.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\"")
            && junit.contains(&format!("name=\"{same}\"/>"))
            && junit.contains("at &quot;/node_id&quot;: the guest decides &quot;right&quot;"),
        "{junit}"
    );
    // Other commands answer in the same form.
    let audit = ["audit", "--all", "--guest", "divergent.wasm"];
    assert_eq!(desk.types(&audit).out, checked.out);
    let audit = desk.document(&[&audit[..], &["--json"]].concat(), 1);
    assert_eq!(audit, document);
}

#[test]
fn a_dry_run_of_an_upgrade_says_what_whatif_says() {
    let desk = Desk::new();
    desk.file(
        "divergent.wasm",
        DIVERGENT.committed().expect("it is committed"),
    );
    let running = desk.runs(&json!({
        "workflow_id": "fan", "version": "1.0.0", "start_node": "start",
        "nodes": {
            "start": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
            "left": { "kind": { "type": "tool", "tool_ref": "any" } },
            "right": { "kind": { "type": "tool", "tool_ref": "any" } },
        },
        "edges": [],
    }));
    let id = desk.execution();
    desk.until("both are scheduled", || {
        (desk.events(&id).len() >= 4).then_some(())
    });
    let whatif = desk.types(&["whatif", "--all", "--guest", "divergent.wasm"]);
    let dry = desk.types(&["upgrade", "--all", "--guest", "divergent.wasm", "--dry-run"]);
    assert_eq!((dry.code, &dry.out), (Some(1), &whatif.out), "{dry:?}");
    running.killed();
}

#[test]
fn other_limits_and_policies_are_asked_about_with_the_logs_own_scheduler() {
    let Asked { desk, same, other } = asked();
    for (words, diverging) in [
        (&["--limits", "max_concurrent_nodes=1"][..], Some(&other)),
        (
            &["--limits", "max_concurrent_nodes=5,max_dispatch_per_tick=7"],
            None,
        ),
        (
            &["--retry-policy", r#"mine={"max_attempts":1}"#],
            Some(&same),
        ),
        (&["--retry-policy", r#"nobodys={"max_attempts":1}"#], None),
    ] {
        let asked = desk.document(
            &[&["whatif", "--all", "--json"], words].concat(),
            i32::from(diverging.is_some()),
        );
        assert_eq!(asked["guest"], Value::Null, "each is asked for its own");
        let each = asked["executions"].as_array().expect("a list").iter();
        let found: Vec<&Value> = each
            .filter(|it| it["outcome"] == "diverges")
            .map(|it| &it["execution_id"])
            .collect();
        let expected: Vec<Value> = diverging.into_iter().map(|id| json!(id)).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{words:?}");
    }
    for (words, code, said) in [
        (&["--limits", "nodes=1"][..], "usage", "there is no limit"),
        (
            &["--limits", "max_concurrent_nodes=0"],
            "usage",
            "a number from 1 on",
        ),
        (&["--retry-policy", "mine"], "usage", "NAME=VALUE"),
        (
            &["--retry-policy", "mine=[]"],
            "invalid_json",
            "no JSON object",
        ),
        (
            &["--retry-policy", r#"mine={"max_attempts":"x"}"#],
            "invalid_change",
            "/retry_policies/mine/max_attempts",
        ),
    ] {
        let words = [&["whatif", &same, "--json"], words].concat();
        let error = desk.document(&words, 2)["error"].clone();
        assert_eq!(error["code"], code, "{words:?}: {error}");
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains(said), "{words:?}: {error}");
    }
}

#[test]
fn logs_in_files_are_asked_about_where_no_database_is() {
    let Asked { desk, same, other } = asked();
    for (id, file) in [(&same, "same.ndjson"), (&other, "other.ndjson")] {
        let words = ["export", id, "--with-guest", "-o", file];
        assert_eq!(desk.types(&words).code, Some(0));
    }
    let elsewhere = Desk::new();
    for file in ["same.ndjson", "other.ndjson", "divergent.wasm"] {
        elsewhere.file(file, fs::read(desk.path().join(file)).expect("a file"));
    }
    let words = [
        "whatif",
        "--guest",
        "divergent.wasm",
        "--file",
        "same.ndjson",
        "other.ndjson",
    ];
    let asked = elsewhere.types(&words);
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(
        asked.out.contains(&format!("{same}  clean  "))
            && asked.out.contains(&format!("{other}  divergent  "))
            && asked
                .out
                .contains("exact: 1 log would be decided otherwise, 1 the same"),
        "{asked:?}"
    );
    assert!(!elsewhere.files().contains(&"refrain.db".to_owned()));
    // A log that was cut is not sound, whoever is asked.
    let log = fs::read_to_string(desk.path().join("other.ndjson")).expect("a file");
    let lines: Vec<&str> = log.lines().collect();
    elsewhere.file(
        "cut.ndjson",
        format!("{}\n", lines[..lines.len() - 1].join("\n")),
    );
    let cut = elsewhere.document(&["whatif", "--json", "--file", "cut.ndjson"], 1);
    assert_eq!(cut["summary"]["unsound"], 1, "{cut}");
}
