//! Where the time of an execution went: what each node's was spent on, and the critical path.
//!
//! This is a reading of the log. It needs no guest, and reads erased logs too.

mod activity;
mod tracks;
mod path;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use activity::{Activity, Span};
pub use path::PathStep;
use path::critical_path;
pub use tracks::Track;
use tracks::Tracks;

use crate::model::Event;
use crate::store::Timestamp;

/// Where the time of an execution went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeline {
    /// The time of the first event.
    pub from: Timestamp,
    /// The time of the last event, or the present one, if the execution goes on.
    pub until: Timestamp,
    /// The time of each node, instance and compensation, in the order in which the log first
    /// names them.
    pub tracks: Vec<Track>,
    /// The nodes whose time was that of the execution: each began when the one before it had
    /// ended. Of a map, the instances that it waited for.
    pub critical_path: Vec<PathStep>,
}

impl Timeline {
    /// The timeline of these events, which come in the order of their log, of an execution of
    /// this workflow. `now` is the present time, if the execution goes on.
    #[must_use]
    pub fn of(events: &[&Event], workflow: &str, now: Option<Timestamp>) -> Self {
        let from = events.first().map_or(0, |event| event.at);
        let last = events.last().map_or(0, |event| event.at);
        let until = now.unwrap_or(last).max(last);
        // Where the text is no workflow, no edges are known.
        let workflow = serde_json::from_str(workflow).unwrap_or_default();
        let tracks = Tracks::of(events.iter().copied(), &workflow, until);
        Self {
            from,
            until,
            critical_path: critical_path(&tracks, &workflow, (from, until)),
            tracks: tracks.tracks,
        }
    }

    /// Milliseconds of the critical path, by what they were spent on.
    #[must_use]
    pub fn spent(&self) -> BTreeMap<Activity, u64> {
        let mut all = BTreeMap::new();
        for (activity, spent_ms) in self.critical_path.iter().flat_map(|step| &step.spent) {
            *all.entry(*activity).or_default() += spent_ms;
        }
        all
    }

    /// Milliseconds in which nothing of the critical path was under way.
    #[must_use]
    pub fn idle_ms(&self) -> u64 {
        let spent: u64 = self.spent().values().sum();
        (self.until - self.from).saturating_sub(spent)
    }
}
