//! Which attempts of a node there were, and whether they have ended, as the log says.

use refrain::ExecutionId;
use refrain::model::NodeState;
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::{Reader, StoreError};

/// How many events are read at once.
const PAGE: u32 = 1000;

/// What a log says of the attempts of one node, as far as it was read.
pub(super) struct Attempts {
    node: String,
    /// The last event that was read.
    read: u64,
    nodes: Nodes,
    /// The last attempt that has begun.
    last: Option<u32>,
}

impl Attempts {
    /// Those of this node, of which nothing was read yet.
    pub(super) fn of(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            read: 0,
            nodes: Nodes::default(),
            last: None,
        }
    }

    /// Reads what the log says since this was last read.
    pub(super) fn read_on(
        &mut self,
        store: &mut dyn Reader,
        id: ExecutionId,
    ) -> Result<(), StoreError> {
        loop {
            let page = store.raw_events(id, self.read + 1, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for raw in page {
                self.read = raw.sequence;
                let kept = raw.kept();
                let kept = kept.map_err(|error| StoreError::undecoded(store.place(), id, error))?;
                self.nodes.apply(kept.event());
                if let Some(node) = self.nodes.named(&self.node)
                    && node.state == NodeState::Running
                {
                    self.last = Some(node.attempts);
                }
            }
        }
    }

    /// What the log says of the node.
    pub(super) fn node(&self) -> Option<&Node> {
        self.nodes.named(&self.node)
    }

    fn state(&self) -> Option<NodeState> {
        self.nodes.named(&self.node).map(|node| node.state)
    }

    /// Whether the log has told of the node.
    pub(super) fn is_known(&self) -> bool {
        self.state().is_some()
    }

    /// The last attempt that has begun.
    pub(super) fn last(&self) -> Option<u32> {
        self.last
    }

    /// Whether nothing more comes of this attempt; of none, whether none is to come.
    pub(super) fn is_over(&self, attempt: Option<u32>) -> bool {
        match (attempt, self.last) {
            (Some(attempt), Some(last)) if attempt < last => true,
            (Some(attempt), Some(last)) if attempt == last => {
                self.state() != Some(NodeState::Running)
            }
            _ => matches!(
                self.state(),
                Some(
                    NodeState::Completed
                        | NodeState::Failed
                        | NodeState::Skipped
                        | NodeState::Cancelled
                )
            ),
        }
    }
}
