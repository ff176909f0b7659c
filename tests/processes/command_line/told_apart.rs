//! What happened before a command began is not told as what happens now, and nothing is
//! told twice.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command};

#[test]
fn what_happened_before_is_not_told_as_progress() {
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
    assert!(
        resumed.err.contains("last          completed") && !resumed.err.contains("first"),
        "{resumed:?}"
    );
    // All of it is past.
    let again = desk.types(&["resume", &id]);
    assert_eq!(
        (again.out, again.err),
        (format!("{id}  completed\n"), String::new())
    );
    desk.file(
        "new.json",
        chain(&[("first", command(&["true"]))])
            .to_string()
            .replace("chain", "new"),
    );
    let new = desk.types(&["run", "new.json", "--key", "k"]);
    assert!(new.err.contains("first         completed"), "{new:?}");
    let known = desk.types(&["run", "new.json", "--key", "k"]);
    assert_eq!(known.code, Some(0), "{known:?}");
    assert!(!known.err.contains("first"), "{known:?}");
    assert_eq!(known.out, new.out, "its answer is told again");
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
