//! Turns for the laws: an execution that is drafted in memory, event by event,
//! and the owner that commits it.

use crate::id::ExecutionId;
use crate::log::digest::{digest, hex};
use crate::log::{Attestation, AttestedVerdict, ChainedEvent, Head, Salt, Timestamp};
use crate::model::{
    Digest, Event, EventKind, FORMAT_VERSION, Label, Limits, NodeTimedOut, Origin, Snapshot,
    Status, WorkItem, WorkflowStarted,
};
use crate::store::{
    CommitError, ComponentRecord, ExecutionChange, ExecutionRecord, ItemChange, Lease, Many, Store,
    Turn, WorkflowRecord,
};

use super::Place;

/// When drafts start, unless a law says otherwise.
pub(crate) const START: Timestamp = 1000;

/// A store with one owner, as the laws use it.
pub(crate) struct Owner {
    pub(crate) store: Box<dyn Store>,
    reopens: bool,
}

impl Owner {
    pub(crate) fn new(place: &dyn Place) -> Self {
        Self {
            store: place.open(),
            reopens: place.reopens(),
        }
    }

    /// One turn: begin, commit.
    pub(crate) fn try_commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.store.begin().expect("the turn begins");
        let outcome = self.store.commit(turn);
        if self.reopens {
            self.store.reopen().expect("the store reopens");
        }
        outcome
    }

    pub(crate) fn commit(&mut self, changes: impl IntoIterator<Item = ExecutionChange>) {
        self.try_commit(&turn(changes))
            .expect("the turn is committed");
    }

    pub(crate) fn put(&mut self, turn: &Turn) {
        self.try_commit(turn).expect("the turn is committed");
    }

    /// The turn is refused as a conflict of its last execution alone.
    pub(crate) fn conflicts(&mut self, changes: impl IntoIterator<Item = ExecutionChange>) {
        let turn = turn(changes);
        let last = turn.executions.last().map(|change| change.record.id);
        let last = Vec::from_iter(last);
        assert_eq!(self.conflicting(&turn), last);
    }

    /// The turn is refused as a conflict. Answers the executions that it names.
    pub(crate) fn conflicting(&mut self, turn: &Turn) -> Vec<ExecutionId> {
        match self.try_commit(turn) {
            Err(CommitError::Conflict { executions, .. }) => executions,
            other => panic!("expected a conflict, found {other:?}"),
        }
    }

    /// The turn is refused as one that contradicts itself.
    pub(crate) fn contradicts(&mut self, turn: &Turn) {
        use crate::store::StoreError::Contradiction;
        match self.try_commit(turn) {
            Err(CommitError::Failed(Contradiction { .. })) => {}
            other => panic!("expected a contradiction, found {other:?}"),
        }
    }

    /// The nodes whose items are claimable on queue `tool`, as "execution/node".
    pub(crate) fn claimable(&mut self, now: Timestamp) -> Vec<String> {
        let items = self
            .store
            .claimable("default", "tool", now, usize::MAX)
            .and_then(Many::all)
            .expect("the store answers");
        items.iter().map(|item| name(&item.item)).collect()
    }

    pub(crate) fn expired(&mut self, now: Timestamp) -> Vec<String> {
        let items = self
            .store
            .expired(now, usize::MAX)
            .and_then(Many::all)
            .expect("the store answers");
        items.iter().map(|item| name(&item.item)).collect()
    }
}

/// "2/a": node a of the execution whose id consists of twos.
fn name(item: &WorkItem) -> String {
    let execution = item
        .execution_id
        .trim_start_matches("exec_")
        .trim_start_matches('0');
    format!("{execution}/{}", item.node_id)
}

pub(crate) fn turn(changes: impl IntoIterator<Item = ExecutionChange>) -> Turn {
    Turn {
        executions: changes.into_iter().collect(),
        ..Turn::default()
    }
}

/// An execution as its owner knows it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// What its event 1 names it by.
    pub(crate) labels: Vec<Label>,
    pub(crate) record: ExecutionRecord,
}

/// Salts are chance; these need not be.
const SALT: Salt = [7; 16];

impl Draft {
    /// The execution number `n`; its log is empty.
    pub(crate) fn new(n: u8) -> Self {
        let mut bytes = [0; 16];
        bytes[15] = n;
        let record = ExecutionRecord {
            id: ExecutionId::from_bytes(bytes),
            workflow_id: "claims".into(),
            workflow_version: "1.0.0".into(),
            guest_digest: digest(b"guest").into(),
            tenant: "default".into(),
            key: None,
            priority: 5,
            status: Status::Running,
            head: Head::default(),
            started_at: START,
            last_at: START,
            next_wake: None,
            tampering: None,
            erased: None,
        };
        Self {
            labels: Vec::new(),
            record,
        }
    }

