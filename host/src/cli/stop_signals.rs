//! The signals that ask the program to stop: a closed terminal, Ctrl-C,
//! Ctrl-\, `kill`. All mean the same.

use std::future::poll_fn;
use std::sync::LazyLock;
use std::task::Poll;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for them, from when it is made.
pub(super) struct StopSignals(Vec<Signal>);

/// Those that were not ignored when the program started: what was started with
/// `nohup` goes on when its terminal is closed.
static HEEDED: LazyLock<Vec<SignalKind>> = LazyLock::new(|| {
    let all = [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::terminate(),
    ];
    all.into_iter().filter(|kind| !is_ignored(*kind)).collect()
});

impl StopSignals {
    pub(super) fn new() -> anyhow::Result<Self> {
        let listen = |kind: &SignalKind| signal(*kind);
        let signals = HEEDED.iter().map(listen).collect::<Result<_, _>>();
        signals.map(Self).context("cannot listen for signals")
    }

    /// Comes to an end when one has arrived that was not told of before.
    pub(super) async fn next(&mut self) {
        poll_fn(|context| {
            let mut arrived = false;
            for signal in &mut self.0 {
                arrived |= signal.poll_recv(context).is_ready();
            }
            if arrived {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[expect(
    unsafe_code,
    reason = "nothing safe asks what is done about a signal without changing it"
)]
fn is_ignored(kind: SignalKind) -> bool {
    // SAFETY: all zeros is a value of this plain structure; with no new action
    // the call only fills in the old one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let asked = libc::sigaction(kind.as_raw_value(), std::ptr::null(), &raw mut action);
        asked == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}
