//! Whether a step costs the same in a large workflow, among many executions,
//! at the end of a long log.
//!
//! What is looked for is cost that grows. So it is the processor time of the
//! engine that counts, where the system says it, and commits do not wait for
//! the disk: a thread that waits, for a disk or for a busy machine, uses no more of it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use refrain::model::Status;
use refrain::store::{Durability, MemoryStore, SqliteStore};
use refrain::{Approval, Engine, EngineError, Execution};
use tokio::task::JoinSet;

use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::workload::{self, Workload};
use super::{Bench, process};

/// Executions at once while the workflow grows.
const EXECUTIONS: u64 = 10;

/// Steps of each execution while executions grow in number. So many go on at
/// once as while the workflow grows; all others wait.
const NODES: u64 = 5;

/// Steps at the end of a log.
const STEPS: u64 = 500;

/// Logs of each length: what is reported is the median of them.
const LOGS: u64 = 3;

/// Steps that each size is measured over at least, again and again where it
/// has fewer: so many that all sizes pay for moving the write-ahead log into
/// the database, now and then, and not only the large ones.
const STEPS_MIN: u64 = 20_000;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grows {
    Nodes,
    Executions,
    Events,
}

/// One size, and what a step costs at it.
pub(super) struct Point {
    pub(super) grows: Grows,
    pub(super) size: u64,
    pub(super) ns_per_step: f64,
}

impl Grows {
    /// Its name in JSON.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Executions => "executions",
            Self::Events => "events",
        }
    }

    /// From the smallest size to the largest, ten times larger each.
    fn sizes(self, bench: &Bench) -> Vec<u64> {
        let (first, last) = match self {
            Self::Nodes => (10, bench.nodes.unwrap_or(10_000)),
            Self::Executions => (10, bench.executions.unwrap_or(100_000)),
            Self::Events => (100, bench.nodes.map_or(100_000, |nodes| 10 * nodes)),
        };
        let mut sizes: Vec<u64> = std::iter::successors(Some(first), |size| Some(size * 10))
            .take_while(|size| *size < last)
            .collect();
        sizes.push(last);
        sizes
    }

    fn growth(self, ratio: f64) -> Figure {
        let (key, what) = match self {
            Self::Nodes => (
                "scale_nodes_ratio",
                "a step in the largest workflow, in the smallest = 1",
            ),
            Self::Executions => (
                "scale_executions_ratio",
                "a step among the most executions, among the fewest = 1",
            ),
            Self::Events => (
                "scale_events_ratio",
                "a step after the longest log, after the shortest = 1",
            ),
        };
        Figure::new(key, what, ratio, Unit::Times)
    }
}

impl Bench {
    /// Fewer steps where fewer are asked for.
    fn steps_min(&self) -> u64 {
        match (self.nodes, self.executions) {
            (None, None) => STEPS_MIN,
            (nodes, executions) => {
                let asked = nodes
                    .unwrap_or(NODES)
                    .saturating_mul(executions.unwrap_or(EXECUTIONS));
                asked.min(STEPS_MIN)
            }
        }
    }
}

/// Measure all three.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder("scale")?;
    for grows in [Grows::Nodes, Grows::Executions, Grows::Events] {
        let mut series = Vec::new();
        for size in grows.sizes(bench) {
            bench
                .progress
                .about("scale")
                .say(&format!("{size} {}", grows.key()));
            let path = folder.join(format!("{}-{size}.db", grows.key()));
            let ns_per_step = match grows {
                Grows::Nodes => whole(bench, path, size, EXECUTIONS).await?,
                Grows::Executions => among(bench, path, size).await?,
                Grows::Events => at_the_end(bench, path, size).await?,
            };
            series.push(Point {
                grows,
                size,
                ns_per_step,
            });
        }
        if let [first, .., last] = series.as_slice() {
            report.add(grows.growth(last.ns_per_step / first.ns_per_step));
        }
        report.scale(series);
    }
    Ok(())
}

/// So many chains at once, from start to end.
async fn whole(bench: &Bench, path: PathBuf, nodes: u64, executions: u64) -> anyhow::Result<f64> {
    let chain = Workload::chain(nodes)?;
    let engine = engine(bench, path, &chain).await?;
    let begun = Spent::so_far();
    let mut steps = 0;
    while steps < bench.steps_min() {
        chain.run(&engine, executions).await?;
        steps += nodes * executions;
    }
    let ns_per_step = begun.ns_since() / real(steps);
    engine.shutdown().await;
    Ok(ns_per_step)
}

