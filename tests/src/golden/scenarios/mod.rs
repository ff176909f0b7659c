//! The scenarios, one golden log each.
//!
//! To add one is to add it to the list: the sets of released guests stay as
//! they are, and the newest set gets it when it is renewed.

mod attempts;
mod children;
mod endings;
mod hosts;
mod maps;
mod people;
mod undone;
mod values;
mod waits;

use anyhow::{Context, Result};
use refrain::Start;
use refrain::guest::Library;
use serde_json::json;

use super::entries::{Entry, Log};
use super::stage::{Props, Stage};
use crate::notation::Graph;

/// What one golden log shows, and how it comes about.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The log's name.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    play: fn(&Cast<'_>) -> Result<String>,
}

/// What every scenario is given.
struct Cast<'a> {
    library: &'a Library,
    seed: u64,
}

macro_rules! scenarios {
    ($( $group:ident::$name:ident: $shows:literal, )*) => {
        /// All scenarios.
        pub const SCENARIOS: &[Scenario] = &[$(
            Scenario { name: stringify!($name), shows: $shows, play: $group::$name },
        )*];
    };
}

scenarios! {
    values::completed: "two nodes complete; a key, a tenant, and what the workers measured",
    values::verbatim: "ids and payloads in any script, odd numbers, line breaks and spaces: kept as they came",
    values::nested_to_the_limit: "JSON nested as deep, and an id as long, as is allowed",
    values::branches: "edge conditions, a condition node's choice, a worker's choice, and what is skipped",
    values::expressions: "texts with expressions: values, a URL, a correlation key, and one that comes to null",
    values::joins: "parallel branches, a join that collects, and one that takes the first",
    values::wide: "more nodes than one step may dispatch, and than may be in flight",
    attempts::retries: "jitter, classes of errors, one that is retried and one that is not",
    attempts::exhaustion: "all attempts spent; what depends on it is blocked, the rest goes on",
    attempts::lease_expiry: "a worker dies, and at last the attempts are spent",
    attempts::node_timeout: "an attempt that runs too long, and its retry",
    attempts::policy_stall: "a policy asks for a person, who has it retried",
    attempts::release: "workers that shut down give their work back, once too often",
    attempts::crash: "the engine is killed at work; another one goes on",
    waits::timer: "a timer fires",
    waits::signals: "external events: early, in time, and one that never comes",
    waits::either: "a wait for whichever comes first, both ways",
    endings::cancel: "a cancel request, and finalizers",
    endings::workflow_timeout: "the workflow's own timeout, and finalizers",
    endings::finalizers: "finalizers in their order after a failure",
    endings::handled: "failures that edges handle: of work, of a rejection, and by the end; and one that none handles",
    endings::race: "a join of two of four, which stops and leaves out the rest",
    endings::terminated: "a terminate that fails, and stops what is under way",
    endings::over_budget: "a budget of money that fails the execution",
    endings::budget_lifted: "a budget of tokens that stalls the execution, and is switched off",
    waits::until: "waits until a time, and for an event that comes while it is waited for",
    children::child: "a child written in place, tried again after a failure; and one that cannot be started",
    children::repeated: "a child that is repeated, and a map of detached ones",
    endings::limit_exceeded: "a limit that the workflow itself declares as exceeded",
    people::approved: "a person approves, with a comment and a patch",
    people::rejected: "a person rejects",
    people::fallback: "nobody decides in time, and the fallback is taken",
    people::paused: "a pause: results are recorded, nothing new is ordered",
    people::operators: "a failed node retried; nodes skipped when failed, at work, waiting and pending",
    maps::expanded: "a map over a list: windows, retries, a tolerated failure, an instance skipped",
    maps::map_retried: "too many instances fail; the rest is cancelled, and the map retried",
    maps::enough: "enough instances complete; the rest is cancelled, or goes on",
    undone::compensated: "what was completed is undone: an expression without a value, an instance, one skipped, one that times out; and a cancel meanwhile",
    hosts::simulated: "simulated time",
    hosts::stalled: "the host saw the guest fail; the stall is lifted",
    hosts::guest_changed: "the execution is handed to a guest, here to the same one",
    attempts::tasks: "everybody's own work, queues and priorities that nodes name, and any work as a finalizer",
    hosts::forked: "the execution was forked, and goes its own way after four events",
}

/// Play all scenarios with the built-in guest of this library.
///
/// # Errors
/// The scenario that could not be played.
pub fn write_all(library: &mut Library) -> Result<Vec<Log>> {
    let built_in = library.built_in().to_owned();
    // Clones share what was compiled before they were made.
    library.check(&built_in)?;
    let logs = (1_u64..).zip(SCENARIOS).map(|(number, scenario)| {
        let cast = Cast {
            library,
            // An engine that follows another takes the next seed.
            seed: number * 100,
        };
        let text = (scenario.play)(&cast).with_context(|| scenario.name)?;
        Ok(Log {
            entry: Entry {
                name: scenario.name.to_owned(),
                shows: scenario.shows.to_owned(),
                compatible: true,
            },
            text,
        })
    });
    logs.collect()
}

impl Cast<'_> {
    /// The graph of the notation, started with `{}`.
    fn stage(&self, graph: &str) -> Result<Stage> {
        self.stage_of(&workflow(graph)?, Start::new("w", "1.0.0", json!({})))
    }

    fn stage_of(&self, workflow: &str, start: Start) -> Result<Stage> {
        self.stage_for("default", workflow, start)
    }

    fn stage_for(&self, tenant: &str, workflow: &str, start: Start) -> Result<Stage> {
        Stage::set(Props {
            tenant,
            library: self.library,
            seed: self.seed,
            workflow,
            start,
            simulated: false,
        })
    }
}

/// The workflow of a graph in the notation.
fn workflow(graph: &str) -> Result<String> {
    let lines = graph.lines().map(str::trim).filter(|line| !line.is_empty());
    let graph = Graph::read(lines).map_err(anyhow::Error::msg)?;
    Ok(graph.workflow)
}
