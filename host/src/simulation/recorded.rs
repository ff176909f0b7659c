//! What the log of one execution says of the world around it: what workers answered and how
//! long they took, and what people and other programs did.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::WorkError;
use crate::json::Json;
use crate::live::{Answer, Approval, Signal};
use crate::model::{
    ApprovalDecision, ApprovalReceived, ChildEnded, ChildName, Event, EventKind,
    ExternalEventReceived, NodeCompleted, NodeFailed, Timestamp, WorkflowStarted,
};
use crate::world::{Deed, Outcome};

/// A log, as it is played once more.
pub(super) struct Recorded {
    pub(super) started: WorkflowStarted,
    pub(super) workflow: Arc<str>,
    pub(super) events: Vec<Event>,
    /// By node and attempt.
    attempts: HashMap<(String, u32), Attempt>,
    /// The greatest attempt of each node.
    greatest: HashMap<String, u32>,
    /// The ends of its children, and how long each was under way.
    pub(super) children: HashMap<ChildName, (Duration, ChildEnded)>,
    /// The workflows of its children that are started by name: id and version.
    pub(super) requested: HashMap<ChildName, (String, String)>,
    pub(super) acts: Vec<Act>,
    /// The places of those that end waits, and how long after its beginning: by the node, and
    /// for which time it waits.
    of_waits: HashMap<(String, u32), Vec<(usize, Duration)>>,
}

/// An attempt of a node.
struct Attempt {
    began_at: Option<Timestamp>,
    took: Duration,
    /// `None` while no end of it is known.
    outcome: Option<Outcome>,
}

impl Attempt {
    /// No end of it is in the log, which ends at this time.
    fn goes_on_until(&mut self, last: Timestamp) {
        if let (Some(began_at), None, Duration::ZERO) = (self.began_at, &self.outcome, self.took) {
            self.took = Duration::from_millis(last.saturating_sub(began_at));
        }
    }
}

/// What somebody did.
pub(super) struct Act {
    pub(super) when: When,
    pub(super) deed: Deed,
    pub(super) by: Option<String>,
}

/// When it is done again.
pub(super) enum When {
    /// So long after the start of its execution.
    AfterStart(Duration),
    /// So long after a node began to wait: for this time, counted from 1.
    AfterWait {
        node: String,
        nth: u32,
        delay: Duration,
    },
}

