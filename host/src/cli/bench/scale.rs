//! Whether a step costs the same in a large workflow, among many executions,
//! at the end of a long log.
//!
//! Commits do not wait for the disk here: what is looked for is cost that
//! grows, and a sync, which does not, would hide it.

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use anyhow::ensure;
use refrain::contract::Status;
use refrain::store::{Durability, MemoryStore, SqliteStore};
use refrain::{Approval, Engine, EngineError, Execution};

use super::Bench;
use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::workload::{self, Workload};

/// Executions at once while the workflow grows.
const EXECUTIONS: u64 = 10;

/// Steps of each execution while executions grow in number.
const NODES: u64 = 5;

/// Steps at the end of a log.
const STEPS: u64 = 500;

/// Steps that each size is measured over at least, if it has to be run again
/// and again for that.
const STEPS_MIN: u64 = 2_000;

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

/// Measure all three.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder("scale")?;
    for grows in [Grows::Nodes, Grows::Executions, Grows::Events] {
        let mut series = Vec::new();
        for size in grows.sizes(bench) {
            bench
                .talk
                .about("scale")
                .say(&format!("{size} {}", grows.key()));
            let path = folder.join(format!("{}-{size}.db", grows.key()));
            let ns_per_step = match grows {
                Grows::Nodes => whole(bench, path, size, EXECUTIONS).await?,
                Grows::Executions => whole(bench, path, NODES, size).await?,
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
    let steps = nodes * executions;
    let mut ns_per_step = Vec::new();
    for _ in 0..STEPS_MIN.div_ceil(steps) {
        let took = chain.run(&engine, executions).await?;
        ns_per_step.push(took.as_secs_f64() * 1e9 / real(steps));
    }
    engine.shutdown().await;
    Ok(median(&ns_per_step))
}

/// Steps of an execution whose log is that long already: it was paused and
/// unpaused over and over while it waited for a person.
async fn at_the_end(bench: &Bench, path: PathBuf, events: u64) -> anyhow::Result<f64> {
    let steps = STEPS.min(bench.nodes.unwrap_or(STEPS));
    let gated = Workload::gated(steps)?;
    let engine = engine(bench, path, &gated).await?;
    let execution = gated.start(&engine).await?;
    lengthen(&execution, events).await?;
    let begun = Instant::now();
    execution
        .approve(workload::GATE, Approval::approved("bench"))
        .await?;
    let finished = execution.finished().await?;
    let took = begun.elapsed();
    ensure!(finished.status == Status::Completed, "{finished:?}");
    engine.shutdown().await;
    Ok(took.as_secs_f64() * 1e9 / real(steps))
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
