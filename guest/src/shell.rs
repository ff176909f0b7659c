//! The shell: ports in, machine, ports out.
//!
//! A [`Scheduler`] keeps machines between calls. They are a cache: each call
//! first brings its machine up to date, and dropping one at any moment changes
//! no answer. The ports are called in a fixed order: snapshot (the first time),
//! events, workflow (where the first of them names one that is not at hand),
//! clock, append, queue.
//!
//! Natively the [`World`] is whatever a test makes it; in the component it is
//! the generated imports.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::apply::{apply, start};
use crate::contract::{
    AppendError, Description, Event, EventKind, Explanation, Fault, IllegalEvent, Inspection,
    Outcome, SchedulerError, Snapshot, WorkItem, WorkflowSummary,
};
use crate::decide::{Batch, Order, drain, is_due};
use crate::explain::explain;
use crate::guards::{next_wake, status};
use crate::inspect::inspect;
use crate::key::ExecutionKey;
use crate::limits::EVENTS_PAGE;
use crate::machine::Machine;
use crate::plan_cache::PlanCache;
use crate::snapshot;
use crate::time::Timestamp;
use crate::workflow::plan::Kind;
use crate::workflow::{self, Plan};

/// What the world offers to a call about one execution: the imports of the
/// contract.
pub trait World {
    /// The workflow's text as registered.
    fn load_workflow(&mut self) -> String;
    /// The newest snapshot that this guest wrote, if there is one.
    fn load_snapshot(&mut self) -> Option<Snapshot>;
    /// The events from sequence `first` on, at most `max`; empty: no more.
    fn read_events(&mut self, first: u64, max: u32) -> Vec<Event>;
    /// Append decisions after sequence `expected`.
    ///
    /// # Errors
    /// Nothing was written, and why.
    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), AppendError>;
    /// The clock reading of this turn.
    fn now(&mut self) -> Timestamp;
    /// Order a work item.
    ///
    /// # Errors
    /// Why it is refused.
    fn enqueue(&mut self, item: &WorkItem) -> Result<(), String>;
    /// Take back a node's unsettled work item.
    ///
    /// # Errors
    /// Why it is refused.
    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String>;
}

/// What a scheduler guest offers, over any world.
#[derive(Debug, Default)]
pub struct Scheduler {
    executions: BTreeMap<ExecutionKey, Machine>,
    plans: PlanCache,
}

