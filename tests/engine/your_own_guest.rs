//! An example: property-testing a scheduler guest of your own.
//!
//! ```sh
//! REFRAIN_GUEST=path/to/yours.wasm cargo test --test engine your_own_guest
//! ```
//!
//! Without the variable it tests the built-in component. Copy this file, and
//! add what your guest promises: it needs the crates `refrain` (which runs the
//! component in its sandbox), `refrain-guest` with the feature `proptest`
//! (which generates workflows and histories), `proptest`, `serde_json` and
//! `anyhow`.
//!
//! Your guest may decide otherwise than ours. So a history is taken for what
//! it means: each fact is offered with the fence that it has in *your* log, and
//! one that your guest refuses does not happen.
//!
//! Your guest may know less than ours. `REFRAIN_GUEST_WORKFLOWS` names a file with the
//! workflows that it is for, in the place of generated ones: graphs in the notation of
//! `refrain_guest::notation`, with an empty line between each and the next. Their histories
//! are generated all the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fs;

use anyhow::Context as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use refrain::ExecutionId;
use refrain::guest::{CallLimits, Instance, Library, Ports, Sandbox};
use refrain::log::digest::work_item_digest;
use refrain::model::{
    Digest, Event, EventKind, NodeStarted, Origin, Snapshot, StorageError, WorkOrder,
};
use refrain::store::{StoreError, Timestamp};
use refrain_guest::notation::EXECUTION;
use refrain_guest::strategies::{History, Workflow, histories, workflows};

// ---- what is promised ----------------------------------------------------------

/// Law 10: what a guest keeps between calls is a cache. Forgetting the
/// execution before each call must lead to the same log.
#[test]
fn law10_a_forgetful_guest_writes_the_same_log() -> anyhow::Result<()> {
    holds(60, |guest, history| {
        let kept = drive(guest, history, Habit::Keep)?;
        let dropped = drive(guest, history, Habit::Forget)?;
        prop_assert_eq!(kept.log, dropped.log);
        Ok(())
    })
}

/// Laws 1, 2 and 5: decisions are numbered on from the log, are the guest's
/// own, and carry the turn's clock reading.
#[test]
fn law1_law2_law5_decisions_follow_the_log() -> anyhow::Result<()> {
    holds(100, |guest, history| {
        let log = drive(guest, history, Habit::Keep)?.log;
        prop_assert!((1..).zip(&log).all(|(at, event)| event.sequence == at));
        prop_assert!(log.is_sorted_by_key(|event| event.at));
        Ok(())
    })
}

/// Law 6: nothing follows an end.
#[test]
fn law6_nothing_follows_an_end() -> anyhow::Result<()> {
    holds(100, |guest, history| {
        let log = drive(guest, history, Habit::Keep)?.log;
        let end = log.iter().position(|event| event.kind.is_terminal());
        prop_assert!(end.is_none_or(|end| end + 1 == log.len()), "{log:?}");
        Ok(())
    })
}

/// Law 4: each order of a work item is a decision, and each such decision an
/// order, in the same order.
#[test]
fn law4_each_decision_orders_its_item() -> anyhow::Result<()> {
    holds(100, |guest, history| {
        let world = drive(guest, history, Habit::Keep)?;
        let named = world.log.iter().filter_map(|event| match &event.kind {
            EventKind::NodeScheduled(it) => Some((it.node_id.clone(), it.attempt)),
            EventKind::RetryScheduled(it) => Some((it.node_id.clone(), it.attempt)),
            _ => None,
        });
        prop_assert_eq!(named.collect::<Vec<_>>(), world.ordered);
        Ok(())
    })
}

/// Law 7, and whatever else keeps a fact out of a log: what may not stand there is refused,
/// changes nothing, and nothing follows from it.
#[test]
fn law7_what_may_not_stand_in_a_log_changes_nothing() -> anyhow::Result<()> {
    holds(60, |guest, history| {
        let kept = drive(guest, history, Habit::Keep)?;
        let provoked = drive(guest, history, Habit::Provoke)?;
        prop_assert_eq!(kept.log, provoked.log);
        Ok(())
    })
}

