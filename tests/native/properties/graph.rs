//! Rules R3, R6, R9 and R16: what the graph lets run, and what it leaves out.

use proptest::prelude::*;
use refrain_guest::contract::{EventKind, NodeState, SkipReason, Status};
use refrain_guest::guards::status;
use refrain_guest::state::{Dismissal, EdgeFate, is_finalizer};
use refrain_guest::workflow::plan::{Join, Kind, NodeIx};

use crate::properties::ledger::{Fate, Ledger};
use crate::properties::machines::read;
use crate::properties::{holds, lives};

/// A node begins after all its edges are settled, one of them live; a `first`
/// join after a live one.
#[test]
fn r03_r06_no_node_begins_before_its_predecessors() {
    holds(200, lives(), |history| {
        let plan = history.workflow().plan();
        let mut ledger = Ledger::new(plan);
        for event in history.log() {
            if let Some(ix) = begins(&ledger, &event.kind) {
                let node = &plan.nodes[ix.0 as usize];
                let edges: Vec<EdgeFate> = ledger.incoming(ix).collect();
                let live = edges.iter().filter(|edge| **edge == EdgeFate::Live);
                let needed = match node.kind {
                    Kind::Join(Join::Count { edges, .. }) => edges as usize,
                    _ => 1,
                };
                let is_live = ix == plan.start || live.count() >= needed;
                let waits = !matches!(
                    node.kind,
                    Kind::Join(Join::First { .. } | Join::Count { .. })
                ) && edges.contains(&EdgeFate::Unsettled);
                prop_assert!(is_live && !waits, "{} begins too early: {event:?}", node.id);
            }
            ledger.read(event);
        }
        Ok(())
    });
}

/// The ordinary node that a decision lets begin: its first item, its wait, its
/// settlement.
fn begins(ledger: &Ledger<'_>, kind: &EventKind) -> Option<NodeIx> {
    let is_beginning = match kind {
        EventKind::NodeScheduled(_)
        | EventKind::InterruptRaised(_)
        | EventKind::TimerCreated(_)
        | EventKind::ChildRequested(_)
        | EventKind::NodeSettled(_) => true,
        EventKind::NodeExhausted(it) => it.attempts == 0,
        _ => false,
    };
    let ix = ledger.subject(kind).filter(|_| is_beginning)?;
    (!is_finalizer(&ledger.plan.nodes[ix.0 as usize].kind)).then_some(ix)
}

/// If: no node with dead edges alone is left open while the execution goes on.
/// Only if: no other node is skipped as unreached.
#[test]
fn r09_a_node_is_skipped_if_and_only_if_all_its_edges_are_dead() {
    holds(200, lives(), |history| {
        let plan = history.workflow().plan();
        let mut ledger = Ledger::new(plan);
        // Too few can become live; of most nodes, one is enough.
        let are_dead = |ledger: &Ledger<'_>, ix: NodeIx| {
            let edges = ledger.incoming(ix);
            let possible = edges.filter(|edge| *edge != EdgeFate::Dead).count();
            let needed = match &plan.nodes[ix.0 as usize].kind {
                Kind::Join(Join::Count { edges, .. }) => *edges as usize,
                _ => 1,
            };
            ix != plan.start && possible < needed
        };
        for event in history.log() {
            if let EventKind::NodeSkipped(it) = &event.kind
                && it.reason == SkipReason::Unreached
            {
                let ix = plan.find(&it.node_id).expect("a node");
                prop_assert!(are_dead(&ledger, ix), "{} was reached", it.node_id);
            }
            ledger.read(event);
        }
        let machine = read(history.workflow(), history.log());
        if status(&machine) == Status::Stalled && machine.state().policy_stall.is_none()
            || machine.state().cancel.is_some()
            || machine.state().timed_out
            || machine.state().fixed.is_some()
        {
            return Ok(());
        }
        for (ix, fate) in (0..).map(NodeIx).zip(&ledger.nodes) {
            let node = &plan.nodes[ix.0 as usize];
            if is_finalizer(&node.kind) || !are_dead(&ledger, ix) {
                continue;
            }
            prop_assert!(
                matches!(fate, Fate::Unreached | Fate::Done | Fate::Over),
                "all edges to {} are dead, and it is {fate:?}",
                node.id
            );
        }
        Ok(())
    });
}

/// What the machine keeps of nodes and edges is what the log says of them.
#[test]
fn r07_r09_the_state_is_what_the_log_says() {
    holds(150, lives(), |history| {
        let plan = history.workflow().plan();
        let mut ledger = Ledger::new(plan);
        history.log().iter().for_each(|event| ledger.read(event));
        let machine = read(history.workflow(), history.log());
        for (index, edge) in plan.edges.iter().enumerate() {
            // Between finalizers an edge only orders (rule R16).
            if !is_finalizer(&plan.nodes[edge.from.0 as usize].kind) {
                prop_assert_eq!(machine.state().edges[index], ledger.edges[index]);
            }
        }
        for ((node, record), fate) in plan
            .nodes
            .iter()
            .zip(&machine.state().nodes)
            .zip(&ledger.nodes)
        {
            let unreached = Some(Dismissal::Skipped(SkipReason::Unreached));
            let expected = match record.state {
                NodeState::Completed => Fate::Done,
                NodeState::Skipped if record.dismissal == unreached => Fate::Unreached,
                NodeState::Skipped | NodeState::Cancelled | NodeState::Failed => Fate::Over,
                _ => Fate::Open,
            };
            let is_dismissed = *fate == Fate::Done && expected == Fate::Over;
            prop_assert!(
                *fate == expected || is_dismissed,
                "{} is {:?}, the log says {fate:?}",
                node.id,
                record.state
            );
        }
        Ok(())
    });
}

/// Once a finalizer was dispatched or passed over, no ordinary node begins.
#[test]
fn r16_nothing_but_finalizers_follows_the_first_finalizer() {
    holds(150, lives(), |history| {
        let plan = history.workflow().plan();
        let ledger = Ledger::new(plan);
        let mut finalizing = false;
        for event in history.log() {
            let orders = matches!(
                event.kind,
                EventKind::NodeScheduled(_) | EventKind::RetryScheduled(_)
            );
            let passes =
                matches!(&event.kind, EventKind::NodeSkipped(it) if it.reason == SkipReason::RunOn);
            let subject = ledger.subject(&event.kind).filter(|_| orders || passes);
            let Some(ix) = subject else { continue };
            let finalizer = is_finalizer(&plan.nodes[ix.0 as usize].kind);
            prop_assert!(finalizer || !finalizing, "{event:?} follows a finalizer");
            finalizing |= finalizer;
        }
        Ok(())
    });
}
