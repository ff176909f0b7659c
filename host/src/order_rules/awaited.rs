//! Children that nodes wait for. A node that is stopped while it waits orders that its child
//! is cancelled: that very child, and no other (rule R22).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ChildName, EventKind, WorkOrder};

use super::OrderRules;

/// What an event says of the child of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaidOfChild<'a> {
    /// The node waits for the child of this attempt and iteration.
    Waits(&'a str, u32, u32),
    /// The node waits for none.
    WaitsNoMore(&'a str),
    /// No node waits for any: what was waited for before is another execution's.
    NoneWaits,
}

impl<'a> SaidOfChild<'a> {
    /// What an event says of a child. `None` if it says nothing of one.
    pub(crate) fn by(kind: &'a EventKind, rules: &OrderRules) -> Option<Self> {
        let over = |node_id: &'a String| {
            let starts = rules.child(node_id).is_some();
            starts.then_some(Self::WaitsNoMore(node_id))
        };
        match kind {
            EventKind::ChildRequested(it) => {
                Some(Self::Waits(&it.node_id, it.attempt, it.iteration))
            }
            EventKind::ChildStarted(it) => {
                let is_left = rules.child(&it.node_id).is_some_and(|it| it.is_detached);
                Some(match is_left {
                    true => Self::WaitsNoMore(&it.node_id),
                    false => Self::Waits(&it.node_id, it.attempt, it.iteration),
                })
            }
            EventKind::ChildRefused(it) => Some(Self::WaitsNoMore(&it.node_id)),
            EventKind::ChildEnded(it) => Some(Self::WaitsNoMore(&it.node_id)),
            EventKind::NodeCancelled(it) => over(&it.node_id),
            EventKind::NodeTimedOut(it) => over(&it.node_id),
            EventKind::NodeExhausted(it) => over(&it.node_id),
            EventKind::ExecutionForked(_) => Some(Self::NoneWaits),
            _ => None,
        }
    }
}

/// The children that nodes wait for, by node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Awaited(BTreeMap<String, (u32, u32)>);

impl Awaited {
    /// The nodes, and the attempts and iterations of the children that they wait for.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        let nodes = self.0.iter();
        nodes.map(|(node_id, (attempt, iteration))| (&**node_id, *attempt, *iteration))
    }

    /// Takes in what an event says. Answers the child that was waited for up to it, if that
    /// is over.
    pub(crate) fn follow(&mut self, said: SaidOfChild<'_>) -> Option<ChildName> {
        match said {
            SaidOfChild::Waits(node_id, attempt, iteration) => {
                self.0.insert(node_id.to_owned(), (attempt, iteration));
                None
            }
            SaidOfChild::WaitsNoMore(node_id) => {
                let (node_id, (attempt, iteration)) = self.0.remove_entry(node_id)?;
                Some(ChildName {
                    node_id,
                    attempt,
                    iteration,
                })
            }
            SaidOfChild::NoneWaits => {
                self.0.clear();
                None
            }
        }
    }
}

/// The nodes whose children have to be looked for, to judge a step: those that it stops, and
/// those whose children it cancels. Most steps have none.
pub(crate) fn stopped<'a>(
    decisions: impl Iterator<Item = &'a EventKind>,
    orders: &'a [WorkOrder],
    rules: &OrderRules,
) -> BTreeSet<&'a str> {
    let stopped = decisions
        .filter_map(stop)
        .filter(|id| rules.child(id).is_some());
    let cancelled = orders.iter().filter_map(cancel);
    stopped
        .chain(cancelled.map(|name| &*name.node_id))
        .collect()
}

/// Holds what a step cancelled against what it stopped; `awaited` is what was waited for
/// before it, and is after it what is waited for then. Says what is wrong, if anything is.
pub(crate) fn uncancelled<'a>(
    awaited: &mut Awaited,
    facts: impl Iterator<Item = &'a EventKind>,
    decisions: impl Iterator<Item = &'a EventKind>,
    orders: &[WorkOrder],
    rules: &OrderRules,
) -> Option<String> {
    for said in facts.filter_map(|fact| SaidOfChild::by(fact, rules)) {
        awaited.follow(said);
    }
    let mut cancelled: Vec<&ChildName> = orders.iter().filter_map(cancel).collect();
    for decision in decisions {
        let said = SaidOfChild::by(decision, rules);
        let over = said.and_then(|said| awaited.follow(said));
        let Some(name) = over.filter(|_| stop(decision).is_some()) else {
            continue;
        };
        match cancelled.iter().position(|it| **it == name) {
            Some(place) => drop(cancelled.swap_remove(place)),
            None => {
                return Some(format!(
                    "node {:?} was stopped while it waited for a child, and that was not cancelled",
                    name.node_id
                ));
            }
        }
    }
    let name = cancelled.first()?;
    Some(format!(
        "the child of attempt {} and iteration {} of node {:?} was cancelled, and its node was not stopped while it waited for it",
        name.attempt, name.iteration, name.node_id
    ))
}

/// The node that a decision stops.
fn stop(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::NodeCancelled(it) => Some(&it.node_id),
        EventKind::NodeTimedOut(it) => Some(&it.node_id),
        _ => None,
    }
}

