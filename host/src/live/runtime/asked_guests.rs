//! Guests that are asked about executions as they are stored, next to the turns and never
//! within one. They are others than those of the turns, so that nobody waits for them but
//! who asked.

use std::sync::Arc;

use crate::error::EngineError;
use crate::guest::{CallError, Instance, Library};
use crate::id::ExecutionId;
use crate::limits::CACHE_BYTES_MAX;
use crate::live::cache::executions::ExecutionCache;
use crate::live::cache::guests::Guests;
use crate::live::cache::instances::MemoryBounds;
use crate::live::execution::cached::{Activity, CachedExecution};
use crate::live::execution::item_changes::StoredItems;
use crate::live::execution::ports::{CallPorts, CallStore, Orders};
use crate::live::execution::staged::Staged;
use crate::live::turn::guest_call::{engine_error, validate};
use crate::live::values::random::Salts;
use crate::live::values::workflow::Workflow;
use crate::model::WorkflowSummary;
use crate::store::{ExecutionRecord, Reader, StoreError, Timestamp, ended};

/// Guests that answer one question after another.
pub(in crate::live) struct AskedGuests {
    guests: Guests,
    /// What they know of executions: it is compared with the log before it is used.
    known: ExecutionCache,
    /// Never used: nothing is appended by a question.
    salts: Salts,
}

/// When a question is asked.
pub(in crate::live) struct Asked {
    /// What is stored of the execution.
    pub(in crate::live) record: ExecutionRecord,
    /// What time it is by the logs.
    pub(in crate::live) now: Timestamp,
}

impl AskedGuests {
    /// Guests of this library; `own` is the one that new executions belong to.
    pub(in crate::live) fn new(library: Library, own: Arc<str>, salts: Salts) -> Self {
        let bounds = MemoryBounds {
            others_bytes_max: CACHE_BYTES_MAX.min(library.limits().memory_bytes_max),
            keeps_large: false,
        };
        Self {
            guests: Guests::new(library, own, bounds),
            known: ExecutionCache::default(),
            salts,
        }
    }

    /// Whether one of them knows this execution from an earlier question.
    pub(in crate::live) fn know(&self, id: ExecutionId) -> bool {
        self.known.guest_knows_of(id)
    }

    /// The time of what is reported from now on, by the monotonic clock.
    pub(in crate::live) fn set_time(&mut self, now: std::time::Duration) {
        self.guests.troubles.at(now);
    }

    /// Asks the guest of an execution, and gives the reader back with the answer. The log
    /// that the guest reads is held against its chain.
    pub(in crate::live) fn ask<T>(
        &mut self,
        mut reader: Box<dyn Reader>,
        asked: Asked,
        call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>),
    ) -> (Box<dyn Reader>, Result<T, EngineError>) {
        let Asked { record, now } = asked;
        let (id, head, digest) = (record.id, record.head, record.guest_digest.clone());
        let activity = match ended(record.status) {
            true => Activity::Ended,
            // An execution that is only looked at is not kept for long.
            false => Activity::Idle,
        };
        if let Err(error) = self.prepare(reader.as_mut(), &record) {
            return (reader, Err(error.into()));
        }
        let staged = self.staged(record);
        let ports = CallPorts {
            store: CallStore::Question(reader),
            now: staged.reading(now),
            staged,
            orders: Orders::default(),
            order_rules: None,
            workflow_text: None,
            offer: None,
        };
        // A refusal is an answer to a question.
        let (ports, answer) = self.guests.ask(ports, |_| true, call);
        self.report_snapshot(&ports.staged);
        let asked = self.guests.take_asked();
        self.known
            .looked_at(id, head, activity, asked, &mut self.guests);
        self.guests.trim();
        let reader = ports.store.of_question();
        (
            reader.expect("the ports have the reader that they were given"),
            answer.map_err(|failure| engine_error(failure, id, &digest)),
        )
    }

    /// Asks the guest that new executions belong to whether a workflow is valid (rule R1).
    pub(in crate::live) fn validate(
        &mut self,
        workflow: &Workflow,
    ) -> Result<WorkflowSummary, EngineError> {
        let answer = validate(&mut self.guests, workflow);
        self.guests.trim();
        answer
    }

    /// What a guest knows of the execution is a part of its log, or it forgets it.
    fn prepare(
        &mut self,
        reader: &mut dyn Reader,
        record: &ExecutionRecord,
    ) -> Result<(), StoreError> {
        if record.erased.is_some() {
            return Err(StoreError::Erased {
                place: reader.place(),
                execution: record.id,
            });
        }
        self.known.compare(record, &mut self.guests, reader)
    }

    fn staged(&self, record: ExecutionRecord) -> Box<Staged> {
        // No items: a question orders nothing.
        let stored = CachedExecution {
            record,
            items: StoredItems::new(),
            held: false,
        };
        Box::new(Staged::stored(stored, self.salts))
    }

    fn report_snapshot(&mut self, staged: &Staged) {
        let Some(reason) = &staged.bad_snapshot else {
            return;
        };
        let id = staged.record.id;
        let text =
            format!("the snapshot of {id} is not used, and its log is read instead: {reason}");
        if let Some(told) = self.guests.troubles.says(&text) {
            tracing::error!("{told}");
        }
    }
}