/// Steps of a few executions at a time, while so many wait for a person. It is
/// always those that have waited longest, so that nothing of them is at hand.
async fn among(bench: &Bench, path: PathBuf, executions: u64) -> anyhow::Result<f64> {
    let gated = Workload::gated(NODES)?;
    let engine = engine(bench, path, &gated).await?;
    let mut waiting = VecDeque::from(all_waiting(&gated, &engine, executions).await?);
    let (mut ns, mut steps) = (0.0, 0);
    while steps < bench.steps_min() {
        let few = EXECUTIONS.min(executions);
        let woken: Vec<_> = (0..few).filter_map(|_| waiting.pop_front()).collect();
        let begun = Spent::so_far();
        let mut ends = JoinSet::new();
        for execution in woken {
            ends.spawn(async move { Workload::let_go(&execution).await });
        }
        while let Some(ended) = ends.join_next().await {
            ended.context("a task of the benchmark failed")??;
        }
        ns += begun.ns_since();
        steps += few * NODES;
        waiting.extend(all_waiting(&gated, &engine, few).await?);
    }
    engine.shutdown().await;
    Ok(ns / real(steps))
}

/// So many executions that have begun, and wait.
async fn all_waiting(
    gated: &Workload,
    engine: &Engine,
    executions: u64,
) -> anyhow::Result<Vec<Execution>> {
    let mut starts = JoinSet::new();
    for _ in 0..executions {
        let (gated, engine) = (gated.clone(), engine.clone());
        starts.spawn(async move { gated.start(&engine).await });
    }
    let mut waiting = Vec::new();
    while let Some(started) = starts.join_next().await {
        waiting.push(started.context("a task of the benchmark failed")??);
    }
    Ok(waiting)
}

/// Steps of executions whose logs are that long already: each was paused and
/// unpaused over and over while it waited for a person.
async fn at_the_end(bench: &Bench, path: PathBuf, events: u64) -> anyhow::Result<f64> {
    let steps = STEPS.min(bench.nodes.unwrap_or(STEPS));
    let gated = Workload::gated(steps)?;
    let engine = engine(bench, path, &gated).await?;
    let mut ns_per_step = Vec::new();
    for _ in 0..LOGS {
        let execution = gated.start(&engine).await?;
        lengthen(&execution, events).await?;
        let begun = Spent::so_far();
        let approval = Approval::approved("bench");
        execution.approve(workload::GATE, approval).await?;
        let finished = execution.finished().await?;
        ns_per_step.push(begun.ns_since() / real(steps));
        ensure!(finished.status == Status::Completed, "{finished:?}");
    }
    engine.shutdown().await;
    Ok(median(&ns_per_step))
}

/// Time that the engine has spent.
struct Spent {
    on_processor: Option<Duration>,
    at: Instant,
}

impl Spent {
    fn so_far() -> Self {
        Self {
            on_processor: process::engine_cpu(),
            at: Instant::now(),
        }
    }

    /// What it has spent since, in nanoseconds: on a processor, or by the clock
    /// on the wall where the system does not say more.
    fn ns_since(&self) -> f64 {
        let now = Self::so_far();
        let spent = match (self.on_processor, now.on_processor) {
            (Some(then), Some(now)) => now.saturating_sub(then),
            _ => now.at - self.at,
        };
        spent.as_secs_f64() * 1e9
    }
}

/// Let its log grow by so many events, many of them in a commit.
async fn lengthen(execution: &Execution, events: u64) -> anyhow::Result<()> {
    const AT_ONCE: u64 = 256;
    let mut left = events / 2;
    while left > 0 {
        let pairs = left.min(AT_ONCE);
        let requests = (0..pairs).flat_map(|_| [true, false]);
        let requests = requests.map(|pause| -> Request<'_> {
            if pause {
                Box::pin(execution.pause(None))
            } else {
                Box::pin(execution.unpause(None))
            }
        });
        in_order(requests.collect()).await?;
        left -= pairs;
    }
    Ok(())
}

/// Something that is asked of an execution.
type Request<'a> = Pin<Box<dyn Future<Output = Result<(), EngineError>> + Send + 'a>>;

/// Requests that are sent in this order, and answered together.
async fn in_order(mut requests: Vec<Request<'_>>) -> Result<(), EngineError> {
    // A request is sent when it is first polled.
    let mut failed = None;
    poll_fn(|context| {
        requests.retain_mut(|request| match request.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(answer) => {
                failed = failed.take().or(answer.err());
                false
            }
        });
        if requests.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    failed.map_or(Ok(()), Err)
}

async fn engine(bench: &Bench, path: PathBuf, workload: &Workload) -> anyhow::Result<Engine> {
    if !bench.on_disk {
        return workload.engine(MemoryStore::new()).await;
    }
    let options = SqliteStore::options().durability(Durability::Normal);
    workload.engine(options.open(path)?).await
}
