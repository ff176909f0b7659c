//! What a history comes to with one scheduler: every answer that it gives.

use refrain::guest::Call;
use refrain::log::canonical::{self, Canonical};
use refrain::model::{Event, EventKind, Explanation, Outcome, SchedulerError, WorkItem, WorkOrder};
use refrain_guest::strategies::{History, HostileLog};
use refrain_tests::memory_ports::{MemoryPorts, across};

use crate::agreement::scheduler::Scheduler;

/// One answer of a scheduler.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// To a step: what it says, what it appends as canonical bytes, what it
    /// orders, and the items that are unsettled then.
    Stepped {
        outcome: Result<Outcome, SchedulerError>,
        offered: usize,
        appended: Vec<Canonical>,
        orders: Vec<WorkOrder>,
        items: Vec<WorkItem>,
    },
    /// To `inspect`: the state and its hash.
    Inspected(Result<(String, String), SchedulerError>),
    /// To `explain`.
    Explained(Result<Explanation, SchedulerError>),
}

/// All answers in order, and the log they led to.
pub(crate) struct Course {
    pub(crate) answers: Vec<Answer>,
    pub(crate) log: Vec<Event>,
}

/// Play the facts of a history, turn by turn. Before a turn, facts of the turn
/// before are offered once more: most are refused, and whatever comes of it is
/// not appended and forgotten, as by a host whose commit failed.
pub(crate) fn play(history: &History, scheduler: &mut dyn Scheduler) -> Course {
    let mut course = Playing {
        ports: MemoryPorts {
            workflow: history.workflow().text().to_owned(),
            ..MemoryPorts::default()
        },
        answers: Vec::new(),
        scheduler,
    };
    let mut before: Vec<EventKind> = Vec::new();
    for turn in history.turns() {
        course.ports.now = turn.at;
        if !before.is_empty() {
            course.offer_again(&before);
        }
        let facts: Vec<EventKind> = turn.offered().iter().map(across).collect();
        let mut more = course.step(&facts);
        while more {
            more = course.step(&[]);
        }
        before = facts;
    }
    course.look(history);
    course.scheduler.forget();
    Course {
        answers: course.answers,
        log: course.ports.events,
    }
}

/// What a scheduler says to a log that is there already.
pub(crate) fn read(
    hostile: &HostileLog,
    scheduler: &mut dyn Scheduler,
) -> Result<(String, String), SchedulerError> {
    let mut ports = MemoryPorts {
        workflow: hostile.workflow().text().to_owned(),
        events: hostile.log().iter().map(across).collect(),
        ..MemoryPorts::default()
    };
    let state = scheduler.inspect(&mut ports);
    scheduler.forget();
    state
}

struct Playing<'a> {
    ports: MemoryPorts,
    answers: Vec<Answer>,
    scheduler: &'a mut dyn Scheduler,
}

impl Playing<'_> {
    /// Offer facts, and nothing comes of it.
    fn offer_again(&mut self, facts: &[EventKind]) {
        let kept = self.ports.clone();
        self.step(facts);
        self.ports = kept;
        self.scheduler.forget();
    }

    /// Offer facts. Whether another step is due.
    fn step(&mut self, facts: &[EventKind]) -> bool {
        let before = self.ports.events.len();
        self.ports.call = Call::default();
        let outcome = self.scheduler.step(&mut self.ports, facts);
        let orders = self.ports.call.orders().to_vec();
        if let Ok(outcome) = &outcome {
            let closed = self.ports.close(facts, outcome);
            closed.expect("a scheduler keeps to the contract");
        }
        let more = outcome.as_ref().is_ok_and(|outcome| outcome.more);
        let appended = &self.ports.events[before..];
        self.answers.push(Answer::Stepped {
            outcome,
            offered: facts.len(),
            appended: appended.iter().map(canonical::write).collect(),
            orders,
            items: self.ports.items.clone(),
        });
        more
    }

    fn look(&mut self, history: &History) {
        let state = self.scheduler.inspect(&mut self.ports);
        self.answers.push(Answer::Inspected(state));
        for node in &history.workflow().plan().nodes {
            let explained = self.scheduler.explain(&mut self.ports, &node.id);
            self.answers.push(Answer::Explained(explained));
        }
    }
}
