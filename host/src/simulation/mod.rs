//! What the schedule of an execution would have been: the same answers and the same times of
//! work, scheduled anew.
//!
//! The recorded logs say what workers answered and how long they took, what people decided
//! and how long they waited with it, which external events came. All that is played once
//! more by the scheduler itself, on a simulated clock: by another component, with other
//! limits or retry policies, or with fewer workers. Nothing is written anywhere.
//!
//! It is a simulation, and no proof: what nobody knows is assumed, and each assumption is
//! named ([`Assumption`]). An exact answer, decision by decision, is an audit's with another
//! guest ([`Auditor::with_guest`](crate::replay::Auditor::with_guest)).
//!
//! * Attempts take as long as they took, and end so.
//! * The one who ended a wait does so after the node has waited for as long as it did. What else
//!   people and other programs did, they do so long after the start of the execution; if
//!   it is refused then, as soon as it is taken.
//! * Workers take work as soon as there is any, unless their number is bounded
//!   ([`Simulation::with_workers`]).
//! * The delays of retries have the jitter of the execution itself; those of its children have
//!   another one.

mod error;
mod assumption;
mod recorded;
mod tree;
mod measures;
mod play;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::Value;

pub use assumption::{Assumed, Assumption, Unended};
pub use error::SimulationError;
pub use measures::Measures;
use play::Play;
pub use tree::Recordings;

use crate::guest::Library;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::live::{Engine, Start, Workflow};
use crate::model::{Event, EventKind, WorkflowSummary};
use crate::replay::{Change, is_in_place};
use crate::store::ended;
use crate::world::{STAND_IN_QUEUE, World, stand_in};

/// How many events a simulation may have more than its logs: as many times as these.
const EVENTS_TIMES: usize = 10;

/// And so many in any case.
const EVENTS_AT_LEAST: usize = 10_000;

/// How long a claim holds whose worker is said to be dead: it ends with the time that is
/// recorded, and this is how exactly.
const LEASE: Duration = Duration::from_millis(100);

/// How executions are simulated.
#[derive(Clone, Debug)]
pub struct Simulation {
    library: Library,
    guest: Option<String>,
    change: Change,
    workers: Option<NonZeroUsize>,
}

/// What came of a simulation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Simulated {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its workflow.
    pub workflow_id: String,
    /// Its version.
    pub workflow_version: String,
    /// The digest of the guest that was asked.
    pub guest_digest: String,
    /// The schedule that is recorded.
    pub recorded: Measures,
    /// The schedule of the simulation.
    pub simulated: Measures,
    /// Whether both end with the same state. `None` if one of them has not ended.
    pub is_same_state: Option<bool>,
    /// Why the simulation has not come to an end, if it has not.
    pub unended: Option<Unended>,
    /// What nobody knew, in the order in which it was needed.
    pub assumptions: Vec<Assumption>,
}

impl Simulated {
    /// Whether the execution would have come to the same end: with the same status and the
    /// same state. One that has not ended has no end that another could differ from.
    #[must_use]
    pub fn is_same_end(&self) -> bool {
        let is_same = self.recorded.status == self.simulated.status;
        !ended(self.recorded.status) || is_same && self.is_same_state != Some(false)
    }
}

impl Simulation {
    /// Simulations with schedulers of this library: for each execution with the one that its
    /// log names first.
    #[must_use]
    pub fn new(library: Library) -> Self {
        Self {
            library,
            guest: None,
            change: Change::default(),
            workers: None,
        }
    }

    /// With this scheduler, by its digest.
    #[must_use]
    pub fn with_guest(self, digest: impl Into<String>) -> Self {
        Self {
            guest: Some(digest.into()),
            ..self
        }
    }

    /// With other limits, or other retry policies: of the workflow, and of those that it
    /// starts by name.
    #[must_use]
    pub fn with_change(self, change: Change) -> Self {
        Self { change, ..self }
    }

    /// With so many workers, each of which takes work of all queues. Without this, there are
    /// as many as there is work.
    #[must_use]
    pub fn with_workers(self, workers: NonZeroUsize) -> Self {
        Self {
            workers: Some(workers),
            ..self
        }
    }

