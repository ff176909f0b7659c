//! How long one workflow alone takes, from its start to its end.

use std::path::Path;

use refrain::Engine;
use refrain::store::{Durability, SqliteStore};

use super::statistics::{percentile, real};
use super::tally::Tally;
use super::workload::Workload;
use super::{Talk, floor};

/// Rounds in which what is compared takes turns.
const ROUNDS: u64 = 10;

/// Syncs of the bare disk in a round.
const SYNCS: usize = 20;

/// What came of it.
#[derive(Default)]
pub(super) struct Latency {
    /// The whole workflow, each time, in milliseconds.
    whole_ms: Vec<f64>,
    /// The same where no commit waits for the disk.
    unsynced_ms: Vec<f64>,
    syncs_us: Vec<f64>,
    pub(super) commits_per_step: f64,
}

impl Latency {
    pub(super) fn ms_p50(&self) -> f64 {
        percentile(&self.whole_ms, 50)
    }

    pub(super) fn ms_p99(&self) -> f64 {
        percentile(&self.whole_ms, 99)
    }

    pub(super) fn above_syncs_ms_p50(&self) -> f64 {
        percentile(&self.unsynced_ms, 50)
    }

    pub(super) fn fdatasync_us(&self) -> f64 {
        percentile(&self.syncs_us, 50)
    }
}

/// Run the workload `times` times, one after another.
pub(super) async fn on_disk(
    folder: &Path,
    durability: Durability,
    workload: &Workload,
    times: u64,
    talk: Talk,
) -> anyhow::Result<Latency> {
    let tally = Tally::counting();
    let store = |name: &str, durability| {
        let options = SqliteStore::options().durability(durability);
        options.open(folder.join(name))
    };
    let engine = workload
        .engine(tally.of(store("latency.db", durability)?))
        .await?;
    // Without syncs, all that is above them is left. (Where the log is moved
    // into the database, once in a thousand pages, there still is one.)
    let unsynced = workload
        .engine(store("unsynced.db", Durability::Normal)?)
        .await?;
    let mut latency = Latency::default();
    let each = times.div_ceil(ROUNDS);
    let before = tally.commits();
    for round in 1..=ROUNDS {
        talk.say(&format!("round {round} of {ROUNDS}"));
        latency
            .whole_ms
            .extend(each_ms(workload, &engine, each).await?);
        latency
            .unsynced_ms
            .extend(each_ms(workload, &unsynced, each).await?);
        let syncs = floor::syncs(folder, SYNCS)?;
        latency
            .syncs_us
            .extend(syncs.iter().map(|sync| sync.as_secs_f64() * 1e6));
    }
    let steps = real(ROUNDS * each * workload.steps);
    latency.commits_per_step = real(tally.commits() - before) / steps;
    engine.shutdown().await;
    unsynced.shutdown().await;
    Ok(latency)
}

async fn each_ms(workload: &Workload, engine: &Engine, times: u64) -> anyhow::Result<Vec<f64>> {
    let mut each = Vec::new();
    for _ in 0..times {
        let took = workload.run_one(engine).await?;
        each.push(took.as_secs_f64() * 1e3);
    }
    Ok(each)
}
