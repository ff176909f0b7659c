//! Rules R4, R11, R12 and R20: limits and budgets hold at every event.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use refrain_guest::contract::{Event, EventKind};
use refrain_guest::instance;
use refrain_guest::strategies::History;

use crate::properties::ledger::{Releases, subject};
use crate::properties::{holds, lives};

#[test]
fn r04_never_more_in_flight_than_allowed() {
    holds(200, lives(), |history| {
        let (concurrent, _) = limits(&history);
        let (mut in_flight, mut releases) = (BTreeSet::new(), Releases::default());
        for event in history.log() {
            let Some(node) = subject(&event.kind) else {
                continue;
            };
            if releases.end(&event.kind) {
                in_flight.remove(node);
            }
            match &event.kind {
                EventKind::NodeScheduled(_) | EventKind::RetryScheduled(_) => {
                    in_flight.insert(node);
                }
                EventKind::NodeCompleted(_)
                | EventKind::NodeFailed(_)
                | EventKind::LeaseExpired(_)
                | EventKind::NodeTimedOut(_)
                | EventKind::NodeCancelled(_) => {
                    in_flight.remove(node);
                }
                _ => {}
            }
            prop_assert!(
                in_flight.len() <= concurrent as usize,
                "{concurrent} are allowed: {in_flight:?} after {event:?}"
            );
        }
        Ok(())
    });
}

#[test]
fn r04_never_more_items_in_one_step_than_allowed_and_more_only_at_the_limit() {
    holds(200, lives(), |history| {
        let (_, per_tick) = limits(&history);
        for turn in history.turns() {
            for (place, step) in turn.steps.iter().enumerate() {
                let asks = |kind: &EventKind| matches!(kind, EventKind::ChildRequested(_));
                let counts = |event: &&Event| is_order(&event.kind) || asks(&event.kind);
                let orders = step.iter().filter(counts).count();
                let is_cut = place + 1 < turn.steps.len();
                prop_assert!(
                    orders <= per_tick as usize,
                    "{per_tick} are allowed: {step:?}"
                );
                prop_assert!(
                    !is_cut || orders == per_tick as usize,
                    "cut for no reason: {step:?}"
                );
            }
        }
        Ok(())
    });
}

/// From the first attempt, or from an operator's retry, on.
#[test]
fn r12_r20_attempts_never_exceed_the_policy() {
    holds(200, lives(), |history| {
        let plan = history.workflow().plan();
        let mut spent: BTreeMap<&str, u32> = BTreeMap::new();
        for event in history.log() {
            let Some(node) = subject(&event.kind) else {
                continue;
            };
            let run = instance::undone(node).unwrap_or(node);
            let of_map = instance::parse(run).map_or(run, |(map, _)| map);
            let ix = plan.find(of_map).expect("a node");
            let policy = &plan.nodes[ix.0 as usize].retry;
            match &event.kind {
                // A map that is retried gives its instances fresh budgets.
                EventKind::RetryRequested(_) => spent.retain(|it, _| {
                    *it != node && instance::parse(it).is_none_or(|(map, _)| map != node)
                }),
                kind if is_order(kind) => {
                    let spent = spent.entry(node).or_default();
                    *spent += 1;
                    prop_assert!(
                        *spent <= policy.max_attempts,
                        "{node} had {policy:?}: {event:?}"
                    );
                }
                _ => {}
            }
        }
        Ok(())
    });
}

fn is_order(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::NodeScheduled(_) | EventKind::RetryScheduled(_)
    )
}

/// The engine's limits, narrowed by the workflow's own.
fn limits(history: &History) -> (u32, u32) {
    let (engine, plan) = (history.workflow().limits(), history.workflow().plan());
    let narrowed = |limit: u32, own: Option<u32>| own.map_or(limit, |own| own.min(limit));
    (
        narrowed(engine.max_concurrent_nodes, plan.max_concurrent_nodes),
        narrowed(engine.max_dispatch_per_tick, plan.max_dispatch_per_tick),
    )
}
