//! Rule R27: what was completed is undone, each run once, the latest first, where an
//! execution ends otherwise than well, and only there.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use refrain_guest::contract::{CancelReason, EventKind, SkipReason, Status};
use refrain_guest::instance;
use refrain_guest::strategies::{History, finished};
use refrain_guest::workflow::Plan;

use crate::properties::ledger::subject;
use crate::properties::{holds, lives};

/// What a log says of one compensation.
#[derive(Debug, Default)]
struct Told {
    /// The first order of it.
    began_at: Option<u64>,
    settled: bool,
}

/// The runs that were completed and have a compensation, by their ids, each with the
/// sequence of its completion.
fn to_undo<'a>(plan: &Plan, history: &'a History) -> BTreeMap<&'a str, u64> {
    let mut completed = BTreeMap::new();
    for event in history.log() {
        let id = match &event.kind {
            EventKind::NodeCompleted(it) => &it.node_id,
            EventKind::ChildEnded(it) if it.status == Status::Completed => &it.node_id,
            _ => continue,
        };
        let node = instance::parse(id).map_or(id.as_str(), |(node, _)| node);
        let has_one = plan
            .find(node)
            .is_some_and(|ix| plan.nodes[ix.0 as usize].compensation.is_some());
        if has_one {
            completed.insert(id.as_str(), event.sequence);
        }
    }
    completed
}

#[test]
fn r27_each_completed_run_is_undone_once_and_in_turn() {
    let begun = Cell::new(0_u32);
    holds(300, lives(), |history| {
        let history = finished(history);
        let plan = history.workflow().plan();
        let completed = to_undo(plan, &history);
        let mut undos: BTreeMap<&str, Told> = BTreeMap::new();
        let (mut last_begun, mut under_way) = (u64::MAX, None);
        for event in history.log() {
            let Some(undone) = subject(&event.kind).and_then(instance::undone) else {
                continue;
            };
            prop_assert!(completed.contains_key(undone), "never completed: {event:?}");
            let told = undos.entry(undone).or_default();
            let begins = match &event.kind {
                EventKind::NodeScheduled(_) => true,
                EventKind::NodeExhausted(it) => it.attempts == 0 && told.began_at.is_none(),
                _ => false,
            };
            if begins {
                prop_assert!(told.began_at.is_none(), "a second time: {event:?}");
                prop_assert!(under_way.is_none(), "{under_way:?} is under way: {event:?}");
                prop_assert!(completed[undone] < last_begun, "not its turn: {event:?}");
                last_begun = completed[undone];
                told.began_at = Some(event.sequence);
                begun.set(begun.get() + 1);
                under_way = Some(undone);
            }
            let settles = match &event.kind {
                EventKind::NodeCompleted(_) | EventKind::NodeExhausted(_) => true,
                EventKind::NodeSkipped(it) => it.reason == SkipReason::ByOperator,
                EventKind::NodeCancelled(it) => {
                    prop_assert_eq!(it.reason, CancelReason::ByOperator);
                    true
                }
                _ => false,
            };
            if settles {
                told.settled = true;
                under_way = under_way.filter(|it| *it != undone);
            }
        }
        let last = &history.log().last().expect("a log").kind;
        if matches!(last, EventKind::WorkflowCompleted(_)) {
            prop_assert!(undos.is_empty(), "it completed: {undos:?}");
            return Ok(());
        }
        for run in completed.keys() {
            let told = undos.get(run);
            prop_assert!(
                told.is_some_and(|it| it.settled),
                "`{run}` was not undone: {told:?}"
            );
        }
        Ok(())
    });
    assert!(begun.get() > 30, "only {} compensations", begun.get());
}

/// The state is what it was when the first compensation began, but for finalizers.
#[test]
fn r27_compensations_leave_the_state_alone() {
    holds(150, lives(), |history| {
        let history = finished(history);
        let last = &history.log().last().expect("a log").kind;
        let final_state = match last {
            EventKind::WorkflowCompleted(it) => &it.final_state,
            EventKind::WorkflowFailed(it) => &it.final_state,
            EventKind::WorkflowCancelled(it) => &it.final_state,
            other => return Err(TestCaseError::fail(format!("{other:?} is no end"))),
        };
        let mut ledger = crate::properties::ledger::Ledger::new(history.workflow().plan());
        history.log().iter().for_each(|event| ledger.read(event));
        prop_assert_eq!(&ledger.state(), final_state);
        Ok(())
    });
}
