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

#[cfg(feature = "compile")]
#[test]
fn law2_bytecode_decides_what_machine_code_decides_and_burns_the_same_fuel() {
    let play = |mut library: Library| {
        let digest = library.built_in().to_owned();
        library.wait_until_compiled(&digest).expect("it is a guest");
        let instance = library.instance(&digest).expect("it runs");
        let begin = world().started(execution(), Digest::default());
        let mut run = InMemoryExecution::start(instance, world(), begin).expect("it starts");
        let mut fuel = vec![run.take_fuel_burnt()];
        for (node, patch) in [("a", r#"{"x":1}"#), ("b", r#"{"y":2}"#)] {
            run.complete(node, patch).expect("it decides");
            fuel.push(run.take_fuel_burnt());
        }
        (run.ports.events, fuel)
    };
    let limits = CallLimits::default();
    let [compiled, interpreted] = [Sandbox::new(limits), Sandbox::interpreting(limits)]
        .map(|sandbox| play(Library::new(sandbox.expect("wasmtime runs here"))));
    assert_eq!(compiled, interpreted);
    assert!(interpreted.1.iter().all(|burnt| *burnt > 0));
}

/// What a guest may burn and hold bounds bytecode too.
#[test]
fn interpreted_guests_are_cut_off() {
    let limits = CallLimits {
        fuel: Some(1_000),
        fuel_per_byte: 0,
        ..CallLimits::default()
    };
    let sandbox = Sandbox::interpreting(limits).expect("wasmtime runs here");
    let mut library = Library::new(sandbox);
    let digest = library.built_in().to_owned();
    let mut guest = library.instance::<NoPorts>(&digest).expect("it runs");
    assert!(guest.validate(WORKFLOW).is_err());
    assert!(guest.is_spent());
}

#[test]
fn interpreted_guests_hold_no_more_memory_than_they_may() {
    let limits = CallLimits {
        memory_bytes_max: 3 << 20,
        ..CallLimits::default()
    };
    let sandbox = Sandbox::interpreting(limits).expect("wasmtime runs here");
    let mut library = Library::new(sandbox);
    let digest = library.built_in().to_owned();
    let mut guest = library.instance::<NoPorts>(&digest).expect("it runs");
    assert!(guest.validate(WORKFLOW).is_ok(), "there is room for this");
    let failed = guest.validate(&" ".repeat(3 << 20));
    let failed = failed.expect_err("there is no room for this");
    assert!(
        matches!(
            &failed,
            CallError::Guest(GuestFailure::OutOfMemory { memory_bytes_max }) if *memory_bytes_max == 3 << 20
        ),
        "{failed}"
    );
    assert!(guest.is_spent());
}

/// A library, and a component that it does not have: the built-in one with a section that
/// says nothing.
#[cfg(not(feature = "compile"))]
fn library_and_another() -> (Library, Vec<u8>) {
    let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
    let library = Library::new(sandbox);
    let built_in = library.bytes(library.built_in()).expect("it is there");
    let another = [&built_in[..], &[0, 2, 1, b'a']].concat();
    (library, another)
}

#[cfg(not(feature = "compile"))]
#[test]
fn without_a_compiler_another_guest_is_refused() {
    use crate::{Engine, EngineError, store::MemoryStore};

    let (mut library, brought) = library_and_another();
    let digest = library.add(brought.clone()).expect("it is a component");
    let refused = library.check(&digest).expect_err("it cannot run");
    assert_eq!(refused.code(), "no_compiler");
    assert!(
        refused.to_string().contains("this build has no compiler"),
        "{refused}"
    );

    let builder = Engine::builder().store(MemoryStore::new());
    let refused = builder.guest(brought).stepped().expect_err("it cannot run");
    assert!(matches!(refused, EngineError::NoCompiler), "{refused}");
    assert_eq!(refused.code(), "no_compiler");
}

/// It is not the execution's fault that this build cannot run its guest.
#[cfg(not(feature = "compile"))]
#[test]
fn law9_without_a_compiler_an_execution_of_another_guest_is_not_stalled() {
    use crate::store::{MemoryStore, StoreError};
    use crate::{Engine, EngineError, Workflow};

    let (mut library, brought) = library_and_another();
    let other = library.add(brought).expect("it is a component");
    let builder = Engine::builder().store(MemoryStore::new()).library(library);
    let (engine, mut steps) = builder.stepped().expect("it starts");
    let mut done = |call| steps.until(call).expect("it is answered");
    let upgraded = done(Box::pin(async {
        let workflow = Workflow::from_json(WORKFLOW)?;
        engine.register(workflow).await?;
        let id = engine
            .start("pair", "1.0.0", serde_json::json!({}))
            .await?
            .id();
        let refused = engine.upgrade(id, &other).await.expect_err("it cannot run");
        let status = engine.execution(id).record().await?.status;
        Ok::<_, EngineError>((refused, status))
    }));
    let (refused, status) = upgraded.expect("all else is done");
    assert_eq!(refused.code(), "no_compiler", "{refused}");
    assert!(
        matches!(&refused, EngineError::Store(error) if matches!(**error, StoreError::NoCompiler { .. }))
    );
    assert_eq!(status, Status::Running);
}
