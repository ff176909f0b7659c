//! How many steps a second: chains and fan-outs, on disk and in memory.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use refrain::store::{MemoryStore, SqliteStore};
use rusqlite::Connection;

use super::floor::{self, Floor};
use super::progress::Progress;
use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::tally::Tally;
use super::workload::Workload;
use super::{Bench, process};

/// Rounds in which engine and floors take turns, so that all of them see the
/// same weather. What is reported is the median of the rounds.
const ROUNDS: u64 = 3;

/// Syncs of the bare disk in a round.
const SYNCS: usize = 100;

/// Chains, a thousand at once.
pub(super) async fn linear(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    let executions = bench.executions.unwrap_or(1_000);
    let linear = run(bench, "linear", &chain, executions).await?;
    linear.report(
        report,
        Figure::new(
            "linear_steps_per_s",
            "chains",
            median(&linear.steps_per_s),
            Unit::StepsPerS,
        ),
        ("linear_floor_steps_per_s", "linear_floor_ratio"),
    );
    report.add_median(
        "fdatasync_us_p50",
        "one fdatasync",
        &linear.syncs_us,
        Unit::Us,
    );
    report.add_median(
        "linear_commits_per_step",
        "chains, commits",
        &linear.commits_per_step,
        Unit::CommitsPerStep,
    );
    report.add_median(
        "cpu_us_per_step",
        "processor time of a step, its worker subprocess",
        &linear.cpu_us_per_step,
        Unit::Us,
    );
    report.add_median(
        "linear_floor_cpu_ratio",
        "the floor's processor time, the engine's = 1",
        &linear.cpu_ratios,
        Unit::Times,
    );
    report.add_median(
        "bytes_per_step",
        "a step on disk",
        &linear.bytes_per_step,
        Unit::Bytes,
    );
    Ok(())
}

/// A hundred steps at once, and a join.
pub(super) async fn fanout(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let fan = Workload::fan(bench.nodes.unwrap_or(100))?;
    let executions = bench.executions.unwrap_or(50);
    let fanout = run(bench, "fanout", &fan, executions).await?;
    fanout.report(
        report,
        Figure::new(
            "fanout_steps_per_s",
            "fan-outs",
            median(&fanout.steps_per_s),
            Unit::StepsPerS,
        ),
        ("fanout_floor_steps_per_s", "fanout_floor_ratio"),
    );
    report.add_median(
        "fanout_floor_cpu_ratio",
        "the floor's processor time, the engine's = 1",
        &fanout.cpu_ratios,
        Unit::Times,
    );
    Ok(())
}

/// Chains in memory.
pub(super) async fn memory(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    let executions = bench.executions.unwrap_or(1_000);
    let memory = in_memory(bench.progress.about("memory"), &chain, executions).await?;
    report.add_median(
        "memory_steps_per_s",
        "chains in memory",
        &memory.steps_per_s,
        Unit::StepsPerS,
    );
    report.add_median(
        "memory_cpu_us_per_step",
        "processor time of a step in memory",
        &memory.cpu_us_per_step,
        Unit::Us,
    );
    Ok(())
}

/// What the rounds came to, each in its place. What was not measured is empty.
#[derive(Default)]
struct Throughput {
    steps_per_s: Vec<f64>,
    floor_per_s: Vec<f64>,
    /// What of the floor was reached, in the same round.
    ratios: Vec<f64>,
    syncs_us: Vec<f64>,
    commits_per_step: Vec<f64>,
    /// Of the engine; not of workers and callers.
    cpu_us_per_step: Vec<f64>,
    /// What the floor took of a processor, of what the engine took of it.
    cpu_ratios: Vec<f64>,
    /// Bytes that a step leaves in the database file.
    bytes_per_step: Vec<f64>,
}

impl Throughput {
    /// The figure, next to its floor if there is one.
    fn report(
        &self,
        report: &mut Report,
        figure: Figure,
        (floor_key, ratio_key): (&'static str, &'static str),
    ) {
        report.add(if self.floor_per_s.is_empty() {
            figure
        } else {
            let floor = (floor_key, median(&self.floor_per_s));
            figure.against(floor, (ratio_key, median(&self.ratios)))
        });
    }

