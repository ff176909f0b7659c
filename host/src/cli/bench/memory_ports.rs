//! One execution's world in memory, and the scheduler component in front of
//! it: what a decision costs without a store, an engine and a worker.

use anyhow::{Context, ensure};
use refrain::contract::{
    AppendError, Event, EventKind, Limits, NodeCompleted, NodeStarted, Origin, Snapshot, WorkItem,
    WorkflowStarted,
};
use refrain::guest::{Instance, Library, Ports};
use refrain::id::ExecutionId;
use refrain::limits::{CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT};
use refrain::log::digest::digest;
use refrain::store::{StoreError, Timestamp};

/// A log, a queue and a clock.
#[derive(Default)]
pub(super) struct MemoryPorts {
    workflow: String,
    events: Vec<Event>,
    items: Vec<WorkItem>,
    now: Timestamp,
}

/// An execution in the component, driven by hand.
pub(super) struct Run {
    id: ExecutionId,
    instance: Instance<MemoryPorts>,
    memory_ports: MemoryPorts,
}

impl MemoryPorts {
    /// The event that this would be, if it were appended now as a fact.
    fn fact(&self, kind: EventKind) -> Event {
        Event {
            sequence: self.last() + 1,
            at: self.now,
            origin: Origin::Fact,
            kind,
        }
    }

    fn last(&self) -> u64 {
        self.events.len() as u64
    }
}

impl Run {
    /// An execution of this workflow, started, in a fresh instance.
    pub(super) fn start(library: &mut Library, workflow: &str, id: &str) -> anyhow::Result<Self> {
        let guest_digest = library.built_in().to_owned();
        let mut run = Self {
            id: ExecutionId::random(),
            instance: library.instance(&guest_digest)?,
            memory_ports: MemoryPorts {
                workflow: workflow.to_owned(),
                now: 1_000,
                ..MemoryPorts::default()
            },
        };
        run.admit(EventKind::WorkflowStarted(WorkflowStarted {
            execution_id: run.id.to_string(),
            workflow_id: id.to_owned(),
            workflow_version: "1.0.0".to_owned(),
            workflow_digest: digest(workflow.as_bytes()),
            guest_digest,
            initial_input: "{}".to_owned(),
            limits: Limits {
                max_concurrent_nodes: CONCURRENT_NODES_DEFAULT,
                max_dispatch_per_tick: DISPATCH_PER_TICK_DEFAULT,
            },
            seed: 1,
            tenant: "default".to_owned(),
            simulated: false,
            key: None,
            forked_from: None,
        }))?;
        Ok(run)
    }

    /// Call the scheduler once: it decides what follows.
    pub(super) fn tick(&mut self) -> anyhow::Result<()> {
        let memory_ports = std::mem::take(&mut self.memory_ports);
        let last = memory_ports.last();
        let (memory_ports, outcome) = self.instance.tick(memory_ports, self.id, last);
        self.memory_ports = memory_ports;
        outcome?;
        Ok(())
    }

    /// Do the first work item that was ordered. False: there is none.
    pub(super) fn work(&mut self) -> anyhow::Result<bool> {
        let Some(item) = self.memory_ports.items.pop() else {
            return Ok(false);
        };
        let fence = self.memory_ports.last() + 1;
        self.admit(EventKind::NodeStarted(NodeStarted {
            node_id: item.node_id.clone(),
            worker_id: "w".to_owned(),
            attempt: item.attempt,
            fence,
        }))?;
        self.admit(EventKind::NodeCompleted(NodeCompleted {
            node_id: item.node_id,
            attempt: item.attempt,
            fence,
            output: "{}".to_owned(),
            state_patch: "{}".to_owned(),
            duration_ms: 1,
            chosen_target: None,
            telemetry: None,
        }))?;
        Ok(true)
    }

    /// It has come to its end.
    pub(super) fn ended(&self) -> anyhow::Result<()> {
        let last = self.memory_ports.events.last().context("it never began")?;
        let completed = matches!(last.kind, EventKind::WorkflowCompleted(_));
        ensure!(completed, "the run ended with {:?}", last.kind);
        Ok(())
    }

    fn admit(&mut self, kind: EventKind) -> anyhow::Result<()> {
        let memory_ports = std::mem::take(&mut self.memory_ports);
        let fact = memory_ports.fact(kind);
        let (memory_ports, answer) = self.instance.admit(memory_ports, self.id, &fact);
        self.memory_ports = memory_ports;
        answer?;
        self.memory_ports.events.push(fact);
        Ok(())
    }
}

impl Ports for MemoryPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let first = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let page = self.events.iter().skip(first).take(max as usize);
        Ok(page.cloned().collect())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), AppendError>, StoreError> {
        if expected != self.last() {
            return Ok(Err(AppendError::Conflict(self.last())));
        }
        self.events.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn enqueue(&mut self, item: WorkItem) -> Result<Result<(), String>, StoreError> {
        self.items.push(item);
        Ok(Ok(()))
    }

    fn cancel(&mut self, _: &str, _: u32) -> Result<Result<(), String>, StoreError> {
        Ok(Ok(()))
    }
}
