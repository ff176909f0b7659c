//! An execution is played once more, until nothing more happens.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use serde_json::json;

use super::assumption::{Assumed, Assumption, Unended};
use super::measures::AtWork;
use super::recorded::{AttemptRecord, Recorded, Waits, When, name};
use super::tree::{Place, Recordings};
use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::id::ExecutionId;
use crate::json::Json;
use crate::live::{Answer, Claim, Execution, Next};
use crate::model::{ChildEnded, Event, EventKind, Status, Timestamp};
use crate::world::{Outcome, STAND_IN_QUEUE, Workers, World};

/// Events that are read at once.
const PAGE: u32 = 1024;

/// How much simulated time it may take: a year.
const UNTIL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How long an attempt takes that never ends: longer than all else.
const FOR_EVER: Duration = Duration::from_secs(2 * UNTIL.as_secs());

/// An execution of the simulation, as far as it has come.
pub(super) struct Run<'a> {
    execution: Execution,
    place: Place,
    /// What was recorded of it. `None` if nothing was.
    pub(super) recorded: Option<&'a Recorded>,
    /// Whether something stands in for its workflow, whose text is not known.
    pub(super) is_stand_in: bool,
    pub(super) events: Vec<Event>,
    waits: Waits,
    at_work: AtWork,
}

/// What is to be done: to which run, and the place among its acts.
type Due = (usize, usize);

/// An execution that is being played, with all that it starts.
pub(super) struct Play<'a> {
    pub(super) world: World,
    recordings: &'a Recordings,
    /// The queues that work is dispatched to.
    queues: BTreeSet<String>,
    /// How many attempts workers can be at.
    at_work_max: usize,
    events_max: usize,
    workers: Workers,
    pub(super) runs: Vec<Run<'a>>,
    places: HashMap<ExecutionId, usize>,
    /// What is to be done, in the order of time: of one time, in the order in which it was
    /// found.
    acts: BTreeMap<(Timestamp, usize), Due>,
    /// What was refused when its time came, and is tried again when something has changed.
    refused: Vec<Due>,
    acts_found: usize,
    /// What was done: the run, and the place among its acts.
    done: HashSet<(usize, usize)>,
    events: usize,
    /// Nothing may be claimed: when that was last tried, there was nothing, and since then
    /// only signals have come.
    is_nothing_claimable: bool,
    until: Timestamp,
    /// When claims end that hold for ever.
    for_ever: Timestamp,
    next: Next,
    pub(super) assumptions: Vec<Assumption>,
}

impl Run<'_> {
    fn has_ended(&self) -> bool {
        let last = self.events.last();
        last.is_some_and(|event| event.kind.is_terminal())
    }
}

impl<'a> Play<'a> {
    pub(super) fn new(
        world: World,
        recordings: &'a Recordings,
        queues: BTreeSet<String>,
        (at_work_max, events_max): (usize, usize),
    ) -> Self {
        let until = world.now().saturating_add(milliseconds(UNTIL));
        let for_ever = world.now().saturating_add(milliseconds(FOR_EVER));
        Self {
            world,
            recordings,
            queues,
            at_work_max,
            events_max,
            workers: Workers::default(),
            runs: Vec::new(),
            places: HashMap::new(),
            acts: BTreeMap::new(),
            refused: Vec::new(),
            acts_found: 0,
            done: HashSet::new(),
            events: 0,
            is_nothing_claimable: false,
            until,
            for_ever,
            next: Next::Now,
            assumptions: Vec::new(),
        }
    }

    /// Plays this execution. Says why it did not come to its end, if it did not.
    pub(super) fn run(&mut self, execution: Execution) -> Result<Option<Unended>, EngineError> {
        self.add(execution, Vec::new(), false);
        let why = loop {
            self.settle()?;
            if self.is_too_long() {
                break Unended::TooManyEvents;
            }
            if self.act()? {
                continue;
            }
            match self.next_time() {
                Some(at) if at <= self.until => {
                    self.is_nothing_claimable &= !self.workers.may_begin_by(at);
                    self.world.advance_to(at);
                }
                Some(at) if at < self.for_ever => break Unended::TooLong,
                _ => break Unended::NothingFollows,
            }
        };
        self.tell_undone();
        for it in self.workers.take_refused() {
            self.assume(it.node, Assumed::Refused(it.attempt, it.why));
        }
        Ok((!self.runs[0].has_ended()).then_some(why))
    }

    /// Names what people and other programs did, and do not do now.
    fn tell_undone(&mut self) {
        for run in 0..self.runs.len() {
            let acts = self.runs[run].recorded.iter().flat_map(|it| &it.acts);
            let undone: Vec<String> = acts
                .enumerate()
                .filter(|(place, _)| !self.done.contains(&(run, *place)))
                .map(|(_, act)| act.deed.in_words())
                .collect();
            let node = self.whole_name(run, "").trim_end_matches('/').to_owned();
            for what in undone {
                self.assume(node.clone(), Assumed::NotDone(what));
            }
        }
    }

