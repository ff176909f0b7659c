//! Who holds the work of which node, and until when.

use refrain::store::{ItemRecord, Lease, Timestamp, ended};
use refrain::time::rfc3339;
use serde_json::{Value, json};

use super::log_source::OpenLog;
use super::text::{Text, text};
use super::time::{span, stamp};

/// The leases of an execution. Its queue says them, and no log does.
pub(super) struct Leases(Vec<ItemRecord>);

impl Leases {
    /// Those that are held now; none where only the log is known.
    pub(super) fn of(open: &mut OpenLog) -> anyhow::Result<Self> {
        Ok(Self(match ended(open.record.status) {
            true => Vec::new(),
            false => open.store.items(open.record.id)?.found,
        }))
    }

    fn held(&self, node: &str) -> Option<&Lease> {
        let of_node = self.0.iter().find(|record| record.item.node_id == node);
        of_node?.state.lease()
    }

    /// What there is to say of the lease of this node at `now`, in a line.
    pub(super) fn text(&self, node: &str, now: Timestamp) -> Text {
        let Some(lease) = self.held(node) else {
            return Text::new();
        };
        match lease.expires_at.checked_sub(now) {
            Some(left) => text!(
                "  the lease of worker {:?} holds until {} (for {} more), unless it is renewed\n",
                lease.worker_id,
                stamp(lease.expires_at),
                span(left)
            ),
            None => text!(
                "  the lease of worker {:?} ended at {}, and nobody has worked on the execution since\n",
                lease.worker_id,
                stamp(lease.expires_at)
            ),
        }
    }

    /// The same for programs.
    pub(super) fn document(&self, node: &str) -> Option<Value> {
        let lease = self.held(node)?;
        Some(json!({
            "worker_id": lease.worker_id,
            "expires_at": rfc3339(lease.expires_at),
        }))
    }
}
