//! How many steps a second: chains and fan-outs, on disk and in memory.

use std::path::Path;
use std::time::Duration;

use refrain::store::{Durability, MemoryStore, SqliteStore};
use rusqlite::Connection;

use super::floor::{self, Floor};
use super::statistics::{median, real, seconds};
use super::tally::Tally;
use super::workload::Workload;
use super::{Talk, process};

/// Rounds in which engine and floors take turns, so that all of them see the
/// same weather. What is reported is the median of the rounds.
const ROUNDS: u64 = 3;

/// Syncs of the bare disk in a round.
const SYNCS: usize = 100;

/// What the rounds came to, each in its place.
#[derive(Default)]
pub(super) struct Throughput {
    steps_per_s: Vec<f64>,
    floor_per_s: Vec<f64>,
    ratios: Vec<f64>,
    syncs_s: Vec<f64>,
    commits_per_step: Vec<f64>,
    cpu_us_per_step: Vec<f64>,
    /// Bytes that a step leaves in the database file.
    pub(super) bytes_per_step: Option<f64>,
}

impl Throughput {
    pub(super) fn steps_per_s(&self) -> f64 {
        median(&self.steps_per_s)
    }

    /// None where there is no floor: in memory.
    pub(super) fn floor_per_s(&self) -> Option<f64> {
        (!self.floor_per_s.is_empty()).then(|| median(&self.floor_per_s))
    }

    /// Of the floor, in the same round each.
    pub(super) fn ratio(&self) -> f64 {
        median(&self.ratios)
    }

    pub(super) fn fdatasync_us(&self) -> Option<f64> {
        (!self.syncs_s.is_empty()).then(|| median(&self.syncs_s) * 1e6)
    }

    pub(super) fn commits_per_step(&self) -> f64 {
        median(&self.commits_per_step)
    }

    /// None where the system does not say it.
    pub(super) fn cpu_us_per_step(&self) -> Option<f64> {
        (!self.cpu_us_per_step.is_empty()).then(|| median(&self.cpu_us_per_step))
    }
}

/// Run `executions` of the workload at once in each round, on disk.
pub(super) async fn on_disk(
    folder: &Path,
    durability: Durability,
    workload: &Workload,
    executions: u64,
    talk: Talk,
) -> anyhow::Result<Throughput> {
    let path = folder.join("bench.db");
    let tally = Tally::keeping();
    let store = SqliteStore::options().durability(durability).open(&path)?;
    let mut floor = Floor::new(folder, durability)?;
    let mut throughput = Throughput::default();
    let engine = workload.engine(tally.of(store)).await?;
    floor.write(&tally.take())?;
    let steps = real(executions * workload.steps);
    let before = bytes_in_use(&path)?;
    for round in 1..=ROUNDS {
        talk.say(&format!("round {round} of {ROUNDS}"));
        let (kept, commits) = (tally.spent_on_keeping(), tally.commits());
        let cpu = process::engine_cpu();
        let took = workload.run(&engine, executions).await?;
        // The engine works on one thread, and keeping the turns is work on it.
        let kept = tally.spent_on_keeping() - kept;
        let took = took.saturating_sub(kept).as_secs_f64();
        if let (Some(before), Some(after)) = (cpu, process::engine_cpu()) {
            let cpu = after.saturating_sub(before).saturating_sub(kept);
            throughput
                .cpu_us_per_step
                .push(cpu.as_secs_f64() * 1e6 / steps);
        }
        throughput
            .commits_per_step
            .push(real(tally.commits() - commits) / steps);
        let bare = floor.write(&tally.take())?.as_secs_f64();
        throughput.steps_per_s.push(steps / took);
        throughput.floor_per_s.push(steps / bare);
        throughput.ratios.push(bare / took);
        let syncs = floor::syncs(folder, SYNCS)?;
        throughput.syncs_s.extend(seconds(&syncs));
    }
    engine.shutdown().await;
    drop(engine);
    let after = bytes_in_use(&path)?;
    throughput.bytes_per_step = Some((after - before) / (steps * real(ROUNDS)));
    Ok(throughput)
}

/// Run `executions` of the workload at once in each round, in memory.
pub(super) async fn in_memory(
    workload: &Workload,
    executions: u64,
    talk: Talk,
) -> anyhow::Result<Throughput> {
    let tally = Tally::counting();
    let mut throughput = Throughput::default();
    let steps = real(executions * workload.steps);
    for round in 1..=ROUNDS {
        talk.say(&format!("round {round} of {ROUNDS}"));
        let engine = workload.engine(tally.of(MemoryStore::new())).await?;
        let commits = tally.commits();
        let cpu = process::engine_cpu();
        let took: Duration = workload.run(&engine, executions).await?;
        if let (Some(before), Some(after)) = (cpu, process::engine_cpu()) {
            let cpu = after.saturating_sub(before);
            throughput
                .cpu_us_per_step
                .push(cpu.as_secs_f64() * 1e6 / steps);
        }
        throughput.steps_per_s.push(steps / took.as_secs_f64());
        throughput
            .commits_per_step
            .push(real(tally.commits() - commits) / steps);
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