    fn is_too_long(&self) -> bool {
        self.events > self.events_max
    }

    fn add(&mut self, execution: Execution, place: Place, is_stand_in: bool) {
        let recorded = self.recordings.logs.get(&place);
        let run = self.runs.len();
        self.places.insert(execution.id(), run);
        self.runs.push(Run {
            execution,
            recorded,
            is_stand_in,
            place,
            events: Vec::new(),
            waits: Waits::default(),
            at_work: AtWork::default(),
        });
        let now = self.world.now();
        let acts = recorded.iter().flat_map(|it| &it.acts);
        for (place, act) in acts.enumerate() {
            if let When::AfterStart(after) = &act.when {
                self.do_at(now.saturating_add(milliseconds(*after)), (run, place));
            }
        }
    }

    fn do_at(&mut self, at: Timestamp, due: Due) {
        self.acts.insert((at, self.acts_found), due);
        self.acts_found += 1;
    }

    /// Lets everything happen that happens by itself now.
    fn settle(&mut self) -> Result<(), EngineError> {
        loop {
            self.world.drain();
            let before = self.events;
            self.follow()?;
            let has_claimed = !self.is_nothing_claimable && self.claim()?;
            let has_answered = self.workers.answer(&mut self.world)?.is_some();
            let is_still = !has_claimed && !has_answered && self.events == before;
            if is_still || self.is_too_long() {
                self.next = self.world.drain();
                return Ok(());
            }
            self.try_again()?;
        }
    }

    /// Workers take what work there is, and begin with it. Whether there was any.
    fn claim(&mut self) -> Result<bool, EngineError> {
        let at_work: usize = self.runs.iter().map(|run| run.at_work.count()).sum();
        let free = self.at_work_max.saturating_sub(at_work);
        let claims = self.workers.claim(&mut self.world, &self.queues, free)?;
        self.is_nothing_claimable = claims.is_empty();
        let has_claimed = !claims.is_empty();
        // A child can have begun while work was claimed.
        self.follow()?;
        for claim in claims {
            self.begin(claim)?;
        }
        Ok(has_claimed)
    }

    /// When something happens next.
    fn next_time(&mut self) -> Option<Timestamp> {
        if self.runs.iter().all(Run::has_ended) {
            return None;
        }
        let now = self.world.now();
        let act = self.acts.first_key_value().map(|((at, _), _)| *at);
        let engine = match self.next {
            Next::At(at) => Some(at.max(now.saturating_add(1))),
            Next::Now => Some(now),
            Next::WhenAsked | Next::Ended => None,
        };
        let workers = self.workers.next(&self.world);
        [act, engine, workers].into_iter().flatten().min()
    }

    /// Does the first act that is due. Says whether there was one.
    fn act(&mut self) -> Result<bool, EngineError> {
        let now = self.world.now();
        let Some(first) = self.acts.first_entry().filter(|it| it.key().0 <= now) else {
            return Ok(false);
        };
        let due = first.remove();
        if !self.is_taken(due)? {
            self.refused.push(due);
        }
        Ok(true)
    }

    /// Something has changed: what was refused may be taken now.
    fn try_again(&mut self) -> Result<(), EngineError> {
        for due in std::mem::take(&mut self.refused) {
            if !self.is_taken(due)? {
                self.refused.push(due);
            }
        }
        Ok(())
    }

