//! When to look whether a child has ended.

use std::io;

use rustix::process::Pid;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use tokio::io::unix::AsyncFd;

/// What says when.
pub(super) enum EndWatch {
    /// A descriptor of that very process. The end of one wakes nobody who waits for
    /// another's.
    #[cfg(target_os = "linux")]
    Process(AsyncFd<OwnedFd>),
    /// A signal, which comes whenever some child has ended: where the system knows no
    /// such descriptors, or has none left.
    Signal(Signal),
}

impl EndWatch {
    /// Of a child whose status nobody has read.
    pub(super) fn of(child: Pid) -> io::Result<Self> {
        Self::of_process(child).map_or_else(|| Ok(Self::Signal(signal(SignalKind::child())?)), Ok)
    }

    #[cfg(target_os = "linux")]
    #[expect(
        unsafe_code,
        reason = "the safe form takes any descriptor's word for it"
    )]
    fn of_process(child: Pid) -> Option<Self> {
        use rustix::process::{PidfdFlags, pidfd_open};
        let process = pidfd_open(child, PidfdFlags::empty()).ok()?;
        let interest = tokio::io::Interest::READABLE;
        // SAFETY: the descriptor is owned, and so stays open and the same.
        let process = unsafe { AsyncFd::register_with_interest(process, interest) };
        Some(Self::Process(process.ok()?))
    }

    #[cfg(not(target_os = "linux"))]
    fn of_process(_child: Pid) -> Option<Self> {
        None
    }

    /// Wait until it may have ended. Whether it has, its status says.
    pub(super) async fn may_have_come(&mut self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Process(process) => {
                process.readable().await?.clear_ready();
                Ok(())
            }
            Self::Signal(signal) => {
                let came = signal.recv().await;
                came.ok_or_else(|| io::Error::other("no more signals arrive"))
            }
        }
    }
}
