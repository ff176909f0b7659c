//! One execution's world in memory: its log, its queue, and the time.
//!
//! For hosts that keep a log elsewhere, for tests and for benchmarks: what a
//! scheduler needs of a host, and not more.

use crate::log::effect::{self, Change};
use crate::model::{AppendError, Event, EventKind, Origin, Snapshot, WorkItem};
use crate::store::{StoreError, Timestamp};

use super::Ports;

/// A log, a queue and a clock, for one execution.
///
/// ```
/// use refrain::guest::{CallLimits, Library, MemoryPorts, Sandbox};
/// use refrain::id::ExecutionId;
/// use refrain::model::{Digest, EventKind, WorkflowStarted};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let workflow = r#"{"workflow_id": "one", "version": "1.0.0", "start_node": "a", "edges": [],
///     "nodes": {"a": {"kind": {"type": "tool", "tool_ref": "greet"}}}}"#;
/// let mut library = Library::new(Sandbox::new(CallLimits::default())?);
/// let guest_digest = library.built_in().to_owned();
/// let mut guest = library.instance(&guest_digest)?;
/// let id = ExecutionId::random();
///
/// let ports = MemoryPorts { workflow: workflow.to_owned(), now: 1_000, ..MemoryPorts::default() };
/// let text = Digest::of(workflow.as_bytes());
/// let started = WorkflowStarted::new(id.to_string(), ("one", "1.0.0", text), guest_digest.parse()?);
/// let started = ports.fact(EventKind::WorkflowStarted(started));
/// let (mut ports, admitted) = guest.admit(ports, id, &started);
/// admitted?;
/// ports.push(started);
/// let (ports, decided) = guest.tick(ports, id, 1);
/// decided?;
/// assert_eq!(ports.items[0].node_id, "a");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryPorts {
    /// The workflow's text.
    pub workflow: String,
    /// The log, from event 1 on.
    pub events: Vec<Event>,
    /// The unsettled work items, in the order in which they were enqueued.
    pub items: Vec<WorkItem>,
    /// A snapshot for a guest that has not seen the log yet.
    pub snapshot: Option<Snapshot>,
    /// What the clock reads, in milliseconds since the Unix epoch.
    pub now: Timestamp,
}

impl MemoryPorts {
    /// The sequence of the last event; 0 if there is none.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.events.len() as u64
    }

    /// The event that `kind` would be, if it were appended now as a fact.
    #[must_use]
    pub fn fact(&self, kind: EventKind) -> Event {
        Event {
            sequence: self.last_sequence() + 1,
            at: self.now,
            origin: Origin::Fact,
            kind,
        }
    }

    /// Append a fact that the guest admitted. What a worker has completed or
    /// failed leaves the queue.
    pub fn push(&mut self, fact: Event) {
        if let Some(effect) = effect::on_item(&fact.kind)
            && matches!(effect.change, Change::Remove | Change::DeadLetter { .. })
        {
            self.items.retain(|item| item.node_id != effect.node_id);
        }
        self.events.push(fact);
    }

    /// At most `max` events, from sequence `first` on.
    #[must_use]
    pub fn page(&self, first: u64, max: u32) -> &[Event] {
        let skipped = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = self.events.get(skipped..).unwrap_or_default();
        &rest[..rest.len().min(max as usize)]
    }

    /// Append decisions after the event `expected`.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] if that is not the last one.
    pub fn append(&mut self, expected: u64, decisions: Vec<Event>) -> Result<(), AppendError> {
        let last = self.last_sequence();
        if expected != last {
            return Err(AppendError::Conflict(last));
        }
        self.events.extend(decisions);
        Ok(())
    }

    /// Enqueue a work item.
    ///
    /// # Errors
    /// Its node has an unsettled item already.
    pub fn enqueue_item(&mut self, item: WorkItem) -> Result<(), String> {
        if self.items.iter().any(|other| other.node_id == item.node_id) {
            return Err(format!("{} has an unsettled item", item.node_id));
        }
        self.items.push(item);
        Ok(())
    }

    /// Remove an unsettled work item.
    ///
    /// # Errors
    /// There is none of this node and attempt.
    pub fn cancel_item(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        let before = self.items.len();
        self.items
            .retain(|item| (item.node_id.as_str(), item.attempt) != (node_id, attempt));
        if self.items.len() == before {
            return Err(format!(
                "{node_id} has no unsettled item of attempt {attempt}"
            ));
        }
        Ok(())
    }
}

impl Ports for MemoryPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.clone())
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.page(first, max).to_vec())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), AppendError>, StoreError> {
        Ok(self.append(expected, events))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn enqueue(&mut self, item: WorkItem) -> Result<Result<(), String>, StoreError> {
        Ok(self.enqueue_item(item))
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<Result<(), String>, StoreError> {
        Ok(self.cancel_item(node_id, attempt))
    }
}