    fn is_taken(&mut self, due: Due) -> Result<bool, EngineError> {
        let (run, place) = due;
        let Some(act) = self.runs[run].recorded.and_then(|it| it.acts.get(place)) else {
            return Ok(true);
        };
        let execution = self.runs[run].execution.clone();
        let execution = match &act.by {
            Some(by) => execution.by(by),
            None => execution,
        };
        match self.world.until(act.deed.done_to(&execution)) {
            Ok(()) => {
                self.done.insert(due);
                Ok(true)
            }
            Err(EngineError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads what has come to the logs.
    fn follow(&mut self) -> Result<(), EngineError> {
        let mut run = 0;
        while run < self.runs.len() {
            if !self.runs[run].has_ended() {
                self.follow_one(run)?;
            }
            run += 1;
        }
        Ok(())
    }

    fn follow_one(&mut self, run: usize) -> Result<(), EngineError> {
        loop {
            let first = self.runs[run].events.last().map_or(1, |it| it.sequence + 1);
            let execution = self.runs[run].execution.clone();
            let page = self.world.until(execution.events(first, PAGE))?;
            let is_last = page.len() < PAGE as usize;
            for stored in page {
                self.take(run, stored.event)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn take(&mut self, run: usize, event: Event) -> Result<(), EngineError> {
        self.events += 1;
        let is_signal = matches!(event.kind, EventKind::ExternalEventReceived(_));
        self.is_nothing_claimable &= is_signal;
        self.workers.follow(self.runs[run].execution.id(), &event);
        self.runs[run].at_work.apply(&event);
        if let EventKind::ChildStarted(it) = &event.kind {
            let mut place = self.runs[run].place.clone();
            place.push(name(&it.node_id, it.attempt, it.iteration));
            let id = it.child_id.parse();
            let id = id.map_err(|_| EngineError::Died(format!("{:?} is no id", it.child_id)))?;
            let child = self.world.engine.execution(id);
            let record = self.world.until(child.record())?;
            let workflow = (record.workflow_id, record.workflow_version);
            let is_stand_in = matches!(self.recordings.named.get(&workflow), Some(None));
            if !is_stand_in && !self.recordings.logs.contains_key(&place) {
                let node = self.whole_name(run, &it.node_id);
                self.assume(node, Assumed::NoLog);
            }
            self.add(child, place, is_stand_in);
        }
        if let Some((node, nth)) = self.runs[run].waits.apply(&event) {
            self.waits(run, &node, nth, event.at);
        }
        self.runs[run].events.push(event);
        Ok(())
    }

    /// A node has begun to wait: the one who ended its wait does so again, after the same time.
    fn waits(&mut self, run: usize, node: &str, nth: u32, at: Timestamp) {
        let Some(recorded) = self.runs[run].recorded else {
            return;
        };
        for (place, delay) in recorded.ends_of_wait(node, nth) {
            self.do_at(at.saturating_add(milliseconds(*delay)), (run, *place));
        }
    }

    /// An attempt begins, and it is known when and how it will end.
    fn begin(&mut self, claim: Claim) -> Result<(), EngineError> {
        let id = claim.id;
        let run = self.places.get(&id.execution).copied();
        let run = run.ok_or_else(|| EngineError::Died("a claim of a stranger".to_owned()))?;
        let node = self.whole_name(run, &id.node_id);
        let end = if claim.item.queue == STAND_IN_QUEUE && self.runs[run].is_stand_in {
            self.end_of_child(run)
        } else {
            self.end_of_attempt(run, &node, &id.node_id, id.attempt)
        };
        self.workers.begin(&mut self.world, node, id, end)
    }

    fn end_of_attempt(
        &mut self,
        run: usize,
        whole: &str,
        node: &str,
        attempt: u32,
    ) -> (Duration, Outcome) {
        let known = match self.runs[run].recorded {
            Some(recorded) => recorded.attempt(node, attempt),
            None => AttemptRecord::Never,
        };
        let (what, end) = match known {
            AttemptRecord::Ended(_, Outcome::NeverEnds) => return (FOR_EVER, Outcome::NeverEnds),
            AttemptRecord::Ended(took, outcome) => return (took, outcome.clone()),
            AttemptRecord::Stopped(took) => (
                Assumed::Stopped(attempt, took),
                (FOR_EVER, Outcome::NeverEnds),
            ),
            AttemptRecord::Further(_, Outcome::NeverEnds) => {
                (Assumed::Further(attempt), (FOR_EVER, Outcome::NeverEnds))
            }
            AttemptRecord::Further(took, outcome) => {
                (Assumed::Further(attempt), (took, outcome.clone()))
            }
            AttemptRecord::Never => (Assumed::Never, (Duration::ZERO, nothing())),
        };
        self.assume(whole.to_owned(), what);
        end
    }

    /// What stands in for a child ends as its parent's log says that the child did.
    fn end_of_child(&mut self, run: usize) -> (Duration, Outcome) {
        let mut parent = self.runs[run].place.clone();
        let child = parent.pop();
        let recorded = self.recordings.logs.get(&parent);
        let ended = recorded
            .zip(child)
            .and_then(|(parent, child)| parent.children.get(&child));
        if let Some((took, ended)) = ended {
            if let Some(outcome) = outcome(ended) {
                return (*took, outcome);
            }
            return (FOR_EVER, Outcome::NeverEnds);
        }
        let node = self.whole_name(run, "");
        self.assume(node.trim_end_matches('/').to_owned(), Assumed::Never);
        (Duration::ZERO, nothing())
    }

    fn assume(&mut self, node: String, what: Assumed) {
        let assumption = Assumption { node, what };
        if !self.assumptions.contains(&assumption) {
            self.assumptions.push(assumption);
        }
    }

    /// The name of a node with the way to its execution.
    fn whole_name(&self, run: usize, node: &str) -> String {
        let way = self.runs[run].place.iter();
        let way: String = way.map(|it| format!("{}/", it.node_id)).collect();
        format!("{way}{node}")
    }
}

/// What a worker says of whom nothing is known.
fn nothing() -> Outcome {
    Outcome::Completes(Answer::output(json!({})))
}

/// How something ends that stands in for a child that ended so. `None` if it was cancelled.
fn outcome(ended: &ChildEnded) -> Option<Outcome> {
    match ended.status {
        Status::Completed => {
            let state = ended.output.clone().unwrap_or_else(|| "{}".to_owned());
            Some(Outcome::Completes(Answer::output(Json::trusted(state))))
        }
        Status::Failed => {
            let error = ended.error.clone().unwrap_or_default();
            Some(Outcome::Fails(WorkError::permanent(error)))
        }
        _ => None,
    }
}
