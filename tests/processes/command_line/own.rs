//! Each command works on what it is about: what others have left is left, what
//! others are at is not waited for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use refrain_tests::binary;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command_line::desk::{Desk, Running, Said, chain, command};

/// A program that says that it has begun, waits until it may go on, and says where
/// it is. One that outlives its killed run ends when the test's folder is gone.
fn waits_for(desk: &Desk, go: &str) -> Value {
    let path = |name: &str| desk.path().join(name).display().to_string();
    let script = format!(
        "touch {}; while ! [ -e {} ] && [ -d {} ]; do sleep 0.05; done; pwd",
        path(&format!("{go}.begun")),
        path(go),
        desk.path().display()
    );
    command(&["sh", "-c", &script])
}

fn go(desk: &Desk, name: &str) {
    desk.file(name, "");
}

fn named(id: &str, mut workflow: Value) -> Value {
    workflow["workflow_id"] = json!(id);
    workflow
}

/// A workflow of one program that waits.
fn waiting(desk: &Desk, id: &str, file: &str) -> Value {
    named(id, chain(&[("a", waits_for(desk, file))]))
}

/// Begin this workflow, until its first program runs.
fn begins(desk: &Desk, workflow: &Value, file: &str, more: &[&str]) -> Running {
    let id = workflow["workflow_id"].as_str().expect("a text");
    let name = format!("{id}.json");
    desk.file(&name, workflow.to_string());
    let words = [&["run", &name, "--json"], more].concat();
    let running = desk.begins(&words);
    let begun = desk.path().join(format!("{file}.begun"));
    desk.until("the program runs", || begun.exists().then_some(()));
    running
}

/// A run of this workflow was killed while its program was at work.
fn killed(desk: &Desk, id: &str) -> String {
    begins(desk, &waiting(desk, id, id), id, &[]).killed();
    execution(desk, id)
}

fn execution(desk: &Desk, workflow_id: &str) -> String {
    let list = desk.document(&["list", "--json"], 0);
    let all = list["executions"].as_array().expect("a list");
    let found = all.iter().find(|it| it["workflow_id"] == workflow_id);
    let id = &found.expect("it is listed")["execution_id"];
    id.as_str().expect("a text").to_owned()
}

fn workers(desk: &Desk, id: &str) -> BTreeSet<String> {
    let started = |event: &Value| (event["type"] == "node_started").then(|| event.clone());
    let events = desk.events(id);
    let ids = events.iter().filter_map(started);
    ids.map(|event| event["worker_id"].to_string()).collect()
}

fn types_in(folder: &Path, desk: &Desk, words: &[&str]) -> Said {
    let output = binary::refrain(folder)
        .args(words)
        .arg("--db")
        .arg(desk.path().join("refrain.db"))
        .output()
        .expect("it starts");
    Said::of(&output)
}

fn real(path: &Path) -> String {
    fs::canonicalize(path)
        .expect("it is there")
        .display()
        .to_string()
}

