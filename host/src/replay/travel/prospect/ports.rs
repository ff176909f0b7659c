//! A log up to a place, with another beginning, and what is imagined behind it.

use std::sync::Arc;

use crate::guest::Ports;
use crate::log::digest::work_item_digest;
use crate::model::{Digest, Event, EventKind, Origin, Outcome, Snapshot, StorageError, WorkOrder};
use crate::replay::packed_log::PackedLog;
use crate::store::{StoreError, Timestamp};

/// What a guest sees of an imagined future.
#[derive(Clone)]
pub(super) struct FuturePorts {
    pub(super) log: Arc<PackedLog>,
    /// The guest sees the first so many events of the log.
    pub(super) shown: usize,
    /// The workflow's text.
    pub(super) workflow: Arc<str>,
    /// Event 1, which goes with that text.
    pub(super) first: Event,
    /// What the guest begins with, if it has seen nothing.
    pub(super) snapshot: Option<Snapshot>,
    /// The events that are imagined behind those that are shown.
    pub(super) later: Vec<Event>,
    /// What the clock reads.
    pub(super) now: Timestamp,
    /// What the guest decided in the call.
    decided: Vec<Event>,
}

impl FuturePorts {
    /// Nothing is imagined yet.
    pub(super) fn new(
        log: Arc<PackedLog>,
        shown: usize,
        (workflow, first): (Arc<str>, Event),
        now: Timestamp,
    ) -> Self {
        Self {
            log,
            shown,
            workflow,
            first,
            snapshot: None,
            later: Vec::new(),
            now,
            decided: Vec::new(),
        }
    }

    /// The sequence of the last event.
    pub(super) fn last(&self) -> u64 {
        (self.shown + self.later.len()) as u64
    }

    /// The guest has answered a step with these facts: those that it took stand behind the
    /// log, and its decisions behind them. How many it took, and whether all that the guest
    /// says it appended is there.
    pub(super) fn close(&mut self, facts: &[EventKind], outcome: &Outcome) -> (usize, bool) {
        let refused = |index: usize| outcome.refused.iter().any(|it| it.index as usize == index);
        let taken = facts.iter().enumerate();
        let taken: Vec<&EventKind> = taken
            .filter(|(index, _)| !refused(*index))
            .map(|(_, fact)| fact)
            .collect();
        for kind in &taken {
            self.later.push(Event {
                sequence: self.last() + 1,
                at: self.now,
                origin: Origin::Fact,
                kind: (*kind).clone(),
            });
        }
        self.later.append(&mut self.decided);
        (taken.len(), outcome.last_sequence == self.last())
    }
}

impl Ports for FuturePorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.to_string())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.clone())
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let mut page = self.log.page(first, max, self.shown);
        if let Some(event) = page.first_mut().filter(|event| event.sequence == 1) {
            *event = self.first.clone();
        }
        if page.is_empty() {
            let skipped = first.saturating_sub(self.shown as u64 + 1);
            let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
            let rest = self.later.iter().skip(skipped).take(max as usize);
            page.extend(rest.cloned());
        }
        Ok(page)
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        if expected < self.last() {
            return Ok(Err(StorageError::Conflict(self.last())));
        }
        self.decided.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let enqueued = orders.iter().filter_map(|order| match order {
            WorkOrder::Enqueue(item) => Some(work_item_digest(item)),
            _ => None,
        });
        Ok(Ok(enqueued.collect()))
    }
}