// ---- a property of a component ---------------------------------------------------

/// Try a property of the guest on so many histories; panic with the smallest
/// for which it does not hold. It is printed as a table of the notation.
fn holds(
    cases: u32,
    property: impl Fn(&mut Instance<World>, &History) -> Result<(), TestCaseError>,
) -> anyhow::Result<()> {
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let digest = match env::var("REFRAIN_GUEST") {
        Ok(path) => library.add(fs::read(&path).context(path)?)?,
        Err(_) => library.built_in().to_owned(),
    };
    library.check(&digest)?;
    // proptest wants to call a property by shared reference.
    let library = RefCell::new(library);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(&tried_histories()?, |history| {
        // A fresh instance each time: one that failed is of no more use.
        let guest = library.borrow_mut().instance(&digest);
        let mut guest = guest.map_err(|error| TestCaseError::fail(error.to_string()))?;
        property(&mut guest, &history)
    });
    match tried {
        Err(TestError::Fail(why, history)) => panic!("{why}\n{history}"),
        other => Ok(other?),
    }
}

/// Histories of generated workflows, or of those that the guest is for.
fn tried_histories() -> anyhow::Result<BoxedStrategy<History>> {
    let Ok(path) = env::var("REFRAIN_GUEST_WORKFLOWS") else {
        return Ok(histories(workflows()).boxed());
    };
    let text = fs::read_to_string(&path).context(path)?;
    let tables = text.split("\n\n").filter(|table| !table.trim().is_empty());
    let workflows = tables.map(|table| Workflow::from_table(table).map_err(anyhow::Error::msg));
    let workflows: Vec<Workflow> = workflows.collect::<anyhow::Result<_>>()?;
    Ok(histories(prop::sample::select(workflows)).boxed())
}

/// What is done besides, between the turns of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Keep,
    /// The execution is forgotten after each call.
    Forget,
    /// Facts are offered that may not stand there.
    Provoke,
}

/// Give the guest a history, turn by turn.
fn drive(
    guest: &mut Instance<World>,
    history: &History,
    habit: Habit,
) -> Result<World, TestCaseError> {
    let fail = |error: &dyn std::fmt::Debug| TestCaseError::fail(format!("{error:?}"));
    let execution: ExecutionId = EXECUTION
        .to_string()
        .parse()
        .map_err(|error| fail(&error))?;
    let mut world = World::new(history);
    guest.forget(execution).map_err(|error| fail(&error))?;
    for turn in history.turns() {
        world.now = turn.at;
        let facts = turn.facts.iter().map(|fact| Some(across(&fact.kind)));
        for fact in facts.chain([None]) {
            let mut offered: Vec<EventKind> = fact.map(|it| world.fenced(it)).into_iter().collect();
            loop {
                let last = world.log.len() as u64;
                let (back, stepped) = guest.step(world, execution, last, &offered);
                world = back;
                let outcome = stepped.map_err(|error| fail(&error))?;
                if !outcome.refused.is_empty() {
                    offered.clear();
                }
                world.append(std::mem::take(&mut offered));
                prop_assert_eq!(outcome.last_sequence, world.log.len() as u64);
                if habit == Habit::Forget {
                    guest.forget(execution).map_err(|error| fail(&error))?;
                }
                if !outcome.more {
                    break;
                }
            }
        }
        if habit == Habit::Provoke {
            world = provoke(guest, execution, world)?;
        }
    }
    Ok(world)
}

/// Offers facts that may not stand next: all of them have to be refused.
fn provoke(
    guest: &mut Instance<World>,
    execution: ExecutionId,
    world: World,
) -> Result<World, TestCaseError> {
    let fail = |error: &dyn std::fmt::Debug| TestCaseError::fail(format!("{error:?}"));
    let last = world.log.len() as u64;
    let illegal = world.illegal();
    let (world, stepped) = guest.step(world, execution, last, &illegal);
    let outcome = stepped.map_err(|error| fail(&error))?;
    let refused = outcome.refused.iter().map(|it| it.index as usize);
    prop_assert_eq!(
        refused.collect::<Vec<_>>(),
        (0..illegal.len()).collect::<Vec<_>>(),
        "{:?}",
        illegal
    );
    prop_assert_eq!(outcome.last_sequence, last);
    prop_assert!(world.decided.is_empty(), "{:?}", world.decided);
    Ok(world)
}

