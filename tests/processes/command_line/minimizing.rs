//! `refrain bisect` finds the smallest log on which two schedulers part, and `refrain
//! minimize` makes one smaller still.

use std::fs;

use refrain_tests::component::product::DIVERGENT;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// A chain of so many nodes, and a fan behind it.
fn fan(name: &str, nodes: usize) -> Value {
    let step = |n: usize| format!("{name}-secret-{n}");
    let names: Vec<String> = (0..nodes).map(step).collect();
    let each: Vec<(&str, Value)> = names
        .iter()
        .map(|name| (name.as_str(), command(&["cat"])))
        .collect();
    let mut workflow = chain(&each);
    workflow["workflow_id"] = json!(name);
    for side in ["left", "right"] {
        workflow["nodes"][side] = json!({ "kind": command(&["cat"]) });
        let edge = json!({ "from": names[nodes - 1], "to": side });
        workflow["edges"].as_array_mut().expect("a list").push(edge);
    }
    workflow
}

/// Three executions, of which two fan out: the first later than the second.
fn desk() -> (Desk, [String; 3]) {
    let desk = Desk::new();
    desk.file("bad.wasm", DIVERGENT.committed().expect("it is committed"));
    let plain = chain(&[("only", command(&["cat"]))]);
    let ids = [fan("late", 8), fan("early", 3), plain].map(|workflow| {
        desk.file("w.json", workflow.to_string());
        let input = json!({ "name": "secret" }).to_string();
        let run = desk.document(&["run", "w.json", "--input", &input, "--json"], 0);
        run["execution_id"].as_str().expect("an id").to_owned()
    });
    (desk, ids)
}

