//! What the programs of one execution have written.

use std::collections::VecDeque;

use crate::store::output::{dropped_up_to, place_after};
use crate::store::{KeptOutput, OutputChange};

/// The output of one execution: by place, each piece with its node.
#[derive(Clone, Debug, Default)]
pub(super) struct Output(VecDeque<(String, KeptOutput)>);

impl Output {
    /// Keeps more, and drops the oldest of what is too much.
    pub(super) fn keep(&mut self, change: &OutputChange) {
        for piece in change.pieces.iter() {
            let last = self.0.back().map_or(0, |(_, kept)| kept.place);
            let kept = KeptOutput {
                place: place_after(last, piece.bytes.len()),
                attempt: change.attempt,
                piece: piece.clone(),
            };
            self.0.push_back((change.node_id.clone(), kept));
        }
        let last = self.0.back().map_or(0, |(_, kept)| kept.place);
        let from = dropped_up_to(last);
        let is_dropped = |(_, kept): &(String, KeptOutput)| {
            let begins = kept.place - place_after(0, kept.piece.bytes.len());
            begins < from
        };
        while self.0.front().is_some_and(is_dropped) {
            self.0.pop_front();
        }
    }

    /// What is kept of this node, behind this place.
    pub(super) fn of(&self, node_id: &str, after: u64) -> Vec<KeptOutput> {
        let behind = self.0.iter().filter(|(_, kept)| kept.place > after);
        let of_node = behind.filter(|(of, _)| of == node_id);
        of_node.map(|(_, kept)| kept.clone()).collect()
    }
}
