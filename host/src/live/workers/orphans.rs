//! Children that nobody here started.
//!
//! What a program leaves behind when it ends becomes a child of the first
//! process of its container, and that may be this one. Such a child stays a
//! zombie until its exit status is read. Reading the status of "any child"
//! would also take those of the programs that this process has started
//! itself, and whose ends it waits for; so these are kept in a set.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, waitid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// The programs of this process whose status has not been read yet.
static OWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Children may be born side by side; orphans are looked for between births.
static BIRTHS: RwLock<()> = RwLock::new(());

/// An own child has been waited for: orphans may have stood behind it.
static LEFT: Notify = Notify::const_new();

/// A child process of our own: its status is left to the code that waits for it.
pub(super) struct Own(Pid);

impl Own {
    /// The process, which leads a group of the same number.
    pub(super) fn pid(&self) -> Pid {
        self.0
    }

    /// It has been waited for.
    pub(super) fn waited(&self) {
        own().remove(&self.0.as_raw_nonzero().get());
        LEFT.notify_one();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.waited();
    }
}

/// Starts a child. No orphan is looked for meanwhile, so that it is not taken
/// for one between its birth and its entry into the set.
pub(super) fn start_own<T>(start: impl FnOnce() -> io::Result<(Pid, T)>) -> io::Result<(T, Own)> {
    let _birth = BIRTHS.read().unwrap_or_else(PoisonError::into_inner);
    let (pid, started) = start()?;
    own().insert(pid.as_raw_nonzero().get());
    Ok((started, Own(pid)))
}

fn own() -> MutexGuard<'static, BTreeSet<i32>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the exit status of every child that no worker of this process has
/// started, for as long as it is polled. It does nothing unless this process
/// is one that orphans become children of: the first of its container, or a
/// "subreaper".
///
/// It is for programs whose only children are those of the `command` workers:
/// the status of a child that other code waits for would be lost to it.
///
/// # Panics
/// Outside of a Tokio runtime.
pub async fn reap_orphans() {
    if !inherits_orphans() {
        return;
    }
    let mut ended = match signal(SignalKind::child()) {
        Ok(ended) => ended,
        Err(error) => {
            tracing::warn!("processes that lose their parent will stay as zombies: {error}");
            return;
        }
    };
    loop {
        reap();
        tokio::select! {
            _ = ended.recv() => {}
            () = LEFT.notified() => {}
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn inherits_orphans() -> bool {
    let subreaper = rustix::process::child_subreaper();
    getpid() == Pid::INIT || subreaper.is_ok_and(|subreaper| subreaper.is_some())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn inherits_orphans() -> bool {
    getpid() == Pid::INIT
}

/// Reads what status there is to read, up to the first own child: the system
/// shows that one again and again until it has been waited for, and then
/// [`LEFT`] leads here once more.
fn reap() {
    let _no_birth = BIRTHS.write().unwrap_or_else(PoisonError::into_inner);
    let own = own();
    while let Some(pid) = first_ended_child().filter(|pid| !own.contains(pid)) {
        let read = Pid::from_raw(pid).map(|pid| {
            waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            )
        });
        if !matches!(read, Some(Ok(_))) {
            return;
        }
    }
}

/// A child that has ended and whose status nobody has read, left as it is.
#[expect(
    unsafe_code,
    reason = "the safe interface does not say which child it is"
)]
fn first_ended_child() -> Option<i32> {
    let look = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: all zeros is a value of this plain structure, the call is handed
    // a pointer to it for its own time, and the field is one that it fills in.
    let (answer, pid) = unsafe {
        let mut ended: libc::siginfo_t = std::mem::zeroed();
        let answer = libc::waitid(libc::P_ALL, 0, &raw mut ended, look);
        (answer, ended.si_pid())
    };
    (answer == 0 && pid != 0).then_some(pid)
}
