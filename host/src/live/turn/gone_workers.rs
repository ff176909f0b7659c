//! Which workers are gone, so that nobody waits for a lease that nobody holds.
//!
//! A process that was killed cannot give its claims up, and a lease lasts for
//! seconds. An engine of the same machine need not wait for its end: it can see
//! that the process is no more. The worker id says which process it is:
//!
//! ```text
//! HOST-RANDOM@PID.START.MACHINE
//! ```
//!
//! A worker that cannot be judged for certain (another machine, boot or container;
//! an id of somebody's own making; a system without `/proc`) counts as alive: its
//! lease ends on time, as always. The claim ends as rule R13 has it either way.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::machine::{self, own_start, read, start_of};

/// A name that no other engine has, and from which others of this machine can
/// tell which process it is.
pub(in crate::live) fn worker_id() -> String {
    // Where the kernel does not tell all of this, the random part has to do.
    let host = read("/proc/sys/kernel/hostname").unwrap_or_else(|| "host".to_owned());
    let random = &uuid::Uuid::new_v4().simple().to_string()[..8];
    let process = std::process::id();
    match (own_start(), machine::name()) {
        (Some(start), Some(machine)) => format!("{host}-{random}@{process}.{start}.{machine}"),
        _ => format!("{host}-{random}@{process}"),
    }
}

/// The holders of leases whose processes are gone, as of the last look.
#[derive(Default)]
pub(crate) struct GoneWorkers {
    workers: BTreeSet<String>,
    /// When the engine looked last, by the monotonic clock.
    looked: Option<Duration>,
}

impl GoneWorkers {
    /// Whether it is time to look, `every` so often. It is looked now then.
    pub(in crate::live) fn look_is_due(&mut self, now: Duration, every: Duration) -> bool {
        let is_due = |looked| now.saturating_sub(looked) >= every;
        let due = self.looked.is_none_or(is_due);
        if due {
            self.looked = Some(now);
        }
        due
    }

    /// Looks which of these holders of leases are gone. Says whether there is one
    /// of which that was not known.
    pub(in crate::live) fn look(&mut self, mut holders: Vec<String>) -> bool {
        holders.retain(|worker_id| is_gone(worker_id));
        let gone = BTreeSet::from_iter(holders);
        let news = !gone.is_subset(&self.workers);
        self.workers = gone;
        news
    }

    /// The worker ids of those that are gone.
    pub(in crate::live) fn worker_ids(&self) -> &BTreeSet<String> {
        &self.workers
    }
}

/// Whether the worker's process is gone, for certain.
fn is_gone(worker_id: &str) -> bool {
    let Some(process) = Process::of(worker_id) else {
        return false;
    };
    if machine::name() != Some(process.machine) {
        return false;
    }
    match test_kill_process(process.pid) {
        Err(Errno::SRCH) => true,
        // There is one of this number. One that began at another time is another.
        Ok(()) | Err(_) => start_of(&format!("/proc/{}/stat", process.pid.as_raw_nonzero()))
            .is_some_and(|(_, start)| start != process.start),
    }
}

/// The process that a worker id tells of.
#[derive(Debug, PartialEq, Eq)]
struct Process<'a> {
    pid: Pid,
    /// When it began, in clock ticks since boot.
    start: u64,
    machine: &'a str,
}

impl<'a> Process<'a> {
    fn of(worker_id: &'a str) -> Option<Self> {
        let (_, process) = worker_id.rsplit_once('@')?;
        let mut parts = process.splitn(3, '.');
        // As it is written, it is no `i32`: a negative one would panic.
        let pid: u32 = parts.next()?.parse().ok()?;
        Some(Self {
            pid: Pid::from_raw(i32::try_from(pid).ok()?)?,
            start: parts.next()?.parse().ok()?,
            machine: parts.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_gone() {
        let Some((machine, start)) = machine::name().zip(own_start()) else {
            // Nothing can be judged here; and nothing is.
            assert!(!is_gone("h-1@1.1.m"));
            return;
        };
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let other = child.id();
        let (_, others_start) = start_of(&format!("/proc/{other}/stat")).unwrap();
        let others_id = format!("h-1@{other}.{others_start}.{machine}");
        for (worker_id, gone) in [
            (worker_id(), false),
            (format!("h-1@{own}.{start}.{machine}"), false),
            (format!("h-1@{own}.{}.{machine}", start + 1), true),
            (format!("h-1@{own}.{}.{machine}x", start + 1), false),
            (format!("h-1@{own}.{}", start + 1), false),
            (format!("h-1@{}.7.{machine}", i32::MAX), true),
            (format!("h-1@{}.7.another", i32::MAX), false),
            (format!("h-1@0.7.{machine}"), false),
            (format!("h-1@-7.7.{machine}"), false),
            (others_id.clone(), false),
            ("h-1@".to_owned(), false),
            ("somebody".to_owned(), false),
            ("some@body.or.other".to_owned(), false),
        ] {
            assert_eq!(is_gone(&worker_id), gone, "{worker_id}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&others_id), "{others_id}");
    }
}
