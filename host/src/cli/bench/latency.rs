//! How long one workflow alone takes, from its start to its end.

use std::path::Path;

use refrain::Engine;
use refrain::store::{Durability, SqliteStore};

use super::report::{Figure, Report, Unit};
use super::statistics::{median, percentile, real};
use super::tally::Tally;
use super::workload::Workload;
use super::{Bench, floor};

/// Rounds in which what is compared takes turns.
const ROUNDS: u64 = 10;

/// Syncs of the bare disk in a round.
const SYNCS: usize = 20;

/// Run one chain alone, again and again.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    let times = bench.executions.unwrap_or(200);
    let latency = on_disk(bench, &chain, times).await?;
    for (key, what, percent) in [
        ("latency_ms_p50", "one workflow alone, median", 50),
        ("latency_ms_p99", "one workflow alone, 99th of 100", 99),
    ] {
        let value = percentile(&latency.whole_ms, percent);
        report.add(Figure::new(key, what, value, Unit::Ms));
    }
    report.add(Figure::new(
        "latency_commits_per_step",
        "one workflow alone, commits",
        latency.commits_per_step,
        Unit::CommitsPerStep,
    ));
    report.add(Figure::new(
        "latency_above_syncs_ms_p50",
        "one workflow alone, but for the syncs",
        median(&latency.unsynced_ms),
        Unit::Ms,
    ));
    report.add(Figure::new(
        "latency_fdatasync_us_p50",
        "one fdatasync meanwhile",
        median(&latency.syncs_us),
        Unit::Us,
    ));
    Ok(())
}

/// What came of it.
#[derive(Default)]
struct Latency {
    /// The whole workflow, each time, in milliseconds.
    whole_ms: Vec<f64>,
    /// The same where no commit waits for the disk.
    unsynced_ms: Vec<f64>,
    syncs_us: Vec<f64>,
    commits_per_step: f64,
}

/// Run the workload `times` times, one after another.
async fn on_disk(bench: &Bench, workload: &Workload, times: u64) -> anyhow::Result<Latency> {
    let progress = bench.progress.about("latency");
    // Each in a folder of its own: an engine at rest watches its folder, and would be
    // woken by what the other one writes.
    let (folder, unsynced) = (bench.folder("synced")?, bench.folder("unsynced")?);
    let tally = Tally::counting();
    let store = |folder: &Path, durability| {
        let options = SqliteStore::options().durability(durability);
        options.open(folder.join("bench.db"))
    };
    let engine = workload
        .engine(tally.of(store(&folder, bench.durability)?))
        .await?;
    // Without syncs, all that is above them is left. (Where the log is moved
    // into the database, once in a thousand pages, there still is one.)
    let unsynced = workload
        .engine(store(&unsynced, Durability::Normal)?)
        .await?;
    let mut latency = Latency::default();
    let each = times.div_ceil(ROUNDS);
    let before = tally.commits();
    for round in 1..=ROUNDS {
        progress.round(round, ROUNDS);
        latency
            .whole_ms
            .extend(each_ms(workload, &engine, each).await?);
        latency
            .unsynced_ms
            .extend(each_ms(workload, &unsynced, each).await?);
        latency.syncs_us.extend(floor::syncs(&folder, SYNCS)?);
    }
    let steps = real(ROUNDS * each * workload.steps);
    latency.commits_per_step = real(tally.commits() - before) / steps;
    engine.shutdown().await;
    unsynced.shutdown().await;
    Ok(latency)
}

/// Run the workload so many times, one after another; how long each took.
pub(super) async fn each_ms(
    workload: &Workload,
    engine: &Engine,
    times: u64,
) -> anyhow::Result<Vec<f64>> {
    let mut each = Vec::new();
    for _ in 0..times {
        let took = workload.run_one(engine).await?;
        each.push(took.as_secs_f64() * 1e3);
    }
    Ok(each)
}
