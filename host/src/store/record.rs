//! What a store keeps: executions, work items.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::limits::RELEASES_MAX;
use crate::log::effect::Change;
use crate::log::{Attestation, Head, Timestamp};
use crate::model::{NodeFailure, Status, WorkItem, WorkflowStarted};
use crate::render;
use crate::store::{Tampering, ended};

/// An execution that is to be woken. Wakes compare in the order in which they are
/// due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DueWake {
    /// When it is due.
    pub at: Timestamp,
    /// The execution.
    pub execution: ExecutionId,
}

/// The summary of an execution, which spares reading its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// The execution.
    pub id: ExecutionId,
    /// Its workflow's id.
    pub workflow_id: String,
    /// Its workflow's version.
    pub workflow_version: String,
    /// The guest that it belongs to, 64 hexadecimal digits.
    #[serde(with = "shared_text")]
    pub guest_digest: Arc<str>,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The caller's key, unique within the tenant.
    pub key: Option<String>,
    /// How urgent its work items are, 0 to 9, where their nodes do not say it themselves.
    pub priority: u32,
    /// Its status.
    #[serde(
        serialize_with = "crate::names::serialize_status",
        deserialize_with = "crate::names::deserialize_status"
    )]
    pub status: Status,
    /// The head of its log.
    pub head: Head,
    /// The `at` of event 1.
    pub started_at: Timestamp,
    /// The `at` of the last event.
    pub last_at: Timestamp,
    /// When time alone could change what the guest decides. `None` if it never does.
    pub next_wake: Option<Timestamp>,
    /// How its log was tampered with, if it was: the execution is set aside then.
    pub tampering: Option<Tampering>,
    /// That its log was erased, if it was. It never changes afterwards, and no change
    /// of a turn says so but [`Turn::erasures`](crate::store::Turn::erasures).
    pub erased: Option<Box<Attestation>>,
}

/// A text that many share, as any other.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        text: &Arc<str>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

impl ExecutionRecord {
    /// The record of an execution before its first event, which says this at that time. The
    /// digest is shared with others of the same guest.
    pub(crate) fn before(
        started: &WorkflowStarted,
        id: ExecutionId,
        at: Timestamp,
        guest_digest: Arc<str>,
    ) -> Self {
        Self {
            id,
            workflow_id: started.workflow_id.clone(),
            workflow_version: started.workflow_version.clone(),
            guest_digest,
            tenant: started.tenant.clone(),
            key: started.key.clone(),
            priority: started.priority,
            status: Status::Running,
            head: Head::default(),
            started_at: at,
            last_at: at,
            next_wake: None,
            tampering: None,
            erased: None,
        }
    }

    /// Whether it is owed a step: a turn's budget cut it off, and at the time of
    /// its last event its guest has more to decide. It is due at that very time.
    #[must_use]
    pub fn is_owed_a_step(&self) -> bool {
        self.next_wake == Some(self.last_at) && !ended(self.status)
    }

    /// Whether its work items may be claimed.
    #[must_use]
    pub fn claims(&self) -> bool {
        self.status == Status::Running && self.tampering.is_none()
    }
}

/// A work item as the queue has it: unsettled, or a dead letter. Settled items
/// are gone; the log tells of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// The item as the guest ordered it.
    pub item: WorkItem,
    /// When it was ordered.
    pub enqueued_at: Timestamp,
    /// How often its workers gave it back (rule R25). 0 of a dead letter.
    pub releases: u32,
    /// Its state.
    pub state: ItemState,
}

impl ItemRecord {
    /// An item that was ordered at this time.
    #[must_use]
    pub fn ordered(item: WorkItem, at: Timestamp) -> Self {
        Self {
            item,
            enqueued_at: at,
            releases: 0,
            state: ItemState::Waiting,
        }
    }

    /// Takes an event at this time that changes the item so. Says whether it stays in
    /// the queue.
    ///
    /// The log does not say until when a claim holds: the lease of a claim has no end
    /// until it is given one.
    #[must_use]
    pub fn take(&mut self, change: Change<'_>, at: Timestamp) -> bool {
        let (releases, state) = match change {
            Change::Enqueue { .. } => (0, ItemState::Waiting),
            Change::Release if self.releases < RELEASES_MAX => {
                (self.releases + 1, ItemState::Waiting)
            }
            // Once more is as if nobody had answered (rule R25).
            Change::Release => {
                let error = render::node_failure(&NodeFailure::LeaseExpired);
                (0, dead(&error, at))
            }
            Change::Lease { worker_id, fence } => {
                let lease = Lease {
                    worker_id: worker_id.to_owned(),
                    fence,
                    expires_at: Lease::NO_END,
                    request_id: None,
                };
                (self.releases, ItemState::Leased(lease))
            }
            Change::DeadLetter { error } => (0, dead(&error, at)),
            Change::Remove => return false,
        };
        self.releases = releases;
        self.state = state;
        true
    }

