//! The reference model and the guest read the rules alike.
//!
//! The model (`refrain_tests::model`) scans everything for each decision; the
//! guest scans nothing. On every generated history they must come to the same:
//! each decision with all its fields and the digest of its work item, where a
//! step is cut, the status and the next wake after each turn.

use std::cell::RefCell;

use proptest::prelude::*;
use refrain::log::export::ExportReader;
use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{Event, EventKind, Origin};
use refrain_guest::guards::{has_to_fork, next_wake, status};
use refrain_guest::machine::Machine;
use refrain_guest::strategies::{History, Turn, Workflow, facts, histories, workflows};
use refrain_tests::coverage::Coverage;
use refrain_tests::golden::sets;
use refrain_tests::memory_ports::across;
use refrain_tests::model::Model;
use refrain_tests::runner;

#[test]
fn r01_to_r21_two_readings_of_the_rules_agree() {
    let seen = agrees(2_000, histories(workflows()));
    seen.must_hold_each_decision();
    seen.must_hold("more", 50);
    for (what, in_a_thousand) in [
        ("a fork", 100),
        ("undecided where it was cut", 20),
        ("an edited result", 10),
        ("edited results of several nodes", 1),
        ("a fork of a fork", 5),
        ("a map is expanded", 100),
        ("a map has more than 30 instances", 3),
        ("a child is asked for", 100),
        ("a child of an instance", 50),
        ("a child that is written in place", 50),
        ("a second iteration", 10),
        ("a second child, after one that failed", 10),
    ] {
        seen.must_hold(what, in_a_thousand);
    }
}

/// Small workflows in which rules meet more often than in generated ones:
/// several waits for one external event, finalizers on every ending, policies
/// that stall, little room, little time.
const CROWDED: [&str; 6] = [
    r#"
    a -> s, a -> r, s -> d, r -> d on always, a -> t
    policy two {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1}
    policy held {"max_attempts":1,"on_exhausted":"pause"}
    own_limits 2 2
    s: subgraph retry=two timeout=3
    r: subgraph retry=two {"merge":true,"repeat":{"while":"last.k0 != 1","max":3},"input_mapping":{"a":"last","i":"iteration"}}
    t: subgraph retry=held {"detached":true}
    f: finalizer always
    "#,
    r#"
    m -> n -> b
    policy two {"max_attempts":2,"backoff":"linear","initial_delay":1,"max_delay":2}
    input {"items":[1,2,3,4]}
    m: map retry=two timeout=4 {"max_concurrent":2,"tolerate":{"failures":1},"body":{"type":"subgraph","workflow_id":"c","version":"1.0.0"}}
    n: map {"over":"input.items","complete_after":2,"cancel_rest":true,"body":{"type":"subgraph","workflow_id":"c","version":"1.0.0","repeat":{"while":"last.k1 != 0","max":2}}}
    "#,
    r#"
    s -> a, s -> b, s -> c, a -> d
    a: wait external_event {"correlation_key":"order"}
    b: wait either {"correlation_key":"order","timeout_secs":2}
    c: wait external_event {"correlation_key":"order","timeout_secs":3}
    d: wait external_event {"correlation_key":"order"}
    "#,
    r#"
    a -> b, a -> h
    policy held {"max_attempts":1,"on_exhausted":"pause"}
    a: tool retry=held
    b: tool retry=no_retry
    h: human_approval {"timeout_secs":2,"fallback_node":"e"}
    f -> g -> i
    f: finalizer success retry=no_retry
    g: finalizer always retry=held
    i: finalizer failure timeout=1
    timeout 9
    "#,
    r#"
    s -> a, s -> b, s -> c, s -> d, a -> j, b -> j, c -> j, d -> k
    policy slow {"max_attempts":3,"backoff":"linear","initial_delay":1,"max_delay":2,"jitter":true}
    policy held {"max_attempts":1,"on_exhausted":"pause"}
    a: tool retry=held
    b: tool retry=slow timeout=1
    c: tool retry=held
    j: join first
    limits 2 1
    "#,
    r#"
    s -> a, s -> h, s -> w, a -> b, a -> c on failure if error.class == "io_error", a -> d on always if error.attempts != 2
    h -> f on always if error.class in ["rejected", "approval_timeout"], w -> end on failure, w -> f on failure if state.k0
    policy twice {"max_attempts":2,"backoff":"fixed","initial_delay":0}
    a: tool retry=twice timeout=1
    h: human_approval {"timeout_secs":2}
    w: wait external_event {"correlation_key":"order","timeout_secs":3}
    x -> end on failure if error.message == null
    x: finalizer always retry=no_retry timeout=1
    "#,
];

#[test]
fn r11_r16_r19_two_readings_agree_where_the_rules_meet() {
    for table in CROWDED {
        let workflow = Workflow::from_table(table).expect("the table is a workflow");
        agrees(400, facts(&workflow));
    }
}

