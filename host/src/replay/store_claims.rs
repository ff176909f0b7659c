//! What a store claims of an execution besides its log must be what the log says.

use serde_json::json;

use super::divergence::{Compared, Divergence, DivergenceCode};
use super::queue::{ExpectedQueue, stored_json};
use super::recorded::{labels_json, recorded};
use super::source::{Kept, Recording};
use crate::log::digest::hex;
use crate::model::{EventKind, Label, Outcome, Status};
use crate::names;
use crate::store::{ExecutionRecord, ItemRecord, Timestamp, labels_as_kept};

/// What is known of an execution once its whole log is replayed.
pub(super) struct Replayed<'a> {
    pub(super) recording: &'a Recording,
    /// The work items, as the log has them.
    pub(super) queue: &'a ExpectedQueue,
    /// The guest that the log names at its end. `None` if another one was asked instead.
    pub(super) guest_digest: Option<&'a str>,
    /// The log ends where a turn's budget cut the guest off.
    pub(super) owed_a_step: bool,
    /// What the guest said last, if nothing stands behind that.
    pub(super) last: Option<&'a Outcome>,
}

impl Replayed<'_> {
    /// The difference between what the store claims and what the log says. `None` if
    /// there is none. `outcome` is the guest's answer at the log's end; `None` if it has
    /// none, because the host stalled the execution, or a budget cut the guest off.
    pub(super) fn difference(
        &self,
        (record, simulated): (&ExecutionRecord, bool),
        (items, labels): (&Kept<ItemRecord>, &Kept<Label>),
        outcome: Option<Outcome>,
    ) -> Option<Divergence> {
        let started = self.recording.event(1).map(|event| &event.kind);
        let Some(EventKind::WorkflowStarted(started)) = started else {
            return None; // Refused by the integrity check before.
        };
        let (status, next_wake) = self.status(record, outcome);
        let at = |sequence| self.recording.event(sequence).map(|event| event.at);
        let end = record.head.sequence;
        let expected = json!({
            "status": names::status(status),
            "next_wake": next_wake,
            "workflow_id": started.workflow_id,
            "workflow_version": started.workflow_version,
            "guest_digest": self.guest_digest.unwrap_or(&record.guest_digest),
            "tenant": started.tenant,
            "key": started.key,
            "priority": started.priority,
            "simulated": started.simulated,
            "started_at": at(1),
            "last_at": at(end),
            "head": hex(&record.head.hash),
            "queue": self.queue.to_json(),
            "labels": labels_json(&labels_as_kept(&started.labels)),
        });
        let queue = items
            .as_ref()
            .map_or_else(|fault| json!(fault), |items| stored_json(items));
        let found = recorded(record, simulated, queue, labels);
        if expected == found {
            return None;
        }
        let message = "what the store says besides the log is not what the log says";
        Some(
            Divergence::between(end, message, Some(expected), Some(found))
                .compared(Compared::LogWithStore)
                .coded(DivergenceCode::StoreDiffers),
        )
    }

    /// The status and the next wake that the record should have.
    fn status(
        &self,
        record: &ExecutionRecord,
        outcome: Option<Outcome>,
    ) -> (Status, Option<Timestamp>) {
        match outcome {
            // A host lifts its stall without asking the guest, and its turn may end there:
            // until the next step the record says that it runs, also where the guest is
            // going to say that it is paused.
            Some(_)
                if record.status == Status::Running
                    && record.is_owed_a_step()
                    && self.is_just_lifted() =>
            {
                (record.status, record.next_wake)
            }
            Some(outcome) => (outcome.status, outcome.next_wake),
            // Behind a fact the guest has not said yet what its execution is.
            None if self.owed_a_step => {
                let status = self.last.map_or(record.status, |outcome| outcome.status);
                (status, Some(record.last_at))
            }
            None => (Status::Stalled, None),
        }
    }

    /// Whether the log ends where the host's stall was lifted.
    fn is_just_lifted(&self) -> bool {
        let last = self.recording.events.last();
        last.is_some_and(|stored| matches!(stored.event.kind, EventKind::StallLifted(_)))
    }
}