    /// Whether an answer is still to come: it is no dead letter.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.state.is_unsettled()
    }
}

/// The state of a work item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// It waits for a worker, or for its not-before time.
    Waiting,
    /// A worker holds it.
    Leased(Lease),
    /// Its attempt failed. It is kept for people to see, until a further attempt is
    /// ordered.
    Dead {
        /// The last error.
        error: String,
        /// Since when it is a dead letter.
        since: Timestamp,
    },
}

impl ItemState {
    /// Whether an answer is still to come, from a worker that has the item or
    /// will have it. Only a dead letter is settled and kept all the same.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        match self {
            Self::Waiting | Self::Leased(_) => true,
            Self::Dead { .. } => false,
        }
    }

    /// The claim on it, if a worker has one.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Leased(lease) => Some(lease),
            Self::Waiting | Self::Dead { .. } => None,
        }
    }
}

/// A worker's claim on a work item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The worker.
    pub worker_id: String,
    /// The number minted at the claim: the sequence of its `node_started`.
    pub fence: u64,
    /// When the claim ends, if no heartbeat comes.
    pub expires_at: Timestamp,
    /// The id of the request that it was claimed by, if that had one (law 7).
    pub request_id: Option<String>,
}

impl Lease {
    /// The end of a lease that was given none yet. No lease is stored with it.
    pub(crate) const NO_END: Timestamp = 0;
}

fn dead(error: &str, since: Timestamp) -> ItemState {
    ItemState::Dead {
        error: error.to_owned(),
        since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::AttestedVerdict;
    use crate::model::Digest;
    use serde_json::json;

    #[test]
    fn a_record_is_written_as_json_with_what_became_of_it_and_read_again() {
        let id = ExecutionId::from_bytes([7; 16]);
        let head = Head {
            sequence: 3,
            hash: [0xab; 32],
        };
        let attestation = Attestation {
            at: 1,
            verdict: AttestedVerdict::Clean,
            guest_digest: Digest([1; 32]),
            head,
            by: "ada".to_owned(),
            signature: None,
        };
        let record = ExecutionRecord {
            id,
            workflow_id: "claims".to_owned(),
            workflow_version: "1.0.0".to_owned(),
            guest_digest: "00".into(),
            tenant: "default".to_owned(),
            key: None,
            priority: 5,
            status: Status::Completed,
            head,
            started_at: 1,
            last_at: 2,
            next_wake: None,
            tampering: Some(Tampering {
                sequence: 2,
                message: "it was edited".to_owned(),
            }),
            erased: Some(Box::new(attestation.clone())),
        };
        let attested: serde_json::Value = serde_json::from_str(&attestation.to_json()).unwrap();
        let expected = json!({
            "id": id.to_string(), "workflow_id": "claims", "workflow_version": "1.0.0",
            "guest_digest": "00", "tenant": "default", "key": null, "priority": 5, "status": "completed",
            "head": { "sequence": 3, "hash": "ab".repeat(32) },
            "started_at": 1, "last_at": 2, "next_wake": null,
            "tampering": { "sequence": 2, "message": "it was edited" },
            "erased": attested,
        });
        assert_eq!(serde_json::to_value(&record).unwrap(), expected);
        let read: ExecutionRecord = serde_json::from_str(&expected.to_string()).unwrap();
        assert_eq!(read, record);

        let mut wrong = expected;
        wrong["status"] = json!("done");
        let error = serde_json::from_str::<ExecutionRecord>(&wrong.to_string()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("\"done\" is no execution's status"),
            "{error}"
        );
    }

    #[test]
    fn an_items_state_names_its_claim_and_is_read_again() {
        let lease = Lease {
            worker_id: "w".to_owned(),
            fence: 2,
            expires_at: 5,
            request_id: None,
        };
        let expected = json!({ "leased": {
            "worker_id": "w", "fence": 2, "expires_at": 5, "request_id": null,
        } });
        let state = ItemState::Leased(lease);
        assert_eq!(serde_json::to_value(&state).unwrap(), expected);
        let item = ItemRecord {
            item: WorkItem::default(),
            enqueued_at: 3,
            releases: 1,
            state,
        };
        let written = serde_json::to_string(&item).unwrap();
        assert_eq!(serde_json::from_str::<ItemRecord>(&written).unwrap(), item);
        let waiting = serde_json::to_value(ItemState::Waiting).unwrap();
        assert_eq!(waiting, json!("waiting"));
    }
}
