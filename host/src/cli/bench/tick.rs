//! How long one step of the scheduler takes, through the component: a worker has
//! completed a node, and the scheduler decides what follows.

use std::time::Instant;

use anyhow::{Context, ensure};
use refrain::guest::{InMemoryExecution, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::model::Status;

use super::super::guests;
use super::Bench;
use super::report::{Figure, Report, Unit};
use super::statistics::{percentile, real};
use super::workload::Workload;

/// Complete the nodes of many chains, one after the other, and time the steps.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    let mut library = guests::compiled_library()?;
    bench.progress.about("tick").say("through the component");
    let mut steps_ns = Vec::new();
    for execution in 0..=bench.executions.unwrap_or(1_000) {
        let digest = library.built_in().to_owned();
        let ports = MemoryPorts::new(chain.text(), 1_000);
        let started = ports.started(ExecutionId::random(), digest.parse()?);
        // The first call reads the workflow.
        let mut run = InMemoryExecution::start(library.instance(&digest)?, ports, started)?;
        let mut status = Status::Running;
        while let Some(item) = run.ports.items.last() {
            let node = item.node_id.clone();
            let claim = run.ports.claim(&node, "worker").context("it has no item")?;
            run.offer(claim)?;
            let completion = run.ports.completion(&node, "{}");
            let completion = completion.context("nobody claimed it")?;
            let begun = Instant::now();
            status = run.offer(completion)?.status;
            // The very first execution warms the caches.
            if execution > 0 {
                let took = u64::try_from(begun.elapsed().as_nanos())?;
                steps_ns.push(real(took));
            }
        }
        ensure!(status == Status::Completed, "the run ended as {status:?}");
        tokio::task::yield_now().await;
    }
    for (key, what, percent) in [
        ("tick_ns_p50", "one step of the scheduler, median", 50),
        ("tick_ns_p99", "one step of the scheduler, 99th of 100", 99),
    ] {
        let value = percentile(&steps_ns, percent);
        report.add(Figure::new(key, what, value, Unit::Ns));
    }
    Ok(())
}
