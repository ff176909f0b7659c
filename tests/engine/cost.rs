//! What a step costs, counted: commits, questions to the store, calls of the
//! scheduler, bytes, fuel.
//! Counts are the same on every machine and under every load, so that cost
//! that creeps in is found where times would say nothing.
//!
//! An engine that is stepped by hand, on a clock that stands still, batches the same
//! way each time: by a clock that goes on, a slow machine would end turns earlier.
//! Where a count has become smaller, its bound below can follow.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use refrain::store::SqliteStore;
use refrain::{Builder, Engine, Execution, ManualClock, Next, Steps, Workflow};
use refrain_bench::compare;
use refrain_tests::cost;
use refrain_tests::counting_store::{Count, CountingStore};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const NODES: u32 = 10;

/// An engine on a file, stepped by hand, that knows a chain of ten steps.
struct World {
    folder: TempDir,
    engine: Engine,
    steps: Steps,
    count: Count,
    /// Bytes of the database before anything was started.
    before: u32,
}

/// What was counted, for each step.
struct Cost {
    commits: f64,
    /// Questions of all kinds, and which.
    questions: f64,
    by_method: BTreeMap<&'static str, u64>,
    guest_calls: f64,
    bytes: f64,
}

#[test]
fn a_workflow_alone_costs_a_commit_for_each_step_and_one() -> Result<()> {
    let mut world = World::new()?;
    world.work();
    let cost = world.cost(1, |world| world.start().map(drop))?;
    // The start is one; each completion is in one with the next claim; the last
    // one is the end.
    ensure!(cost.commits <= 1.1, "{} commits", cost.commits);
    Ok(())
}

#[test]
fn many_at_once_share_their_commits() -> Result<()> {
    let cost = together(100)?;
    ensure!(cost.commits <= 0.02, "{} commits", cost.commits);
    Ok(())
}

#[test]
fn a_step_asks_the_store_next_to_nothing_however_many_are_live() -> Result<()> {
    for (executions, bound) in [(50, 0.3), (200, 0.1), (1_000, 0.05)] {
        let cost = together(executions)?;
        ensure!(
            cost.questions <= bound,
            "among {executions} executions, a step asks {} questions: {:?}",
            cost.questions,
            cost.by_method
        );
    }
    Ok(())
}

/// Within a scope nobody asks the store what is due: that is known.
#[test]
fn within_a_scope_a_step_asks_no_more() -> Result<()> {
    let alone = |mut world: World| -> Result<f64> {
        world.work();
        Ok(world.cost(1, |world| world.start().map(drop))?.questions)
    };
    let (all, own) = (alone(World::new()?)?, alone(World::within_a_scope()?)?);
    ensure!(
        own <= all,
        "{own} questions a step, and {all} without a scope"
    );
    let mut world = World::within_a_scope()?;
    for _ in 0..200 {
        world.start()?;
    }
    let many = world.cost(200, |world| {
        world.work();
        Ok(())
    })?;
    ensure!(many.questions <= 0.1, "{:?}", many.by_method);
    Ok(())
}

/// One takes the claim, and one takes the completion and decides what follows.
#[test]
fn a_step_is_two_calls_of_the_scheduler() -> Result<()> {
    for executions in [1, 100] {
        let calls = together(executions)?.guest_calls;
        ensure!(
            (calls - 2.0).abs() < 1e-9,
            "among {executions} executions, a step is {calls} calls"
        );
    }
    Ok(())
}

/// Branches that wait side by side are claimed together: eight calls take their answers,
/// and one call their claims; besides, the first node and what joins them.
#[test]
fn branches_that_wait_side_by_side_are_claimed_in_one_call() -> Result<()> {
    let mut world = World::new()?;
    let fan = Workflow::from_json(fan())?;
    let registered = world.steps.until(world.engine.register(fan));
    registered.context("it takes no answer")??;
    let started = world.engine.start("fan", "1.0.0", json!({}));
    world.steps.until(started).context("it takes no answer")??;
    let before = world.steps.guest_calls();
    world.work();
    while world.steps.step() == Next::Now {}
    ensure!(world.ended()? == 1, "it has not ended");
    let calls = world.steps.guest_calls() - before;
    ensure!(calls == 2 + 9 + 2, "{calls} calls");
    Ok(())
}

#[test]
fn a_step_leaves_few_bytes() -> Result<()> {
    let cost = together(200)?;
    ensure!(cost.bytes <= 560.0, "{} bytes", cost.bytes);
    Ok(())
}

#[test]
fn a_step_burns_little_fuel() -> Result<()> {
    let fuel = cost::fuel_per_step(100)?;
    ensure!(fuel <= 100_000.0, "{fuel:.0} units of fuel");
    Ok(())
}