    /// Measure this run, but for what keeping the turns takes of it; how long
    /// it took.
    async fn round(
        &mut self,
        steps: f64,
        tally: &Tally,
        run: impl Future<Output = anyhow::Result<Duration>>,
    ) -> anyhow::Result<Duration> {
        let (kept, commits, cpu) = (
            tally.spent_on_keeping(),
            tally.commits(),
            process::engine_cpu(),
        );
        let took = run.await?;
        // The engine works on one thread, and keeping the turns is work on it.
        let kept = tally.spent_on_keeping() - kept;
        let took = took.saturating_sub(kept);
        self.steps_per_s.push(steps / took.as_secs_f64());
        self.commits_per_step
            .push(real(tally.commits() - commits) / steps);
        if let (Some(before), Some(after)) = (cpu, process::engine_cpu()) {
            let cpu = after.saturating_sub(before).saturating_sub(kept);
            self.cpu_us_per_step.push(cpu.as_secs_f64() * 1e6 / steps);
        }
        Ok(took)
    }
}

/// Run `executions` of the workload at once in each round.
async fn run(
    bench: &Bench,
    name: &'static str,
    workload: &Workload,
    executions: u64,
) -> anyhow::Result<Throughput> {
    if bench.on_disk {
        on_disk(bench, name, workload, executions).await
    } else {
        in_memory(bench.progress.about(name), workload, executions).await
    }
}

async fn on_disk(
    bench: &Bench,
    name: &'static str,
    workload: &Workload,
    executions: u64,
) -> anyhow::Result<Throughput> {
    let folder = bench.folder(name)?;
    let path = folder.join("bench.db");
    let tally = Tally::keeping();
    let options = SqliteStore::options().durability(bench.durability);
    let engine = workload.engine(tally.of(options.open(&path)?)).await?;
    let mut floor = Floor::new(&folder, bench.durability)?;
    floor.write(&tally.take())?;
    let steps = real(executions * workload.steps);
    let mut throughput = Throughput::default();
    for round in 1..=ROUNDS {
        bench.progress.about(name).round(round, ROUNDS);
        let before = bytes_in_use(&path)?;
        let run = workload.run(&engine, executions);
        let took = throughput.round(steps, &tally, run).await?;
        let bytes = bytes_in_use(&path)? - before;
        throughput.bytes_per_step.push(bytes / steps);
        let floor = floor.write(&tally.take())?;
        let bare = floor.wall.as_secs_f64();
        throughput.floor_per_s.push(steps / bare);
        throughput.ratios.push(bare / took.as_secs_f64());
        if let (Some(bare), Some(us)) = (floor.on_processor, throughput.cpu_us_per_step.last()) {
            let cpu_ratio = bare.as_secs_f64() * 1e6 / steps / us;
            throughput.cpu_ratios.push(cpu_ratio);
        }
        let syncs = floor::syncs(&folder, SYNCS)?;
        throughput.syncs_us.extend(syncs);
        tokio::task::yield_now().await;
    }
    engine.shutdown().await;
    Ok(throughput)
}

async fn in_memory(
    progress: Progress,
    workload: &Workload,
    executions: u64,
) -> anyhow::Result<Throughput> {
    let tally = Tally::counting();
    let steps = real(executions * workload.steps);
    let mut throughput = Throughput::default();
    for round in 1..=ROUNDS {
        progress.round(round, ROUNDS);
        let engine = workload.engine(tally.of(MemoryStore::new())).await?;
        let run = workload.run(&engine, executions);
        throughput.round(steps, &tally, run).await?;
        engine.shutdown().await;
    }
    Ok(throughput)
}

/// What the database file holds, in bytes, with all that was committed in it
/// and without pages that are free for what comes next.
fn bytes_in_use(path: &Path) -> anyhow::Result<f64> {
    let connection = Connection::open(path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let bytes: i64 = connection.query_row(
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    Ok(real(u64::try_from(bytes)?))
}
