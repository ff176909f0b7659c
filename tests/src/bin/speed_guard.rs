//! `speed-guard`: has something become slow? It runs `refrain bench`, from the
//! folder that it stands in itself, and holds ratios against bounds; never
//! times, which say more about the machine than about the program.
//!
//! Processor time is held against processor time, so that a busy machine keeps
//! the bounds, and they are generous: what breaks them is not noise but a step
//! that costs twice what it did, or a cost that grows with what is stored. What can be counted exactly is in the test `cost`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use refrain_bench::compare;
use serde_json::Value;

/// What is asked of the program, and what must come of it.
const RUNS: &[Run] = &[
    Run {
        words: &["linear", "--executions", "500"],
        bounds: &[
            ("linear_floor_cpu_ratio", Bound::AtLeast(0.25)),
            ("linear_commits_per_step", Bound::AtMost(0.05)),
            ("bytes_per_step", Bound::AtMost(600.0)),
        ],
    },
    Run {
        words: &["fanout", "--executions", "20"],
        bounds: &[("fanout_floor_cpu_ratio", Bound::AtLeast(0.25))],
    },
    Run {
        words: &["latency", "--executions", "30"],
        bounds: &[("latency_commits_per_step", Bound::AtMost(1.15))],
    },
    Run {
        words: &["scale", "--nodes", "2000", "--executions", "4000"],
        bounds: &[
            ("scale_nodes_ratio", Bound::AtMost(2.5)),
            ("scale_executions_ratio", Bound::AtMost(2.5)),
            ("scale_events_ratio", Bound::AtMost(2.5)),
        ],
    },
];

/// The component compared with the native core.
const WASM_NATIVE_RATIO: Bound = Bound::AtMost(6.0);

/// One run of the program.
struct Run {
    words: &'static [&'static str],
    bounds: &'static [(&'static str, Bound)],
}

/// What a figure must be.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    /// Whether it is kept; and say so.
    fn is_kept(self, key: &str, value: f64) -> bool {
        let (kept, words, bound) = match self {
            Self::AtLeast(bound) => (value >= bound, "at least", bound),
            Self::AtMost(bound) => (value <= bound, "at most", bound),
        };
        let verdict = if kept { "kept" } else { "MISSED" };
        println!("{key:<26} {value:>8.3}  {words:<8} {bound:>8.3}  {verdict}");
        kept
    }
}

fn main() -> ExitCode {
    match guard() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn guard() -> Result<()> {
    let program = program()?;
    let ratio = compare(25)?.wasm_native_ratio;
    let mut kept = WASM_NATIVE_RATIO.is_kept("wasm_native_ratio", ratio);
    for run in RUNS {
        kept &= run.is_kept(&program)?;
    }
    ensure!(kept, "something has become slow: a bound was missed");
    Ok(())
}

/// The binary next to this one: built with it, in the same way.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.with_file_name(format!("refrain{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        program.exists(),
        "there is no {}; build it with `--bin refrain`",
        program.display()
    );
    Ok(program)
}

impl Run {
    fn is_kept(&self, program: &Path) -> Result<bool> {
        let output = Command::new(program)
            .arg("bench")
            .args(self.words)
            .arg("--json")
            .output()
            .context("the program does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{:?}: {said}", self.words);
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let mut kept = true;
        for (key, bound) in self.bounds {
            let value = report[*key].as_f64();
            kept &= bound.is_kept(key, value.with_context(|| format!("no {key} in {report}"))?);
        }
        Ok(kept)
    }
}
