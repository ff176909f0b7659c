//! What a person finds out about an execution that failed or waits, and what there is to
//! type about it.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command, tool};

/// A chain whose second node fails at its second attempt, while a third never begins.
fn failing() -> Value {
    let mut workflow = chain(&[
        ("a", command(&["echo", r#"{"n": 1}"#])),
        ("b", command(&["sh", "-c", "echo no such luck >&2; exit 3"])),
        ("c", command(&["true"])),
    ]);
    workflow["retry_policies"] = json!({"twice": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 0, "max_delay": 0,
    }});
    workflow["nodes"]["b"]["retry_policy"] = "twice".into();
    workflow
}

#[test]
fn a_run_that_failed_ends_with_node_error_and_what_to_type() {
    let desk = Desk::new();
    desk.file("w.json", failing().to_string());
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let id = desk.execution();
    let last = said.err.lines().last().expect("a line");
    let fork = format!("refrain fork {id} --from b");
    for part in ["node b failed at attempt 2", "no such luck", &fork] {
        assert!(last.contains(part), "{part}: {last}");
    }
    // What it says to type does it.
    let forked = desk.types(&fork.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(forked.code, Some(0), "{forked:?}");
    for words in [
        &["retry", &id, "b"][..],
        &["skip", &id, "b"],
        &["retry", &id, "--all-failed"],
    ] {
        let refused = desk.types(words);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(&fork), "{words:?}: {refused:?}");
    }
}

/// A node whose failure is handled, and after it one that fails: by this retry policy.
fn fails_after_what_is_handled(policy: &str) -> Value {
    let once = |kind: Value, policy: &str| json!({ "kind": kind, "retry_policy": policy });
    let child = json!({ "type": "subgraph", "body": {
        "start_node": "x", "edges": [],
        "nodes": { "x": once(command(&["false"]), "no_retry") },
    }});
    json!({
        "workflow_id": "handled", "version": "1.0.0", "start_node": "a",
        "retry_policies": { "ask": { "max_attempts": 1, "on_exhausted": "pause" } },
        "nodes": {
            "a": once(command(&["false"]), "no_retry"),
            "sub": once(child, "no_retry"),
            "c": once(command(&["false"]), policy),
        },
        "edges": [
            { "from": "a", "to": "sub", "on": "failure" },
            { "from": "sub", "to": "c", "on": "failure" },
        ],
    })
}

#[test]
fn r26_a_failure_that_is_handled_is_not_what_an_execution_failed_for() {
    let desk = Desk::new();
    desk.file(
        "w.json",
        fails_after_what_is_handled("no_retry").to_string(),
    );
    let run = desk.document(&["run", "w.json", "--json"], 1);
    let id = run["execution_id"].as_str().expect("an id");
    let refused = desk.types(&["retry", id, "--all-failed"]);
    let fork = format!("`refrain fork {id} --from c`");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains(&fork), "{refused:?}");
    let causes = desk.document(&["explain", id, "--json"], 0)["causes"].clone();
    let causes = causes.as_array().expect("a list").iter();
    let causes: Vec<&Value> = causes.map(|it| &it["node_id"]).collect();
    assert_eq!(causes, ["c"]);
}

#[test]
fn r26_all_that_failed_is_retried_without_what_is_handled() {
    let desk = Desk::new();
    desk.file("w.json", fails_after_what_is_handled("ask").to_string());
    let run = desk.document(&["run", "w.json", "--json"], 1);
    let id = run["execution_id"].as_str().expect("an id");
    let causes = desk.document(&["explain", id, "--json"], 0)["causes"].clone();
    let causes = causes.as_array().expect("a list").iter();
    let causes: Vec<&Value> = causes.map(|it| &it["node_id"]).collect();
    assert_eq!(causes, ["c"]);
    let retried = desk.types(&["retry", id, "--all-failed"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(retried.err.contains("the retry is recorded"), "{retried:?}");
}

#[test]
fn what_would_fail_again_from_there_is_not_said_to_go_on() {
    let desk = Desk::new();
    let limit = json!({ "type": "limit_exceeded", "description": "too much" });
    for kind in [command(&["echo", "${input.q}"]), limit] {
        let mut workflow = chain(&[("a", kind)]);
        let fields = workflow.as_object_mut().expect("an object");
        fields.remove("version");
        desk.file("w.json", workflow.to_string());
        let said = desk.types(&["run", "w.json"]);
        let last = said.err.lines().last().expect("a line");
        for part in [
            "--from a --workflow FILE` goes on",
            "--input JSON` begins anew",
        ] {
            assert!(last.contains(part), "{part}: {said:?}");
        }
    }
}

#[test]
fn all_that_failed_is_retried_at_once() {
    let desk = Desk::new();
    let fails = |name: &str| command(&["sh", "-c", &format!("[ -e {name} ] || exit 1")]);
    let mut workflow = chain(&[("a", fails("a")), ("last", command(&["true"]))]);
    workflow["nodes"]["b"] = json!({ "kind": fails("b") });
    workflow["nodes"]["start"] = json!({ "kind": command(&["true"]) });
    workflow["start_node"] = "start".into();
    workflow["edges"] = json!([
        { "from": "start", "to": "a" }, { "from": "start", "to": "b" },
        { "from": "a", "to": "last" }, { "from": "b", "to": "last" },
    ]);
    workflow["retry_policies"] = json!({"ask": {
        "max_attempts": 1, "backoff": "fixed", "initial_delay": 0, "max_delay": 0, "on_exhausted": "pause",
    }});
    for node in ["a", "b"] {
        workflow["nodes"][node]["retry_policy"] = "ask".into();
    }
    desk.file("w.json", workflow.to_string());
    let said = desk.types(&["run", "w.json"]);
    let id = desk.execution();
    let shown = desk.document(&["show", &id, "--failed", "--json"], 0);
    let failed = shown["nodes"].as_array().expect("a list").len();
    assert_eq!(
        (shown["status"].as_str(), failed),
        (Some("stalled"), 2),
        "{said:?}"
    );
    desk.file("a", "");
    desk.file("b", "");
    let retried = desk.types(&["retry", &id, "--all-failed"]);
    assert!(
        retried.err.contains("the retries are recorded"),
        "{retried:?}"
    );
    assert_eq!(desk.types(&["resume", &id]).code, Some(0));
    let none = desk.types(&["retry", &id, "--all-failed"]);
    assert_eq!(none.code, Some(0), "{none:?}");
    assert!(none.err.contains("no node has failed"), "{none:?}");
}

#[test]
fn show_says_what_is_there_now_and_how_long_it_took() {
    let desk = Desk::new();
    let workflow = chain(&[
        ("a", command(&["sh", "-c", r#"sleep 0.3; echo '{"n": 1}'"#])),
        ("b", tool()),
        ("c", command(&["true"])),
    ]);
    desk.file("w.json", workflow.to_string());
    assert_eq!(desk.types(&["start", "w.json"]).code, Some(0));
    assert_eq!(desk.types(&["resume"]).code, Some(0));
    let shown = desk.document(&["show", "@last", "--json"], 0);
    assert_eq!(shown["state"], json!({ "n": 1 }));
    assert_eq!(shown["final_state"], Value::Null);
    let [a, b] = [0, 1].map(|n| &shown["nodes"][n]);
    let worked = a["worked_ms"].as_u64().expect("a number");
    assert!((300..60_000).contains(&worked), "{a}");
    assert_eq!(
        (b["worked_ms"].as_u64(), b["waited_ms"].is_u64()),
        (Some(0), true)
    );
    let said = desk.types(&["show", "@last"]).out;
    for part in [
        "3 nodes: 1 completed, 1 pending, 1 scheduled",
        "its state is now",
        "WAITED  WORKED",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let one = desk.types(&["show", "@last", "--node", "b"]).out;
    assert!(
        one.contains("b     scheduled") && !one.contains("a     completed"),
        "{one}"
    );
    let none = desk.types(&["show", "@last", "--node", "d"]);
    assert_eq!(none.code, Some(2), "{none:?}");
}

#[test]
fn explain_without_a_node_comes_to_the_cause() {
    let desk = Desk::new();
    desk.file("w.json", failing().to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(1));
    let why = desk.types(&["explain", "@last"]).out;
    assert!(
        why.contains("is failed\nb is failed\n") && why.contains("no such luck"),
        "{why}"
    );
    assert!(!why.contains("c is pending"), "{why}");
    let why = desk.document(&["explain", "@last", "--json"], 0);
    assert_eq!(
        (&why["status"], &why["causes"][0]["node_id"]),
        (&json!("failed"), &json!("b"))
    );
    let mut waits = chain(&[("t", tool()), ("u", tool())]);
    waits["workflow_id"] = "waits".into();
    desk.file("t.json", waits.to_string());
    assert_eq!(desk.types(&["start", "t.json"]).code, Some(0));
    let why = desk.types(&["explain", "@last"]).out;
    assert!(
        why.contains("t is scheduled") && why.contains("refrain work --worker tool=PROGRAM"),
        "{why}"
    );
}

#[test]
fn dead_letters_are_listed_over_all_executions() {
    let desk = Desk::new();
    desk.file("w.json", failing().to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(1));
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(1));
    let dead = desk.document(&["dead", "--json"], 0);
    let letters = dead["dead"].as_array().expect("a list");
    assert_eq!(letters.len(), 2, "{dead}");
    let letter = &letters[0];
    assert_eq!(
        (&letter["node_id"], &letter["attempts"]),
        (&json!("b"), &json!(2))
    );
    assert!(
        letter["error"]
            .as_str()
            .is_some_and(|it| it.contains("no such luck"))
    );
    assert!(
        letter["age_ms"].is_u64() && letter["since"].is_string(),
        "{letter}"
    );
    let said = desk.types(&["dead"]).out;
    assert!(
        said.starts_with("EXECUTION") && said.lines().count() == 3,
        "{said}"
    );
    let one = desk.types(&["dead", "--limit", "1"]);
    assert!(
        one.out.lines().count() == 2 && one.err.contains("younger ones"),
        "{one:?}"
    );
    let later = desk.document(&["dead", "--since", "0s", "--json"], 0);
    assert_eq!(later["dead"], json!([]), "all are older");
    let id = letter["execution_id"].as_str().expect("an id");
    assert_eq!(desk.types(&["erase", id]).code, Some(0));
    let left = desk.document(&["dead", "--json"], 0);
    assert_eq!(left["dead"].as_array().map(Vec::len), Some(1), "{left}");
}

#[test]
fn how_much_is_said_is_for_who_types_it() {
    let desk = Desk::new();
    desk.file("good.json", chain(&[("a", command(&["true"]))]).to_string());
    let quiet = desk.types(&["-q", "run", "good.json"]);
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (Some(0), "{}\n", "")
    );
    desk.file(
        "bad.json",
        failing().to_string().replace("\"chain\"", "\"bad\""),
    );
    let bad = desk.types(&["run", "bad.json", "-q"]);
    assert_eq!(bad.err.lines().count(), 1, "{bad:?}");
    assert!(bad.err.contains("no such luck"), "{bad:?}");
    let verbose = desk.types(&["-v", "run", "good.json"]);
    assert!(verbose.err.contains("INFO"), "{verbose:?}");
    desk.file("no.json", "{");
    let invalid = desk.types(&["run", "no.json", "-q"]);
    assert!(invalid.err.contains("is not valid"), "{invalid:?}");
}

#[test]
fn the_database_is_named_before_and_after_the_command() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["--db", "x.db", "run", "w.json"]).code, Some(0));
    for words in [
        &["--db", "x.db", "list", "--json"][..],
        &["list", "--json", "--db", "x.db"],
    ] {
        assert_eq!(
            desk.document(words, 0)["executions"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
    assert_eq!(
        desk.types(&["list"]).code,
        Some(2),
        "there is no refrain.db"
    );
}

#[test]
fn each_shell_gets_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.types(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{script:?}");
        for word in ["explain", "until-idle"] {
            assert!(
                script.out.contains(word),
                "{shell} does not complete {word}"
            );
        }
    }
    let checked = std::process::Command::new("bash")
        .args(["-n", "-c", &desk.types(&["completions", "bash"]).out])
        .status()
        .expect("bash runs");
    assert!(checked.success());
    assert_eq!(desk.types(&["completions", "tcsh"]).code, Some(2));
}
