//! Which machine this is, and how long it has been up: what lets processes of
//! one machine compare numbers of processes and monotonic times.
//!
//! Where the kernel does not tell (no `/proc`, or one of another namespace),
//! there is no name, and nothing is compared.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::log::digest::digest;

/// Enough that two machines which share a file are never taken for one.
const MACHINE_DIGITS: usize = 12;

/// Within what process numbers, start times and the time since boot mean the
/// same: namespaces of processes and time (containers have their own), and the
/// boot. The first digits of a digest of them, because worker ids stand in
/// every log.
pub(crate) fn name() -> Option<&'static str> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| {
        let namespace = |kind: &str| {
            let link = fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
            let number = link.to_str()?.rsplit_once('[')?.1.strip_suffix(']')?;
            Some(number.to_owned())
        };
        let boot = read("/proc/sys/kernel/random/boot_id")?;
        let processes = namespace("pid")?;
        // Kernels before 5.6 have one time for all.
        let time = namespace("time").unwrap_or_default();
        own_start()?;
        let all = digest(format!("{processes} {time} {boot}").as_bytes());
        Some(all[..MACHINE_DIGITS].to_owned())
    })
    .as_deref()
}

/// The time since the machine was started, which all its processes share, to a
/// hundredth of a second; and the moment at which it was that.
pub(crate) fn up() -> Option<(Duration, Instant)> {
    name()?;
    let text = read("/proc/uptime")?;
    let now = Instant::now();
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .map(|up| (up, now))
}

/// When this process began, in clock ticks since boot. `None` also where
/// `/proc` is another namespace's, and would tell of other processes.
pub(crate) fn own_start() -> Option<u64> {
    let (pid, start) = start_of("/proc/self/stat")?;
    (pid == std::process::id()).then_some(start)
}

/// Number and start time from a process's `stat`. Its second field is a name in
/// parentheses, which may hold anything; the start time is the 22nd.
pub(crate) fn start_of(file: &str) -> Option<(u32, u64)> {
    let stat = read(file)?;
    let (pid, _) = stat.split_once(' ')?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let start = after_name.split_whitespace().nth(22 - 3)?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

/// A small file of the kernel's, without the line's end.
pub(crate) fn read(file: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned())
}
