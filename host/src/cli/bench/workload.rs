//! What is run: workflows of steps that do nothing, and engines that run them.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use refrain::contract::{Limits, Status};
use refrain::limits::{CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT};
use refrain::store::Store;
use refrain::{Engine, Execution, Start, Workflow};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

/// Items that workers work on at once: about as many as executions live at
/// once, so that none waits for a worker.
const SLOTS: usize = 1_024;

/// The queue of the steps.
const QUEUE: &str = "tool";

/// The version of all workflows here.
const VERSION: &str = "1.0.0";

/// A workflow to run.
#[derive(Clone)]
pub(super) struct Workload {
    workflow: Workflow,
    id: String,
    /// How many of its nodes are steps: work that a worker claims and does.
    pub(super) steps: u64,
    limits: Limits,
}

impl Workload {
    /// Steps, one after another.
    pub(super) fn chain(steps: u64) -> anyhow::Result<Self> {
        let nodes = (0..steps).map(|n| (name(n), step())).collect();
        let edges = (1..steps).map(|n| (name(n - 1), name(n))).collect();
        Self::new(&format!("chain-{steps}"), steps, nodes, edges)
    }

    /// One step, then `width` of them at once, then a join.
    pub(super) fn fan(width: u64) -> anyhow::Result<Self> {
        let arms = || (1..=width).map(name);
        let mut nodes: Vec<_> = (0..=width).map(|n| (name(n), step())).collect();
        let join = json!({
            "type": "join",
            "wait_for": arms().collect::<Vec<_>>(),
            "merge_strategy": "collect",
        });
        nodes.push(("join".to_owned(), join));
        let edges = arms().map(|arm| (name(0), arm)).collect();
        let mut fan = Self::new(&format!("fan-{width}"), width + 1, nodes, edges)?;
        let width = u32::try_from(width)?;
        fan.limits = Limits {
            max_concurrent_nodes: width.max(CONCURRENT_NODES_DEFAULT),
            max_dispatch_per_tick: width.max(DISPATCH_PER_TICK_DEFAULT),
        };
        Ok(fan)
    }

    fn new(
        id: &str,
        steps: u64,
        nodes: Vec<(String, Value)>,
        edges: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let nodes: Map<String, Value> = nodes
            .into_iter()
            .map(|(node, kind)| (node, json!({ "kind": kind })))
            .collect();
        let edges: Vec<Value> = edges
            .into_iter()
            .map(|(from, to)| json!({ "from": from, "to": to }))
            .collect();
        let text = json!({
            "workflow_id": id,
            "version": VERSION,
            "start_node": name(0),
            "nodes": nodes,
            "edges": edges,
        });
        Ok(Self {
            workflow: Workflow::from_json(text.to_string())?,
            id: id.to_owned(),
            steps,
            limits: Limits {
                max_concurrent_nodes: CONCURRENT_NODES_DEFAULT,
                max_dispatch_per_tick: DISPATCH_PER_TICK_DEFAULT,
            },
        })
    }

    /// An engine on this store that knows the workflow and has workers for it.
    /// One execution has run already: code is compiled, caches are warm, and
    /// the store holds the scheduler component.
    pub(super) async fn engine(&self, store: impl Store + 'static) -> anyhow::Result<Engine> {
        let engine = Engine::builder()
            .store(store)
            .limits(self.limits)
            .start()
            .await?;
        engine.work_with_slots(QUEUE, SLOTS, |_| async { Ok(json!({})) });
        engine.register(self.workflow.clone()).await?;
        self.run_one(&engine).await?;
        Ok(engine)
    }

    /// Start one execution.
    pub(super) async fn start(&self, engine: &Engine) -> anyhow::Result<Execution> {
        let start = Start::new(self.id.as_str(), VERSION, json!({}));
        Ok(engine.start_with(start).await?)
    }

    /// Start one execution, and wait for its end; how long that took.
    pub(super) async fn run_one(&self, engine: &Engine) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let execution = self.start(engine).await?;
        let finished = execution.finished().await?;
        ensure!(
            finished.status == Status::Completed,
            "{} of the benchmark ended otherwise than completed: {}",
            execution.id(),
            finished.error.unwrap_or_default()
        );
        Ok(begun.elapsed())
    }

    /// Start so many executions at once, and wait for all their ends; how long
    /// that took.
    pub(super) async fn run(&self, engine: &Engine, executions: u64) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut ends = JoinSet::new();
        for _ in 0..executions {
            let (workload, engine) = (self.clone(), engine.clone());
            ends.spawn(async move { workload.run_one(&engine).await });
        }
        while let Some(ended) = ends.join_next().await {
            ended.context("a task of the benchmark failed")??;
        }
        Ok(begun.elapsed())
    }
}

/// The name of a node: all of them are equally long.
fn name(n: u64) -> String {
    format!("n{n:05}")
}

fn step() -> Value {
    json!({ "type": "tool", "tool_ref": "nothing" })
}
