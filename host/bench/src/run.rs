//! One execution in the component and in memory, driven by hand.

use anyhow::{Context, Result};
use refrain::guest::{CallError, CallLimits, Instance, Library, MemoryPorts, Sandbox};
use refrain::id::ExecutionId;
use refrain::model::{
    Digest, Event, EventKind, NodeCompleted, NodeStarted, Outcome, WorkflowStarted,
};

/// One execution in the built-in component.
pub struct Run {
    id: ExecutionId,
    instance: Instance<MemoryPorts>,
    /// The fuel burnt since this was last set to 0.
    pub burnt: u64,
    /// Its world.
    pub ports: MemoryPorts,
}

impl Run {
    /// The workflow, started.
    ///
    /// # Errors
    /// When the component does not run, or refuses the workflow.
    pub fn new(workflow: &str) -> Result<Self> {
        let mut library = Library::new(Sandbox::new(CallLimits::default())?);
        let guest_digest = library.built_in().to_owned();
        let instance = library.instance(&guest_digest)?;
        let id = ExecutionId::random();
        let ports = MemoryPorts {
            workflow: workflow.to_owned(),
            now: 1_000,
            ..MemoryPorts::default()
        };
        let head: serde_json::Value = serde_json::from_str(workflow)?;
        let text = |key: &str| head[key].as_str().unwrap_or_default().to_owned();
        let (workflow_id, version) = (text("workflow_id"), text("version"));
        let started = ports.fact(EventKind::WorkflowStarted(WorkflowStarted::new(
            id.to_string(),
            (&workflow_id, &version, Digest::of(workflow.as_bytes())),
            guest_digest.parse()?,
        )));
        let mut run = Self {
            id,
            instance,
            burnt: 0,
            ports,
        };
        run.admit(started)?;
        Ok(run)
    }

    /// Offer a fact, and append it if it is admitted.
    ///
    /// # Errors
    /// The guest refuses it, or fails.
    pub fn admit(&mut self, fact: Event) -> Result<(), CallError> {
        let ports = std::mem::take(&mut self.ports);
        let (ports, answer) = self.instance.admit(ports, self.id, &fact);
        self.ports = ports;
        self.burnt += self.instance.fuel_burnt();
        answer?;
        self.ports.push(fact);
        Ok(())
    }

    /// Tick once.
    ///
    /// # Errors
    /// The guest fails.
    pub fn tick(&mut self) -> Result<Outcome, CallError> {
        let ports = std::mem::take(&mut self.ports);
        let last = ports.events.len() as u64;
        let (ports, answer) = self.instance.tick(ports, self.id, last);
        self.ports = ports;
        self.burnt += self.instance.fuel_burnt();
        answer
    }

    /// Claim the node's item and complete it, with `{}`.
    ///
    /// # Errors
    /// It has no item, or the guest refuses.
    pub fn complete(&mut self, node_id: &str) -> Result<()> {
        let item = self
            .ports
            .items
            .iter()
            .find(|item| item.node_id == node_id)
            .context("no such item")?;
        let (node_id, attempt) = (item.node_id.clone(), item.attempt);
        let fence = self.ports.events.len() as u64 + 1;
        let started = NodeStarted::new(&node_id, "w", attempt, fence);
        self.admit(self.ports.fact(EventKind::NodeStarted(started)))?;
        let completed = NodeCompleted::new(node_id, attempt, fence);
        self.admit(self.ports.fact(EventKind::NodeCompleted(completed)))?;
        Ok(())
    }
}
