//! `refrain fork`, and what the other commands say of a fork.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said, approval, chain, command};

/// A chain of thirty programs, the last of which fails until there is a file.
fn thirty() -> Value {
    let names: Vec<String> = (1..=30).map(|number| format!("n{number:02}")).collect();
    let nodes: Vec<(&str, Value)> = names
        .iter()
        .map(|name| {
            let argv: &[&str] = match name.as_str() {
                "n30" => &["test", "-e", "there"],
                _ => &["true"],
            };
            (name.as_str(), command(argv))
        })
        .collect();
    let mut workflow = chain(&nodes);
    workflow["nodes"]["n30"]["retry_policy"] = json!("no_retry");
    workflow
}

/// An execution that has failed at the last of its thirty nodes.
fn failed() -> (Desk, String) {
    let desk = Desk::new();
    desk.file("w.json", thirty().to_string());
    let run = desk.document(&["run", "w.json", "--json"], 1);
    let id = run["execution_id"].as_str().expect("an id").to_owned();
    (desk, id)
}

fn id_in(said: &Said) -> String {
    assert_eq!(said.code, Some(0), "{said:?}");
    said.out.trim_end().to_owned()
}

#[test]
fn law11_what_failed_at_its_last_node_goes_on_in_a_fork_and_both_logs_are_linked() {
    let (desk, origin) = failed();
    desk.file("there", "");
    let said = desk.types(&["fork", &origin, "--by", "ada"]);
    let fork = id_in(&said);
    assert_ne!(fork, origin);
    assert!(
        said.err.contains(&format!("refrain resume {fork}")),
        "{said:?}"
    );
    let resumed = desk.types(&["resume", &fork]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let events = desk.events(&fork);
    let kinds: Vec<_> = events.iter().rev().take(5).map(|it| &it["type"]).collect();
    assert_eq!(
        kinds,
        [
            "workflow_completed",
            "node_completed",
            "node_started",
            "node_scheduled",
            "execution_forked"
        ]
    );
    assert_eq!(events[events.len() - 5]["by"], json!("ada"));
    let common = events.len() - 5;

    let audits = desk.document(&["audit", "--all", "--json"], 0);
    let audits = audits["executions"].as_array().expect("a list");
    let of = |id: &str| {
        let audit = audits.iter().find(|it| it["execution_id"] == id);
        audit.expect("it is audited")
    };
    for id in [&origin, &fork] {
        assert_eq!(of(id)["verdict"], "clean");
    }
    assert_eq!(of(&origin)["forked_from"], Value::Null);
    let link = json!({"execution_id": origin, "sequence": common, "link": "linked"});
    assert_eq!(of(&fork)["forked_from"], link);
    let audited = desk.types(&["audit", &fork]);
    assert!(
        audited.out.contains(&format!(
            "forked from {origin}: events 1 to {common} are the same there"
        )),
        "{audited:?}"
    );
    let shown = desk.types(&["show", &fork]);
    assert!(
        shown
            .out
            .contains(&format!("forked from {origin}, behind its event {common}")),
        "{shown:?}"
    );
    let shown = desk.document(&["show", &fork, "--json"], 0);
    assert_eq!(shown["forked_from"]["execution_id"], json!(origin));

    // What lacks nothing but its end comes to that at once.
    let ended = desk.types(&["fork", &fork]);
    let again = id_in(&ended);
    let said = format!("it is completed, see refrain show {again}");
    assert!(ended.err.contains(&said), "{ended:?}");
}

#[test]
fn law11_exports_are_linked_where_both_are_at_hand() {
    let (desk, origin) = failed();
    desk.file("there", "");
    let fork = id_in(&desk.types(&["fork", &origin, "--from", "n30"]));
    for (id, file) in [(&origin, "origin.ndjson"), (&fork, "fork.ndjson")] {
        let exported = desk.types(&["export", id]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        desk.file(file, exported.out);
    }
    let audit = |files: &[&str], code: i32| {
        let words = [&["audit", "--json", "--file"], files].concat();
        desk.document(&words, code)["executions"][0].clone()
    };
    let alone = audit(&["fork.ndjson"], 0);
    assert_eq!(alone["forked_from"]["link"], "origin_missing");
    let both = audit(&["fork.ndjson", "origin.ndjson"], 0);
    assert_eq!(both["forked_from"]["link"], "linked");
}

#[test]
fn law11_a_place_a_result_or_an_input_can_be_named() {
    let (desk, origin) = failed();
    let edited = desk.document(
        &[
            "fork",
            &origin,
            "--result",
            r#"n30={"by": "hand"}"#,
            "--json",
        ],
        0,
    );
    let fork = edited["execution_id"].as_str().expect("an id");
    assert_eq!(edited["forked_from"]["execution_id"], json!(origin));
    let shown = desk.document(&["show", fork, "--json"], 0);
    assert_eq!(
        (&shown["status"], &shown["final_state"]["by"]),
        (&json!("completed"), &json!("hand"))
    );

    let moved = desk.types(&["fork", &origin, "--at", "1000"]);
    assert_eq!(moved.code, Some(2), "{moved:?}");
    assert!(moved.err.contains("there is no event 1000"), "{moved:?}");
    let last = desk.events(&origin).len().to_string();
    let moved = desk.types(&["fork", &origin, "--at", &last]);
    id_in(&moved);
    assert!(
        moved.err.contains(&format!("and not at {last}")),
        "{moved:?}"
    );

    let anew = desk.document(&["fork", &origin, "--input", r#"{"n": 1}"#, "--json"], 0);
    assert_eq!(anew["forked_from"]["sequence"], json!(1));
    let anew = anew["execution_id"].as_str().expect("an id");
    let audited = desk.types(&["audit", anew]);
    assert!(
        audited.out.contains("event 1 is the same there"),
        "{audited:?}"
    );

    for words in [
        ["--result", "n30"],
        ["--result", "n30={"],
        ["--from", "nobody"],
        ["--at", "0"],
    ] {
        let refused = desk.types(&[&["fork", &origin], &words[..]].concat());
        assert_eq!(refused.code, Some(2), "{words:?}: {refused:?}");
    }
    let refused = desk.types(&["fork", &origin, "--from", "nobody"]);
    assert!(
        refused
            .err
            .contains("those that have begun are \"n01\", \"n02\", ")
            && refused.err.contains(" and 10 more"),
        "{refused:?}"
    );
}

/// Two programs that are at work at one time, because each waits for the other.
#[test]
fn law11_results_of_several_nodes_can_be_named() {
    let desk = Desk::new();
    let meets = |own: &str, other: &str| {
        let script = format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done");
        json!({"kind": command(&["sh", "-c", &script])})
    };
    let workflow = json!({
        "workflow_id": "meet", "version": "1.0.0", "start_node": "split",
        "nodes": {
            "split": {"kind": {"type": "parallel", "branches": ["a", "b"]}},
            "a": meets("a", "b"),
            "b": meets("b", "a"),
        },
        "edges": [],
    });
    desk.file("meet.json", workflow.to_string());
    desk.file("b.json", r#"{"b": 3}"#);
    let run = desk.document(&["run", "meet.json", "--json"], 0);
    let origin = run["execution_id"].as_str().expect("an id");
    let both = [
        "fork",
        origin,
        "--result",
        r#"a={"a": 2}"#,
        "--result",
        "b=@b.json",
        "--json",
    ];
    let forked = desk.document(&both, 0);
    let fork = forked["execution_id"].as_str().expect("an id");
    let shown = desk.document(&["show", fork, "--json"], 0);
    assert_eq!(
        (&shown["status"], &shown["final_state"]),
        (&json!("completed"), &json!({"a": 2, "b": 3}))
    );
    let audit = desk.document(&["audit", fork, "--json"], 0);
    assert_eq!(audit["executions"][0]["forked_from"]["link"], "linked");
    let twice = desk.types(&["fork", origin, "--result", "a=1", "--result", "a=2"]);
    assert_eq!(twice.code, Some(2), "{twice:?}");
    assert!(
        twice.err.contains("two results are given for node \"a\""),
        "{twice:?}"
    );
    let place = desk.types(&["fork", origin, "--result", "a=1", "--at", "3"]);
    assert_eq!(place.code, Some(2), "{place:?}");
    assert!(place.err.contains("cannot be used with"), "{place:?}");
}

#[test]
fn law11_another_workflow_is_refused_with_the_first_difference() {
    let (desk, origin) = failed();
    let mut other = thirty();
    other["version"] = json!("2.0.0");
    other["nodes"]["n30"]["kind"]["argv"] = json!(["true"]);
    desk.file("mended.json", other.to_string());
    other["version"] = json!("3.0.0");
    other["nodes"]["n02"]["kind"] = json!({"type": "tool", "tool_ref": "t"});
    desk.file("unlike.json", other.to_string());
    let refused = desk.types(&["fork", &origin, "--workflow", "unlike.json"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("divergent there: event 5"),
        "{refused:?}"
    );
    let fork = id_in(&desk.types(&["fork", &origin, "--workflow", "mended.json"]));
    let resumed = desk.types(&["resume", &fork]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let audit = desk.document(&["audit", &fork, "--json"], 0);
    assert_eq!(audit["executions"][0]["forked_from"]["link"], "linked");
}

#[test]
fn a_fork_of_what_is_paused_says_how_to_lift_that() {
    let desk = Desk::new();
    let mut running = desk.runs(&chain(&[("ask", approval())]));
    running.says("ask waits for an approval");
    let origin = desk.execution();
    running.killed();
    assert_eq!(desk.types(&["pause", &origin]).code, Some(0));
    let forked = desk.types(&["fork", &origin]);
    let fork = id_in(&forked);
    let said = format!("to go on, type: refrain unpause {fork}, then refrain resume {fork}");
    assert!(forked.err.contains(&said), "{forked:?}");
    for verb in ["unpause", "show"] {
        let said = desk.types(&[verb, &fork]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let record = desk.document(&["show", &fork, "--json"], 0);
    assert_eq!(record["status"], "running");
    let record = desk.document(&["show", &origin, "--json"], 0);
    assert_eq!(record["status"], "paused");
}

#[test]
fn what_says_to_fork_names_the_command_that_does() {
    let (desk, origin) = failed();
    let refused = desk.types(&["retry", &origin, "n30"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("fork it") && refused.err.contains(&format!("refrain fork {origin}")),
        "{refused:?}"
    );
}

#[test]
fn law11_a_workflow_that_leads_elsewhere_is_told_by_the_event_that_would_be_another() {
    let desk = Desk::new();
    let programs = |second: &str| {
        let names = ["a", second, "z"].map(|name| (name, command(&["true"])));
        let mut workflow = chain(&names);
        workflow["version"] = json!(format!("1.0.{}", second.len()));
        workflow
    };
    desk.file("w.json", programs("b").to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let mut other_work = programs("b");
    other_work["nodes"]["b"]["kind"] = command(&["date"]);
    other_work["version"] = json!("2.0.0");
    for (workflow, differs) in [
        (
            programs("bee"),
            r#"event 5 would be node_scheduled of node "bee", and is node_scheduled of node "b""#,
        ),
        (
            other_work,
            r#"event 5, node_scheduled of node "b", would be another in /item_digest"#,
        ),
    ] {
        desk.file("other.json", workflow.to_string());
        let refused = desk.types(&["fork", id, "--from", "z", "--workflow", "other.json"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        for part in [differs, "; fork it from before that event"] {
            assert!(refused.err.contains(part), "{part}: {refused:?}");
        }
    }
}

#[test]
fn a_fork_that_ends_with_its_results_is_not_said_to_be_forked_too_late() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"])), ("b", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id");
    let said = desk.types(&["fork", id, "--result", "b=1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let line = "this result leads to that end";
    assert!(said.err.contains(line), "{said:?}");
    let said = desk.types(&["fork", id]);
    assert!(
        said.err
            .contains("what both have in common leads to that end: fork it from before that"),
        "{said:?}"
    );
}
