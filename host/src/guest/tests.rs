//! The built-in guest at work, on ports in memory.

use super::*;
use crate::id::ExecutionId;
use crate::model::{
    Digest, EventKind, Limits, NodeCompleted, NodeStarted, Status, WorkflowStarted,
};

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
    let mut guest = built_in();
    let mut ports = world();
    ports = admitted(&mut guest, ports, started());
    for (node, patch) in [("a", r#"{"x":1}"#), ("b", r#"{"y":2}"#)] {
        let last = ports.events.len() as u64;
        let (after, outcome) = guest.tick(ports, execution(), last);
        assert_eq!(outcome.expect("it decides").status, Status::Running);
        assert_eq!(
            after.items.last().map(|item| item.node_id.as_str()),
            Some(node)
        );
        ports = after;

        let fence = ports.events.len() as u64 + 1;
        ports = admitted(&mut guest, ports, claimed(node, fence));
        ports = admitted(&mut guest, ports, completed(node, fence, patch));
    }
    let last = ports.events.len() as u64;
    let (ports, outcome) = guest.tick(ports, execution(), last);
    assert_eq!(outcome.expect("it decides").status, Status::Completed);
    let Some(EventKind::WorkflowCompleted(end)) = ports.events.last().map(|event| &event.kind)
    else {
        panic!("found {:?}", ports.events.last())
    };
    assert_eq!(end.final_state, r#"{"x":1,"y":2}"#);
}

/// A fresh instance, or one that has forgotten, decides what the old one would.
#[test]
fn what_a_guest_keeps_is_only_a_cache() {
    let mut guest = built_in();
    let ports = admitted(&mut guest, world(), started());
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
fn an_illegal_fact_is_refused_and_the_instance_goes_on() {
    let mut guest = built_in();
    let ports = admitted(&mut guest, world(), started());
    let stray = ports.fact(completed("b", 7, "{}"));
    let (ports, answer) = guest.admit(ports, execution(), &stray);
    assert!(matches!(answer, Err(CallError::Scheduler(_))), "{answer:?}");
    assert!(guest.tick(ports, execution(), 1).1.is_ok());
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

/// A fact goes through the guest, and then into the log.
fn admitted(guest: &mut Instance<MemoryPorts>, ports: MemoryPorts, kind: EventKind) -> MemoryPorts {
    let fact = ports.fact(kind);
    let (mut ports, answer) = guest.admit(ports, execution(), &fact);
    answer.unwrap_or_else(|error| panic!("{error}"));
    ports.push(fact);
    ports
}

/// The world of the pair, with nothing in its log.
fn world() -> MemoryPorts {
    MemoryPorts {
        workflow: WORKFLOW.to_owned(),
        now: 1000,
        ..MemoryPorts::default()
    }
}

fn execution() -> ExecutionId {
    ExecutionId::from_bytes([7; 16])
}

fn started() -> EventKind {
    EventKind::WorkflowStarted(WorkflowStarted {
        execution_id: execution().to_string(),
        workflow_id: "pair".to_owned(),
        workflow_version: "1.0.0".to_owned(),
        workflow_digest: Digest::of(WORKFLOW.as_bytes()),
        guest_digest: Digest::default(),
        initial_input: "{}".to_owned(),
        limits: Limits {
            max_concurrent_nodes: 16,
            max_dispatch_per_tick: 8,
        },
        seed: 7,
        tenant: "default".to_owned(),
        simulated: true,
        key: None,
        forked_from: None,
    })
}

fn claimed(node: &str, fence: u64) -> EventKind {
    EventKind::NodeStarted(NodeStarted {
        node_id: node.to_owned(),
        worker_id: "w".to_owned(),
        attempt: 1,
        fence,
    })
}

fn completed(node: &str, fence: u64, patch: &str) -> EventKind {
    EventKind::NodeCompleted(NodeCompleted {
        node_id: node.to_owned(),
        attempt: 1,
        fence,
        output: "null".to_owned(),
        state_patch: patch.to_owned(),
        duration_ms: 5,
        chosen_target: None,
        telemetry: None,
    })
}
