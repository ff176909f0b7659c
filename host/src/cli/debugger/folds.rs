//! What a log says of its nodes, behind any of its events.

use refrain::replay::nodes::Nodes;
use refrain::store::StoredEvent;

/// Events from one copy to the next.
const EVENTS_BETWEEN_COPIES: usize = 4096;

/// Nodes in all copies together: some 100 MB of them.
const COPIED_NODES_MAX: usize = 250_000;

/// The nodes at a place, and copies of what they were on the way, so that a step back
/// begins at one of these and not at the first event.
#[derive(Default)]
pub(super) struct Folds {
    /// So many events have been read into `nodes`.
    place: usize,
    nodes: Nodes,
    /// In the order of their places.
    copies: Vec<(usize, Nodes)>,
    copied: usize,
}

impl Folds {
    /// The nodes behind so many of these events.
    pub(super) fn at(&mut self, events: &[StoredEvent], place: usize) -> &Nodes {
        if place < self.place {
            let before = self.copies.iter().rev().find(|(of, _)| *of <= place);
            let (of, nodes) = before.cloned().unwrap_or_default();
            (self.place, self.nodes) = (of, nodes);
        }
        for stored in &events[self.place..place] {
            self.nodes.apply(&stored.event);
            self.place += 1;
            self.copy();
        }
        &self.nodes
    }

    fn copy(&mut self) {
        let is_new = self.copies.last().is_none_or(|(of, _)| *of < self.place);
        if !is_new || !self.place.is_multiple_of(EVENTS_BETWEEN_COPIES) {
            return;
        }
        let nodes = self.nodes.iter().count();
        if self.copied + nodes <= COPIED_NODES_MAX {
            self.copied += nodes;
            self.copies.push((self.place, self.nodes.clone()));
        }
    }
}
