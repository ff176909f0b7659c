//! The shell: ports in, machine, ports out.
//!
//! A [`Scheduler`] keeps machines between calls. They are a cache: each call
//! first brings its machine up to date, and dropping one at any moment changes
//! no answer. The ports are called in a fixed order: workflow and snapshot (the
//! first time), events, clock, append, queue.
//!
//! Natively the [`World`] is whatever a test makes it; in the component it is
//! the generated imports.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use crate::apply::digest_of_text;
use crate::contract::{
    AppendError, Description, Event, Explanation, Fault, IllegalEvent, Inspection, Outcome,
    SchedulerError, Snapshot, WorkItem, WorkflowSummary,
};
use crate::limits::EVENTS_PAGE;
use crate::machine::{Batch, Machine, Order};
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
    executions: BTreeMap<String, Cached>,
    /// Parsed workflows by the digest of their text, while an execution needs
    /// them.
    plans: BTreeMap<String, Weak<Plan>>,
}

/// What is kept of one execution.
#[derive(Debug)]
struct Cached {
    plan: Arc<Plan>,
    workflow_digest: String,
    /// None: event 1 has not come.
    machine: Option<Machine>,
}

impl Scheduler {
    /// A scheduler that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            executions: BTreeMap::new(),
            plans: BTreeMap::new(),
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
        let last_sequence = fact.sequence.saturating_sub(1);
        self.ask(world, execution_id, Some(last_sequence), |_, cached| {
            let taken = cached.take(execution_id, fact);
            taken.map_err(SchedulerError::Illegal)?;
            let machine = cached.machine()?;
            Ok(outcome(machine, machine.is_due(Timestamp(fact.at))))
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
        let outcome = self.ask(world, execution_id, Some(last_sequence), |world, cached| {
            tick(cached.machine()?, world)
        });
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
        self.ask(world, execution_id, None, |_, cached| {
            let explanation = cached.machine()?.explain(node_id);
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
        self.ask(world, execution_id, None, |_, cached| {
            cached.machine().map(|machine| machine.inspect())
        })
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
        self.ask(world, execution_id, None, |_, cached| {
            cached.machine().map(|machine| machine.snapshot())
        })
    }

    /// Drop what is cached for an execution.
    pub fn forget(&mut self, execution_id: &str) {
        self.executions.remove(execution_id);
        self.plans.retain(|_, plan| plan.strong_count() > 0);
    }

    /// Put a question to an execution that is up to date. Where the caller
    /// knows the log's last event, and it has been seen, nothing is read.
    fn ask<W: World, T>(
        &mut self,
        world: &mut W,
        execution_id: &str,
        last_sequence: Option<u64>,
        question: impl FnOnce(&mut W, &mut Cached) -> Result<T, SchedulerError>,
    ) -> Result<T, SchedulerError> {
        if !self.executions.contains_key(execution_id) {
            let cached = self.load(world, execution_id)?;
            self.executions.insert(execution_id.to_owned(), cached);
        }
        let cached = self.executions.get_mut(execution_id);
        let cached = cached.expect("what was not there has just been loaded");
        if last_sequence != Some(cached.sequence())
            && let Err(error) = cached.read_on(world, execution_id)
        {
            self.executions.remove(execution_id);
            return Err(error);
        }
        question(world, cached)
    }

    fn load(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
    ) -> Result<Cached, SchedulerError> {
        let (plan, workflow_digest) = self.load_plan(world)?;
        let restore = |snapshot: Snapshot| {
            let machine = Machine::restore(plan.clone(), &workflow_digest, &snapshot)?;
            match &machine.state().started.execution_id {
                id if id == execution_id => Ok(machine),
                id => Err(format!("it is of {id}, and not of {execution_id}")),
            }
        };
        let machine = world
            .load_snapshot()
            .map(restore)
            .transpose()
            .map_err(SchedulerError::BadSnapshot)?;
        Ok(Cached {
            plan,
            workflow_digest,
            machine,
        })
    }

    fn load_plan(&mut self, world: &mut impl World) -> Result<(Arc<Plan>, String), SchedulerError> {
        let text = world.load_workflow();
        let digest = digest_of_text(&text);
        if let Some(plan) = self.plans.get(&digest).and_then(Weak::upgrade) {
            return Ok((plan, digest));
        }
        let plan = Arc::new(workflow::parse(&text).map_err(SchedulerError::InvalidWorkflow)?);
        self.plans.insert(digest.clone(), Arc::downgrade(&plan));
        Ok((plan, digest))
    }
}

impl Cached {
    /// Apply all events that were not seen yet.
    fn read_on(
        &mut self,
        world: &mut impl World,
        execution_id: &str,
    ) -> Result<(), SchedulerError> {
        loop {
            let page = world.read_events(self.sequence() + 1, EVENTS_PAGE);
            if page.is_empty() {
                return Ok(());
            }
            for event in &page {
                self.take(execution_id, event)
                    .map_err(SchedulerError::Illegal)?;
            }
        }
    }

    fn sequence(&self) -> u64 {
        self.machine.as_ref().map_or(0, Machine::sequence)
    }

    fn machine(&mut self) -> Result<&mut Machine, SchedulerError> {
        self.machine.as_mut().ok_or_else(|| {
            SchedulerError::Illegal(IllegalEvent {
                sequence: 1,
                reason: "the log is empty; its first event must be workflow_started".to_string(),
            })
        })
    }

    fn take(&mut self, execution_id: &str, event: &Event) -> Result<(), IllegalEvent> {
        if let Some(machine) = &mut self.machine {
            return machine.apply(event);
        }
        let machine = Machine::start(self.plan.clone(), &self.workflow_digest, event)?;
        let named = &machine.state().started.execution_id;
        if named != execution_id {
            let reason = format!("it starts {named}, and this is the log of {execution_id}");
            return Err(IllegalEvent {
                sequence: event.sequence,
                reason,
            });
        }
        self.machine = Some(machine);
        Ok(())
    }
}

fn tick(machine: &mut Machine, world: &mut impl World) -> Result<Outcome, SchedulerError> {
    let now = world.now();
    let expected = machine.sequence();
    let Batch {
        events,
        orders,
        more,
    } = machine.drain(now).map_err(SchedulerError::Illegal)?;
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
        status: machine.status(),
        last_sequence: machine.sequence(),
        next_wake: machine.next_wake().map(|wake| wake.0),
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
    }
}
