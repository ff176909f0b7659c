//! The built-in guest at work, on ports in memory.

use super::*;
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind, NodeCompleted, RefusalCode, Status};

const WORKFLOW: &str = r#"{
    "workflow_id": "pair", "version": "1.0.0", "name": "pair", "state_schema": "", "start_node": "a",
    "nodes": {
        "a": { "id": "a", "kind": { "type": "condition", "branches": [] } },
        "b": { "id": "b", "kind": { "type": "condition", "branches": [] } }
    },
    "edges": [{ "from": "a", "to": "b" }, { "from": "b", "to": "end" }]
}"#;

#[test]
fn the_built_in_guest_runs_a_workflow() {
    let mut run = begun();
    for (node, patch, status) in [
        ("a", r#"{"x":1}"#, Status::Running),
        ("b", r#"{"y":2}"#, Status::Completed),
    ] {
        let items: Vec<_> = run.ports.items.iter().map(|item| &item.node_id).collect();
        assert_eq!(items, [node]);
        let outcome = run.complete(node, patch).expect("it decides");
        assert_eq!(outcome.expect("it has an item").status, status);
    }
    let Some(EventKind::WorkflowCompleted(end)) = run.ports.events.last().map(|event| &event.kind)
    else {
        panic!("found {:?}", run.ports.events.last())
    };
    assert_eq!(end.final_state, r#"{"x":1,"y":2}"#);
}

/// A fresh instance, or one that has forgotten, decides what the old one would.
#[test]
fn what_a_guest_keeps_is_only_a_cache() {
    let mut guest = built_in();
    let facts = [started()];
    let (mut ports, outcome) = guest.step(world(), execution(), 0, &facts);
    let closed = ports.close(&facts, &outcome.expect("it decides"));
    closed.expect("it keeps to the contract");
    let (ports, kept) = guest.inspect(ports, execution());
    guest.forget(execution()).expect("it forgets");
    let (ports, forgotten) = guest.inspect(ports, execution());
    let (_, fresh) = built_in().inspect(ports, execution());
    let [kept, forgotten, fresh] =
        [kept, forgotten, fresh].map(|answer| answer.expect("it answers"));
    assert_eq!(kept, forgotten);
    assert_eq!(kept, fresh);
}

#[test]
fn an_illegal_fact_is_refused_alone_and_the_instance_goes_on() {
    let mut run = begun();
    let stray = EventKind::NodeCompleted(NodeCompleted::new("b", 1, 7));
    let claim = run.ports.claim("a", "w").expect("it has an item");
    let outcome = run.step(&[stray, claim]).expect("it answers");
    let refused: Vec<_> = outcome
        .refused
        .iter()
        .map(|it| (it.index, it.code))
        .collect();
    assert_eq!(refused, [(0, RefusalCode::WrongState)]);
    let completion = run.ports.completion("a", "{}").expect("it is claimed");
    assert!(run.offer(completion).is_ok());
}

#[test]
fn the_built_in_guest_validates_and_names_itself() {
    let mut guest = built_in();
    assert_eq!(
        guest.describe().expect("it answers").version,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        guest
            .validate(WORKFLOW)
            .expect("it answers")
            .expect("it is valid")
            .nodes,
        2
    );
    let faults = guest
        .validate("{}")
        .expect("it answers")
        .expect_err("nothing is there");
    assert!(
        faults.iter().all(|fault| !fault.remedy.is_empty()),
        "{faults:?}"
    );
}

#[test]
fn a_guest_that_nobody_brought_is_unknown() {
    let mut library =
        Library::new(Sandbox::new(CallLimits::default()).expect("wasmtime runs here"));
    let error = library
        .instance::<MemoryPorts>("00")
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("the guest 00 is not at hand; add its component to the library")
    );
}

fn built_in() -> Instance<MemoryPorts> {
    let mut library =
        Library::new(Sandbox::new(CallLimits::default()).expect("wasmtime runs here"));
    let digest = library.built_in().to_owned();
    library
        .instance(&digest)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The pair, begun.
fn begun() -> InMemoryExecution {
    let started = world().started(execution(), Digest::default());
    let begun = InMemoryExecution::start(built_in(), world(), started);
    begun.unwrap_or_else(|error| panic!("{error}"))
}

/// The world of the pair, with nothing in its log.
fn world() -> MemoryPorts {
    MemoryPorts::new(WORKFLOW, 1000)
}

fn execution() -> ExecutionId {
    ExecutionId::from_bytes([7; 16])
}

fn started() -> EventKind {
    EventKind::WorkflowStarted(Box::new(world().started(execution(), Digest::default())))
}