/// What is recorded of an attempt.
pub(super) enum AttemptRecord<'a> {
    /// It ended so, after this span.
    Ended(Duration, &'a Outcome),
    /// It was stopped after this span, before its worker had answered, or goes on.
    Stopped(Duration),
    /// There was none of this number; the last one ended so.
    Further(Duration, &'a Outcome),
    /// The node was never at work, or no attempt of it ended.
    Never,
}

impl Recorded {
    /// The reading of these events. `None` if they do not begin with a start.
    pub(super) fn of(events: Vec<Event>, workflow: Arc<str>) -> Option<Self> {
        let first = events.first()?;
        let EventKind::WorkflowStarted(started) = &first.kind else {
            return None;
        };
        let mut recorded = Self {
            started: (**started).clone(),
            workflow,
            events: Vec::new(),
            attempts: HashMap::new(),
            greatest: HashMap::new(),
            children: HashMap::new(),
            requested: HashMap::new(),
            acts: Vec::new(),
            of_waits: HashMap::new(),
        };
        let mut waits = Waits::default();
        let mut requested = HashMap::new();
        for event in &events {
            waits.apply(event);
            recorded.take_attempt(event);
            recorded.take_child(event, &mut requested);
            if let Some(act) = act(event, first.at, &mut waits) {
                recorded.take_act(act);
            }
        }
        let last = events.last().map_or(first.at, |event| event.at);
        for attempt in recorded.attempts.values_mut() {
            attempt.goes_on_until(last);
        }
        recorded.events = events;
        Some(recorded)
    }

    /// The id and version of its workflow.
    pub(super) fn name(&self) -> (String, String) {
        let started = &self.started;
        (
            started.workflow_id.clone(),
            started.workflow_version.clone(),
        )
    }

    /// The workflow of a child that was started by name and has ended, and that is not known.
    pub(super) fn unlogged(&self, known: impl Fn(&ChildName) -> bool) -> Option<(String, String)> {
        let ended = self.children.keys();
        let mut unknown = ended.filter(|child| self.requested.contains_key(child) && !known(child));
        unknown.next().map(|child| self.requested[child].clone())
    }

    /// What ends a wait of this node, which begins for this time, counted from 1: the places
    /// of these acts, and how long after the beginning they are done.
    pub(super) fn ends_of_wait(&self, node: &str, nth: u32) -> &[(usize, Duration)] {
        let ends = self.of_waits.get(&(node.to_owned(), nth));
        ends.map_or(&[], Vec::as_slice)
    }

    fn take_act(&mut self, act: Act) {
        if let When::AfterWait { node, nth, delay } = &act.when {
            let ends = self.of_waits.entry((node.clone(), *nth)).or_default();
            ends.push((self.acts.len(), *delay));
        }
        self.acts.push(act);
    }

    /// What is known of an attempt.
    pub(super) fn attempt(&self, node: &str, attempt: u32) -> AttemptRecord<'_> {
        let of = |attempt| self.attempts.get(&(node.to_owned(), attempt));
        match of(attempt) {
            Some(Attempt {
                took,
                outcome: Some(outcome),
                ..
            }) => AttemptRecord::Ended(*took, outcome),
            Some(it) if it.began_at.is_some() => AttemptRecord::Stopped(it.took),
            _ => {
                let last = self.greatest.get(node).and_then(|greatest| of(*greatest));
                match last.map(|it| (it.took, it.outcome.as_ref())) {
                    Some((took, Some(outcome))) => AttemptRecord::Further(took, outcome),
                    _ => AttemptRecord::Never,
                }
            }
        }
    }

    fn take_attempt(&mut self, event: &Event) {
        match &event.kind {
            EventKind::NodeStarted(it) => {
                let attempt = self.attempt_mut(&it.node_id, it.attempt);
                attempt.began_at = Some(event.at);
            }
            EventKind::NodeCompleted(it) => {
                let ended = Outcome::Completes(answer(it));
                self.end(&it.node_id, it.attempt, event.at, Some(ended));
            }
            EventKind::NodeFailed(it) => {
                let ended = Outcome::Fails(failure(it));
                self.end(&it.node_id, it.attempt, event.at, Some(ended));
            }
            EventKind::LeaseExpired(it) => {
                self.end(&it.node_id, it.attempt, event.at, Some(Outcome::Dies));
            }
            // It would have taken longer than it was given.
            EventKind::NodeTimedOut(it) => {
                self.end(&it.node_id, it.attempt, event.at, Some(Outcome::NeverEnds));
            }
            EventKind::NodeCancelled(it) => {
                if let Some(greatest) = self.greatest.get(&it.node_id).copied() {
                    self.end(&it.node_id, greatest, event.at, None);
                }
            }
            _ => {}
        }
    }

    fn attempt_mut(&mut self, node: &str, attempt: u32) -> &mut Attempt {
        let greatest = self.greatest.entry(node.to_owned()).or_default();
        *greatest = attempt.max(*greatest);
        let attempt = self.attempts.entry((node.to_owned(), attempt));
        attempt.or_insert(Attempt {
            began_at: None,
            took: Duration::ZERO,
            outcome: None,
        })
    }

    fn end(&mut self, node: &str, attempt: u32, at: Timestamp, outcome: Option<Outcome>) {
        let attempt = self.attempt_mut(node, attempt);
        if attempt.outcome.is_some() {
            return;
        }
        if let Some(began_at) = attempt.began_at {
            attempt.took = Duration::from_millis(at.saturating_sub(began_at));
        } else if let Some(Outcome::Completes(_)) = outcome {
            // A result that somebody put in the place of a worker's.
            attempt.took = Duration::ZERO;
        }
        attempt.outcome = outcome;
    }

    fn take_child(&mut self, event: &Event, requested: &mut HashMap<ChildName, Timestamp>) {
        match &event.kind {
            EventKind::ChildRequested(it) => {
                let name = name(&it.node_id, it.attempt, it.iteration);
                if let Some(workflow) = &it.workflow {
                    let workflow = (workflow.workflow_id.clone(), workflow.version.clone());
                    self.requested.insert(name.clone(), workflow);
                }
                requested.insert(name, event.at);
            }
            EventKind::ChildEnded(it) => {
                let name = name(&it.node_id, it.attempt, it.iteration);
                let began_at = requested.get(&name).copied().unwrap_or(event.at);
                let took = Duration::from_millis(event.at.saturating_sub(began_at));
                self.children.insert(name, (took, it.clone()));
            }
            _ => {}
        }
    }
}

pub(super) fn name(node_id: &str, attempt: u32, iteration: u32) -> ChildName {
    ChildName {
        node_id: node_id.to_owned(),
        attempt,
        iteration,
    }
}

