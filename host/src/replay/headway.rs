//! How far audits have come, for those who watch: counted by all threads, read by anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far audits have come.
#[derive(Debug, Default)]
pub struct Headway {
    logs: AtomicU64,
    begun: AtomicU64,
    behind: AtomicU64,
}

impl Headway {
    /// One more log is done: for those who go through many of them.
    pub fn count_log(&self) {
        self.logs.fetch_add(1, Ordering::Relaxed);
    }

    /// How many logs are done.
    pub fn logs(&self) -> u64 {
        self.logs.load(Ordering::Relaxed)
    }

    /// The events of all logs that were begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// How many of these are behind: replayed, or left out because a fault was found before.
    pub fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }
}

/// The headway in one log. What is replayed a second time counts once.
#[derive(Debug, Default)]
pub(super) struct InLog {
    of_all: Option<Arc<Headway>>,
    events: u64,
    reached: u64,
}

impl InLog {
    /// At the beginning of a log of so many events. `None`: nobody watches.
    pub(super) fn begin(of_all: Option<&Arc<Headway>>, events: u64) -> Self {
        if let Some(all) = of_all {
            all.begun.fetch_add(events, Ordering::Relaxed);
        }
        Self {
            of_all: of_all.cloned(),
            events,
            reached: 0,
        }
    }

    /// So many events of the log are behind.
    pub(super) fn reach(&mut self, events: u64) {
        let more = events.min(self.events).saturating_sub(self.reached);
        self.reached += more;
        if let Some(all) = &self.of_all {
            all.behind.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// No more of the log is looked at.
    pub(super) fn end(&mut self) {
        self.reach(self.events);
    }
}
