//! The guest alone, by hand: for events that no command of the host writes.
//!
//! It is a host of its own in small: facts are offered to the guest first, as
//! every host must do, but for the three that the contract excepts.

use anyhow::{Context, Result};
use refrain::ExecutionId;
use refrain::guest::{Instance, Library};
use refrain::log::export::{ExportWriter, Header};
use refrain::model::{Digest, Event, EventKind, NodeCompleted, NodeStarted, WorkflowStarted};
use refrain::store::Head;

use crate::chained::follow;
use crate::engines::BEGIN;
use crate::memory_ports::MemoryPorts;

/// One execution in the built-in guest.
pub(super) struct Hand {
    id: ExecutionId,
    guest: String,
    instance: Instance<MemoryPorts>,
    ports: MemoryPorts,
}

impl Hand {
    /// An execution of `w` 1.0.0 begins; `change` may say more in event 1.
    pub(super) fn start(
        library: &mut Library,
        id: u8,
        workflow: &str,
        change: impl FnOnce(&mut WorkflowStarted),
    ) -> Result<Self> {
        let guest = library.built_in().to_owned();
        let id = ExecutionId::from_bytes([id; 16]);
        let text = Digest::of(workflow.as_bytes());
        let named = ("w", "1.0.0", text);
        let mut started = WorkflowStarted::new(id.to_string(), named, guest.parse()?);
        started.seed = 7;
        change(&mut started);
        let mut hand = Self {
            id,
            instance: library.instance(&guest)?,
            guest,
            ports: MemoryPorts {
                workflow: workflow.to_owned(),
                now: BEGIN,
                ..MemoryPorts::default()
            },
        };
        hand.fact(EventKind::WorkflowStarted(started))?;
        Ok(hand)
    }

    /// The digest of the guest.
    pub(super) fn guest(&self) -> Digest {
        let digest = self.guest.parse();
        digest.expect("the library calls its guests by their digests")
    }

    /// A second later the guest admits a fact, and ticks.
    pub(super) fn fact(&mut self, kind: EventKind) -> Result<()> {
        self.ports.now += 1000;
        let fact = self.ports.fact(kind);
        self.admit(fact)?;
        self.tick()
    }

    /// A second later the host appends what the guest is not asked about.
    pub(super) fn unasked(&mut self, kind: EventKind) -> Result<()> {
        self.ports.now += 1000;
        let fact = self.ports.fact(kind);
        self.ports.push(fact);
        self.tick()
    }

    /// The node's item is claimed and completed, with nothing.
    pub(super) fn complete(&mut self, node: &str) -> Result<()> {
        let items = &self.ports.items;
        let item = items.iter().find(|item| item.node_id == node);
        let attempt = item.with_context(|| format!("{node} has no item"))?.attempt;
        self.ports.now += 1000;
        let fence = self.ports.events.len() as u64 + 1;
        let claim = NodeStarted::new(node, "worker-1", attempt, fence);
        self.admit(self.ports.fact(EventKind::NodeStarted(claim)))?;
        let mut completed = NodeCompleted::new(node, attempt, fence);
        completed.duration_ms = 1000;
        self.fact(EventKind::NodeCompleted(completed))
    }

    /// The log, as an export.
    pub(super) fn export(&self) -> Result<String> {
        let events = self.ports.events.iter();
        let stored: Vec<_> = events
            .scan(Head::default(), |head, event| {
                let stored = follow(head, event.clone());
                *head = stored.head();
                Some(stored)
            })
            .collect();
        let header = Header {
            execution_id: self.id.to_string(),
            workflow: self.ports.workflow.clone(),
            guest_digest: self.guest.clone(),
            head: stored.last().context("the log is empty")?.head(),
            owed_a_step: false,
        };
        let mut writer = ExportWriter::new(Vec::new(), &header)?;
        for event in &stored {
            writer.event(event)?;
        }
        Ok(String::from_utf8(writer.finish()?)?)
    }

    fn admit(&mut self, fact: Event) -> Result<()> {
        let ports = std::mem::take(&mut self.ports);
        let (ports, answer) = self.instance.admit(ports, self.id, &fact);
        self.ports = ports;
        answer?;
        self.ports.push(fact);
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        loop {
            let ports = std::mem::take(&mut self.ports);
            let last = ports.events.len() as u64;
            let (ports, answer) = self.instance.tick(ports, self.id, last);
            self.ports = ports;
            if !answer?.more {
                return Ok(());
            }
        }
    }
}
