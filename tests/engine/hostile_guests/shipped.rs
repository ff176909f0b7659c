//! The guests of `tests/guests/hostile` at work: each stalls its own execution
//! with a reason that names what it did, the store is otherwise untouched, and
//! all others go on.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use refrain::guest::CallLimits;
use refrain::model::{EventKind, Status};
use refrain::store::{ListFilter, Many, Reader, StoreError};
use refrain::{Engine, EngineError, WorkItem, Workflow};
use refrain_tests::binary::{refrain, stderr, stdout};
use refrain_tests::component::workspace;
use refrain_tests::engines::{Place, audit_all, log, wait_for};
use refrain_tests::wat_guest::assembled;
use serde_json::json;

/// What each of them is stalled with, or refused with at the door.
const REASONS: [(&str, &str); 16] = [
    (
        "another_program",
        "is for the queue \"command\", and the node belongs on \"tool\"",
    ),
    (
        "another_tenants_item",
        "the work item of attempt 1 of node \"a\" is not this execution's",
    ),
    (
        "boundless_decisions",
        "one call may append, order and answer 268435456 bytes together",
    ),
    ("end_of_time", "more than a hundred years from now"),
    ("infinite_loop", "ran out of fuel"),
    ("memory_bomb", "ran out of memory"),
    ("more_and_more", "decides nothing"),
    (
        "no_order",
        "attempt 1 of node \"a\" was decided, and its work item not ordered",
    ),
    ("one_long_decision", "and 18874368 are allowed"),
    ("stack_overflow", "overflowed its call stack"),
    (
        "ten_million_decisions",
        "one step may append 65536 decisions at most",
    ),
    (
        "trap",
        "crashed: wasm trap: wasm `unreachable` instruction executed",
    ),
    (
        "two_terminal_events",
        "the decision meant as event 3 follows a terminal event",
    ),
    (
        "undeclared_import",
        "imports `wasi:clocks/monotonic-clock@0.2.0`",
    ),
    ("unknown_node", "node \"nowhere\""),
    ("wrong_expected_sequence", "the log ends at event 0"),
];

/// Refused before it is asked anything.
const REFUSED: &str = "undeclared_import";

/// Not stalled, for nothing is wrong with it: [`super::endless`].
const ENDLESS: &str = "something_each_time";

/// A tenth of what a guest may take, where it only burns it: what takes seconds
/// takes less then.
fn limits(name: &str) -> CallLimits {
    let usual = CallLimits::default();
    match name {
        "infinite_loop" | "memory_bomb" => CallLimits {
            fuel: usual.fuel.map(|fuel| fuel / 10),
            memory_bytes_max: usual.memory_bytes_max / 10,
            ..usual
        },
        _ => usual,
    }
}

fn file(name: &str) -> PathBuf {
    workspace()
        .join("tests/guests/hostile")
        .join(format!("{name}.wat"))
}

