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
//! What cannot be judged for certain (another machine, boot or container; an id
//! of somebody's own making; a system without `/proc`) is never judged: there,
//! the lease's end tells, as always. The claim ends as rule R13 has it either way.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::error::EngineError;
use crate::machine::{self, own_start, read, start_of};
use crate::store::{StoreError, check::TIME_MAX};

use super::budget::Phase;
use super::claims::execution_of;
use super::core::Core;
use super::open_turn::OpenTurn;
use super::scope::Agenda;
use super::sound;

/// A name that no other engine has, and that tells others of this machine
/// which process it is.
pub(in crate::live) fn worker_id() -> String {
    // Where the kernel does not say it like this, the random part has to do.
    let host = read("/proc/sys/kernel/hostname").unwrap_or_else(|| "host".to_owned());
    let random = &uuid::Uuid::new_v4().simple().to_string()[..8];
    let process = std::process::id();
    match (own_start(), machine::name()) {
        (Some(start), Some(machine)) => format!("{host}-{random}@{process}.{start}.{machine}"),
        _ => format!("{host}-{random}@{process}"),
    }
}

/// What an engine knows of others' workers.
#[derive(Default)]
pub(crate) struct Liveness {
    /// Holders of leases whose process is gone, as of the last look.
    gone: BTreeSet<String>,
    /// When that was, by the monotonic clock.
    looked: Option<Duration>,
}

impl Core {
    /// At the start and at each fallback poll: is a holder of a lease gone of
    /// whom that was not known? Then a turn is due.
    pub(crate) fn look_for_gone_workers(&mut self) -> Result<bool, StoreError> {
        let now = self.time.monotonic();
        let due = |looked| now.saturating_sub(looked) >= self.settings.fallback_poll;
        if self.settings.simulated || !self.liveness.looked.is_none_or(due) {
            return Ok(false);
        }
        self.liveness.looked = Some(now);
        let holders = self.agenda().lease_holders(false)?;
        let mut gone = self.set_aside.named(holders);
        gone.retain(|worker_id| is_gone(worker_id));
        let gone = BTreeSet::from_iter(gone);
        let news = !gone.is_subset(&self.liveness.gone);
        self.liveness.gone = gone;
        Ok(news)
    }
}

impl OpenTurn<'_> {
    /// Claims of workers that are gone end now. The leases that end first are
    /// looked at first, and these are not renewed; so the bound does not hide them.
    pub(crate) fn expire_gone(&mut self) -> Result<(), EngineError> {
        if self.core.liveness.gone.is_empty() {
            return Ok(());
        }
        let gone = self.core.liveness.gone.clone();
        let ask = |agenda: &mut Agenda<'_>, max| agenda.expired(false, TIME_MAX, max);
        let max = self.core.settings.turn_limits.expiries;
        let (leased, _) = self.core.look(max, ask, sound::execution_of)?;
        let full = leased.len() == max;
        let mut ended = false;
        for record in leased {
            if !self.may(Phase::Time) {
                break;
            }
            let execution = execution_of(&record)?;
            let lease = self.end_lease(&record, |lease| gone.contains(&lease.worker_id));
            ended |= self.others_go_on(execution, lease)?.unwrap_or(false);
        }
        self.cut |= full && ended;
        Ok(())
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