fn cancel(order: &WorkOrder) -> Option<&ChildName> {
    match order {
        WorkOrder::CancelChild(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        CancelReason, ChildEnded, ChildRequested, ChildStarted, Digest, NodeCancelled,
        NodeTimedOut, Status,
    };

    const WORKFLOW: &str = r#"{"nodes": {
        "a": {"kind": {"type": "tool", "tool_ref": "t"}},
        "s": {"kind": {"type": "subgraph", "workflow_id": "c", "version": "1.0.0"}},
        "d": {"kind": {"type": "subgraph", "workflow_id": "c", "version": "1.0.0", "detached": true}},
        "m": {"kind": {"type": "map", "over": "input", "body": {"type": "subgraph", "body": {"nodes": {}}}}}
    }}"#;

    fn requested(node_id: &str, attempt: u32) -> EventKind {
        EventKind::ChildRequested(ChildRequested {
            node_id: node_id.to_owned(),
            attempt,
            iteration: 0,
            workflow: None,
        })
    }

    fn started(node_id: &str) -> EventKind {
        EventKind::ChildStarted(ChildStarted {
            node_id: node_id.to_owned(),
            attempt: 1,
            iteration: 0,
            child_id: String::new(),
            workflow_digest: Digest::default(),
        })
    }

    fn ended(node_id: &str) -> EventKind {
        EventKind::ChildEnded(ChildEnded {
            node_id: node_id.to_owned(),
            attempt: 1,
            iteration: 0,
            child_id: String::new(),
            status: Status::Cancelled,
            sequence: 2,
            head: Digest::default(),
            output: None,
            error: None,
        })
    }

    fn cancelled(node_id: &str) -> EventKind {
        EventKind::NodeCancelled(NodeCancelled {
            node_id: node_id.to_owned(),
            reason: CancelReason::ByOperator,
        })
    }

    fn timed_out(node_id: &str) -> EventKind {
        EventKind::NodeTimedOut(NodeTimedOut {
            node_id: node_id.to_owned(),
            attempt: 1,
            ..NodeTimedOut::default()
        })
    }

    fn cancels(node_id: &str, attempt: u32) -> WorkOrder {
        WorkOrder::CancelChild(ChildName {
            node_id: node_id.to_owned(),
            attempt,
            iteration: 0,
        })
    }

    /// What the log says before a step, the facts that the step takes, what it decides, and
    /// what it orders.
    type Step<'a> = (
        &'a [EventKind],
        &'a [EventKind],
        &'a [EventKind],
        &'a [WorkOrder],
    );

    fn judge((before, facts, decisions, orders): Step<'_>) -> Option<String> {
        let rules = OrderRules::of(WORKFLOW);
        let mut awaited = Awaited::default();
        for said in before.iter().filter_map(|it| SaidOfChild::by(it, &rules)) {
            awaited.follow(said);
        }
        uncancelled(&mut awaited, facts.iter(), decisions.iter(), orders, &rules)
    }

    #[test]
    fn r22_who_is_stopped_while_it_waits_has_its_child_cancelled() {
        let waits = [requested("s", 1), started("s")];
        let many = [requested("m[3]", 2)];
        let left = [requested("d", 1), started("d")];
        let at_once = [requested("s", 1), cancelled("s"), cancelled("a")];
        let steps: [Step<'_>; 7] = [
            (&waits, &[], &[cancelled("s")], &[cancels("s", 1)]),
            (&waits, &[], &[timed_out("s")], &[cancels("s", 1)]),
            (&waits[..1], &[], &[cancelled("s")], &[cancels("s", 1)]),
            (&many, &[], &[cancelled("m[3]")], &[cancels("m[3]", 2)]),
            (&waits, &[ended("s")], &[cancelled("s")], &[]),
            (&left, &[], &[cancelled("d")], &[]),
            (&[], &[], &at_once, &[cancels("s", 1)]),
        ];
        for step in steps {
            assert_eq!(judge(step), None, "{step:?}");
        }
    }

    #[test]
    fn r22_no_other_child_is_cancelled_and_none_is_left() {
        let waits = [requested("s", 1), started("s")];
        let left = [requested("d", 1), started("d")];
        let (stop, once) = ([cancelled("s")], [cancels("s", 1)]);
        let twice = [cancels("s", 1), cancels("s", 1)];
        let end = [ended("s")];
        let detached = [cancelled("d")];
        let steps: [(Step<'_>, &str); 6] = [
            ((&waits, &[], &stop, &[]), "was not cancelled"),
            ((&waits, &[], &[timed_out("s")], &[]), "was not cancelled"),
            (
                (&waits, &[], &stop, &[cancels("s", 2)]),
                "was not cancelled",
            ),
            ((&waits, &[], &stop, &twice), "was not stopped"),
            ((&waits, &end, &stop, &once), "was not stopped"),
            (
                (&left, &[], &detached, &[cancels("d", 1)]),
                "was not stopped",
            ),
        ];
        for (step, part) in steps {
            let fault = judge(step).unwrap_or_default();
            assert!(fault.contains(part), "{step:?}: {fault}");
        }
    }
}