/// The same value in the host's own model, field by field.
fn across(kind: &refrain_guest::contract::EventKind) -> EventKind {
    let value = serde_json::to_value(kind).expect("contract types serialise");
    serde_json::from_value(value).expect("both sides have the same types")
}

// ---- the world of one execution ----------------------------------------------------

/// A log, a queue and a clock, in memory.
struct World {
    workflow: String,
    log: Vec<Event>,
    now: Timestamp,
    ordered: Vec<(String, u32)>,
    /// What the guest decided in the call that runs.
    decided: Vec<Event>,
    /// The fence of each node's last claim.
    fences: BTreeMap<String, u64>,
}

impl World {
    fn new(history: &History) -> Self {
        Self {
            workflow: history.workflow().text().to_owned(),
            log: Vec::new(),
            now: 0,
            ordered: Vec::new(),
            decided: Vec::new(),
            fences: BTreeMap::new(),
        }
    }

    /// The fact with the fence that it has in this log.
    fn fenced(&self, mut fact: EventKind) -> EventKind {
        let held = |node: &str| self.fences.get(node).copied().unwrap_or_default();
        match &mut fact {
            EventKind::NodeCompleted(it) => it.fence = held(&it.node_id),
            EventKind::NodeFailed(it) => it.fence = held(&it.node_id),
            EventKind::LeaseExpired(it) => it.fence = held(&it.node_id),
            _ => {}
        }
        fact
    }

    /// Facts that may not stand next, whatever the workflow is: a second beginning, a claim of
    /// a node that there is not, decisions in the host's mouth, and each answer that came
    /// already, once more.
    fn illegal(&self) -> Vec<EventKind> {
        let mut claim = NodeStarted::default();
        claim.node_id = "there is no such node".to_owned();
        claim.worker_id = "w".to_owned();
        claim.attempt = 1;
        let claim = EventKind::NodeStarted(claim);
        let log = self.log.iter();
        let again = log.filter(|event| {
            let is_answer = matches!(
                event.kind,
                EventKind::NodeCompleted(_) | EventKind::NodeFailed(_) | EventKind::LeaseExpired(_)
            );
            is_answer || event.origin == Origin::Decision || event.sequence == 1
        });
        let again = again.map(|event| event.kind.clone());
        again.chain([claim]).collect()
    }

    /// The facts that were taken, and behind them what was decided.
    fn append(&mut self, taken: Vec<EventKind>) {
        for kind in taken {
            let sequence = self.log.len() as u64 + 1;
            if let EventKind::NodeStarted(it) = &kind {
                self.fences.insert(it.node_id.clone(), sequence);
            }
            self.log.push(Event {
                sequence,
                at: self.now,
                origin: Origin::Fact,
                kind,
            });
        }
        self.log.append(&mut self.decided);
    }
}

/// What the guest may ask of it: the three imports of the contract.
impl Ports for World {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let skipped = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let page = self.log.iter().skip(skipped).take(max as usize);
        Ok(page.cloned().collect())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        let last = self.log.len() as u64;
        // One fact at most is offered here, and may have been taken.
        if !(last..=last + 1).contains(&expected) {
            return Ok(Err(StorageError::Conflict(last)));
        }
        let is_decision = |event: &Event| event.origin == Origin::Decision && event.at == self.now;
        if let Some(event) = events.iter().find(|event| !is_decision(event)) {
            return Ok(Err(StorageError::Refused(format!(
                "no decision of now: {event:?}"
            ))));
        }
        self.decided.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let mut digests = Vec::new();
        for order in orders {
            if let WorkOrder::Enqueue(item) = order {
                digests.push(work_item_digest(&item));
                self.ordered.push((item.node_id, item.attempt));
            }
        }
        Ok(Ok(digests))
    }
}
