//! One case, from its start until nothing more happens.

use super::workers::Workers;
use super::world::World;
use crate::error::EngineError;
use crate::guest::Library;
use crate::json::Json;
use crate::live::{Execution, Next, Start, Workflow};
use crate::model::{Event, EventKind, Status, Timestamp};
use crate::render;
use crate::testing::act::{Act, Deed};
use crate::testing::case::Case;

/// Events of one case. The largest workflow has some tens of thousands; one with more
/// tries something again and again.
const EVENTS_MAX: usize = 200_000;

/// Events that are read at once.
const PAGE: u32 = 1024;

/// The workflow that cases are about.
pub(in crate::testing) struct Subject<'a> {
    pub(in crate::testing) workflow: &'a Workflow,
    pub(in crate::testing) id: &'a str,
    pub(in crate::testing) version: &'a str,
    /// The queues that its nodes are dispatched to.
    pub(in crate::testing) queues: &'a [String],
}

/// What came of a case.
pub(in crate::testing) struct Played {
    pub(in crate::testing) events: Vec<Event>,
    pub(in crate::testing) status: Status,
    /// The state at the end.
    pub(in crate::testing) state: Json,
    /// The error of an execution that did not complete.
    pub(in crate::testing) error: Option<String>,
    /// What did not go as the case says: what was wanted, and what came.
    pub(in crate::testing) differences: Vec<(String, String, String)>,
}

/// Plays a case.
pub(in crate::testing) fn play(
    subject: &Subject<'_>,
    case: &Case,
    library: &Library,
) -> Result<Played, EngineError> {
    let mut world = World::new(library, case.begins_at)?;
    let engine = world.engine.clone();
    world.until(engine.register(subject.workflow.clone()))?;
    let start = Start::new(subject.id, subject.version, case.input.clone());
    let execution = world.until(engine.start_with(start))?;
    let mut acts: Vec<&Act> = case.acts.iter().collect();
    // Stable: those of one time stay in their order. The last is taken first.
    acts.sort_by_key(|act| act.at);
    acts.reverse();
    let mut play = Play {
        subject,
        case,
        world,
        execution,
        acts,
        workers: Workers::default(),
        events: Vec::new(),
        next: Next::Now,
        differences: Vec::new(),
    };
    play.run()?;
    play.end()
}

/// A case that is being played.
struct Play<'a> {
    subject: &'a Subject<'a>,
    case: &'a Case,
    world: World,
    execution: Execution,
    /// What is still to be done, the last first.
    acts: Vec<&'a Act>,
    workers: Workers,
    events: Vec<Event>,
    /// What the engine waits for.
    next: Next,
    differences: Vec<(String, String, String)>,
}

impl Play<'_> {
    fn run(&mut self) -> Result<(), EngineError> {
        loop {
            self.settle()?;
            if self.events.len() > EVENTS_MAX {
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
            let before = self.events.len();
            self.follow()?;
            let queues = self.subject.queues;
            let claimed = self.workers.claim(&mut self.world, self.case, queues)?;
            let answered = self.workers.answer(&mut self.world)?;
            let is_still = !claimed && !answered && self.events.len() == before;
            if is_still || self.events.len() > EVENTS_MAX {
                self.next = self.world.drain();
                return Ok(());
            }
        }
    }

    /// Reads what has come to the log.
    fn follow(&mut self) -> Result<(), EngineError> {
        loop {
            let first = self.events.last().map_or(1, |event| event.sequence + 1);
            let execution = self.execution.clone();
            let page = self.world.until(execution.events(first, PAGE))?;
            if page.is_empty() {
                return Ok(());
            }
            for stored in page {
                self.workers.follow(&stored.event);
                self.events.push(stored.event);
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.events
            .last()
            .is_some_and(|event| event.kind.is_terminal())
    }

    /// When something happens next.
    fn next_time(&mut self) -> Option<Timestamp> {
        let now = self.world.now();
        let act = self.acts.last().map(|act| self.case.time(act.at));
        if self.has_ended() {
            return act;
        }
        let engine = match self.next {
            Next::At(at) => Some(at.max(now.saturating_add(1))),
            Next::Now => Some(now),
            Next::WhenAsked | Next::Ended => None,
        };
        let workers = self.workers.next(now);
        [act, engine, workers].into_iter().flatten().min()
    }

    fn act(&mut self, act: &Act) -> Result<(), EngineError> {
        let execution = match &act.by {
            Some(by) => self.execution.clone().by(by),
            None => self.execution.clone(),
        };
        let done = self.world.until(done(&execution, &act.deed));
        let refused = match done {
            Ok(()) => None,
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

    fn end(mut self) -> Result<Played, EngineError> {
        for (node, attempt, why) in std::mem::take(&mut self.workers.refused) {
            let expected = format!("the answer to {node}, attempt {attempt}");
            self.differ("answer", expected, format!("refused: {why}"));
        }
        if self.case.strict {
            for (node, attempt) in std::mem::take(&mut self.workers.unanswered) {
                let expected = format!("an answer to {node}, attempt {attempt}");
                self.differ("strict", expected, "the case has none".to_owned());
            }
        }
        let execution = self.execution.clone();
        let status = self.world.until(execution.record())?.status;
        let last = self.events.last().map(|event| &event.kind);
        let state = match last {
            Some(EventKind::WorkflowCompleted(it)) => it.final_state.clone(),
            Some(EventKind::WorkflowFailed(it)) => it.final_state.clone(),
            Some(EventKind::WorkflowCancelled(it)) => it.final_state.clone(),
            _ => {
                let inspection = self.world.until(execution.inspect())?;
                inspection.merged_state().into_string()
            }
        };
        let error = self.events.last().filter(|event| event.kind.is_terminal());
        let error = error.and_then(|event| render::error(&event.kind));
        Ok(Played {
            status,
            state: Json::trusted(state),
            error: error.map(|it| it.into_owned()),
            differences: self.differences,
            events: self.events,
        })
    }
}

async fn done(execution: &Execution, deed: &Deed) -> Result<(), EngineError> {
    match deed {
        Deed::Decide { node, approval } => execution.approve(node, approval.clone()).await,
        Deed::Send(signal) => execution.send(signal.clone()).await.map(drop),
        Deed::Cancel { reason } => execution.cancel(reason.as_deref()).await,
        Deed::Pause { reason } => execution.pause(reason.as_deref()).await,
        Deed::Unpause { reason } => execution.unpause(reason.as_deref()).await,
        Deed::Retry { node, reason } => execution.retry(node, reason.as_deref()).await,
        Deed::Skip { node, reason } => execution.skip(node, reason.as_deref()).await,
    }
}
