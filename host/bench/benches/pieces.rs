//! The host, piece by piece: `cargo bench -p refrain-bench`.

// The tally of `refrain bench`.
#[expect(dead_code, reason = "turns are kept here, and not counted")]
#[path = "../../src/cli/bench/tally.rs"]
mod tally;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use refrain::ExecutionId;
use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
use refrain::log::{self, Head, canonical, chain};
use refrain::model::{Event, EventKind, NodeCompleted, Origin};
use refrain::store::{Durability, MemoryStore, SqliteStore, Store, Turn};
use refrain::{Engine, Next, Workflow};
use serde_json::json;
use tempfile::TempDir;

use tally::Tally;

criterion_group!(pieces, events, calls, commits);
criterion_main!(pieces);

fn events(criterion: &mut Criterion) {
    let mut completed = NodeCompleted::new("n00005", 1, 16);
    completed.output = r#"{"score": 7}"#.to_owned();
    completed.state_patch = r#"{"score": 7}"#.to_owned();
    completed.duration_ms = 12;
    let event = Event {
        sequence: 17,
        at: 1_700_000_000_000,
        origin: Origin::Fact,
        kind: EventKind::NodeCompleted(completed),
    };
    let bytes = canonical::write(&event);
    let text = log::json::write_event(&event);
    criterion.bench_function("write an event canonically", |bencher| {
        bencher.iter(|| canonical::write(black_box(&event)));
    });
    criterion.bench_function("read a canonical event", |bencher| {
        bencher.iter(|| canonical::read(black_box(&bytes.plain), black_box(&bytes.erasable)));
    });
    criterion.bench_function("write an event as JSON", |bencher| {
        bencher.iter(|| log::json::write_event(black_box(&event)));
    });
    criterion.bench_function("read an event from JSON", |bencher| {
        bencher.iter(|| log::json::read_event(black_box(&text)));
    });
    let head = Head::default();
    criterion.bench_function("link an event into the chain", |bencher| {
        bencher.iter(|| chain::link_of(black_box(&head.hash), &bytes, &[7; 16]));
    });
}

/// Through the component, fuel and all.
fn calls(criterion: &mut Criterion) {
    let sandbox = Sandbox::new(CallLimits::default()).expect("there is a sandbox");
    let mut library = Library::new(sandbox);
    let built_in = library.built_in().to_owned();
    library
        .wait_until_compiled(&built_in)
        .expect("it is a guest");
    let text = workflow(100);
    criterion.bench_function("a hundred steps through the component", |bencher| {
        bencher.iter_batched(
            || {
                let digest = library.built_in().to_owned();
                let ports = MemoryPorts::new(text.as_str(), 1_000);
                let guest = digest.parse().expect("a digest");
                let started = ports.started(ExecutionId::random(), guest);
                let instance = library.instance(&digest).expect("it runs");
                InMemoryExecution::start(instance, ports, started).expect("it starts")
            },
            |mut run| {
                while let Some(item) = run.ports.items.first().cloned() {
                    run.complete(&item.node_id, "{}").expect("it is legal");
                }
                run
            },
            BatchSize::LargeInput,
        );
    });
}

/// One turn in which a hundred executions each go one step further.
fn commits(criterion: &mut Criterion) {
    let (before, turn) = turns();
    let folder = TempDir::new().expect("a temporary folder can be made");
    let mut files = 0;
    let sqlite = || {
        files += 1;
        let path = folder.path().join(format!("{files}.db"));
        let options = SqliteStore::options().durability(Durability::Normal);
        Box::new(options.open(path).expect("it opens")) as Box<dyn Store>
    };
    let memory = || Box::new(MemoryStore::new()) as Box<dyn Store>;
    commit(criterion, "in memory", memory, &before, &turn);
    commit(criterion, "in a file, unsynced", sqlite, &before, &turn);
}

fn commit(
    criterion: &mut Criterion,
    place: &str,
    mut open: impl FnMut() -> Box<dyn Store>,
    before: &[Turn],
    turn: &Turn,
) {
    criterion.bench_function(&format!("commit a hundred steps {place}"), |bencher| {
        bencher.iter_batched(
            || {
                let mut store = open();
                for turn in before {
                    write(store.as_mut(), turn);
                }
                store
            },
            |mut store| {
                write(store.as_mut(), turn);
                store
            },
            BatchSize::PerIteration,
        );
    });
}

fn write(store: &mut dyn Store, turn: &Turn) {
    store.begin().expect("nobody else writes");
    store.commit(turn).expect("it follows on those before");
}

/// The turns of a hundred executions: those before, and the one in the middle
/// of their steps.
fn turns() -> (Vec<Turn>, Turn) {
    let tally = Tally::keeping();
    let builder = Engine::builder().store(tally.of(MemoryStore::new()));
    let (engine, mut steps) = builder.seed(1).stepped().expect("it can be");
    let chain = Workflow::from_json(workflow(3)).expect("it is JSON");
    let registered = steps.until(engine.register(chain));
    registered
        .expect("there is an answer")
        .expect("it is valid");
    for _ in 0..100 {
        let started = steps.until(engine.start("chain", "1.0.0", json!({})));
        started.expect("there is an answer").expect("it starts");
    }
    engine.work_with_slots("tool", 100, |_| async { Ok(json!({})) });
    while steps.step() == Next::Now {}
    let mut before = tally.take();
    // Of the last ones, the very last ends them all.
    let turn = before.len() - 2;
    let mut last = before.split_off(turn);
    (before, last.swap_remove(0))
}

/// A workflow of so many steps, one after another.
fn workflow(nodes: usize) -> String {
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
