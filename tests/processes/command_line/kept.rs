//! What is kept of executions besides their logs: labels, and what programs have written.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// The ids that are listed.
fn listed(desk: &Desk, labels: &[&str]) -> Vec<String> {
    let mut words = vec!["list", "--json"];
    for label in labels {
        words.extend(["--label", label]);
    }
    let list = desk.document(&words, 0);
    let executions = list["executions"].as_array().expect("a list").iter();
    executions
        .map(|it| it["execution_id"].as_str().expect("an id").to_owned())
        .collect()
}

fn started(desk: &Desk, words: &[&str]) -> String {
    let mut all = vec!["start", "w.json", "--json"];
    all.extend(words);
    let started = desk.document(&all, 0);
    started["execution_id"].as_str().expect("an id").to_owned()
}

#[test]
fn executions_are_started_with_labels_and_found_by_them() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["false"]))]).to_string());
    let both = started(&desk, &["--label", "team=blue", "--label", "region=eu=1"]);
    let red = started(&desk, &["--label", "team=red"]);
    let none = started(&desk, &[]);
    assert_eq!(listed(&desk, &[]), [none.as_str(), &red, &both]);
    assert_eq!(listed(&desk, &["team"]), [red.as_str(), &both]);
    assert_eq!(listed(&desk, &["team=red"]), [red.as_str()]);
    assert_eq!(listed(&desk, &["team", "region=eu=1"]), [both.as_str()]);
    assert_eq!(listed(&desk, &["team=blue", "region=us"]), [""; 0]);

    let labels = json!({ "team": "blue", "region": "eu=1" });
    assert_eq!(
        desk.document(&["show", &both, "--json"], 0)["labels"],
        labels
    );
    let list = desk.document(&["list", "--json", "--label", "region"], 0);
    assert_eq!(list["executions"][0]["labels"], labels);
    let shown = desk.types(&["show", &both]).out;
    assert!(
        shown.contains("labels: region=eu=1, team=blue\n"),
        "{shown}"
    );
    let shown = desk.types(&["show", &none]).out;
    assert!(!shown.contains("labels"), "{shown}");

    // They are event 1's, and a fork has them too.
    assert_eq!(
        desk.events(&red)[0]["labels"],
        json!([{ "name": "team", "value": "red" }])
    );
    assert_eq!(desk.types(&["resume", &red]).code, Some(1));
    let fork = desk.document(&["fork", &red, "--from", "a", "--json"], 0);
    let fork = fork["execution_id"].as_str().expect("an id").to_owned();
    let mut both_reds = [fork, red.clone()];
    both_reds.sort();
    let mut found = listed(&desk, &["team=red"]);
    // Both started at the same time.
    found.sort();
    assert_eq!(found, both_reds);
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));

    // Erased, it has none.
    assert_eq!(desk.types(&["erase", &red]).code, Some(0));
    assert_eq!(listed(&desk, &["team=red"]).len(), 1);
    assert_eq!(
        desk.document(&["show", &red, "--json"], 0)["labels"],
        json!({})
    );
}

#[test]
fn labels_that_are_none_are_refused_with_what_helps() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    for (labels, said) in [
        (&["team"][..], "NAME=VALUE"),
        (&["=v"], "it has no name; give it one"),
        (&["a b=v"], "other characters"),
        (&["a=1", "a=2"], "two of this name; leave one out"),
    ] {
        let mut words = vec!["start", "w.json"];
        for label in labels {
            words.extend(["--label", label]);
        }
        let refused = desk.types(&words);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(said), "{refused:?}");
    }
    assert_eq!(listed(&desk, &[]), [""; 0]);
}

/// A node that runs this script.
fn script(text: &str) -> Value {
    command(&["sh", "-c", text])
}

