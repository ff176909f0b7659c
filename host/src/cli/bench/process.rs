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
    cpu_of(|thread| ENGINE_THREADS.iter().any(|own| thread.starts_with(own)))
}

/// Processor time of all threads so far but those of this name.
pub(super) fn cpu_without(name: &str) -> Option<Duration> {
    cpu_of(|thread| !thread.starts_with(name))
}

fn cpu_of(counts: impl Fn(&str) -> bool) -> Option<Duration> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    // A thread that ends meanwhile is left out.
    let times = tasks.filter_map(|task| {
        let task = task.ok()?.path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        counts(&name).then(|| on_processor_of(&task))?
    });
    let times: Vec<Duration> = times.collect();
    (!times.is_empty()).then(|| times.iter().sum())
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
    bytes_of("VmRSS:")
}

/// The most memory of this process that was ever resident, in bytes.
pub(super) fn resident_bytes_max() -> Option<u64> {
    bytes_of("VmHWM:")
}

fn bytes_of(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}
