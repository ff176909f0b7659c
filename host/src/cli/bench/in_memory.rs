//! One execution in memory, and the scheduler component in front of it: what a
//! decision costs without a store, an engine and a worker.

use anyhow::{Context, ensure};
use refrain::guest::{Instance, Library, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::model::{Digest, EventKind, NodeCompleted, NodeStarted, WorkflowStarted};

/// An execution in the component, driven by hand.
pub(super) struct Run {
    id: ExecutionId,
    instance: Instance<MemoryPorts>,
    ports: MemoryPorts,
}

impl Run {
    /// An execution of this workflow, started, in a fresh instance.
    pub(super) fn start(library: &mut Library, workflow: &str, id: &str) -> anyhow::Result<Self> {
        let guest_digest = library.built_in().to_owned();
        let mut run = Self {
            id: ExecutionId::random(),
            instance: library.instance(&guest_digest)?,
            ports: MemoryPorts {
                workflow: workflow.to_owned(),
                now: 1_000,
                ..MemoryPorts::default()
            },
        };
        let workflow = (id, "1.0.0", Digest::of(workflow.as_bytes()));
        let started = WorkflowStarted::new(run.id.to_string(), workflow, guest_digest.parse()?);
        run.admit(EventKind::WorkflowStarted(started))?;
        Ok(run)
    }

    /// Call the scheduler once: it decides what follows.
    pub(super) fn tick(&mut self) -> anyhow::Result<()> {
        let ports = std::mem::take(&mut self.ports);
        let last = ports.last_sequence();
        let (ports, outcome) = self.instance.tick(ports, self.id, last);
        self.ports = ports;
        outcome?;
        Ok(())
    }

    /// Do the first work item that was ordered. False: there is none.
    pub(super) fn work(&mut self) -> anyhow::Result<bool> {
        let Some(item) = self.ports.items.last().cloned() else {
            return Ok(false);
        };
        let fence = self.ports.last_sequence() + 1;
        let (node, attempt) = (item.node_id, item.attempt);
        let started = NodeStarted::new(&node, "w", attempt, fence);
        self.admit(EventKind::NodeStarted(started))?;
        let mut completed = NodeCompleted::new(&node, attempt, fence);
        completed.output = "{}".to_owned();
        self.admit(EventKind::NodeCompleted(completed))?;
        Ok(true)
    }

    /// It has come to its end.
    pub(super) fn ended(&self) -> anyhow::Result<()> {
        let last = self.ports.events.last().context("it never began")?;
        let completed = matches!(last.kind, EventKind::WorkflowCompleted(_));
        ensure!(completed, "the run ended with {:?}", last.kind);
        Ok(())
    }

    fn admit(&mut self, kind: EventKind) -> anyhow::Result<()> {
        let ports = std::mem::take(&mut self.ports);
        let fact = ports.fact(kind);
        let (ports, answer) = self.instance.admit(ports, self.id, &fact);
        self.ports = ports;
        answer?;
        self.ports.push(fact);
        Ok(())
    }
}