    /// The same, changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut ExecutionRecord)) -> Self {
        change(&mut self.record);
        self
    }

    /// The same, with these labels.
    pub(crate) fn labelled(mut self, labels: &[(&str, &str)]) -> Self {
        let label = |(name, value): &(&str, &str)| Label {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        self.labels = labels.iter().map(label).collect();
        self
    }

    pub(crate) fn id(&self) -> ExecutionId {
        self.record.id
    }

    /// The change that appends one event, at the time of the last, and does
    /// this to the work items.
    pub(crate) fn append(
        &mut self,
        items: impl IntoIterator<Item = ItemChange>,
    ) -> ExecutionChange {
        let kind = match self.record.head.sequence {
            0 => self.started(false),
            _ => timed_out(),
        };
        self.append_event(kind, items)
    }

    fn append_event(
        &mut self,
        kind: EventKind,
        items: impl IntoIterator<Item = ItemChange>,
    ) -> ExecutionChange {
        let expected = self.record.head;
        let event = Event {
            sequence: expected.sequence + 1,
            at: self.record.last_at,
            origin: Origin::Fact,
            kind,
        };
        let chained = ChainedEvent::new(&expected, event, SALT);
        self.record.head = chained.head();
        ExecutionChange {
            expected,
            events: vec![chained],
            record: self.record.clone(),
            items: items.into_iter().collect(),
        }
    }

    /// The change that appends one event and makes the record say this.
    pub(crate) fn append_as(
        &mut self,
        change: impl FnOnce(&mut ExecutionRecord),
    ) -> ExecutionChange {
        change(&mut self.record);
        self.append([])
    }

    /// The change that begins it, in simulated time or not.
    pub(crate) fn begun(mut self, simulated: bool) -> ExecutionChange {
        let started = self.started(simulated);
        self.append_event(started, [])
    }

    fn started(&self, simulated: bool) -> EventKind {
        let record = &self.record;
        EventKind::WorkflowStarted(Box::new(WorkflowStarted {
            format: FORMAT_VERSION,
            execution_id: record.id.to_string(),
            workflow_id: record.workflow_id.clone(),
            workflow_version: record.workflow_version.clone(),
            workflow_digest: Digest::of(b"workflow"),
            guest_digest: Digest::of(b"guest"),
            initial_input: "{ \"claim\": 17.0 }".into(),
            limits: Limits {
                max_concurrent_nodes: 16,
                max_dispatch_per_tick: 8,
            },
            seed: 7,
            tenant: record.tenant.clone(),
            simulated,
            key: record.key.clone(),
            forked_from: None,
            parent: None,
            labels: self.labels.clone(),
            priority: 5,
            by: None,
        }))
    }

    /// A work item of one of its nodes.
    pub(crate) fn item(&self, node: &str, not_before: Timestamp) -> WorkItem {
        WorkItem {
            execution_id: self.record.id.to_string(),
            node_id: node.into(),
            attempt: 1,
            max_attempts: 3,
            queue: "tool".into(),
            tenant: self.record.tenant.clone(),
            priority: 5,
            not_before,
            payload: "{ \"n\": 1.50 }".into(),
        }
    }

    pub(crate) fn enqueue(&self, node: &str, not_before: Timestamp) -> ItemChange {
        ItemChange::Enqueue {
            item: self.item(node, not_before),
            at: START,
            lease: None,
        }
    }

    /// Ordered, and claimed at once.
    pub(crate) fn enqueue_leased(&self, node: &str, expires_at: Timestamp) -> ItemChange {
        ItemChange::Enqueue {
            item: self.item(node, 0),
            at: START,
            lease: Some(claim(expires_at)),
        }
    }

    pub(crate) fn dead_letter(&self, node: &str) -> ItemChange {
        ItemChange::DeadLetter {
            node_id: node.into(),
            item: self.item(node, 0),
            enqueued_at: START,
            error: "boom".into(),
            at: START + 5,
        }
    }
}

fn timed_out() -> EventKind {
    EventKind::NodeTimedOut(NodeTimedOut {
        node_id: "a".into(),
        attempt: 1,
        timeout_ms: 1_000,
    })
}

pub(crate) fn lease(node: &str, expires_at: Timestamp) -> ItemChange {
    ItemChange::Lease {
        node_id: node.into(),
        lease: claim(expires_at),
    }
}

fn claim(expires_at: Timestamp) -> Lease {
    Lease {
        worker_id: "w1".into(),
        fence: 2,
        expires_at,
        request_id: None,
    }
}

pub(crate) fn release(node: &str, releases: u32) -> ItemChange {
    ItemChange::Release {
        node_id: node.into(),
        releases,
    }
}

pub(crate) fn remove(node: &str) -> ItemChange {
    ItemChange::Remove {
        node_id: node.into(),
    }
}

pub(crate) fn workflow(version: &str, text: &str) -> WorkflowRecord {
    WorkflowRecord {
        tenant: "default".into(),
        workflow_id: "claims".into(),
        version: version.into(),
        text: text.into(),
        digest: digest(text.as_bytes()),
    }
}

pub(crate) fn component(bytes: &[u8]) -> ComponentRecord {
    ComponentRecord {
        digest: digest(bytes),
        bytes: bytes.to_vec(),
    }
}

pub(crate) fn snapshot(draft: &Draft, state: &[u8]) -> (ExecutionId, Snapshot) {
    let Head { sequence, hash } = draft.record.head;
    let guest_digest = draft.record.guest_digest.to_string();
    (
        draft.id(),
        Snapshot {
            guest_digest,
            sequence,
            head: hex(&hash),
            state: state.to_vec(),
        },
    )
}

/// What is attested of a draft's log.
pub(crate) fn attestation(draft: &Draft) -> Attestation {
    Attestation {
        at: START + 100,
        verdict: AttestedVerdict::Clean,
        guest_digest: Digest::of(b"guest"),
        head: draft.record.head,
        by: "ada".to_owned(),
        signature: None,
    }
}
