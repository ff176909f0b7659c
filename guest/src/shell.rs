//! The shell: ports in, machine, ports out.
//!
//! A [`Scheduler`] keeps machines between calls. They are a cache: each call
//! first brings its machine up to date, and dropping one at any moment changes
//! no answer. The ports are called in a fixed order: clock, snapshot (the first
//! time), events, workflow (where the first of them names one that is not at
//! hand), queue, append.
//!
//! Natively the [`World`] is whatever a test makes it; in the component it is
//! the generated imports.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::vec::Vec;

use crate::apply::apply;
use crate::contract::{
    Description, Event, ExecutionId, Explanation, Fact, Fault, IllegalEvent, Inspection, Origin,
    Outcome, Refusal, SchedulerError, Snapshot, WorkflowSummary,
};
use crate::decide::drain;
use crate::explain::{explain, watched};
use crate::guards::{next_wake, stalled_by, status};
use crate::inspect::inspect;
use crate::machine::Machine;
use crate::plan_cache::PlanCache;
use crate::reading::{begun, empty_log, load, read_on, what_was_seen};
use crate::snapshot;
use crate::time::Timestamp;
use crate::workflow::{self, Plan};
pub use crate::world::World;

/// What a scheduler guest offers, over any world.
#[derive(Debug, Default)]
pub struct Scheduler {
    executions: BTreeMap<ExecutionId, Machine>,
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

    /// Take those of the facts that may stand next in the log, whose last event
    /// is `last_sequence`; then decide what follows, order and append it.
    ///
    /// # Errors
    /// The log or the workflow is not what it must be, or the world did not
    /// take what was decided. Nothing of the execution is kept.
    pub fn step(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
        last_sequence: u64,
        facts: Vec<Fact>,
    ) -> Result<Outcome, SchedulerError> {
        let now = world.now();
        let mut facts = (0..).zip(facts);
        let stepped = match last_sequence {
            0 => self.begin(world, execution, now, facts.next()),
            last => self.up_to(world, execution, Some(last)),
        }
        .and_then(|machine| step(machine, world, now, facts));
        if stepped.is_err() {
            self.executions.remove(&execution);
        }
        stepped
    }

    /// Why is this node where it is?
    ///
    /// # Errors
    /// There is no such node, or the execution cannot be brought up to date.
    pub fn explain(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
        node_id: &str,
    ) -> Result<Explanation, SchedulerError> {
        let expressions = self.ask(world, execution, |machine| Ok(watched(machine, node_id)))?;
        let seen = what_was_seen(&mut self.plans, world, execution, expressions)?;
        self.ask(world, execution, |machine| {
            let explanation = explain(machine, node_id, &seen);
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
        execution: ExecutionId,
    ) -> Result<Inspection, SchedulerError> {
        self.ask(world, execution, |machine| Ok(inspect(machine)))
    }

    /// A snapshot of an execution, with an empty head.
    ///
    /// # Errors
    /// The execution cannot be brought up to date.
    pub fn snapshot(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
    ) -> Result<Snapshot, SchedulerError> {
        self.ask(world, execution, |machine| Ok(snapshot::take(machine)))
    }

    /// Drop what is cached for an execution.
    pub fn forget(&mut self, execution: ExecutionId) {
        self.executions.remove(&execution);
    }

    /// Runs `call` on an execution's machine, which is brought up to date first.
    fn ask<T>(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
        call: impl FnOnce(&Machine) -> Result<T, SchedulerError>,
    ) -> Result<T, SchedulerError> {
        call(self.up_to(world, execution, None)?)
    }

    /// An execution begins with this fact.
    fn begin(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
        now: Timestamp,
        first: Option<(u32, Fact)>,
    ) -> Result<&mut Machine, SchedulerError> {
        let (_, kind) = first.ok_or_else(empty_log)?;
        let first = Event {
            sequence: 1,
            at: now.0,
            origin: Origin::Fact,
            kind,
        };
        let machine = begun(&mut self.plans, world, execution, &first)?;
        Ok(match self.executions.entry(execution) {
            Entry::Vacant(place) => place.insert(machine),
            // What was cached is of a log that was not kept.
            Entry::Occupied(mut place) => {
                place.insert(machine);
                place.into_mut()
            }
        })
    }

    /// The execution's machine when it has seen the log up to `last_sequence`;
    /// up to its end, where that is not known. A machine that has seen it all reads
    /// nothing.
    fn up_to(
        &mut self,
        world: &mut impl World,
        execution: ExecutionId,
        last_sequence: Option<u64>,
    ) -> Result<&mut Machine, SchedulerError> {
        let Self { executions, plans } = self;
        let mut place = match executions.entry(execution) {
            Entry::Vacant(place) => {
                let mut machine = load(plans, world, execution)?;
                read_on(&mut machine, world, last_sequence)?;
                return Ok(place.insert(machine));
            }
            Entry::Occupied(place) => place,
        };
        let read = match last_sequence {
            // It holds what was not appended after all, and is not needed: it is
            // a cache.
            Some(last) if last < place.get().sequence() => {
                load(plans, world, execution).map(|machine| drop(place.insert(machine)))
            }
            _ => Ok(()),
        };
        match read.and_then(|()| read_on(place.get_mut(), world, last_sequence)) {
            Ok(()) => Ok(place.into_mut()),
            Err(error) => {
                place.remove();
                Err(error)
            }
        }
    }
}

/// Take facts, then decide; order what was decided, and append it.
fn step(
    machine: &mut Machine,
    world: &mut impl World,
    now: Timestamp,
    facts: impl Iterator<Item = (u32, Fact)>,
) -> Result<Outcome, SchedulerError> {
    let refused = facts
        .filter_map(|(index, fact)| take(machine, now, fact).err().map(|it| refusal(index, it)))
        .collect();
    let expected = machine.sequence();
    let mut batch = drain(machine, now).map_err(SchedulerError::Illegal)?;
    if !batch.orders.is_empty() {
        let digests = world.order(&batch.orders).map_err(SchedulerError::Queue)?;
        batch.name_items(digests).map_err(SchedulerError::Queue)?;
    }
    if !batch.events.is_empty() {
        world
            .append_events(expected, &batch.events)
            .map_err(SchedulerError::Storage)?;
    }
    Ok(Outcome {
        status: status(machine),
        last_sequence: machine.sequence(),
        next_wake: next_wake(machine).map(|wake| wake.0),
        more: batch.more,
        refused,
        stalled_by: stalled_by(machine),
    })
}

/// Take a fact as the next event of the log, if it may stand there.
fn take(machine: &mut Machine, now: Timestamp, kind: Fact) -> Result<(), IllegalEvent> {
    let event = Event {
        sequence: machine.sequence() + 1,
        at: now.0,
        origin: Origin::Fact,
        kind,
    };
    apply(machine, &event)
}

fn refusal(index: u32, illegal: IllegalEvent) -> Refusal {
    let IllegalEvent { code, reason, .. } = illegal;
    Refusal {
        index,
        code,
        message: reason,
    }
}

fn summary(plan: &Plan) -> WorkflowSummary {
    let queues: BTreeSet<&str> = plan.queues().collect();
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