#[test]
fn what_others_have_left_is_left_to_who_names_it() {
    let desk = Desk::new();
    let (one, two) = (killed(&desk, "one"), killed(&desk, "two"));
    let left = [desk.events(&one), desk.events(&two)];
    let as_left = || [desk.events(&one), desk.events(&two)] == left;
    desk.file("b.json", chain(&[("b", command(&["pwd"]))]).to_string());
    let said = desk.types(&["run", "b.json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(as_left(), "a run goes on with what it was not asked to");
    go(&desk, "one");
    let (here, there) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let said = types_in(here.path(), &desk, &["resume", &one, "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let report: Value = serde_json::from_str(&said.out).expect("one JSON document");
    let ran_in = &report["executions"][0]["final_state"]["a"];
    assert_eq!(*ran_in, json!(real(here.path())));
    assert!(!said.err.contains("working on"), "it was named: {said:?}");
    assert_eq!(desk.events(&two), left[1]);
    // A `resume` that names none goes on with all, and says so.
    go(&desk, "two");
    let said = types_in(there.path(), &desk, &["resume", "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = format!(
        "working on 1 execution, and on what is started here meanwhile; programs run in {}, with the environment of this command",
        real(there.path())
    );
    assert!(said.err.contains(&told), "{said:?}");
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}

#[test]
fn those_that_are_named_are_counted_and_others_left() {
    let desk = Desk::new();
    let [one, two, three] = ["one", "two", "three"].map(|id| killed(&desk, id));
    let left = desk.events(&three);
    ["one", "two"].iter().for_each(|name| go(&desk, name));
    let said = desk.types(&["resume", &one, &two]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = format!(
        "working on 2 executions; programs run in {}",
        real(desk.path())
    );
    assert!(said.err.contains(&told), "{said:?}");
    assert_eq!(desk.events(&three), left);
    go(&desk, "three");
}

/// What is told to one: nobody hears of it but this one.
#[test]
fn what_one_is_told_leaves_the_others_alone() {
    let desk = Desk::new();
    let [one, two] = ["one", "two"].map(|id| killed(&desk, id));
    let left = desk.events(&one);
    for words in [
        &["pause", &two][..],
        &["unpause", &two],
        &["signal", &two, "key", "{}"],
        &["cancel", &two],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        assert_eq!(desk.events(&one), left, "{words:?}");
    }
    ["one", "two"].iter().for_each(|name| go(&desk, name));
}

#[test]
fn two_runs_on_one_file_do_each_their_own_and_wait_for_no_other() {
    let desk = Desk::new();
    let names: Vec<String> = (0..20).map(|number| format!("n{number:02}")).collect();
    let mut long = json!({ "p": { "kind": { "type": "parallel", "branches": names } } });
    for name in &names {
        long[name] = json!({ "kind": waits_for(&desk, "long") });
    }
    let long = json!({ "workflow_id": "long", "version": "1.0.0", "start_node": "p", "nodes": long, "edges": [] });
    let short = begins(&desk, &waiting(&desk, "short", "short"), "short", &[]);
    let long = begins(&desk, &long, "long", &[]);
    go(&desk, "short");
    // The other one's programs wait for what comes only after this.
    let ended = short.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    go(&desk, "long");
    let ended = long.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let [short, long] = ["short", "long"].map(|id| workers(&desk, &execution(&desk, id)));
    assert_eq!((short.len(), long.len()), (1, 1));
    assert_ne!(short, long);
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}

#[test]
fn a_key_that_another_run_is_at_work_on_is_waited_for() {
    let desk = Desk::new();
    let workflow = waiting(&desk, "keyed", "go");
    let first = begins(&desk, &workflow, "go", &["--key", "k"]);
    let mut second = desk.begins(&["run", "keyed.json", "--json", "--key", "k"]);
    let id = execution(&desk, "keyed");
    second.says(&id);
    go(&desk, "go");
    let ended = [first, second].map(Running::ends);
    for one in &ended {
        assert_eq!(one.code, Some(0), "{one:?}");
        assert_eq!(one.out, ended[0].out);
    }
    let completed = |event: &&Value| event["type"] == "node_completed";
    assert_eq!(desk.events(&id).iter().filter(completed).count(), 1);
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn a_run_beside_one_that_goes_on_with_all_ends_by_itself() {
    let desk = Desk::new();
    let rest = json!({ "type": "wait", "condition": "timer", "timeout_secs": 3600 });
    let mut left = desk.runs(&named("left", chain(&[("rest", rest)])));
    left.says("waits");
    left.killed();
    let mut resumed = desk.begins(&["resume", "--wait", "2h"]);
    resumed.says("working on 1 execution, and on what is started here meanwhile");
    let run = begins(&desk, &waiting(&desk, "own", "own"), "own", &[]);
    go(&desk, "own");
    let ended = run.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let own = execution(&desk, "own");
    assert_eq!(workers(&desk, &own).len(), 1, "one of them has done it");
    resumed.interrupt();
    assert_eq!(resumed.ends().code, Some(2));
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}