impl Scheduler {
    /// A scheduler that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            executions: BTreeMap::new(),
            plans: PlanCache::new(),
        }
    }

    /// Is this workflow valid?
    ///
    /// # Errors
    /// All its faults.
    pub fn validate(workflow: &str) -> Result<WorkflowSummary, Vec<Fault>> {
        workflow::parse(workflow).map(|plan| summary(&plan))
    }

    /// What this guest is.
    #[must_use]
    pub fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Take `fact` as the next event of the log, if it may stand there. The
    /// outcome says whether anything follows from it at its own time.
    ///
    /// # Errors
    /// It may not, and nothing changed; or the execution cannot be brought up
    /// to date.
    pub fn admit(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
        fact: &Event,
    ) -> Result<Outcome, SchedulerError> {
        let key = ExecutionKey::of(execution_id)?;
        if fact.sequence == 1 && !self.executions.contains_key(&key) {
            let machine = self.start(world, execution_id, fact)?;
            let outcome = outcome_of(&machine, fact);
            self.executions.insert(key, machine);
            return Ok(outcome);
        }
        let last_sequence = fact.sequence.saturating_sub(1);
        self.with_machine(world, execution_id, Some(last_sequence), |_, machine| {
            apply(machine, fact).map_err(SchedulerError::Illegal)?;
            Ok(outcome_of(machine, fact))
        })
    }

    /// Decide what follows, append and order it. `last_sequence` is the log's
    /// last event.
    ///
    /// # Errors
    /// The log or the workflow is not what it must be, or the world did not
    /// take what was decided. Nothing of the execution is kept.
    pub fn tick(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
        last_sequence: u64,
    ) -> Result<Outcome, SchedulerError> {
        let outcome = self.with_machine(
            world,
            execution_id,
            Some(last_sequence),
            |world, machine| tick(machine, world),
        );
        if outcome.is_err() {
            self.forget(execution_id);
        }
        outcome
    }

    /// Why is this node where it is?
    ///
    /// # Errors
    /// There is no such node, or the execution cannot be brought up to date.
    pub fn explain(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
        node_id: &str,
    ) -> Result<Explanation, SchedulerError> {
        self.with_machine(world, execution_id, None, |_, machine| {
            let explanation = explain(machine, node_id);
            explanation.ok_or_else(|| SchedulerError::UnknownNode(node_id.to_owned()))
        })
    }

    /// The state of an execution.
    ///
    /// # Errors
    /// The execution cannot be brought up to date.
    pub fn inspect(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
    ) -> Result<Inspection, SchedulerError> {
        self.with_machine(world, execution_id, None, |_, machine| Ok(inspect(machine)))
    }

    /// A snapshot of an execution, with an empty head.
    ///
    /// # Errors
    /// The execution cannot be brought up to date.
    pub fn snapshot(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
    ) -> Result<Snapshot, SchedulerError> {
        self.with_machine(world, execution_id, None, |_, machine| {
            Ok(snapshot::take(machine))
        })
    }

    /// Drop what is cached for an execution.
    pub fn forget(&mut self, execution_id: &str) {
        if let Ok(key) = ExecutionKey::of(execution_id) {
            self.executions.remove(&key);
        }
    }

    /// Runs `call` on an execution's machine, which is brought up to date first.
    /// Where the caller knows the log's last event, and it has been seen, nothing
    /// is read.
    fn with_machine<W: World, T>(
        &mut self,
        world: &mut W,
        execution_id: &str,
        last_sequence: Option<u64>,
        call: impl FnOnce(&mut W, &mut Machine) -> Result<T, SchedulerError>,
    ) -> Result<T, SchedulerError> {
        let key = ExecutionKey::of(execution_id)?;
        let machine = match self.executions.get_mut(&key) {
            Some(machine) => machine,
            None => {
                let machine = self.load(world, execution_id)?;
                self.executions.entry(key).or_insert(machine)
            }
        };
        if let Err(error) = read_on(machine, world, last_sequence) {
            self.executions.remove(&key);
            return Err(error);
        }
        call(world, machine)
    }

    /// The execution as its snapshot has it, or else the first page of its log. A
    /// snapshot is a cache: one that cannot be read is not missed.
    fn load(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
    ) -> Result<Machine, SchedulerError> {
        if let Some(snapshot) = world.load_snapshot() {
            match self.restore(world, execution_id, &snapshot) {
                Err(SchedulerError::BadSnapshot(_)) => {}
                restored => return restored,
            }
        }
        let page = world.read_events(1, EVENTS_PAGE);
        let Some((first, rest)) = page.split_first() else {
            return Err(illegal(
                1,
                "the log is empty; its first event must be workflow_started".to_string(),
            ));
        };
        let mut machine = self.start(world, execution_id, first)?;
        apply_all(&mut machine, rest)?;
        Ok(machine)
    }

    fn restore(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
        snapshot: &Snapshot,
    ) -> Result<Machine, SchedulerError> {
        let state = snapshot::state(snapshot).map_err(SchedulerError::BadSnapshot)?;
        let (plan, workflow_digest) = self.plan(world, &state.started.workflow_digest)?;
        let machine = snapshot::resume(plan, &workflow_digest, snapshot, state)
            .map_err(SchedulerError::BadSnapshot)?;
        match &machine.state().started.execution_id {
            id if id == execution_id => Ok(machine),
            id => Err(SchedulerError::BadSnapshot(format!(
                "it is of {id}, and not of {execution_id}"
            ))),
        }
    }

    fn start(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
        first: &Event,
    ) -> Result<Machine, SchedulerError> {
        let named = match &first.kind {
            EventKind::WorkflowStarted(started) => started.workflow_digest.as_str(),
            _ => "",
        };
        let (plan, workflow_digest) = self.plan(world, named)?;
        let machine = start(plan, &workflow_digest, first).map_err(SchedulerError::Illegal)?;
        match &machine.state().started.execution_id {
            id if id == execution_id => Ok(machine),
            id => Err(illegal(
                first.sequence,
                format!("it starts {id}, and this is the log of {execution_id}"),
            )),
        }
    }

    /// The plan of this digest, if it is at hand; else that of the registered
    /// text, and the digest of that.
    fn plan(
        &mut self,
        world: &mut impl World,
        named: &str,
    ) -> Result<(Arc<Plan>, String), SchedulerError> {
        match self.plans.get(named) {
            Some(plan) => Ok((plan, named.to_owned())),
            None => self
                .plans
                .parse(&world.load_workflow())
                .map_err(SchedulerError::InvalidWorkflow),
        }
    }
}

