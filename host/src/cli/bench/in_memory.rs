//! One execution in memory, and the scheduler component in front of it: what a
//! decision costs without a store, an engine and a worker.

use anyhow::{Context, ensure};
use refrain::contract::{EventKind, Limits, NodeCompleted, NodeStarted, WorkflowStarted};
use refrain::guest::{Instance, Library, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::limits::{CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT};
use refrain::log::digest::digest;

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
