//! `cargo run --release --bin native_vs_component -- --json`: how many times as long the
//! component takes as the native core, over the same log.

use std::process::ExitCode;

use anyhow::{Result, bail};
use refrain_bench::{Compared, compare};

/// Rounds in which the two take turns.
const ROUNDS: usize = 101;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if cfg!(debug_assertions) {
        eprintln!(
            "warning: this is a debug build: the native core is not optimised, the component is"
        );
    }
    match arguments.as_slice() {
        ["--json"] => println!("{}", serde_json::to_string(&compare(ROUNDS)?)?),
        [] => print(&compare(ROUNDS)?),
        _ => bail!("usage: native_vs_component [--json]"),
    }
    Ok(())
}

fn print(compared: &Compared) {
    let Compared {
        wasm_native_ratio,
        native_ns_per_event,
        wasm_ns_per_event,
        ratio_by_log,
    } = compared;
    println!("native core   {native_ns_per_event:8.0} ns an event");
    println!(
        "component     {wasm_ns_per_event:8.0} ns an event, {wasm_native_ratio:.2} times as long"
    );
    for (log, ratio) in ratio_by_log {
        println!("  {log:<15}  {ratio:.2} times as long");
    }
}
