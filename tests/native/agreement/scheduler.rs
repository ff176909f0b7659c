//! Those who must agree: the native core, and the component in a sandbox.

use refrain::guest::{CallError, Instance, Library, Sandbox};
use refrain::id::ExecutionId;
use refrain::model::{EventKind, Explanation, Inspection, Outcome, SchedulerError};
use refrain_guest::contract as native;
use refrain_guest::notation::EXECUTION;
use refrain_tests::dice::Dice;
use refrain_tests::memory_ports::{MemoryPorts, NativePorts, across};

/// Someone who schedules the one execution of a ports.
pub(crate) trait Scheduler {
    fn step(
        &mut self,
        ports: &mut MemoryPorts,
        facts: &[EventKind],
    ) -> Result<Outcome, SchedulerError>;
    fn explain(
        &mut self,
        ports: &mut MemoryPorts,
        node: &str,
    ) -> Result<Explanation, SchedulerError>;
    /// The state and its hash.
    fn inspect(&mut self, ports: &mut MemoryPorts) -> Result<(String, String), SchedulerError>;
    fn forget(&mut self);
}

/// The core, as a library.
#[derive(Default)]
pub(crate) struct Native(refrain_guest::shell::Scheduler);

impl Scheduler for Native {
    fn step(
        &mut self,
        ports: &mut MemoryPorts,
        facts: &[EventKind],
    ) -> Result<Outcome, SchedulerError> {
        let last = ports.last_sequence();
        let facts = facts.iter().map(across).collect();
        in_contract(self.0.step(&mut NativePorts(ports), EXECUTION, last, facts))
            .map(|outcome| across(&outcome))
    }

    fn explain(
        &mut self,
        ports: &mut MemoryPorts,
        node: &str,
    ) -> Result<Explanation, SchedulerError> {
        in_contract(self.0.explain(&mut NativePorts(ports), EXECUTION, node)).map(|it| across(&it))
    }

    fn inspect(&mut self, ports: &mut MemoryPorts) -> Result<(String, String), SchedulerError> {
        in_contract(self.0.inspect(&mut NativePorts(ports), EXECUTION))
            .map(|it| (it.state, it.hash))
    }

    fn forget(&mut self) {
        self.0.forget(EXECUTION);
    }
}

fn in_contract<T>(answer: Result<T, native::SchedulerError>) -> Result<T, SchedulerError> {
    answer.map_err(|error| across(&error))
}

/// The component that the product is built with, in some sandbox.
pub(crate) struct Component {
    library: Library,
    digest: String,
    instance: Instance<MemoryPorts>,
    execution: ExecutionId,
    /// Throws for whether the instance is dropped before a call.
    drops: Option<Dice>,
}

impl Component {
    pub(crate) fn new(sandbox: Sandbox) -> anyhow::Result<Self> {
        let mut library = Library::new(sandbox);
        let digest = library.built_in().to_owned();
        Ok(Self {
            instance: library.instance(&digest)?,
            library,
            digest,
            execution: EXECUTION.to_string().parse()?,
            drops: None,
        })
    }

    /// The same, dropped before every fifth call or so. Half of the next
    /// instances find a snapshot.
    pub(crate) fn dropped(self, seed: u64) -> Self {
        Self {
            drops: Some(Dice::seeded(seed)),
            ..self
        }
    }

    fn call<T>(
        &mut self,
        ports: &mut MemoryPorts,
        call: impl FnOnce(
            &mut Instance<MemoryPorts>,
            MemoryPorts,
            ExecutionId,
        ) -> (MemoryPorts, Result<T, CallError>),
    ) -> Result<T, SchedulerError> {
        self.perhaps_drop(ports);
        let (after, answer) = call(&mut self.instance, std::mem::take(ports), self.execution);
        *ports = after;
        answer.map_err(|error| match error {
            CallError::Scheduler(error) => error,
            other => panic!("the component failed: {other}"),
        })
    }

    fn perhaps_drop(&mut self, ports: &mut MemoryPorts) {
        let Some(dice) = &mut self.drops else { return };
        if !dice.chance(1, 5) {
            return;
        }
        if dice.chance(1, 2) && !ports.events.is_empty() {
            let id = self.execution;
            let (after, snapshot) = self.instance.snapshot(std::mem::take(ports), id);
            *ports = after;
            ports.snapshot = Some(snapshot.expect("an execution that has begun has a snapshot"));
        }
        let fresh = self.library.instance(&self.digest);
        self.instance = fresh.expect("what started once starts again");
    }
}

impl Scheduler for Component {
    fn step(
        &mut self,
        ports: &mut MemoryPorts,
        facts: &[EventKind],
    ) -> Result<Outcome, SchedulerError> {
        let last = ports.last_sequence();
        self.call(ports, |instance, ports, id| {
            instance.step(ports, id, last, facts)
        })
    }

    fn explain(
        &mut self,
        ports: &mut MemoryPorts,
        node: &str,
    ) -> Result<Explanation, SchedulerError> {
        self.call(ports, |instance, ports, id| {
            instance.explain(ports, id, node)
        })
    }

    fn inspect(&mut self, ports: &mut MemoryPorts) -> Result<(String, String), SchedulerError> {
        let inspection: Inspection = self.call(ports, Instance::inspect)?;
        Ok((inspection.state, inspection.hash))
    }

    fn forget(&mut self) {
        let forgotten = self.instance.forget(self.execution);
        forgotten.expect("forgetting cannot fail");
    }
}
