//! One case, from its start until nothing more happens.

use std::collections::BTreeSet;

use super::runs::{Run, Runs};
use super::script::Script;
use crate::error::EngineError;
use crate::guest::Library;
use crate::json::Json;
use crate::live::{Next, Start};
use crate::model::{Event, EventKind, Status, Timestamp};
use crate::render;
use crate::testing::act::Act;
use crate::testing::case::Case;
use crate::testing::graph::{Graph, Workflows};
use crate::world::{RefusedAnswer, STAND_IN_QUEUE, Workers, World, stand_in};

/// Events of one case. The largest workflow has some tens of thousands; one with more
/// tries something again and again.
const EVENTS_MAX: usize = 200_000;

/// What came of a case.
pub(in crate::testing) struct Played<'a> {
    /// The execution that was started, then all children, in the order of their starts.
    pub(in crate::testing) runs: Vec<PlayedRun<'a>>,
    /// All events, in the order in which they came: the run, and the place among its events.
    pub(in crate::testing) order: Vec<(usize, usize)>,
    /// What did not go as the case says: what was wanted, and what came.
    pub(in crate::testing) differences: Vec<(String, String, String)>,
}

/// What came of one execution of a case.
pub(in crate::testing) struct PlayedRun<'a> {
    /// What stands before the names of its nodes: nothing, or the node that started it and
    /// a slash.
    pub(in crate::testing) way: String,
    /// The graph of its workflow. `None` if something stood in for that.
    pub(in crate::testing) graph: Option<&'a Graph>,
    pub(in crate::testing) events: Vec<Event>,
    pub(in crate::testing) status: Status,
    /// The state at the end.
    pub(in crate::testing) state: Json,
    /// The error of an execution that did not complete.
    pub(in crate::testing) error: Option<String>,
}

impl<'a> Played<'a> {
    /// What came of the execution that was started.
    pub(in crate::testing) fn subject(&self) -> &PlayedRun<'a> {
        &self.runs[0]
    }

    /// The children of the node of this name, in the order of their starts.
    pub(in crate::testing) fn children_of(&self, node: &str) -> Vec<&PlayedRun<'a>> {
        let runs = self.runs.iter();
        runs.filter(|run| run.way.strip_suffix('/') == Some(node))
            .collect()
    }
}

/// Plays a case.
pub(in crate::testing) fn play<'a>(
    workflows: &'a Workflows,
    case: &'a Case,
    library: &Library,
) -> Result<Played<'a>, EngineError> {
    let mut world = World::new(library, case.begins_at)?;
    let mut queues = BTreeSet::new();
    for given in workflows.all() {
        world.register(&given.workflow)?;
        queues.extend(given.summary.queues.iter().cloned());
    }
    for (id, version) in workflows.not_given() {
        world.register(&stand_in(id, version)?)?;
        queues.insert(STAND_IN_QUEUE.to_owned());
    }
    let subject = &workflows.subject.summary;
    let start = Start::new(&subject.workflow_id, &subject.version, case.input.clone());
    let engine = world.engine.clone();
    let execution = world.until(engine.start_with(start))?;
    let mut acts: Vec<&Act> = case.acts.iter().collect();
    // Stable: those of one time stay in their order. The last is taken first.
    acts.sort_by_key(|act| act.at);
    acts.reverse();
    let mut play = Play {
        case,
        world,
        acts,
        queues,
        workers: Workers::default(),
        script: Script::default(),
        runs: Runs::of(execution, workflows),
        next: Next::Now,
        differences: Vec::new(),
    };
    play.run()?;
    play.end()
}

/// A case that is being played.
struct Play<'a> {
    case: &'a Case,
    world: World,
    /// What is still to be done, the last first.
    acts: Vec<&'a Act>,
    /// The queues that work is dispatched to.
    queues: BTreeSet<String>,
    workers: Workers,
    script: Script,
    runs: Runs<'a>,
    /// What the engine waits for.
    next: Next,
    differences: Vec<(String, String, String)>,
}

impl<'a> Play<'a> {
    fn run(&mut self) -> Result<(), EngineError> {
        loop {
            self.settle()?;
            if self.runs.order.len() > EVENTS_MAX {
                self.differ(
                    "end",
                    format!("at most {EVENTS_MAX} events"),
                    "more; the case is ended".to_owned(),
                );
                return Ok(());
            }
            let now = self.world.now();
            if let Some(act) = self.acts.pop_if(|act| self.case.time(act.at) <= now) {
                self.act(act)?;
                continue;
            }
            match self.next_time() {
                Some(at) if at <= self.case.time(self.case.until) => self.world.advance_to(at),
                _ => return Ok(()),
            }
        }
    }