#[test]
fn what_commands_have_written_is_kept_for_success_and_failure() {
    let desk = Desk::new();
    let fails_once =
        "echo out $REFRAIN_ATTEMPT; echo err $REFRAIN_ATTEMPT >&2; test $REFRAIN_ATTEMPT = 2";
    let mut workflow = chain(&[
        (
            "good",
            script("echo '{\"x\": 1}'; echo $((6*7)) one >&2; echo two >&2"),
        ),
        ("bad", script(fails_once)),
        ("mute", command(&["true"])),
    ]);
    workflow["retry_policies"] = json!({ "quick": { "max_attempts": 2, "backoff": "fixed", "initial_delay": { "secs": 0, "nanos": 0 } } });
    workflow["nodes"]["bad"]["retry_policy"] = json!("quick");
    desk.file("w.json", workflow.to_string());
    let run = desk.types(&["run", "w.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let out = |words: &[&str]| {
        let mut all = vec!["output", "@last"];
        all.extend(words);
        let said = desk.types(&all);
        assert_eq!(said.code, Some(0), "{said:?}");
        said
    };
    assert_eq!(out(&["good"]).out, "42 one\ntwo\n", "stdout is the answer");
    assert_eq!(out(&["bad"]).out, "err 2\n", "of the last attempt");
    let first = out(&["bad", "--attempt", "1"]).out;
    assert!(
        first == "out 1\nerr 1\n" || first == "err 1\nout 1\n",
        "{first}"
    );
    assert_eq!(out(&["bad", "--attempt", "1", "--stdout"]).out, "out 1\n");
    assert_eq!(out(&["bad", "--attempt", "1", "--stderr"]).out, "err 1\n");
    let mute = out(&["mute", "--follow"]);
    assert_eq!(mute.out, "");
    assert!(
        mute.err.contains("no output is kept") && mute.err.contains("refrain log"),
        "{mute:?}"
    );
    let document = desk.document(&["output", "@last", "good", "--json"], 0);
    assert_eq!(
        document["output"],
        json!([{ "stream": "stderr", "start": 0, "text": "42 one\ntwo\n" }])
    );
    assert_eq!(
        (&document["attempt"], &document["ended"]),
        (&json!(1), &json!(true))
    );
    let unknown = desk.types(&["output", "@last", "ugly"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");

    // It is in no log and no export, and gone when the execution is erased.
    let id = desk.execution();
    let export = desk.types(&["export", &id]);
    assert!(!export.out.contains("42 one") && !desk.types(&["log", &id]).out.contains("42 one"));
    let database = || {
        let files = desk.files().into_iter();
        let databases = files.filter(|name| name.starts_with("refrain.db"));
        let all = databases.map(|name| fs::read(desk.path().join(name)).expect("a file"));
        all.flatten().collect::<Vec<u8>>()
    };
    let holds = |text: &[u8]| database().windows(text.len()).any(|part| part == text);
    assert!(holds(b"42 one\ntwo\n"));
    assert_eq!(desk.types(&["erase", &id]).code, Some(0));
    assert!(!holds(b"42 one\ntwo\n"));
    let erased = out(&["good"]);
    assert!(
        erased.out.is_empty() && erased.err.contains("is erased"),
        "{erased:?}"
    );
}

#[test]
fn output_is_followed_while_a_program_runs() {
    let desk = Desk::new();
    // It goes on when it is told to, so that what it says before has to come meanwhile.
    let waits =
        "echo before >&2; echo partly; until test -e go; do sleep 0.05; done; echo after >&2";
    desk.file(
        "w.json",
        chain(&[("first", command(&["true"])), ("long", script(waits))]).to_string(),
    );
    desk.types(&["start", "w.json"]);
    let id = desk.execution();
    let follows = desk.begins(&["output", &id, "long", "--follow"]);
    let runs = desk.begins(&["resume", &id]);
    desk.until("it is written meanwhile", || {
        let said = desk.types(&["output", &id, "long"]);
        (said.out.contains("before\n") && said.out.contains("partly\n")).then_some(())
    });
    let document = desk.document(&["output", &id, "long", "--json"], 0);
    assert_eq!(document["ended"], false);
    desk.file("go", "");
    assert_eq!(runs.ends().code, Some(0));
    let followed = follows.ends();
    assert_eq!(followed.code, Some(0), "{followed:?}");
    let mut lines: Vec<&str> = followed.out.lines().collect();
    assert_eq!(lines.pop(), Some("after"));
    lines.sort_unstable();
    assert_eq!(lines, ["before", "partly"]);
}

#[test]
fn what_a_stopped_attempt_and_a_worker_of_a_queue_have_written_is_kept() {
    let desk = Desk::new();
    let worker = desk.file("worker.sh", "#!/bin/sh\necho working >&2\nsleep 60\n");
    let mut permissions = fs::metadata(&worker).expect("a file").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&worker, permissions).expect("it is ours");
    let mut workflow = chain(&[("a", json!({ "type": "tool", "tool_ref": "any" }))]);
    workflow["nodes"]["a"]["node_timeout_secs"] = json!(1);
    workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
    desk.file("w.json", workflow.to_string());
    let run = desk.types(&["run", "w.json", "--worker", "tool=./worker.sh"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let said = desk.types(&["output", "@last", "a"]);
    assert_eq!(said.out, "working\n", "{said:?}");
}

#[test]
fn the_oldest_of_too_much_output_is_dropped_and_that_is_said() {
    let desk = Desk::new();
    let much = "yes 0123456789abcde | head -c 3000000 >&2; echo the end >&2";
    desk.file("w.json", chain(&[("a", script(much))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let said = desk.types(&["output", "@last", "a"]);
    assert!(
        said.out.len() <= 1024 * 1024 && said.out.len() > 900_000,
        "{}",
        said.out.len()
    );
    assert!(said.out.ends_with("the end\n"));
    let dropped = 3_000_008 - said.out.len();
    assert!(
        said.err
            .contains(&format!("{dropped} bytes of stderr were dropped")),
        "{}",
        said.err
    );
    let document = desk.document(&["output", "@last", "a", "--json"], 0);
    assert_eq!(document["dropped_bytes"]["stderr"], json!(dropped));
}
