//! What a log says of its nodes, behind any of its events.

use std::collections::VecDeque;

use refrain::model::{Event, EventKind};
use refrain::replay::PackedLog;
use refrain::replay::nodes::{Before, Nodes};

/// Events that can be taken back. Who goes further back at once, or step by step, waits once
/// for all events up to there.
const KEPT_MAX: usize = 4096;

/// The nodes at a place, and what the last events before it have changed, so that a step back
/// takes one of these back and does not begin at the first event.
#[derive(Default)]
pub(super) struct Folds {
    /// So many events have been read into `nodes`.
    place: usize,
    nodes: Nodes,
    /// Of the last of these events, in their order.
    kept: VecDeque<Before>,
}

impl Folds {
    /// The nodes behind so many events of this log.
    pub(super) fn at(&mut self, log: &PackedLog, place: usize) -> &Nodes {
        if self.place.saturating_sub(place) > self.kept.len() {
            *self = Self::default();
        }
        while self.place > place
            && let Some(before) = self.kept.pop_back()
        {
            self.nodes.take_back(before);
            self.place -= 1;
        }
        while self.place < place
            && let Some(event) = event(log, self.place as u64 + 1)
        {
            self.place += 1;
            if self.place + KEPT_MAX <= place {
                self.kept.clear();
                self.nodes.apply(&event);
                continue;
            }
            if self.kept.len() == KEPT_MAX {
                self.kept.pop_front();
            }
            let before = self.nodes.apply_kept(&event);
            self.kept.push_back(before);
        }
        &self.nodes
    }
}

/// An event, as far as it says something of nodes: what they produce is not read.
fn event(log: &PackedLog, sequence: u64) -> Option<Event> {
    let outline = log.outline(sequence)?;
    match outline.kind {
        EventKind::NodeCompleted(_) | EventKind::NodeSettled(_) => Some(outline),
        _ => log.event(sequence),
    }
}