/// Apply all events that were not seen yet: those up to `last_sequence`, where
/// that is known, and else until there are no more.
fn read_on(
    machine: &mut Machine,
    world: &mut impl World,
    last_sequence: Option<u64>,
) -> Result<(), SchedulerError> {
    loop {
        if last_sequence.is_some_and(|last| last <= machine.sequence()) {
            return Ok(());
        }
        let page = world.read_events(machine.sequence() + 1, EVENTS_PAGE);
        if page.is_empty() {
            return Ok(());
        }
        apply_all(machine, &page)?;
    }
}

fn apply_all(machine: &mut Machine, events: &[Event]) -> Result<(), SchedulerError> {
    events
        .iter()
        .try_for_each(|event| apply(machine, event))
        .map_err(SchedulerError::Illegal)
}

fn illegal(sequence: u64, reason: String) -> SchedulerError {
    SchedulerError::Illegal(IllegalEvent { sequence, reason })
}

/// How things stand after a fact, at its own time.
fn outcome_of(machine: &Machine, fact: &Event) -> Outcome {
    outcome(machine, is_due(machine, Timestamp(fact.at)))
}

fn tick(machine: &mut Machine, world: &mut impl World) -> Result<Outcome, SchedulerError> {
    let now = world.now();
    let expected = machine.sequence();
    let Batch {
        events,
        orders,
        more,
    } = drain(machine, now).map_err(SchedulerError::Illegal)?;
    if !events.is_empty() {
        world
            .append_events(expected, &events)
            .map_err(SchedulerError::Append)?;
    }
    for order in &orders {
        match order {
            Order::Enqueue(item) => world.enqueue(item),
            Order::Cancel { node_id, attempt } => world.cancel(node_id, *attempt),
        }
        .map_err(SchedulerError::Queue)?;
    }
    Ok(outcome(machine, more))
}

fn outcome(machine: &Machine, more: bool) -> Outcome {
    Outcome {
        status: status(machine),
        last_sequence: machine.sequence(),
        next_wake: next_wake(machine).map(|wake| wake.0),
        more,
    }
}

fn summary(plan: &Plan) -> WorkflowSummary {
    let queues: BTreeSet<&str> = plan
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            Kind::Work(work) => Some(work.queue),
            _ => None,
        })
        .collect();
    WorkflowSummary {
        workflow_id: plan.workflow_id.clone(),
        version: plan.version.clone(),
        nodes: u32::try_from(plan.nodes.len()).unwrap_or(u32::MAX),
        edges: u32::try_from(plan.edges.len()).unwrap_or(u32::MAX),
        queues: queues.into_iter().map(ToOwned::to_owned).collect(),
        ignored: plan.ignored.clone(),
        unreachable: plan.unreachable.clone(),
    }
}