fn component(name: &str) -> Vec<u8> {
    assembled(&file(name)).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn every_hostile_guest_is_in_the_table_and_says_what_it_does() {
    let entries = fs::read_dir(workspace().join("tests/guests/hostile")).expect("the guests");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    let mut expected = REASONS.map(|(name, _)| name).to_vec();
    expected.push(ENDLESS);
    expected.sort_unstable();
    assert_eq!(names, expected);
    for name in names {
        let text = fs::read_to_string(file(&name)).expect("a file");
        let title = name.replace('_', " ");
        let comment = text
            .lines()
            .take_while(|line| line.starts_with(";;"))
            .count();
        assert!(
            text[3..].to_lowercase().starts_with(&title) && comment >= 3,
            "{name}.wat"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law9_each_stalls_its_own_execution_and_nothing_else() {
    for place in Place::each() {
        for (name, reason) in REASONS.into_iter().filter(|(name, _)| *name != REFUSED) {
            contained(&place, name, reason).await;
        }
        audit_all(&place, "after all of them");
    }
}

/// The hostile guest has an engine's new executions, among honest ones.
async fn contained(place: &Place, name: &str, reason: &str) {
    let honest = honest(place).await;
    let before = dump(place.store().as_mut());
    let engine = Engine::builder()
        .boxed_store(place.store())
        .guest(component(name))
        .call_limits(limits(name))
        .start()
        .await
        .expect("the engine starts");
    // For a hostile guest any workflow is this one.
    let workflow = Workflow::from_json(steps().to_string()).expect("JSON");
    engine
        .register(workflow)
        .await
        .expect("it finds nothing wrong");
    let hostile = engine
        .start("w", "1.0.0", json!({}))
        .await
        .expect("it starts");
    let record = hostile.record().await.expect("a record");
    assert_eq!(record.status, Status::Stalled, "{name}");
    assert_eq!(
        log(&hostile).await,
        ["workflow_started", "host_stalled"],
        "{name}"
    );
    let events = hostile.events(2, 1).await.expect("an event");
    match &events[0].event.kind {
        EventKind::HostStalled(stalled) => {
            assert!(
                stalled.reason.contains(reason),
                "{name}: {}",
                stalled.reason
            );
        }
        other => panic!("{name}: {other:?}"),
    }

    let mut after = dump(place.store().as_mut());
    let its_own = after
        .remove(&hostile.id().to_string())
        .expect("it is there");
    assert!(
        !its_own.contains("ItemRecord"),
        "{name} left work: {its_own}"
    );
    assert_eq!(after, before, "{name}: others were touched");

    // The honest one goes on next to it, in the same engine.
    engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
    let ended = engine.execution(honest).finished().await.expect("it ends");
    assert_eq!(ended.status, Status::Completed, "{name}");
    // And lifting the stall only brings the next one.
    hostile.lift_stall(None).await.expect("it can be lifted");
    wait_for(&hostile, "host_stalled", 2).await;
    engine.shutdown().await;
}

/// An honest execution that waits for a worker.
async fn honest(place: &Place) -> refrain::ExecutionId {
    let engine = Engine::builder().boxed_store(place.store()).start().await;
    let engine = engine.expect("the engine starts");
    let workflow = Workflow::from_json(steps().to_string()).expect("JSON");
    engine.register(workflow).await.expect("it is valid");
    let execution = engine
        .start("w", "1.0.0", json!({}))
        .await
        .expect("it starts");
    engine.shutdown().await;
    execution.id()
}

/// All that a store says of its executions, by their ids.
fn dump(store: &mut dyn Reader) -> BTreeMap<String, String> {
    let all = ListFilter {
        max: 1000,
        ..ListFilter::default()
    };
    let records = store.list(&all).and_then(Many::all).expect("a list");
    let one = |record: refrain::store::ExecutionRecord| -> Result<_, StoreError> {
        let events = store.raw_events(record.id, 0, 1000)?;
        let items = store.items(record.id)?;
        let snapshot = store.snapshot(record.id)?;
        Ok((
            record.id.to_string(),
            format!("{record:?} {events:?} {items:?} {snapshot:?}"),
        ))
    };
    let dumps: Result<_, _> = records.into_iter().map(one).collect();
    dumps.expect("it can be read")
}

#[tokio::test]
async fn an_undeclared_import_is_refused_at_the_door() {
    let refused = REASONS.into_iter().find(|(name, _)| *name == REFUSED);
    let (name, reason) = refused.expect("it is in the table");
    for place in Place::each() {
        let engine = Engine::builder()
            .boxed_store(place.store())
            .guest(component(name));
        match engine.start().await.map(drop) {
            Err(EngineError::Setup(said)) => assert!(said.contains(reason), "{said}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The same for people: `refrain run --guest`.
#[test]
fn the_command_line_names_what_a_guest_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let types = |words: &[&str]| {
        let output = refrain(folder.path())
            .args(words)
            .output()
            .expect("it starts");
        (output.status.code(), stdout(&output), stderr(&output))
    };
    fs::write(folder.path().join("w.json"), steps().to_string()).expect("a file");
    for (name, reason) in REASONS {
        let wasm = format!("{name}.wasm");
        fs::write(folder.path().join(&wasm), component(name)).expect("a file");
        let checked = types(&["guest", "check", &wasm]);
        let run = |name: &str| types(&["run", "w.json", "--guest", name]);
        if name == REFUSED {
            assert_eq!(checked.0, Some(1), "{checked:?}");
            let (code, out, err) = run(&wasm);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
            assert!(err.contains(reason), "{err}");
            continue;
        }
        assert_eq!(checked.0, Some(0), "{checked:?}");
        if ["trap", "two_terminal_events", "unknown_node"].contains(&name) {
            let (code, out, err) = run(&wasm);
            assert_eq!(code, Some(1), "{name}: {out} {err}");
            assert!(
                err.contains(reason) && err.contains("stalled"),
                "{name}: {err}"
            );
        }
    }
    let (_, listed, _) = types(&["list"]);
    assert_eq!(listed.matches("stalled").count(), 3, "{listed}");
    let (code, audit, err) = types(&["audit", "--all"]);
    assert_eq!(code, Some(0), "{audit}{err}");
}

fn steps() -> serde_json::Value {
    refrain_tests::workflows::tools("a -> b")
}
