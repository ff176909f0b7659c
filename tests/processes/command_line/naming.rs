//! Executions are named by a part of their ids, and found by what is known of them.

use serde_json::Value;

use crate::command_line::desk::{Desk, chain, command};

/// Runs a workflow of this id with this program, and answers the execution's id.
fn runs(desk: &Desk, workflow_id: &str, program: &str) -> String {
    let mut workflow = chain(&[("a", command(&[program]))]);
    workflow["workflow_id"] = workflow_id.into();
    let name = format!("{workflow_id}.json");
    desk.file(&name, workflow.to_string());
    let said = desk.types(&["run", &name, "--json"]);
    let report: Value = serde_json::from_str(&said.out).expect("one document");
    report["execution_id"].as_str().expect("an id").to_owned()
}

/// The ids in a list of these options.
fn listed(desk: &Desk, options: &[&str]) -> Vec<String> {
    let document = desk.document(&[&["list", "--json"], options].concat(), 0);
    let executions = document["executions"].as_array().expect("a list");
    let id = |it: &Value| it["execution_id"].as_str().expect("an id").to_owned();
    executions.iter().map(id).collect()
}

#[test]
fn a_part_of_an_id_is_enough() {
    let desk = Desk::new();
    let (first, last) = (runs(&desk, "one", "true"), runs(&desk, "two", "true"));
    let common = first.chars().zip(last.chars()).take_while(|(a, b)| a == b);
    let common = common.count();
    for (named, id) in [
        ("@last", &last),
        (&first[..=common], &first),
        (&last["exec_".len()..20], &last),
        (&first["exec_".len()..], &first),
    ] {
        let shown = desk.document(&["show", named, "--json"], 0);
        assert_eq!(shown["execution_id"], **id, "{named}");
        for words in [
            &["log", named][..],
            &["explain", named, "a"],
            &["audit", named],
            &["export", named],
            &["resume", named],
        ] {
            let said = desk.types(words);
            assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        }
    }
    let forked = desk.types(&["fork", "@last", "--at", "1"]);
    assert_eq!(forked.code, Some(0), "{forked:?}");
    let fork = forked.out.trim_end().to_owned();
    for words in [
        &["pause", "@last"][..],
        &["unpause", "@last"],
        &["cancel", "@last"],
        &["erase", "@last"],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        assert!(
            said.err.contains(&fork) || said.out.contains(&fork),
            "{said:?}"
        );
    }
}

#[test]
fn what_names_none_or_several_is_told() {
    let desk = Desk::new();
    let none = desk.types(&["show", "@last"]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("refrain run"), "{none:?}");
    // By sixteen digits, two of seventeen begin with the same.
    let ids: Vec<String> = (0..17)
        .map(|n| runs(&desk, &format!("w{n}"), "true"))
        .collect();
    let shared = (0..16)
        .map(|digit| format!("exec_{digit:x}"))
        .find(|start| ids.iter().filter(|id| id.starts_with(start)).count() > 1)
        .expect("seventeen ids share a first digit");
    let several = desk.types(&["show", &shared]);
    assert_eq!(several.code, Some(2));
    assert!(several.err.contains("type more digits"), "{several:?}");
    let unknown = (0..256)
        .map(|digits| format!("{digits:02x}"))
        .find(|start| !ids.iter().any(|id| id["exec_".len()..].starts_with(start)))
        .expect("seventeen ids leave most beginnings");
    let missing = desk.types(&["show", &unknown]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("refrain list"), "{missing:?}");
    let wrong = desk.types(&["show", "first"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_list_is_of_the_newest_and_of_what_was_asked_for() {
    let desk = Desk::new();
    let [one, two, bad] = [("one", "true"), ("two", "true"), ("bad", "false")]
        .map(|(workflow, program)| runs(&desk, workflow, program));
    assert_eq!(listed(&desk, &[]), [&*bad, &two, &one]);
    assert_eq!(listed(&desk, &["--limit", "2"]), [&*bad, &two]);
    assert_eq!(listed(&desk, &["--workflow", "two"]), [&*two]);
    assert_eq!(listed(&desk, &["--status", "failed"]), [&*bad]);
    assert_eq!(listed(&desk, &["--since", "1h"]).len(), 3);
    assert_eq!(listed(&desk, &["--since", "2020-01-01"]).len(), 3);
    assert!(listed(&desk, &["--since", "2120-01-01T00:00:00Z"]).is_empty());
    let few = desk.types(&["list", "--limit", "1"]);
    assert!(few.err.contains("there are older ones"), "{few:?}");
    assert!(few.out.contains("ERROR"), "{few:?}");
    let list = desk.document(&["list", "--json"], 0);
    let error = list["executions"][0]["error"]
        .as_str()
        .expect("why it failed");
    assert!(few.out.contains(error), "{few:?}");
    assert_eq!(list["executions"][1]["error"], Value::Null);
    assert_eq!(desk.types(&["list", "--since", "soon"]).code, Some(2));
}
