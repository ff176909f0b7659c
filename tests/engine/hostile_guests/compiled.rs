//! What a small file can do to a compiler, and what is no harm although it looks
//! unusual.

use std::time::{Duration, Instant};

use refrain::guest::{ComponentError, LibraryError, NoPorts};
use refrain::model::{EventKind, Status};
use refrain::{Engine, ExecutionId, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all, library, wait_for};
use refrain_tests::ordering_guest::lawful;
use refrain_tests::sections;
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::tools;
use serde_json::json;

use crate::hostile_guests::orders::logs::taken;

fn refusal(bytes: Vec<u8>) -> ComponentError {
    let mut library = library();
    let digest = match library.add(bytes) {
        Ok(digest) => digest,
        Err(error) => return error,
    };
    match library.check(&digest) {
        Err(LibraryError::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// Loops within loops, each of which passes thousands of variables on: a
/// compiler needs a value for each of them at the head of each loop.
fn tangled() -> Vec<u8> {
    let (locals, loops) = (2_000, 900);
    let mut body = format!("(local {})", "i32 ".repeat(locals));
    for local in 3..locals {
        body += &format!(
            " (local.set {local} (i32.add (local.get {}) (local.get 0)))",
            local - 1
        );
    }
    body += &" loop".repeat(loops);
    body += &" end".repeat(loops);
    let guest = WatGuest {
        rest: &format!("(func $tangle (param i32 i32 i32) {body})"),
        ..WatGuest::default()
    };
    guest.component().expect("a component")
}

#[test]
fn a_small_component_that_would_compile_for_ever_is_refused_at_once() {
    let bytes = tangled();
    assert!(bytes.len() < 200_000, "{} bytes", bytes.len());
    let start = Instant::now();
    let reason = refusal(bytes);
    assert!(
        matches!(reason, ComponentError::TooTangled { .. }),
        "{reason}"
    );
    assert!(start.elapsed() < Duration::from_secs(10), "it is read once");
}

/// A store can hold such a component, from a host that compiled it or from
/// somebody who put it there. Its execution says so, and the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_of_a_guest_that_cannot_be_compiled_stalls_alone() {
    let id = ExecutionId::from_bytes([9; 16]);
    let mut item = lawful();
    item.execution_id = id.to_string();
    let place = Place::memory();
    let mut store = place.store();
    store.begin().expect("a turn");
    let turn = taken(id, &item, tangled());
    store.commit(&turn).expect("it is written");
    let engine = Engine::builder().boxed_store(place.store()).start().await;
    let engine = engine.expect("the engine starts");
    engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
    let stalled = engine.execution(id);
    wait_for(&stalled, "host_stalled", 1).await;
    let events = stalled.events(1, 10).await.expect("events");
    let reason = events.iter().find_map(|stored| match &stored.event.kind {
        EventKind::HostStalled(stalled) => Some(stalled.reason.clone()),
        _ => None,
    });
    let reason = reason.unwrap_or_default();
    assert!(reason.contains("a variable and a loop meet"), "{reason}");
    let honest = Workflow::from_json(tools("a -> b").to_string().replace("\"w\"", "\"honest\""));
    engine
        .register(honest.expect("JSON"))
        .await
        .expect("it is valid");
    let honest = engine.start("honest", "1.0.0", json!({})).await;
    let ended = honest.expect("it starts").finished().await;
    assert_eq!(ended.expect("it ends").status, Status::Completed);
    engine.shutdown().await;
}

/// A turn that needs another guest is done anew when that is compiled.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_of_another_guest_goes_on_once_that_is_compiled() {
    let built_in = library();
    let built_in = built_in.bytes(built_in.built_in()).expect("it is there");
    for place in Place::each() {
        let other = Engine::builder().boxed_store(place.store());
        let other = other.guest(composed(built_in)).start().await;
        let other = other.expect("the engine starts");
        let workflow = Workflow::from_json(tools("a -> b").to_string()).expect("JSON");
        other.register(workflow).await.expect("it is valid");
        let execution = other.start("w", "1.0.0", json!({})).await;
        let id = execution.expect("it starts").id();
        other.shutdown().await;

        let engine = Engine::builder().boxed_store(place.store()).start().await;
        let engine = engine.expect("the engine starts");
        engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
        let ended = engine.execution(id).finished().await.expect("it ends");
        assert_eq!(ended.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "of another guest");
    }
}

/// The same is said of one with too much of anything else.
#[test]
fn a_component_with_too_many_functions_is_refused_before_it_is_compiled() {
    let guest = WatGuest {
        rest: &"(func)".repeat(300_000),
        ..WatGuest::default()
    };
    let reason = refusal(guest.component().expect("a component"));
    assert!(
        reason
            .to_string()
            .contains("functions, and a guest may have"),
        "{reason}"
    );
}

/// Two components, each with a memory of its own, and a text that goes from
/// one's to the other's.
const COMPOSED: &str = r#"(component
    (component $reader
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512))
            (func (export "take") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "take") (param "text" string)
            (canon lift (core func $i "take") (memory $i "memory") (realloc (func $i "realloc")))))
    (component $writer
        (import "take" (func $take (param "text" string)))
        (core module $memory (memory (export "memory") 1))
        (core instance $memory (instantiate $memory))
        (core func $take (canon lower (func $take) (memory $memory "memory")))
        (core module $m
            (import "host" "take" (func $take (param i32 i32)))
            (func (export "run") (call $take (i32.const 0) (i32.const 3))))
        (core instance $i (instantiate $m (with "host" (instance (export "take" (func $take))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $reader (instantiate $reader))
    (instance $writer (instantiate $writer (with "take" (func $reader "take"))))
    (export "run" (func $writer "run"))
)"#;

/// What is composed of several components compiles; that this one is no guest
/// is told like of any other.
#[test]
fn components_within_components_with_memories_of_their_own_are_read_like_others() {
    let reason = refusal(wat::parse_str(COMPOSED).expect("a component"));
    assert_eq!(reason, ComponentError::MissingExport);
}

/// A guest that is wrapped in another component is a guest, and runs.
#[test]
fn a_composed_guest_runs() {
    let mut library = library();
    let built_in = library.built_in().to_owned();
    let inner = library.bytes(&built_in).expect("it is there").to_vec();
    let composed = composed(&inner);
    let digest = library.add(composed).expect("it begins as a component");
    let mut guest = library
        .instance::<NoPorts>(&digest)
        .unwrap_or_else(|error| panic!("{error}"));
    let described = guest.describe().expect("it answers");
    assert_eq!(described.name, "refrain-guest");
}

/// The guest with the composed component of above as another part of it.
fn composed(guest: &[u8]) -> Vec<u8> {
    let part = wat::parse_str(COMPOSED).expect("a component");
    let mut bytes = guest.to_vec();
    sections::append_instantiated(&mut bytes, sections::COMPONENT, &part);
    bytes
}
