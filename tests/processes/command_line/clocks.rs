//! A database whose log is an hour ahead of this machine's clock: another
//! machine wrote it, or the clock was set back since (law 5).

use refrain::store::SqliteStore;
use refrain::{Clock, Engine, ManualClock, SystemClock, Workflow};
use refrain_tests::{binary, odd_clock};
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, tool};

const HOUR_MS: u64 = 3_600_000;

/// An execution of this workflow, begun by a host whose clock is an hour ahead.
fn begun_ahead(desk: &Desk, workflow: &Value) {
    let clock = ManualClock::new(SystemClock::default().now() + HOUR_MS);
    let store = SqliteStore::open(desk.path().join("refrain.db")).expect("it opens");
    let builder = Engine::builder().store(store).clock(clock);
    let (engine, mut steps) = builder.stepped().expect("it can be put together");
    let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
    let started = steps.until(engine.start("chain", "1.0.0", json!({})));
    started.expect("it is answered").expect("it starts");
}

#[test]
fn law5_what_waits_is_told_by_the_logs_time() {
    let desk = Desk::new();
    begun_ahead(&desk, &chain(&[("n", tool())]));
    let id = desk.execution();
    let shown = desk.types(&["show", &id, "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).expect("one JSON document");
    assert_eq!(shown["waiting"][0]["for"], "worker", "{shown}");
    assert_eq!(shown["waiting"][0]["queue"], "tool", "{shown}");
    // It ends by itself, because nobody here could go on; and says why.
    let mut resumes = desk.begins(&["resume"]);
    resumes.says("waits for a worker of queue \"tool\"");
    let resumed = resumes.ends();
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let listed = desk.types(&["list"]);
    assert!(
        listed.out.contains(" ms so far") || listed.out.contains(" s so far"),
        "{listed:?}"
    );
}

#[test]
fn law5_work_goes_on_by_the_logs_time() {
    let desk = Desk::new();
    begun_ahead(
        &desk,
        &chain(&[
            ("first", command(&["true"])),
            (
                "pause",
                json!({ "type": "wait", "condition": "timer", "timeout_secs": 1 }),
            ),
            ("last", command(&["true"])),
            ("ask", approval()),
        ]),
    );
    let mut resumes = desk.begins(&["resume"]);
    resumes.says("ask waits for an approval");
    assert_eq!(resumes.ends().code, Some(0));
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}

/// A machine whose battery is empty thinks that it is long ago.
#[test]
fn law5_a_clock_before_1970_is_no_reason_to_stop() {
    let desk = Desk::new();
    let workflow = chain(&[
        ("first", command(&["true"])),
        (
            "pause",
            json!({ "type": "wait", "condition": "timer", "timeout_secs": 1 }),
        ),
        ("last", command(&["true"])),
    ]);
    desk.file("w.json", workflow.to_string());
    let typed = |words: &[&str]| {
        let mut refrain = binary::refrain(desk.path());
        odd_clock::ahead_by(refrain.args(words), odd_clock::BEFORE_1970)
            .then(|| refrain.output().expect("it starts"))
    };
    for words in [
        &["validate", "w.json"][..],
        &["run", "w.json", "--key", "long ago"],
        &["list"],
        &["audit", "--all"],
        &["backup", "copy.db"],
        &["resume"],
        // Of the same key: nothing is begun anew.
        &["run", "w.json", "--key", "long ago"],
    ] {
        let Some(output) = typed(words) else {
            return;
        };
        assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    }
    // And when the clock is right again, all goes on.
    let id = desk.execution();
    for words in [&["show", &id][..], &["run", "w.json"], &["audit", "--all"]] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}
