//! What a history comes to with one scheduler: every answer that it gives.

use refrain::log::canonical::{self, Canonical};
use refrain::model::{Event, Explanation, Outcome, SchedulerError, WorkItem};
use refrain_guest::contract as native;
use refrain_guest::strategies::{History, HostileLog};
use refrain_tests::memory_ports::{MemoryPorts, across};

use crate::agreement::scheduler::Scheduler;

/// One answer of a scheduler.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// To a fact.
    Admitted(Result<Outcome, SchedulerError>),
    /// To a tick: what it says, what it appends as canonical bytes, and the
    /// items that are unsettled then.
    Ticked {
        outcome: Result<Outcome, SchedulerError>,
        appended: Vec<Canonical>,
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

/// Play the facts of a history, turn by turn. In between, facts of the turn
/// before are offered once more: most are refused, and whatever is admitted is
/// forgotten again, as by a host whose commit failed.
pub(crate) fn play(history: &History, scheduler: &mut dyn Scheduler) -> Course {
    let mut course = Playing {
        ports: MemoryPorts {
            workflow: history.workflow().text().to_owned(),
            ..MemoryPorts::default()
        },
        answers: Vec::new(),
        scheduler,
    };
    let mut before: &[native::Event] = &[];
    for turn in history.turns() {
        course.ports.now = turn.at;
        for fact in &turn.facts {
            course.admit(fact);
        }
        for fact in before {
            course.offer_again(fact);
        }
        while course.tick() {}
        before = &turn.facts;
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
    fn admit(&mut self, fact: &native::Event) {
        let fact: Event = across(fact);
        let answer = self.scheduler.admit(&mut self.ports, &fact);
        if answer.is_ok() {
            self.ports.push(fact);
        }
        self.answers.push(Answer::Admitted(answer));
    }

    fn offer_again(&mut self, fact: &native::Event) {
        let fact: Event = across(fact);
        let fact = self.ports.fact(fact.kind);
        let answer = self.scheduler.admit(&mut self.ports, &fact);
        if answer.is_ok() {
            self.scheduler.forget();
        }
        self.answers.push(Answer::Admitted(answer));
    }

    /// Whether another tick is due.
    fn tick(&mut self) -> bool {
        let before = self.ports.events.len();
        let outcome = self.scheduler.tick(&mut self.ports);
        let more = outcome.as_ref().is_ok_and(|outcome| outcome.more);
        let appended = &self.ports.events[before..];
        self.answers.push(Answer::Ticked {
            outcome,
            appended: appended.iter().map(canonical::write).collect(),
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
