//! How quick programs are: a chain of steps that each run a program that does nothing,
//! alone. The floor is a shell that runs the same program as often, in a loop.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use refrain::Engine;

use super::report::{Figure, Report, Unit};
use super::statistics::median;
use super::workload::Workload;
use super::{Bench, latency};

/// Programs that may run at once: one chain needs one.
const SLOTS: usize = 16;

/// Measure it.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let program = Path::new("true");
    let program = found(program).context("there is no program `true` in PATH")?;
    let program = program.to_str().context("the path of `true` is no UTF-8")?;
    let chain = Workload::commands(bench.nodes.unwrap_or(10), program)?;
    let engine = engine(bench, &chain).await?;
    let progress = bench.progress.about("command");
    let rounds = bench.executions.unwrap_or(100);
    let (mut chain_ms, mut loop_ms, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        progress.round(round, rounds);
        let alone = latency::each_ms(&chain, &engine, 1).await?;
        let looped = shell_loop_ms(program, chain.steps)?;
        ratios.extend(alone.iter().map(|alone| alone / looped));
        chain_ms.extend(alone);
        loop_ms.push(looped);
    }
    engine.shutdown().await;
    let figure = Figure::new(
        "command_latency_ms_p50",
        "one chain of programs alone, median",
        median(&chain_ms),
        Unit::Ms,
    );
    report.add(figure.against(
        ("command_floor_ms_p50", median(&loop_ms)),
        ("command_floor_ratio", median(&ratios)),
    ));
    Ok(())
}

/// Where a program is: a shell must not have it built in.
fn found(program: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_absolute() && place.is_file())
}

/// An engine with workers for programs, which has run some.
async fn engine(bench: &Bench, chain: &Workload) -> anyhow::Result<Engine> {
    let engine = bench.cold_engine("command", chain).await?;
    engine.work_commands(SLOTS);
    chain.run_one(&engine).await?;
    Ok(engine)
}

/// How long a shell takes that runs the program so often.
fn shell_loop_ms(program: &str, times: u64) -> anyhow::Result<f64> {
    let script = r#"n=$2; while [ "$n" -gt 0 ]; do "$1" || exit 1; n=$((n - 1)); done"#;
    let times = times.to_string();
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", program, &times]);
    shell.stdin(Stdio::null());
    let begun = Instant::now();
    let status = shell.status().context("cannot start a shell")?;
    let took = begun.elapsed();
    ensure!(status.success(), "the shell's loop ended with {status}");
    Ok(took.as_secs_f64() * 1e3)
}
