//! What an engine tells of its troubles: at once, then now and then, and when it
//! is over.

use std::time::Duration;

use super::core::Core;

impl Core {
    /// This is the time for what is told.
    pub(in crate::live) fn tells_at(&mut self, now: Duration) {
        self.troubles.at(now);
        self.set_aside.at(now);
        self.guests.troubles.at(now);
    }

    /// What is to be told of this kind of trouble, if anything.
    fn tells(&mut self, kind: &str, text: &str) -> Option<String> {
        self.tells_at(self.time.monotonic());
        self.troubles.happens(kind, text)
    }

    /// This kind of trouble keeps the engine from its work.
    pub(in crate::live) fn fails(&mut self, kind: &str, text: &str) {
        if let Some(told) = self.tells(kind, text) {
            tracing::error!("{told}");
        }
    }

    /// This kind of trouble may pass.
    pub(in crate::live) fn warns(&mut self, kind: &str, text: &str) {
        if let Some(told) = self.tells(kind, text) {
            tracing::warn!("{told}");
        }
    }

    /// This kind of trouble is over, if it was there.
    pub(in crate::live) fn goes_well(&mut self, kind: &str) {
        if let Some(told) = self.troubles.ends(kind) {
            tracing::warn!("{told}");
        }
    }
}
