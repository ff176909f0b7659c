//! The guest alone, by hand: for events that no command of the host writes.
//!
//! It is a host of its own in small: facts are offered to the guest first, as
//! every host must do, but for the three that the contract excepts.

use anyhow::{Context, Error, Result, ensure};
use refrain::ExecutionId;
use refrain::guest::{Instance, Library};
use refrain::model::{Digest, EventKind, WorkflowStarted};

use crate::chained;
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
        let ports = MemoryPorts::new(workflow, BEGIN);
        let mut started = ports.started(id, guest.parse()?);
        started.seed = 7;
        change(&mut started);
        let mut hand = Self {
            id,
            instance: library.instance(&guest)?,
            guest,
            ports,
        };
        hand.fact(EventKind::WorkflowStarted(Box::new(started)))?;
        Ok(hand)
    }

    /// The digest of the guest.
    pub(super) fn guest(&self) -> Digest {
        let digest = self.guest.parse();
        digest.expect("the library calls its guests by their digests")
    }

    /// A second later the guest is offered a fact, and decides.
    pub(super) fn fact(&mut self, kind: EventKind) -> Result<()> {
        self.ports.now += 1000;
        self.decide(&[kind])
    }

    /// A second later the host appends what the guest is not asked about.
    pub(super) fn unasked(&mut self, kind: EventKind) -> Result<()> {
        self.ports.now += 1000;
        self.ports.push(kind);
        self.decide(&[])
    }

    /// The node's item is claimed and completed, with nothing.
    pub(super) fn complete(&mut self, node: &str) -> Result<()> {
        self.ports.now += 1000;
        let claim = self.ports.claim(node, "worker-1");
        self.decide(&[claim.with_context(|| format!("{node} has no item"))?])?;
        self.ports.now += 1000;
        let completion = self.ports.completion(node, "{}");
        self.decide(&[completion.with_context(|| format!("nobody claimed {node}"))?])
    }

    /// The log, as an export.
    pub(super) fn export(&self) -> Result<String> {
        chained::export(&self.ports.workflow, self.ports.events.iter().cloned())
    }

    /// These facts are offered, and must be taken; then until nothing more follows.
    fn decide(&mut self, facts: &[EventKind]) -> Result<()> {
        let mut offered = facts;
        loop {
            let ports = std::mem::take(&mut self.ports);
            let last = ports.last_sequence();
            let (ports, answer) = self.instance.step(ports, self.id, last, offered);
            self.ports = ports;
            let outcome = answer?;
            ensure!(outcome.refused.is_empty(), "{:?}", outcome.refused);
            self.ports.close(offered, &outcome).map_err(Error::msg)?;
            if !outcome.more {
                return Ok(());
            }
            offered = &[];
        }
    }
}
