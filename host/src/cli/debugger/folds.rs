//! What a log says of its nodes, behind any of its events.

use std::collections::VecDeque;

use refrain::replay::nodes::Nodes;
use refrain::store::StoredEvent;

/// Events from one copy to the next.
const EVENTS_BETWEEN_COPIES: usize = 4096;

/// Nodes in all copies together: some 20 MB of them.
const COPIED_NODES_MAX: usize = 50_000;

/// The nodes at a place, and copies of what they were on the way, so that a step back
/// begins at one of these and not at the first event.
#[derive(Default)]
pub(super) struct Folds {
    /// So many events have been read into `nodes`.
    place: usize,
    nodes: Nodes,
    /// In the order of their places.
    copies: VecDeque<(usize, Nodes)>,
    copied: usize,
}

impl Folds {
    /// The nodes behind so many of these events.
    pub(super) fn at(&mut self, events: &[StoredEvent], place: usize) -> &Nodes {
        if place < self.place {
            // Those behind the place come anew when it goes on.
            while self.copies.back().is_some_and(|(of, _)| *of > place) {
                let dropped = self.copies.pop_back();
                self.copied -= dropped.map_or(0, |(_, nodes)| nodes.len());
            }
            (self.place, self.nodes) = self.copies.back().cloned().unwrap_or_default();
        }
        for stored in &events[self.place..place] {
            self.nodes.apply(&stored.event);
            self.place += 1;
            self.copy();
        }
        &self.nodes
    }

    /// Copies what is there now, and drops the copies that are farthest behind: who steps back
    /// is near, and who goes far back waits for all events up to there once.
    fn copy(&mut self) {
        let is_new = self.copies.back().is_none_or(|(of, _)| *of < self.place);
        if !is_new || !self.place.is_multiple_of(EVENTS_BETWEEN_COPIES) {
            return;
        }
        self.copied += self.nodes.len();
        self.copies.push_back((self.place, self.nodes.clone()));
        while self.copied > COPIED_NODES_MAX && self.copies.len() > 1 {
            let dropped = self.copies.pop_front();
            self.copied -= dropped.map_or(0, |(_, nodes)| nodes.len());
        }
    }
}