/// The logs that whole hosts wrote, and that are compatible for ever, are what
/// the rules lead to.
#[test]
fn law2_the_golden_logs_follow_the_rules() -> anyhow::Result<()> {
    for set in sets()? {
        for entry in set.logs.iter().filter(|entry| entry.compatible) {
            let text = set.text(entry)?;
            let reader = ExportReader::new(text.as_bytes())?;
            let workflow = reader.header().workflow.clone();
            let events = reader.map(|stored| Ok(across(stored?.event())));
            let events: Vec<Event> = events.collect::<anyhow::Result<_>>()?;
            let mut model = Model::new(&workflow, &events[0]);
            let mut rest = events[1..].iter();
            rest.try_for_each(|event| model.read(event))
                .and_then(|()| model.nothing_is_missing())
                .map_err(|difference| anyhow::anyhow!("{}: {difference}", entry.name))?;
        }
    }
    Ok(())
}

/// Have both read so many histories; panic with the smallest on which they
/// differ, or say what the histories came across.
fn agrees(base: u32, histories: impl Strategy<Value = History>) -> Coverage {
    let seen = RefCell::new(Coverage::default());
    let agreed = runner(base).run(&histories, |history| {
        note(&mut seen.borrow_mut(), &history);
        read_beside(&history).map_err(TestCaseError::fail)
    });
    agreed.unwrap_or_else(|difference| panic!("{difference}"));
    let seen = seen.into_inner();
    println!("{seen:#?}");
    seen
}

/// What a history came across.
fn note(seen: &mut Coverage, history: &History) {
    seen.case();
    for turn in history.turns() {
        turn.decisions().for_each(|event| seen.event(&event.kind));
        turn.steps.iter().skip(1).for_each(|_| seen.count("more"));
    }
    for event in history.log() {
        if let EventKind::MapExpanded(it) = &event.kind {
            seen.count("a map is expanded");
            (0..u32::from(it.count > 30))
                .for_each(|_| seen.count("a map has more than 30 instances"));
        }
        if let EventKind::ChildRequested(it) = &event.kind {
            let is_of_map = it.node_id.ends_with(']');
            for (what, is_so) in [
                ("a child is asked for", true),
                ("a child of an instance", is_of_map),
                ("a child that is written in place", it.workflow.is_none()),
                ("a second iteration", it.iteration > 0),
                ("a second child, after one that failed", it.attempt > 1),
            ] {
                (0..u32::from(is_so)).for_each(|_| seen.count(what));
            }
        }
    }
    note_forks(seen, history);
}

/// How a history's log was forked.
fn note_forks(seen: &mut Coverage, history: &History) {
    let log = history.log();
    let is_edited = |event: &&Event| matches!(&event.kind, EventKind::NodeCompleted(it) if it.edited_by.is_some());
    let forks = |event: &&Event| matches!(event.kind, EventKind::ExecutionForked(_));
    let edited = log.iter().filter(is_edited).count();
    let times = log.iter().filter(forks).count();
    let several = log
        .windows(2)
        .filter(|pair| pair.iter().all(|event| is_edited(&event)));
    for (what, count) in [
        ("a fork", times),
        ("a fork of a fork", times.saturating_sub(1)),
        ("an edited result", edited),
        ("edited results of several nodes", several.count()),
    ] {
        (0..count).for_each(|_| seen.count(what));
    }
    let EventKind::WorkflowStarted(started) = &log[0].kind else {
        return;
    };
    if let Some(origin) = &started.forked_from
        && let Some(common) = log.get(origin.sequence as usize - 1)
        && common.origin == Origin::Fact
    {
        seen.count("undecided where it was cut");
    }
}

/// A guest and the model, reading the same log.
struct Pair {
    machine: Machine,
    model: Model,
}

fn read_beside(history: &History) -> Result<(), String> {
    let mut pair = Pair::new(history)?;
    for turn in history.turns() {
        pair.turn(turn)
            .map_err(|difference| format!("at {} ms: {difference}", turn.at))?;
    }
    Ok(())
}

impl Pair {
    fn new(history: &History) -> Result<Self, String> {
        let (workflow, first) = (history.workflow(), &history.log()[0]);
        let plan = workflow.plan().clone();
        let machine = start(plan, &workflow.digest(), first);
        Ok(Self {
            machine: machine.map_err(|illegal| illegal.reason)?,
            model: Model::new(workflow.text(), first),
        })
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), String> {
        let mut facts = turn.facts.iter().filter(|fact| fact.sequence > 1);
        facts.try_for_each(|fact| self.read(fact))?;
        for (place, step) in turn.steps.iter().enumerate() {
            step.iter().try_for_each(|decision| self.read(decision))?;
            if has_to_fork(&self.machine) {
                // What is missing there is missing by right.
                return Ok(());
            }
            let more_follows = place + 1 < turn.steps.len();
            if self.model.is_cut() != more_follows {
                return Err(format!("step {place} is cut: {more_follows}"));
            }
        }
        self.model.nothing_is_missing()?;
        let by_rules = (self.model.status(), self.model.next_wake());
        let wake = next_wake(&self.machine).map(|wake| wake.0);
        let found = (status(&self.machine), wake);
        if by_rules != found {
            return Err(format!("it is {found:?}, and by the rules {by_rules:?}"));
        }
        Ok(())
    }

    fn read(&mut self, event: &Event) -> Result<(), String> {
        let applied = apply(&mut self.machine, event);
        applied.map_err(|illegal| illegal.reason)?;
        self.model.read(event)
    }
}