/// Which nodes wait for somebody, and for which time.
#[derive(Default)]
pub(super) struct Waits {
    counts: HashMap<String, u32>,
    /// When each node that waits began to.
    since: HashMap<String, Timestamp>,
    /// The nodes that wait for an external event, by its key.
    keys: HashMap<String, String>,
}

impl Waits {
    /// Takes note of a wait that begins: the node, and for which time it waits, from 1.
    pub(super) fn apply(&mut self, event: &Event) -> Option<(String, u32)> {
        let node = match &event.kind {
            EventKind::InterruptRaised(it) => &it.node_id,
            EventKind::TimerCreated(it) => {
                if let Some(key) = &it.correlation_key {
                    self.keys.insert(key.clone(), it.node_id.clone());
                }
                &it.node_id
            }
            EventKind::NodeSettled(it) => return self.over(&it.node_id),
            EventKind::NodeExhausted(it) => return self.over(&it.node_id),
            EventKind::NodeCancelled(it) => return self.over(&it.node_id),
            EventKind::TimerFired(it) => return self.over(&it.node_id),
            _ => return None,
        };
        self.since.insert(node.clone(), event.at);
        let count = self.counts.entry(node.clone()).or_default();
        *count += 1;
        Some((node.clone(), *count))
    }

    /// The node waits no longer.
    fn over<T>(&mut self, node: &str) -> Option<T> {
        self.since.remove(node);
        self.keys.retain(|_, of| of != node);
        None
    }

    /// When that is done, which ends the node's wait at this time. `None` if it does not wait.
    fn when(&self, node: &str, at: Timestamp) -> Option<When> {
        Some(When::AfterWait {
            node: node.to_owned(),
            nth: *self.counts.get(node)?,
            delay: Duration::from_millis(at.saturating_sub(*self.since.get(node)?)),
        })
    }
}

/// What somebody did by this event, if it is an act.
fn act(event: &Event, start: Timestamp, waits: &mut Waits) -> Option<Act> {
    let after_start = || When::AfterStart(Duration::from_millis(event.at.saturating_sub(start)));
    let (deed, by, when) = match &event.kind {
        EventKind::ApprovalReceived(it) => {
            let node = it.node_id.clone();
            let approval = approval(it);
            let when = waits.when(&node, event.at);
            (Deed::Decide { node, approval }, &it.by, when)
        }
        EventKind::ExternalEventReceived(it) => {
            let node = waits.keys.remove(&it.correlation_key);
            let when = node.and_then(|node| waits.when(&node, event.at));
            (Deed::Send(signal(it)), &it.by, when)
        }
        EventKind::CancelRequested(it) => {
            let reason = it.reason.clone();
            (Deed::Cancel { reason }, &it.by, None)
        }
        EventKind::ExecutionPaused(it) => {
            let reason = it.reason.clone();
            (Deed::Pause { reason }, &it.by, None)
        }
        EventKind::ExecutionUnpaused(it) => {
            let reason = it.reason.clone();
            (Deed::Unpause { reason }, &it.by, None)
        }
        EventKind::RetryRequested(it) => {
            let (node, reason) = (it.node_id.clone(), it.reason.clone());
            (Deed::Retry { node, reason }, &it.by, None)
        }
        EventKind::SkipRequested(it) => {
            let (node, reason) = (it.node_id.clone(), it.reason.clone());
            (Deed::Skip { node, reason }, &it.by, None)
        }
        _ => return None,
    };
    Some(Act {
        when: when.unwrap_or_else(after_start),
        deed,
        by: by.clone(),
    })
}

fn approval(it: &ApprovalReceived) -> Approval {
    Approval {
        approved: it.decision == ApprovalDecision::Approved,
        user_id: it.user_id.clone(),
        comment: it.comment.clone(),
        state_patch: it.state_patch.clone().map(Json::trusted),
    }
}

fn signal(it: &ExternalEventReceived) -> Signal {
    let signal = Signal::new(&it.correlation_key, Json::trusted(it.payload.clone()));
    match &it.event_id {
        Some(id) => signal.event_id(id),
        None => signal,
    }
}

fn answer(it: &NodeCompleted) -> Answer {
    Answer {
        output: Json::trusted(it.output.clone()),
        patch: Some(Json::trusted(it.state_patch.clone())),
        chosen_target: it.chosen_target.clone(),
        gen_ai: it.gen_ai.clone(),
        telemetry: it.telemetry.clone().map(Json::trusted),
    }
}

fn failure(it: &NodeFailed) -> WorkError {
    WorkError {
        message: it.error.clone(),
        class: it.error_class.clone(),
        retryable: it.retryable,
        retry_after: it.retry_after_ms.map(Duration::from_millis),
    }
}
