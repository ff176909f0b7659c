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
            &["--retry-policy", r#"nobodys={"max_attempts":1}"#],
            "unknown_policy",
            "no node of these workflows has the retry policy",
        ),
        (
            &[
                "--simulated",
                "--retry-policy",
                r#"nobodys={"max_attempts":1}"#,
            ],
            "unknown_policy",
            "their nodes name mine; give one of these",
        ),
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

#[test]
fn a_simulation_stands_beside_what_is_recorded_and_says_what_it_assumes() {
    let desk = Desk::new();
    let mut failing = chain(&[("say", command(&["false"]))]);
    failing["workflow_id"] = json!("failing");
    failing["retry_policies"] = json!({ "mine": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 0
    } });
    failing["nodes"]["say"]["retry_policy"] = json!("mine");
    desk.file("failing.json", failing.to_string());
    assert_eq!(desk.types(&["run", "failing.json"]).code, Some(1));
    desk.file("w.json", chain(&[("say", command(&["cat"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));

    let all = desk.types(&["whatif", "--all", "--simulated"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    for said in [
        "                                  recorded       simulated\n",
        "  ends as                           failed          failed\n",
        "  ends as                        completed       completed\n",
        "  attempts                               2               2\n",
        "simulated, and not proven: 2 executions, ",
        "; all come to the same end\n",
    ] {
        assert!(all.out.contains(said), "{said:?}: {all:?}");
    }
    assert!(!all.out.contains("assumed"), "{all:?}");

    let policy = r#"mine={"max_attempts":3,"backoff":"fixed","initial_delay":5,"jitter":false}"#;
    let more = ["whatif", "--all", "--simulated", "--retry-policy", policy];
    let told = desk.types(&more);
    assert_eq!(told.code, Some(0), "{told:?}");
    let assumed = "  assumed: attempt 3 of say was never made; it ends as the last one that was\n";
    assert!(told.out.contains(assumed), "{told:?}");
    let document = desk.document(&[&more[..], &["--json", "--jobs", "1"]].concat(), 0);
    let first = &document["executions"][0];
    assert_eq!(
        (
            &document["mode"],
            &first["recorded"]["retries"],
            &first["simulated"]["retries"]
        ),
        (&json!("simulated"), &json!(1), &json!(2))
    );
    assert_eq!(first["simulated"]["spent_ms"]["back_off"], json!(10_000));
    assert_eq!(
        first["assumptions"],
        json!([{ "node_id": "say", "code": "further_attempt", "attempt": 3, "detail": null }])
    );

    // Another end: one attempt less would have been one too few for a node that failed once.
    let mut luck = chain(&[(
        "say",
        command(&["sh", "-c", "mkdir once && exit 1; exit 0"]),
    )]);
    luck["workflow_id"] = json!("luck");
    luck["retry_policies"] = failing["retry_policies"].clone();
    luck["nodes"]["say"]["retry_policy"] = json!("mine");
    desk.file("luck.json", luck.to_string());
    assert_eq!(desk.types(&["run", "luck.json"]).code, Some(0));
    let once = r#"mine={"max_attempts":1}"#;
    let words = ["whatif", "@last", "--simulated", "--retry-policy", once];
    let told = desk.types(&words);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("1 of them to another end"), "{told:?}");

    // The same of exported logs.
    assert_eq!(
        desk.types(&["export", "@last", "-o", "l.ndjson"]).code,
        Some(0)
    );
    let of_file = desk.types(&[&["whatif", "--file", "l.ndjson"], &words[2..]].concat());
    assert_eq!(
        (of_file.code, &of_file.out),
        (Some(1), &told.out),
        "{of_file:?}"
    );
}

#[test]
fn what_cannot_be_simulated_is_told() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("say", command(&["cat"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    assert_eq!(
        desk.types(&["export", "@last", "-o", "l.ndjson"]).code,
        Some(0)
    );
    let whole = fs::read_to_string(desk.path().join("l.ndjson")).expect("a log");
    let lines: Vec<&str> = whole.lines().collect();
    desk.file("cut.ndjson", lines[..lines.len() - 1].join("\n") + "\n");
    let cut = desk.types(&["whatif", "--simulated", "--file", "cut.ndjson"]);
    assert_eq!(cut.code, Some(2), "{cut:?}");
    assert!(cut.err.contains("is not whole and sound"), "{cut:?}");
    for (words, said) in [
        (&["whatif", "@last", "--workers", "2"][..], "--simulated"),
        (&["whatif", "@last", "--simulated", "--workers", "0"], "0"),
        (
            &["whatif", "@last", "--simulated", "--junit", "j.xml"],
            "--junit",
        ),
        (&["whatif", "@last", "--junit", "-"], "name a file"),
    ] {
        let refused = desk.types(words);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(said), "{refused:?}");
    }
    assert_eq!(desk.types(&["erase", "@last"]).code, Some(0));
    let erased = desk.types(&["whatif", "--all", "--simulated"]);
    assert_eq!(erased.code, Some(2), "{erased:?}");
    assert!(erased.err.contains("is erased"), "{erased:?}");
}

/// Of a child without a log its parent's log says how it ended, and that holds for children
/// by name; of one that is written in place nothing else is known.
#[test]
fn children_without_logs_end_as_they_did_or_that_is_told() {
    let desk = Desk::new();
    let failing = command(&["sh", "-c", "sleep 0.2; exit 1"]);
    let mut named = chain(&[("say", failing)]);
    named["workflow_id"] = json!("child");
    named["nodes"]["say"]["retry_policy"] = json!("no_retry");
    desk.file("child.json", named.to_string());
    assert_eq!(desk.types(&["register", "child.json"]).code, Some(0));
    let by_name = json!({ "type": "subgraph", "workflow_id": "child", "version": "1.0.0" });
    let mut body = named.clone();
    for field in ["workflow_id", "version"] {
        body.as_object_mut().expect("an object").remove(field);
    }
    let in_place = json!({ "type": "subgraph", "body": body });
    for (kind, is_known) in [(by_name, true), (in_place, false)] {
        let mut parent = chain(&[("call", kind)]);
        parent["workflow_id"] = json!(format!("parent-{is_known}"));
        parent["nodes"]["call"]["retry_policy"] = json!("no_retry");
        desk.file("parent.json", parent.to_string());
        let run = desk.document(&["run", "parent.json", "--json"], 1);
        let id = run["execution_id"].as_str().expect("an id");
        let log = desk.types(&["log", id]).out;
        let child = log.split("child_id=").nth(1).expect("it was started");
        let child = child.split_whitespace().next().expect("its id");
        let alone = desk.types(&["whatif", child, "--simulated"]);
        match is_known {
            true => assert_eq!(alone.code, Some(0), "{alone:?}"),
            false => assert!(alone.err.contains("simulate that one"), "{alone:?}"),
        }
        assert_eq!(desk.types(&["erase", child]).code, Some(0));
        let told = desk.types(&["whatif", id, "--simulated"]);
        let assumed = "assumed: the log of the child of call is not at hand";
        assert_eq!(told.out.contains(assumed), !is_known, "{told:?}");
        let is_same = told.out.contains("all come to the same end");
        assert_eq!(
            (is_same, told.code),
            (is_known, Some(i32::from(!is_known))),
            "{told:?}"
        );
    }
}
