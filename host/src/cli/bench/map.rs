//! One map of many elements, next to a fan-out of as many nodes that are written out.

use std::time::Duration;

use refrain::Engine;

use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::subprocess::memory_of_one;
use super::workload::{self, Workload};
use super::{Bench, Question, process};

/// Elements of the map, and nodes that are written out.
const WIDTH: u64 = 10_000;

/// Rounds in which the two take turns.
const ROUNDS: u64 = 5;

/// Run both, in turns, each alone.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let width = bench.nodes.unwrap_or(WIDTH);
    let (map, fan) = (Workload::map(width)?, Workload::fan(width)?);
    let engines = [
        Measured::begin(bench, "map", map).await?,
        Measured::begin(bench, "fan", fan).await?,
    ];
    let [mut map, mut fan] = engines;
    let progress = bench.progress.about("map");
    for round in 1..=ROUNDS {
        progress.round(round, ROUNDS);
        map.run().await?;
        fan.run().await?;
    }
    for (measured, key, what) in [
        (&map, "map_steps_per_s", "a map"),
        (
            &fan,
            "written_out_steps_per_s",
            "the same, written out as nodes",
        ),
    ] {
        report.add(Figure::new(
            key,
            format!("{what}, {width} steps at once"),
            median(&measured.steps_per_s),
            Unit::StepsPerS,
        ));
    }
    for (key, what, ratios) in [
        (
            "map_written_out_time_ratio",
            "time of a map, written out = 1",
            map.of(&fan, |it| &it.took_s),
        ),
        (
            "map_written_out_cpu_ratio",
            "processor time of a map, written out = 1",
            map.of(&fan, |it| &it.cpu_s),
        ),
    ] {
        report.add_median(key, what, &ratios, Unit::Times);
    }
    if bench.on_disk {
        memory(bench, width, report).await?;
    }
    map.engine.shutdown().await;
    fan.engine.shutdown().await;
    Ok(())
}

/// The memory of each, in a process of its own.
async fn memory(bench: &Bench, width: u64, report: &mut Report) -> anyhow::Result<()> {
    let map = memory_of_one(bench, Question::Map, width).await?;
    let fan = memory_of_one(bench, Question::Fan, width).await?;
    if let Some((map, fan)) = map.zip(fan) {
        let what = format!("memory, a map of {width} steps");
        report.add(Figure::new("map_rss_bytes", what, map, Unit::Bytes));
        let what = "memory of a map, written out = 1";
        report.add(Figure::new(
            "map_written_out_rss_ratio",
            what,
            map / fan,
            Unit::Times,
        ));
    }
    Ok(())
}

/// A workload on an engine of its own, and what its runs came to.
struct Measured {
    workload: Workload,
    engine: Engine,
    steps_per_s: Vec<f64>,
    took_s: Vec<f64>,
    cpu_s: Vec<f64>,
}

impl Measured {
    async fn begin(bench: &Bench, name: &str, workload: Workload) -> anyhow::Result<Self> {
        let engine = bench
            .cold_engine(&format!("{name}-runs"), &workload)
            .await?;
        engine.work_with_slots(workload::QUEUE, workload::SLOTS, |_| async {
            Ok(serde_json::json!({}))
        });
        workload.run_one(&engine).await?;
        Ok(Self {
            workload,
            engine,
            steps_per_s: Vec::new(),
            took_s: Vec::new(),
            cpu_s: Vec::new(),
        })
    }

    /// Run one execution, alone.
    async fn run(&mut self) -> anyhow::Result<()> {
        let before = process::engine_cpu();
        let took = self.workload.run_one(&self.engine).await?;
        let cpu = before.zip(process::engine_cpu());
        let cpu = cpu.map(|(before, after)| after.saturating_sub(before));
        self.cpu_s.extend(cpu.as_ref().map(Duration::as_secs_f64));
        self.took_s.push(took.as_secs_f64());
        self.steps_per_s
            .push(real(self.workload.steps) / took.as_secs_f64());
        Ok(())
    }

    /// How many times as much as the other, round by round.
    fn of(&self, other: &Self, value: impl Fn(&Self) -> &Vec<f64>) -> Vec<f64> {
        let pairs = value(self).iter().zip(value(other));
        pairs.map(|(own, other)| own / other).collect()
    }
}
