//! One execution in memory, with its guest: a host of its own in small, driven by
//! hand.

use std::fmt;

use super::{CallError, GuestFailure, Instance, MemoryPorts};
use crate::id::ExecutionId;
use crate::model::{EventKind, IllegalEvent, Outcome, SchedulerError, WorkflowStarted};

/// An execution whose log, queue and clock are in memory, and the guest that
/// decides about it.
///
/// ```
/// use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
/// use refrain::id::ExecutionId;
/// use refrain::model::Status;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let workflow = r#"{"workflow_id": "one", "version": "1.0.0", "start_node": "a", "edges": [],
///     "nodes": {"a": {"kind": {"type": "tool", "tool_ref": "greet"}}}}"#;
/// let mut library = Library::new(Sandbox::new(CallLimits::default())?);
/// let digest = library.built_in().to_owned();
///
/// let ports = MemoryPorts::new(workflow, 1_000);
/// let started = ports.started(ExecutionId::random(), digest.parse()?);
/// let mut execution = InMemoryExecution::start(library.instance(&digest)?, ports, started)?;
/// assert_eq!(execution.ports.items[0].node_id, "a");
/// let outcome = execution.complete("a", "{}")?.expect("it has an item");
/// assert_eq!(outcome.status, Status::Completed);
/// # Ok(())
/// # }
/// ```
pub struct InMemoryExecution {
    /// Its world.
    pub ports: MemoryPorts,
    id: ExecutionId,
    instance: Instance<MemoryPorts>,
    fuel_burnt: u64,
}

impl fmt::Debug for InMemoryExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryExecution")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl InMemoryExecution {
    /// Starts an execution: event 1 is offered to the guest, and stands in the log
    /// then, with what the guest decides.
    ///
    /// # Errors
    /// [`CallError`] if the guest refuses it, or fails.
    pub fn start(
        instance: Instance<MemoryPorts>,
        ports: MemoryPorts,
        started: WorkflowStarted,
    ) -> Result<Self, CallError> {
        // An id that is none is refused by the guest.
        let id = started
            .execution_id
            .parse()
            .unwrap_or_else(|_| ExecutionId::random());
        let mut execution = Self {
            ports,
            id,
            instance,
            fuel_burnt: 0,
        };
        execution.offer(EventKind::WorkflowStarted(Box::new(started)))?;
        Ok(execution)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// Calls the guest once: it is offered these facts, and decides.
    ///
    /// # Errors
    /// [`CallError`] if the guest fails, or does not keep to the contract.
    pub fn step(&mut self, facts: &[EventKind]) -> Result<Outcome, CallError> {
        let mut ports = std::mem::take(&mut self.ports);
        ports.call = super::Call::default();
        let last = ports.last_sequence();
        let (ports, answer) = self.instance.step(ports, self.id, last, facts);
        self.ports = ports;
        self.fuel_burnt += self.instance.fuel_burnt();
        let outcome = answer?;
        let closed = self.ports.close(facts, &outcome);
        closed.map_err(GuestFailure::Malformed)?;
        Ok(outcome)
    }

    /// Offers what would be the next fact, and has the guest decide until nothing
    /// more follows.
    ///
    /// # Errors
    /// [`CallError`] if the guest refuses it, or fails.
    pub fn offer(&mut self, fact: EventKind) -> Result<Outcome, CallError> {
        let sequence = self.ports.last_sequence() + 1;
        let mut outcome = self.step(&[fact])?;
        if let Some(refusal) = outcome.refused.pop() {
            return Err(CallError::Scheduler(SchedulerError::Illegal(
                IllegalEvent {
                    sequence,
                    code: refusal.code,
                    reason: refusal.message,
                },
            )));
        }
        while outcome.more {
            outcome = self.step(&[])?;
        }
        Ok(outcome)
    }

    /// A worker claims the node's item, and completes it with this patch to the
    /// state. `None` if the node has no item.
    ///
    /// # Errors
    /// [`CallError`] if the guest refuses one of the two, or fails.
    pub fn complete(
        &mut self,
        node_id: &str,
        state_patch: &str,
    ) -> Result<Option<Outcome>, CallError> {
        let Some(claim) = self.ports.claim(node_id, "worker") else {
            return Ok(None);
        };
        self.offer(claim)?;
        let Some(completion) = self.ports.completion(node_id, state_patch) else {
            return Ok(None);
        };
        self.offer(completion).map(Some)
    }

    /// The fuel that calls have burnt since this was last asked.
    pub fn take_fuel_burnt(&mut self) -> u64 {
        std::mem::take(&mut self.fuel_burnt)
    }
}