/// Three expressions in each kind, next to the same kind with what they come to written out.
#[test]
fn a_dispatch_with_three_expressions_burns_little_more_fuel() -> Result<()> {
    let fuel = |a: &str, b: &str, c: Value| {
        let kind = json!({"type": "task", "queue": "tool", "a": a, "b": b, "c": c});
        cost::fuel_per_dispatch(16, &kind, r#"{"a":"one","b":"two","c":3}"#)
    };
    let without = fuel("one", "a text with two in it", json!(3))?;
    let b = "a text with ${state.b} in it";
    let with = fuel("${state.a}", b, json!("${state.c}"))?;
    ensure!(
        with <= 1.3 * without,
        "{with:.0} units of fuel with expressions, and {without:.0} without"
    );
    Ok(())
}

/// Nothing is said of times here; but both must go through the whole log.
#[test]
fn native_core_and_component_replay_the_same_log() -> Result<()> {
    let compared = compare(1)?;
    ensure!(compared.wasm_native_ratio > 0.0, "{compared:?}");
    Ok(())
}

/// So many executions at once, from their first claim to their ends.
fn together(executions: u32) -> Result<Cost> {
    let mut world = World::new()?;
    for _ in 0..executions {
        world.start()?;
    }
    world.cost(executions, |world| {
        world.work();
        Ok(())
    })
}

impl World {
    fn new() -> Result<Self> {
        Self::like(|builder| builder)
    }

    /// With an engine that works on what is started there, and on nothing else.
    fn within_a_scope() -> Result<Self> {
        Self::like(|builder| builder.only([]))
    }

    fn like(like: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let folder = TempDir::new()?;
        let count = Count::default();
        let store = SqliteStore::open(folder.path().join("refrain.db"))?;
        let store = CountingStore::new(store, &count);
        let clock = ManualClock::new(1_767_225_600_000);
        let builder = Engine::builder().store(store).clock(clock).seed(1);
        let (engine, mut steps) = like(builder).stepped()?;
        let chain = Workflow::from_json(chain())?;
        let registered = steps.until(engine.register(chain));
        registered.context("it takes no answer")??;
        let mut world = Self {
            folder,
            engine,
            steps,
            count,
            before: 0,
        };
        // With the first execution the scheduler component is stored.
        let first = world.start()?;
        let cancelled = world.steps.until(first.cancel(None));
        cancelled.context("it takes no answer")??;
        world.before = world.bytes()?;
        Ok(world)
    }

    fn start(&mut self) -> Result<Execution> {
        let started = self.engine.start("chain", "1.0.0", json!({}));
        let started = self.steps.until(started);
        Ok(started.context("it takes no answer")??)
    }

    /// Workers come, as many as there is work.
    fn work(&self) {
        self.engine
            .work_with_slots("tool", 10_000, |_| async { Ok(json!({})) });
    }

    /// What it costs to bring all executions to their ends, `begin` included.
    fn cost(
        &mut self,
        executions: u32,
        begin: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Cost> {
        drop(self.count.take());
        let calls_before = self.steps.guest_calls();
        begin(self)?;
        while self.steps.step() == Next::Now {}
        let by_method = self.count.take();
        let steps = f64::from(executions * NODES);
        let of = |wanted: &dyn Fn(&str) -> bool| -> Result<f64> {
            let calls = by_method.iter().filter(|(method, _)| wanted(method));
            let calls: u64 = calls.map(|(_, calls)| calls).sum();
            Ok(f64::from(u32::try_from(calls)?) / steps)
        };
        let ended = self.ended()?;
        ensure!(ended == executions, "{ended} of {executions} have ended");
        Ok(Cost {
            commits: of(&|method| method == "commit")?,
            questions: of(&|method| !["begin", "commit"].contains(&method))?,
            bytes: f64::from(self.bytes()? - self.before) / steps,
            guest_calls: f64::from(u32::try_from(self.steps.guest_calls() - calls_before)?) / steps,
            by_method,
        })
    }

    /// Bytes that the database holds, free pages aside.
    fn bytes(&self) -> Result<u32> {
        let connection = self.look()?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(connection.query_row(
            "SELECT (page_count - freelist_count) * page_size
             FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?)
    }

    fn ended(&self) -> Result<u32> {
        let sql = "SELECT count(*) FROM executions WHERE status = 'completed'";
        Ok(self.look()?.query_row(sql, [], |row| row.get(0))?)
    }

    fn look(&self) -> Result<Connection> {
        Ok(Connection::open(self.folder.path().join("refrain.db"))?)
    }
}

fn chain() -> String {
    let name = |node: u32| format!("n{node:05}");
    let step = json!({"kind": {"type": "tool", "tool_ref": "nothing"}});
    let nodes: Map<_, _> = (0..NODES).map(|n| (name(n), step.clone())).collect();
    let edges: Vec<_> = (1..NODES)
        .map(|n| json!({"from": name(n - 1), "to": name(n)}))
        .collect();
    json!({
        "workflow_id": "chain", "version": "1.0.0", "start_node": name(0), "nodes": nodes, "edges": edges,
    })
    .to_string()
}

/// A node, eight that follow it side by side, and one that joins them.
fn fan() -> String {
    let step = json!({"kind": {"type": "tool", "tool_ref": "nothing"}});
    let branches: Vec<String> = (0..8).map(|n| format!("b{n}")).collect();
    let names = branches
        .iter()
        .cloned()
        .chain(["a".to_owned(), "z".to_owned()]);
    let nodes: Map<_, _> = names.map(|name| (name, step.clone())).collect();
    let edges: Vec<_> = branches
        .iter()
        .flat_map(|branch| {
            [
                json!({"from": "a", "to": branch}),
                json!({"from": branch, "to": "z"}),
            ]
        })
        .collect();
    json!({
        "workflow_id": "fan", "version": "1.0.0", "start_node": "a", "nodes": nodes, "edges": edges,
    })
    .to_string()
}