    /// Simulates this execution.
    ///
    /// # Errors
    /// [`SimulationError`] if it cannot be simulated.
    pub fn run(&self, recordings: &Recordings) -> Result<Simulated, SimulationError> {
        let root = recordings.root();
        if let (Some(parent), true) = (&root.started.parent, is_in_place(&root.workflow)) {
            let parent = parent.execution_id.clone();
            return Err(SimulationError::InPlace { parent });
        }
        let named = root.started.guest_digest.to_string();
        let guest_digest = self.guest.clone().unwrap_or(named);
        let component = self.library.bytes(&guest_digest);
        let component = component
            .ok_or_else(|| SimulationError::NoGuest(guest_digest.clone()))?
            .to_vec();
        let builder = Engine::builder()
            .library(self.library.clone())
            .guest(component)
            .tenant(&root.started.tenant)
            .limits(self.change.limits(root.started.limits));
        let from = root.events.first().map_or(0, |event| event.at);
        let mut world = World::of(builder, LEASE, from)?;
        let (version, queues) = self.register(&mut world, recordings)?;
        let start = start(recordings, &version);
        let execution = world.until(world.engine.clone().start_with(start))?;
        let events: usize = recordings.logs.values().map(|log| log.events.len()).sum();
        let bounds = (
            self.workers.map_or(usize::MAX, NonZeroUsize::get),
            events * EVENTS_TIMES + EVENTS_AT_LEAST,
        );
        let mut play = Play::new(world, recordings, queues, bounds);
        let unended = play.run(execution)?;
        Ok(simulated(recordings, play, guest_digest, unended))
    }

    /// Registers all workflows. Answers the version of the one that is started, and the queues
    /// that their work is on.
    fn register(
        &self,
        world: &mut World,
        recordings: &Recordings,
    ) -> Result<(String, BTreeSet<String>), SimulationError> {
        let root = self.register_one(world, &recordings.root().workflow)?;
        let mut queues = BTreeSet::from_iter(root.queues);
        for ((id, version), text) in &recordings.named {
            let Some(text) = text else {
                world.register(&stand_in(id, version)?)?;
                queues.insert(STAND_IN_QUEUE.to_owned());
                continue;
            };
            let summary = self.register_one(world, text)?;
            if summary.version != *version {
                return Err(SimulationError::Change(format!(
                    "its child's workflow {id} has no version of its own, so the parent names it by what comes of its text; give it a version, or ask about the child by itself"
                )));
            }
            queues.extend(summary.queues);
        }
        Ok((root.version, queues))
    }

    /// Registers a workflow as it is changed.
    fn register_one(
        &self,
        world: &mut World,
        text: &str,
    ) -> Result<WorkflowSummary, SimulationError> {
        let text = self.change.workflow(text);
        let workflow = Workflow::from_json(text.map_err(SimulationError::Change)?)?;
        Ok(world.register(&workflow)?)
    }
}

/// The start of the execution, with this version of its workflow.
fn start(recordings: &Recordings, version: &str) -> Start {
    let started = &recordings.root().started;
    let input = Json::trusted(started.initial_input.clone());
    Start::new(&started.workflow_id, version, input)
        .priority(started.priority)
        .jitter_seed(started.seed)
}

fn simulated(
    recordings: &Recordings,
    play: Play<'_>,
    guest_digest: String,
    unended: Option<Unended>,
) -> Simulated {
    let root = recordings.root();
    let mut recorded: Vec<_> = recordings.logs.iter().collect();
    recorded.sort_by_key(|(place, _)| place.len());
    let recorded = recorded.into_iter();
    let recorded: Vec<_> = recorded
        .map(|(_, log)| (&*log.workflow, log.events.iter().collect()))
        .collect();
    let runs = play.runs.iter().filter(|run| !run.is_stand_in);
    let played: Vec<_> = runs
        .map(|run| {
            let workflow = run.recorded.map_or("", |it| &it.workflow);
            (workflow, run.events.iter().collect())
        })
        .collect();
    let ends = (
        final_state(&root.events),
        play.runs.first().and_then(|run| final_state(&run.events)),
    );
    Simulated {
        execution_id: recordings.execution_id,
        workflow_id: root.started.workflow_id.clone(),
        workflow_version: root.started.workflow_version.clone(),
        guest_digest,
        recorded: Measures::of(&recorded),
        simulated: Measures::of(&played),
        is_same_state: match ends {
            (Some(recorded), Some(simulated)) => Some(recorded == simulated),
            _ => None,
        },
        unended,
        assumptions: play.assumptions,
    }
}

/// The state with which a log ends. `None` if it has not ended.
fn final_state(events: &[Event]) -> Option<Value> {
    let state = match &events.last()?.kind {
        EventKind::WorkflowCompleted(it) => &it.final_state,
        EventKind::WorkflowFailed(it) => &it.final_state,
        EventKind::WorkflowCancelled(it) => &it.final_state,
        _ => return None,
    };
    serde_json::from_str(state).ok()
}
