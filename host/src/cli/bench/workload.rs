//! What is run: workflows of steps that do nothing, and engines that run them.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use refrain::limits::{CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT};
use refrain::model::{Limits, Status};
use refrain::store::Store;
use refrain::{Approval, Engine, Execution, Start, Workflow};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::super::guests;

/// Items that workers work on at once: about as many as executions live at
/// once, so that none waits for a worker.
pub(super) const SLOTS: usize = 1_024;

/// The queue of the steps.
pub(super) const QUEUE: &str = "tool";

/// The version of all workflows here.
const VERSION: &str = "1.0.0";

/// The node that waits for a person, where there is one.
pub(super) const GATE: &str = "gate";

/// A workflow to run.
#[derive(Clone)]
pub(super) struct Workload {
    workflow: Workflow,
    id: String,
    /// How many of its nodes are steps: work that a worker claims and does.
    pub(super) steps: u64,
    limits: Limits,
    input: Value,
    gated: bool,
}

impl Workload {
    /// Steps, one after another.
    pub(super) fn chain(steps: u64) -> anyhow::Result<Self> {
        Self::one_after_another(&format!("chain-{steps}"), steps, &step())
    }

    /// Requests to this server, one after another.
    pub(super) fn requests(steps: u64, url: &str) -> anyhow::Result<Self> {
        Self::one_after_another(&format!("requests-{steps}"), steps, &request(url))
    }

    /// Runs of this program, one after another.
    pub(super) fn commands(steps: u64, program: &str) -> anyhow::Result<Self> {
        let kind = json!({ "type": "command", "argv": [program] });
        Self::one_after_another(&format!("commands-{steps}"), steps, &kind)
    }

    fn one_after_another(id: &str, steps: u64, kind: &Value) -> anyhow::Result<Self> {
        let nodes = (0..steps).map(|n| (name(n), kind.clone())).collect();
        let edges = (1..steps).map(|n| (name(n - 1), name(n))).collect();
        Self::new(id, &name(0), steps, nodes, edges)
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
        Self::new(&format!("fan-{width}"), &name(0), width + 1, nodes, edges)?.wide(width)
    }

    /// A map of so many elements, each of them a step.
    pub(super) fn map(width: u64) -> anyhow::Result<Self> {
        let kind = json!({ "type": "map", "over": "input.items", "body": step() });
        let nodes = vec![(name(0), kind)];
        let map = Self::new(&format!("map-{width}"), &name(0), width, nodes, Vec::new())?;
        let items: Vec<u64> = (0..width).collect();
        Self {
            input: json!({ "items": items }),
            ..map
        }
        .wide(width)
    }

    /// It waits for a person; then there are `width` steps at once.
    pub(super) fn gated(width: u64) -> anyhow::Result<Self> {
        let gate = json!({ "type": "human_approval", "description": "Go on?" });
        let mut nodes: Vec<_> = (0..width).map(|n| (name(n), step())).collect();
        nodes.push((GATE.to_owned(), gate));
        let edges = (0..width).map(|n| (GATE.to_owned(), name(n))).collect();
        let gated = Self::new(&format!("gated-{width}"), GATE, width, nodes, edges)?;
        Self {
            gated: true,
            ..gated
        }
        .wide(width)
    }

    /// With limits that let so many steps run at once.
    fn wide(self, width: u64) -> anyhow::Result<Self> {
        let width = u32::try_from(width)?;
        let limits = Limits {
            max_concurrent_nodes: width.max(CONCURRENT_NODES_DEFAULT),
            max_dispatch_per_tick: width.max(DISPATCH_PER_TICK_DEFAULT),
        };
        Ok(Self { limits, ..self })
    }

    /// With the limits of another one.
    pub(super) fn with_limits_of(self, other: &Self) -> Self {
        Self {
            limits: other.limits,
            ..self
        }
    }

    fn new(
        id: &str,
        start: &str,
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
            "start_node": start,
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
            input: json!({}),
            gated: false,
        })
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        self.workflow.text()
    }

    /// An engine on this store that knows the workflow and has workers for it.
    /// One execution has run already: code is compiled, caches are warm, and
    /// the store holds the scheduler component.
    pub(super) async fn engine(&self, store: impl Store + 'static) -> anyhow::Result<Engine> {
        let engine = self.cold_engine(store).await?;
        engine.work_with_slots(QUEUE, SLOTS, |_| async { Ok(json!({})) });
        self.run_one(&engine).await?;
        Ok(engine)
    }

    /// An engine on this store that knows the workflow, and nothing more.
    pub(super) async fn cold_engine(&self, store: impl Store + 'static) -> anyhow::Result<Engine> {
        let builder = Engine::builder().store(store).limits(self.limits);
        let builder = builder.library(guests::compiled_library()?);
        // All executions of a benchmark start at once.
        let builder = builder.callers_max(NonZeroUsize::MAX);
        let engine = builder.start().await?;
        self.register(&engine).await?;
        Ok(engine)
    }

    /// Make the workflow known to an engine.
    pub(super) async fn register(&self, engine: &Engine) -> anyhow::Result<()> {
        engine.register(self.workflow.clone()).await?;
        Ok(())
    }

    /// Start one execution.
    pub(super) async fn start(&self, engine: &Engine) -> anyhow::Result<Execution> {
        let start = Start::new(self.id.as_str(), VERSION, self.input.clone());
        Ok(engine.start_with(start).await?)
    }

    /// Start one execution, and wait for its end; how long that took.
    pub(super) async fn run_one(&self, engine: &Engine) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let execution = self.start(engine).await?;
        if self.gated {
            Self::let_go(&execution).await?;
        } else {
            Self::ended(&execution).await?;
        }
        Ok(begun.elapsed())
    }

    /// Let an execution go on that waits at its gate, and wait for its end.
    pub(super) async fn let_go(execution: &Execution) -> anyhow::Result<()> {
        let approval = Approval::approved("bench");
        execution.approve(GATE, approval).await?;
        Self::ended(execution).await
    }

    async fn ended(execution: &Execution) -> anyhow::Result<()> {
        let finished = execution.finished().await?;
        ensure!(
            finished.status == Status::Completed,
            "{} of the benchmark ended otherwise than completed: {}",
            execution.id(),
            finished.error.unwrap_or_default()
        );
        Ok(())
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
pub(super) fn name(n: u64) -> String {
    format!("n{n:05}")
}

fn step() -> Value {
    json!({ "type": "tool", "tool_ref": "nothing" })
}

/// A step that asks a server.
pub(super) fn request(url: &str) -> Value {
    json!({ "type": "http", "url": url, "method": "POST", "body": {} })
}
