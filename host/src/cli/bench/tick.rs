//! How long one call of the scheduler takes: a tick, through the component.

use std::time::Instant;

use super::super::guests;
use super::Bench;
use super::in_memory::Run;
use super::report::{Figure, Report, Unit};
use super::statistics::{percentile, real};
use super::workload::Workload;

/// Tick after each step of many chains, and time the ticks.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let chain = Workload::chain(bench.nodes.unwrap_or(10))?;
    let mut library = guests::library()?;
    bench.progress.about("tick").say("through the component");
    let mut ticks_ns = Vec::new();
    for execution in 0..=bench.executions.unwrap_or(1_000) {
        let mut run = Run::start(&mut library, chain.text(), chain.id())?;
        // The first call reads the workflow.
        run.tick()?;
        while run.work()? {
            let begun = Instant::now();
            run.tick()?;
            // The very first execution warms the caches.
            if execution > 0 {
                let took = u64::try_from(begun.elapsed().as_nanos())?;
                ticks_ns.push(real(took));
            }
        }
        run.ended()?;
        tokio::task::yield_now().await;
    }
    for (key, what, percent) in [
        ("tick_ns_p50", "one tick of the scheduler, median", 50),
        ("tick_ns_p99", "one tick of the scheduler, 99th of 100", 99),
    ] {
        let value = percentile(&ticks_ns, percent);
        report.add(Figure::new(key, what, value, Unit::Ns));
    }
    Ok(())
}