#[test]
fn the_smallest_log_on_which_two_schedulers_part_is_found() {
    let (desk, [late, early, plain]) = desk();
    let words = ["bisect", "--bad", "bad.wasm"];
    let found = desk.types(&words);
    assert_eq!(found.code, Some(1), "{found:?}");
    for said in [
        &format!("{early}  they part after 10 events of 17\n"),
        "  good: decides what the log has as event 11\n",
        "  bad:\n    event 11: the guest decides otherwise",
        "\n      rule: R2\n",
        &format!("\n  next: `refrain minimize {early} --guest bad.wasm` makes that log"),
        "\nbisect: the two part in 2 logs, 1 the same; 3 logs with ",
    ] {
        assert!(found.out.contains(said), "{said:?}: {found:?}");
    }
    let document = desk.document(&[&words[..], &["--json", "--jobs", "1"]].concat(), 1);
    let smallest = &document["smallest"];
    assert_eq!(
        (
            &smallest["execution_id"],
            &smallest["after"],
            &smallest["good"]
        ),
        (&json!(early), &json!(10), &json!(null))
    );
    assert_eq!(smallest["bad"]["rule"], json!("R2"));
    assert_eq!(document["summary"]["part"], json!(2));
    // Those that are named, and no others.
    let same = desk.types(&["bisect", &plain, "--bad", "bad.wasm"]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(
        same.out
            .starts_with("bisect: the two part nowhere, 1 the same"),
        "{same:?}"
    );
    // The same of files, in a folder or named.
    fs::create_dir(desk.path().join("logs")).expect("a folder");
    for (id, file) in [(&late, "logs/late.ndjson"), (&early, "logs/early.ndjson")] {
        desk.types(&["export", id, "--output", file]);
    }
    let words = ["bisect", "--bad", "bad.wasm", "--file", "logs"];
    let mut files = desk.document(&[&words[..], &["--json"]].concat(), 1);
    assert_eq!(files["summary"]["part"], json!(2));
    let file = files["smallest"]["file"].take();
    assert_eq!(file, json!("logs/early.ndjson"));
    let mut smallest = document["smallest"].clone();
    smallest["file"] = Value::Null;
    assert_eq!(files["smallest"], smallest);
    let said = desk.types(&words);
    let parts = format!("{early}  they part after 10 events of 17; in logs/early.ndjson\n");
    assert!(said.out.contains(&parts), "{said:?}");
}

/// Also where the log itself does not say whose it is.
#[test]
fn of_several_files_those_are_named_whose_logs_are_not_sound() {
    let (desk, [late, early, _]) = desk();
    fs::create_dir(desk.path().join("logs")).expect("a folder");
    for (id, file) in [(&late, "logs/late.ndjson"), (&early, "logs/early.ndjson")] {
        desk.types(&["export", id, "--output", file]);
    }
    let sound = fs::read_to_string(desk.path().join("logs/early.ndjson")).expect("a file");
    desk.file(
        "logs/edited.ndjson",
        sound.replacen("\"left\"", "\"lift\"", 1),
    );
    desk.file("logs/text.ndjson", "no log\n");
    let words = ["bisect", "--bad", "bad.wasm", "--file", "logs"];
    let said = desk.types(&words);
    for line in [
        &format!("{early}  not sound, whoever is asked; in logs/edited.ndjson\n"),
        "(unknown execution)  not sound, whoever is asked; in logs/text.ndjson\n",
        "; 2 not sound, whoever is asked\n",
    ] {
        assert!(said.out.contains(line), "{line:?}: {said:?}");
    }
    let document = desk.document(&[&words[..], &["--json"]].concat(), 1);
    let executions = document["executions"].as_array().expect("a list");
    let unsound = executions.iter().filter(|it| it["outcome"] == "unsound");
    let files: Vec<&Value> = unsound.map(|it| &it["file"]).collect();
    assert_eq!(files, ["logs/edited.ndjson", "logs/text.ndjson"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (desk, _) = desk();
    fs::create_dir(desk.path().join("empty")).expect("a folder");
    desk.file("text.ndjson", "no log\n");
    for (words, code, says) in [
        (
            vec!["--good", "bad.wasm"],
            2,
            "are the same scheduler component",
        ),
        (
            vec!["--file", "empty"],
            2,
            "there is no log in the folder empty",
        ),
        (
            vec!["--file", "none.ndjson"],
            2,
            "cannot open the log none.ndjson",
        ),
        (
            vec!["--file", "text.ndjson"],
            1,
            "not sound, whoever is asked; in text.ndjson",
        ),
        (vec!["exec_ffffffff"], 2, "exec_ffffffff"),
    ] {
        let said = desk.types(&[&["bisect", "--bad", "bad.wasm"], &words[..]].concat());
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(
            (said.out.clone() + &said.err).contains(says),
            "{says:?}: {said:?}"
        );
    }
}

#[test]
fn a_log_is_made_smaller_and_written_next_to_it() {
    let (desk, [late, ..]) = desk();
    desk.types(&["export", &late, "--output", "late.ndjson"]);
    let words = ["minimize", "--file", "late.ndjson", "--guest", "bad.wasm"];
    let small = desk.types(&words);
    assert_eq!(small.code, Some(0), "{small:?}");
    for said in [
        "late.min.ndjson: 6 events, 3 nodes; it was 32 events, 10 nodes\n",
        ": nothing more can be left out\n",
        "what is wrong with it:\n\n  event 5: the guest decides otherwise",
        "\nthe workflow:\n\n{\n",
        "\nas a test of schedulers:\n\n",
        " => schedule ",
        "\nnext: `refrain audit --file late.min.ndjson --guest bad.wasm` finds the same in it\n",
    ] {
        assert!(small.out.contains(said), "{said:?}: {small:?}");
    }
    let written = fs::read_to_string(desk.path().join("late.min.ndjson")).expect("a file");
    assert!(
        !written.contains("secret") && !written.contains(&late),
        "{written}"
    );
    let own = desk.types(&["audit", "--file", "late.min.ndjson"]);
    assert!(
        own.code == Some(0) && own.out.contains("  clean  6 events"),
        "{own:?}"
    );
    for verb in ["audit", "whatif"] {
        let other = desk.types(&[verb, "--file", "late.min.ndjson", "--guest", "bad.wasm"]);
        assert!(
            other.code == Some(1) && other.out.contains("rule: R2"),
            "{other:?}"
        );
    }
    // It is not lost to a second one, unless that is meant.
    let again = desk.types(&words);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        again.err.contains("late.min.ndjson is there already"),
        "{again:?}"
    );
    let stdout = desk.types(&[&words[..], &["--output", "-"]].concat());
    assert_eq!(stdout.code, Some(2), "{stdout:?}");
    assert!(
        stdout.err.contains("where the answer goes; name a file"),
        "{stdout:?}"
    );
    let forced = desk.document(&[&words[..], &["--force", "--json"]].concat(), 0);
    assert_eq!(
        (
            &forced["before"]["events"],
            &forced["after"]["events"],
            &forced["written"]
        ),
        (&json!(32), &json!(6), &json!("by_its_guest"))
    );
    let kept = fs::read_to_string(desk.path().join("late.min.ndjson")).expect("a file");
    assert_eq!(kept, written, "the same log comes to the same file");
    // An execution of the database, and another place.
    let named = [
        "minimize",
        &late,
        "--guest",
        "bad.wasm",
        "-o",
        "elsewhere.ndjson",
    ];
    assert_eq!(desk.types(&named).code, Some(0));
    let there = fs::read_to_string(desk.path().join("elsewhere.ndjson")).expect("a file");
    assert_eq!(there, written);
    let none = desk.types(&[&words[..], &["--force", "--within", "0s"]].concat());
    assert!(
        none.code == Some(0) && none.out.contains("until the time was over"),
        "{none:?}"
    );
}

#[test]
fn what_cannot_be_made_smaller_is_told() {
    let (desk, [late, _, plain]) = desk();
    desk.types(&["export", &plain, "--output", "plain.ndjson"]);
    desk.types(&["export", &late, "--output", "late.ndjson"]);
    let whole = fs::read_to_string(desk.path().join("late.ndjson")).expect("a file");
    desk.file("edited.ndjson", whole.replacen("\"left\"", "\"lift\"", 1));
    let lines: Vec<&str> = whole.lines().collect();
    desk.file("cut.ndjson", lines[..5].join("\n") + "\n");
    let newer = whole.replacen("\"node_completed\"", "\"node_dreamt\"", 1);
    desk.file("newer.ndjson", newer);
    desk.types(&["erase", &plain, "--by", "me"]);
    desk.types(&["export", &plain, "--output", "erased.ndjson"]);
    for (file, code) in [
        ("plain.ndjson", "nothing_wrong"),
        ("edited.ndjson", "log_damaged"),
        ("cut.ndjson", "log_damaged"),
        ("newer.ndjson", "log_newer"),
        ("erased.ndjson", "log_erased"),
        ("none.ndjson", "log_unreadable"),
    ] {
        let words = ["minimize", "--file", file, "--guest", "bad.wasm", "--json"];
        let document = desk.document(&words, 2);
        assert_eq!(document["error"]["code"], json!(code), "{document}");
    }
    assert!(
        !desk.files().iter().any(|name| name.contains("min")),
        "{:?}",
        desk.files()
    );
}
