//! Decisions, in the words of the contract.

use refrain_guest::contract::{
    CancelReason, EventKind, ItemDigest, NodeCancelled, NodeExhausted, NodeFailure, NodeSettled,
    NodeSkipped, SkipReason,
};

use super::item;
use super::next::Question;

impl Question<'_> {
    pub(super) fn completed(
        &self,
        node: usize,
        output: &str,
        patch: &str,
        target: Option<&str>,
    ) -> EventKind {
        EventKind::NodeSettled(NodeSettled {
            node_id: self.id(node),
            output: output.to_owned(),
            state_patch: patch.to_owned(),
            chosen_target: target.map(str::to_owned),
        })
    }

    pub(super) fn exhausted(&self, node: usize, attempts: u32, cause: NodeFailure) -> EventKind {
        let node_id = self.id(node);
        EventKind::NodeExhausted(NodeExhausted {
            node_id,
            attempts,
            cause,
        })
    }

    pub(super) fn skipped(&self, node: usize, reason: SkipReason) -> EventKind {
        let node_id = self.id(node);
        EventKind::NodeSkipped(NodeSkipped { node_id, reason })
    }

    pub(super) fn cancelled(&self, node: usize, reason: CancelReason) -> EventKind {
        let node_id = self.id(node);
        EventKind::NodeCancelled(NodeCancelled { node_id, reason })
    }

    pub(super) fn queue(&self, node: usize) -> String {
        let queue = self.graph.nodes[node].queue();
        queue.expect("only work is dispatched").to_owned()
    }

    /// R5: the digest of the work item; R29: or why there is none.
    pub(super) fn item(
        &self,
        node: usize,
        attempt: u32,
        not_before: u64,
    ) -> Result<ItemDigest, NodeFailure> {
        item::digest(self.graph, self.past, node, attempt, not_before)
    }
}
