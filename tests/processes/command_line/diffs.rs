//! `refrain diff`: two logs, side by side.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// A workflow that says what it is given, and fails where that is nothing.
fn workflow(version: &str) -> Value {
    let script =
        r#"read -r line; case "$line" in *stop*) exit 1;; *) echo '{"said": "on"}';; esac"#;
    let mut workflow = chain(&[
        ("say", command(&["cat"])),
        ("judge", command(&["sh", "-c", script])),
        ("last", command(&["echo", "{}"])),
    ]);
    workflow["version"] = version.into();
    workflow
}

fn run(desk: &Desk, file: &str, input: &str, code: i32) -> String {
    let run = desk.document(&["run", file, "--input", input, "--json"], code);
    run["execution_id"].as_str().expect("an id").to_owned()
}

#[test]
fn executions_in_which_the_same_happened_do_not_part() {
    let desk = Desk::new();
    desk.file("w.json", workflow("1.0.0").to_string());
    desk.file("w2.json", workflow("1.1.0").to_string());
    let one = run(&desk, "w.json", "{}", 0);
    let other = run(&desk, "w.json", "{}", 0);
    let newer = run(&desk, "w2.json", "{}", 0);
    let export = desk.types(&["export", &other, "-o", "log.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    for b in [&other, &newer, &one, "log.ndjson", "./log.ndjson"] {
        let said = desk.types(&["diff", &one, b, "--exit-code"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(
            said.out.contains("the same happened in both\n")
                && said.out.ends_with("\ntheir states are the same\n"),
            "{said:?}"
        );
    }
    let said = desk.types(&["diff", &one, &newer]);
    assert!(
        said.out.contains("chain 1.0.0") && said.out.contains("chain 1.1.0"),
        "{said:?}"
    );
}

#[test]
fn the_first_event_in_which_executions_part_is_named_with_what_came_of_it() {
    let desk = Desk::new();
    desk.file("w.json", workflow("1.0.0").to_string());
    let going = run(&desk, "w.json", r#"{"a": 1}"#, 0);
    let stopping = run(&desk, "w.json", r#"{"a": 1, "b": "stop"}"#, 1);
    let said = desk.types(&["diff", &going, &stopping]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with(&format!("A  {going}  completed")),
        "{said:?}"
    );
    assert!(
        lines[1].starts_with(&format!("B  {stopping}  failed")),
        "{said:?}"
    );
    assert_eq!(
        lines[2..6],
        [
            "they part at event 1:",
            "  A  workflow_started",
            "  B  workflow_started",
            "  at \"/initial_input/b\": A nothing, B \"stop\"",
        ]
    );
    let judge = lines
        .iter()
        .find(|line| line.contains(" judge "))
        .expect("a row");
    let words: Vec<&str> = judge.split_whitespace().collect();
    assert_eq!(
        (words[0], words[1], words[2], words[3]),
        ("*", "judge", "1", "completed")
    );
    assert!(words.contains(&"failed"), "{said:?}");
    let document = desk.document(&["diff", &going, &stopping, "--exit-code", "--json"], 1);
    assert_eq!(
        (&document["alike"], &document["parting"]["sequence"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(document["parting"]["a"]["type"], "workflow_started");
    let attempts = document["attempts"].as_array().expect("a list");
    let of = |node: &'static str| attempts.iter().filter(move |it| it["node_id"] == node);
    let last = of("last").next().expect("an attempt");
    assert_eq!((&last["alike"], &last["b"]), (&json!(false), &Value::Null));
    let judged: Vec<_> = of("judge")
        .map(|it| (&it["a"]["state"], &it["b"]["state"]))
        .collect();
    let (completed, failed) = (json!("completed"), json!("failed"));
    assert_eq!(
        judged,
        [
            (&completed, &failed),
            (&Value::Null, &failed),
            (&Value::Null, &failed)
        ]
    );
    let places = document["state"].as_array().expect("a list");
    assert!(
        places.contains(&json!({ "pointer": "/said", "a": "on", "b": null })),
        "{places:?}"
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let desk = Desk::new();
    desk.file("w.json", workflow("1.0.0").to_string());
    let one = run(&desk, "w.json", "{}", 0);
    let other = run(&desk, "w.json", "{}", 0);
    let export = desk.types(&["export", &one, "-o", "log.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let text = std::fs::read_to_string(desk.path().join("log.ndjson")).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    desk.file("cut.ndjson", lines[..5].join("\n") + "\n");
    desk.file("broken.ndjson", lines[..5].join("\n") + "\nno event\n");
    let erased = desk.types(&["erase", &other]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    for (b, code) in [
        (&*other, "log_erased"),
        ("cut.ndjson", "log_tampered"),
        ("broken.ndjson", "log_damaged"),
        ("none.ndjson", "log_unreadable"),
        ("nothing", "usage"),
        ("exec_00000000000000000000000000000000", "unknown_execution"),
    ] {
        let document = desk.document(&["diff", &one, b, "--json"], 2);
        assert_eq!(document["error"]["code"], code, "{b}: {document}");
        let document = desk.document(&["diff", b, &one, "--json"], 2);
        assert_eq!(document["error"]["code"], code, "{b}: {document}");
    }
    let twice = desk.types(&["diff", "-", "-"]);
    assert_eq!((twice.code, &*twice.out), (Some(2), ""), "{twice:?}");
    let piped = desk.pipes(&["diff", "-", &one], &text);
    assert_eq!(piped.code, Some(0), "{piped:?}");
}
