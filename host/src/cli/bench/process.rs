//! What this process takes: processor time and memory, as Linux says it.
//! Elsewhere nothing is said, and so nothing is reported.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// How a thread that is the engine's is named: the one that turns, and the one
/// that watches the file for others' commits. A name is cut at 15 bytes.
const ENGINE_THREADS: [&str; 2] = ["refrain-engine", "notify-rs inot"];

/// Processor time of the engine's threads so far. Workers and callers are not
/// in it.
pub(super) fn engine_cpu() -> Option<Duration> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    // A thread that ends meanwhile is none of the engine's.
    let times = tasks.filter_map(|task| on_processor(&task.ok()?.path()));
    let times: Vec<Duration> = times.collect();
    (!times.is_empty()).then(|| times.iter().sum())
}

/// How long a thread of the engine's was on a processor.
fn on_processor(task: &Path) -> Option<Duration> {
    let name = fs::read_to_string(task.join("comm")).ok()?;
    if !ENGINE_THREADS.iter().any(|own| name.starts_with(own)) {
        return None;
    }
    on_processor_of(task)
}

fn on_processor_of(task: &Path) -> Option<Duration> {
    let times = fs::read_to_string(task.join("schedstat")).ok()?;
    let ns = times.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(ns))
}

/// Processor time of this very thread so far.
pub(super) fn own_cpu() -> Option<Duration> {
    on_processor_of(Path::new("/proc/thread-self"))
}

/// Memory of this process that is resident, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}
