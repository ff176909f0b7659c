//! The pure core, piece by piece: `cargo bench -p refrain-guest`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use refrain_guest::apply::{apply, start};
use refrain_guest::condition::{Expression, Scope};
use refrain_guest::contract::{
    Event, EventKind, Limits, NodeCompleted, NodeStarted, Origin, WorkOrder, WorkflowStarted,
};
use refrain_guest::decide::drain;
use refrain_guest::json::Object;
use refrain_guest::machine::Machine;
use refrain_guest::snapshot;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow::{self, Plan};

/// The time of all events.
const NOW: u64 = 1_000;

criterion_group!(pieces, workflows, conditions, machines);
criterion_main!(pieces);

fn workflows(criterion: &mut Criterion) {
    for nodes in [10, 1_000] {
        let text = chain(nodes);
        criterion.bench_function(&format!("parse a workflow of {nodes} nodes"), |bencher| {
            bencher.iter(|| workflow::parse(black_box(&text)));
        });
    }
}

fn conditions(criterion: &mut Criterion) {
    let text =
        "state.claim.score >= 7 && !(input.country in [\"A\", \"B\"]) || has(state.claim.note)";
    criterion.bench_function("parse a condition", |bencher| {
        bencher.iter(|| Expression::parse(black_box(text)));
    });
    let expression = Expression::parse(text).expect("it is one");
    let state = Object::parse(r#"{"claim": {"score": 6.5, "words": [1, 2, 3]}, "more": "of it"}"#);
    let state = state.expect("it is an object");
    let scope = Scope::new(r#"{"country": "C", "amount": 1000}"#, &state);
    criterion.bench_function("evaluate a condition", |bencher| {
        bencher.iter(|| expression.is_true(black_box(&scope)));
    });
}

/// A chain of a hundred steps, from its second event to its last: each step is
/// two facts that are applied, and a decision.
fn machines(criterion: &mut Criterion) {
    let text = chain(100);
    let plan = Arc::new(workflow::parse(&text).expect("it is valid"));
    criterion.bench_function("decide and apply a hundred steps", |bencher| {
        bencher.iter_batched(|| started(&plan), run, BatchSize::SmallInput);
    });
    let mut machine = started(&plan);
    let decided = drain(&mut machine, Timestamp(NOW));
    decided
        .expect("a machine takes its own decisions")
        .events
        .clear();
    criterion.bench_function("a snapshot of a hundred nodes", |bencher| {
        bencher.iter(|| snapshot::take(&machine));
    });
}

fn run(mut machine: Machine) -> u64 {
    loop {
        let batch = drain(&mut machine, Timestamp(NOW));
        let batch = batch.expect("a machine takes its own decisions");
        let Some(WorkOrder::Enqueue(item)) = batch.orders.into_iter().next() else {
            return machine.sequence();
        };
        let fence = machine.sequence() + 1;
        let started = NodeStarted {
            node_id: item.node_id.clone(),
            worker_id: "w".to_owned(),
            attempt: item.attempt,
        };
        take(&mut machine, EventKind::NodeStarted(started));
        let completed = NodeCompleted {
            node_id: item.node_id,
            attempt: item.attempt,
            fence,
            output: "null".to_owned(),
            state_patch: r#"{"score": 7}"#.to_owned(),
            duration_ms: 1,
            chosen_target: None,
            gen_ai: None,
            telemetry: None,
            edited_by: None,
        };
        take(&mut machine, EventKind::NodeCompleted(completed));
    }
}

fn take(machine: &mut Machine, kind: EventKind) {
    let event = fact(machine.sequence() + 1, kind);
    apply(machine, &event).expect("it is legal");
}

fn started(plan: &Arc<Plan>) -> Machine {
    let event = fact(
        1,
        EventKind::WorkflowStarted(WorkflowStarted {
            format: 2,
            execution_id: EXECUTION.to_owned(),
            workflow_id: "chain".to_owned(),
            workflow_version: "1.0.0".to_owned(),
            workflow_digest: "0".repeat(64),
            guest_digest: "0".repeat(64),
            initial_input: "{}".to_owned(),
            limits: Limits {
                max_concurrent_nodes: 16,
                max_dispatch_per_tick: 8,
            },
            seed: 1,
            tenant: "default".to_owned(),
            simulated: false,
            key: None,
            forked_from: None,
            parent: None,
            labels: Vec::new(),
            priority: 5,
            by: None,
        }),
    );
    start(Arc::clone(plan), &"0".repeat(64), &event).expect("it may be the first")
}

const EXECUTION: &str = "exec_00000000000000000000000000000001";

fn fact(sequence: u64, kind: EventKind) -> Event {
    Event {
        sequence,
        at: NOW,
        origin: Origin::Fact,
        kind,
    }
}

/// A workflow of so many steps, one after another.
fn chain(nodes: usize) -> String {
    let name = |node: usize| format!("n{node:05}");
    let node = |n| {
        format!(
            r#""{}": {{"kind": {{"type": "tool", "tool_ref": "t"}}}}"#,
            name(n)
        )
    };
    let edge = |n| format!(r#"{{"from": "{}", "to": "{}"}}"#, name(n - 1), name(n));
    format!(
        r#"{{"workflow_id": "chain", "version": "1.0.0", "start_node": "{}", "nodes": {{{}}}, "edges": [{}]}}"#,
        name(0),
        (0..nodes).map(node).collect::<Vec<_>>().join(", "),
        (1..nodes).map(edge).collect::<Vec<_>>().join(", "),
    )
}
