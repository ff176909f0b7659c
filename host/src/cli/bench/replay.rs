//! How many events a second an audit goes through: read from the disk, the
//! chain checked, every decision made again.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::replay::{Auditor, Verdict};
use refrain::store::{Durability, ListFilter, Reader, SqliteStore};

use super::super::guests;
use super::Bench;
use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::workload::Workload;

/// How often all logs are audited.
const ROUNDS: u64 = 3;

/// Audit the logs of many chains.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let progress = bench.progress.about("replay");
    let path = bench.folder("replay")?.join("bench.db");
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    progress.say("writing logs");
    write_logs(&path, &chain, bench.executions.unwrap_or(1_000)).await?;
    let mut store = SqliteStore::open_read_only(&path)?;
    let ids = executions(&mut store)?;
    let mut library = guests::compiled_library()?;
    // Compiling the scheduler component is no part of an audit.
    audit(&mut library, &mut store, &ids[..1])?;
    let mut events_per_s = Vec::new();
    for round in 1..=ROUNDS {
        progress.round(round, ROUNDS);
        let begun = Instant::now();
        let events = audit(&mut library, &mut store, &ids)?;
        events_per_s.push(real(events) / begun.elapsed().as_secs_f64());
        tokio::task::yield_now().await;
    }
    report.add(Figure::new(
        "replay_events_per_s",
        "audit of logs",
        median(&events_per_s),
        Unit::EventsPerS,
    ));
    Ok(())
}

async fn write_logs(path: &Path, workload: &Workload, executions: u64) -> anyhow::Result<()> {
    let options = SqliteStore::options().durability(Durability::Normal);
    let engine = workload.engine(options.open(path)?).await?;
    workload.run(&engine, executions).await?;
    engine.shutdown().await;
    Ok(())
}

fn executions(store: &mut SqliteStore) -> anyhow::Result<Vec<ExecutionId>> {
    let ids = store
        .list(&ListFilter::default())?
        .all()?
        .into_iter()
        .map(|record| record.id);
    let ids: Vec<ExecutionId> = ids.collect();
    ensure!(!ids.is_empty(), "the logs are gone");
    Ok(ids)
}

/// How many events there were. All of them are as they should be.
fn audit(
    library: &mut Library,
    store: &mut SqliteStore,
    ids: &[ExecutionId],
) -> anyhow::Result<u64> {
    let mut auditor = Auditor::new(library);
    let mut events = 0;
    for id in ids {
        let audit = auditor.audit_stored(store, *id)?;
        let audit = audit.with_context(|| format!("{id} of the benchmark is gone"))?;
        ensure!(
            audit.verdict == Verdict::Clean,
            "{id} of the benchmark is not clean: {:?}",
            audit.divergence
        );
        events += audit.events;
    }
    Ok(events)
}
