//! What happened before a command began is told apart from what happens now, and nothing
//! is told twice.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command};

/// In which order these stand in a text, in which they all do.
fn stand_in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let place = rest.find(word);
        let place = place.unwrap_or_else(|| panic!("{word:?} does not follow in: {text}"));
        rest = &rest[place + word.len()..];
    }
}

#[test]
fn what_is_resumed_says_what_happened_before_and_what_happens_now() {
    let desk = Desk::new();
    let workflow = chain(&[
        ("first", command(&["true"])),
        ("ask", approval()),
        ("last", command(&["true"])),
    ]);
    let mut running = desk.runs(&workflow);
    running.says("ask waits for an approval");
    let id = desk.execution();
    running.killed();
    assert_eq!(desk.types(&["approve", &id, "ask"]).code, Some(0));
    let resumed = desk.types(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    stand_in_order(
        &resumed.err,
        &[
            "this happened before:\n",
            "first         completed",
            "ask           waits",
            "this happens now:\n",
            "last          completed",
        ],
    );
    // All of it is past, and where all is new nothing is marked.
    let again = desk.types(&["resume", &id]);
    assert!(
        again.err.starts_with("           this happened before:\n"),
        "{again:?}"
    );
    assert!(!again.err.contains("now:"), "{again:?}");
    desk.file(
        "new.json",
        chain(&[("first", command(&["true"]))])
            .to_string()
            .replace("chain", "new"),
    );
    let new = desk.types(&["run", "new.json", "--key", "k"]);
    assert!(
        new.err.contains("completed") && !new.err.contains("this happen"),
        "{new:?}"
    );
    let known = desk.types(&["run", "new.json", "--key", "k"]);
    assert!(known.err.contains("this happened before:"), "{known:?}");
}

#[test]
fn a_lease_that_ended_is_told_once_and_in_no_line_of_the_programs_own_log() {
    let desk = Desk::new();
    let mut workflow = chain(&[(
        "slow",
        command(&["sh", "-c", "[ -e there ] || { touch there; sleep 600; }"]),
    )]);
    workflow["retry_policies"] = json!({"now": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 0, "max_delay": 0,
    }});
    workflow["nodes"]["slow"]["retry_policy"] = Value::from("now");
    let running = desk.runs(&workflow);
    let id = desk.execution();
    desk.until("the program runs", || {
        desk.files().contains(&"there".to_owned()).then_some(())
    });
    running.killed();
    let resumed = desk.types(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(
        resumed.err.matches("lease expired").count(),
        1,
        "{resumed:?}"
    );
    assert!(!resumed.err.contains("WARN"), "{resumed:?}");
}