    /// Lets everything happen that happens by itself now.
    fn settle(&mut self) -> Result<(), EngineError> {
        loop {
            self.world.drain();
            let before = self.runs.order.len();
            self.runs.follow(&mut self.world, &mut self.workers)?;
            let claims = self
                .workers
                .claim(&mut self.world, &self.queues, usize::MAX)?;
            let claimed = !claims.is_empty();
            // A child can have begun while work was claimed.
            self.runs.follow(&mut self.world, &mut self.workers)?;
            for claim in claims {
                let node = self.runs.name_of(&claim.id);
                let end = self.script.answer(self.case, &node, &claim.id);
                self.workers.begin(&mut self.world, node, claim.id, end)?;
            }
            let answered = self.workers.answer(&mut self.world)?.is_some();
            let is_still = !claimed && !answered && self.runs.order.len() == before;
            if is_still || self.runs.order.len() > EVENTS_MAX {
                self.next = self.world.drain();
                return Ok(());
            }
        }
    }

    /// When something happens next.
    fn next_time(&mut self) -> Option<Timestamp> {
        let now = self.world.now();
        let act = self.acts.last().map(|act| self.case.time(act.at));
        if self.runs.have_ended() {
            return act;
        }
        let engine = match self.next {
            Next::At(at) => Some(at.max(now.saturating_add(1))),
            Next::Now => Some(now),
            Next::WhenAsked | Next::Ended => None,
        };
        let workers = self.workers.next(&self.world);
        [act, engine, workers].into_iter().flatten().min()
    }

    fn act(&mut self, act: &Act) -> Result<(), EngineError> {
        // What is done to a node of a child is done to the child.
        let (way, deed) = act.deed.within();
        let way = act.child.as_deref().or(way);
        let run = match way {
            None => self.runs.all.first(),
            Some(way) => self.runs.child_of(way),
        };
        let done = match run.map(|run| run.execution.clone()) {
            Some(execution) => {
                let execution = match &act.by {
                    Some(by) => execution.by(by),
                    None => execution,
                };
                self.world.until(deed.done_to(&execution)).map(|()| true)
            }
            None => Ok(false),
        };
        let refused = match done {
            Ok(true) => None,
            Ok(false) => Some(format!("{} has started no child", way.unwrap_or_default())),
            Err(EngineError::Refused { reason, .. }) => Some(reason),
            Err(error @ (EngineError::Json { .. } | EngineError::TooLong { .. })) => {
                Some(error.to_string())
            }
            Err(error) => return Err(error),
        };
        match (act.is_refused, refused) {
            (false, Some(reason)) => {
                self.differ("act", act.in_words(), format!("refused: {reason}"));
            }
            (true, None) => {
                self.differ(
                    "act",
                    format!("{} is refused", act.in_words()),
                    "it was taken".to_owned(),
                );
            }
            (false, None) | (true, Some(_)) => {}
        }
        Ok(())
    }

    fn differ(&mut self, what: &str, expected: String, found: String) {
        self.differences.push((what.to_owned(), expected, found));
    }

    fn end(mut self) -> Result<Played<'a>, EngineError> {
        for RefusedAnswer { node, attempt, why } in self.workers.take_refused() {
            let expected = format!("the answer to {node}, attempt {attempt}");
            self.differ("answer", expected, format!("refused: {why}"));
        }
        if self.case.strict {
            for (node, attempt) in std::mem::take(&mut self.script.unanswered) {
                let expected = format!("an answer to {node}, attempt {attempt}");
                self.differ("strict", expected, "the case has none".to_owned());
            }
        }
        let Runs { all, order, .. } = self.runs;
        let mut runs = Vec::with_capacity(all.len());
        for run in all {
            runs.push(ended(run, &mut self.world)?);
        }
        Ok(Played {
            runs,
            order,
            differences: self.differences,
        })
    }
}

/// What has come of an execution at the end of its case.
fn ended<'a>(run: Run<'a>, world: &mut World) -> Result<PlayedRun<'a>, EngineError> {
    let Run {
        execution,
        way,
        graph,
        events,
    } = run;
    let status = world.until(execution.record())?.status;
    let state = match events.last().map(|event| &event.kind) {
        Some(EventKind::WorkflowCompleted(it)) => it.final_state.clone(),
        Some(EventKind::WorkflowFailed(it)) => it.final_state.clone(),
        Some(EventKind::WorkflowCancelled(it)) => it.final_state.clone(),
        _ => {
            let inspection = world.until(execution.inspect())?;
            inspection.into_merged_state().into_string()
        }
    };
    let end = events.last().filter(|event| event.kind.is_terminal());
    let error = end.and_then(|event| render::error(&event.kind));
    let error = error.map(|it| it.into_owned());
    Ok(PlayedRun {
        way,
        graph,
        status,
        state: Json::trusted(state),
        error,
        events,
    })
}
