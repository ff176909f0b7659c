//! What a guest orders about children, held against the workflow and its decisions.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{ChildOrder, Event, EventKind, WorkOrder, WorkflowName};

/// What a node, or each instance of a map, lets be ordered about children (rule R22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildRules {
    /// The workflow that it names. `None` if the workflow is written in place: then it is
    /// the text.
    workflow: Result<WorkflowName, Box<str>>,
    /// Whether nobody waits for the child.
    pub(crate) is_detached: bool,
    /// The most iterations (rule R23).
    iterations: u32,
}

#[derive(Deserialize)]
struct SubgraphText<'a> {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    workflow_id: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    detached: Option<bool>,
    #[serde(default)]
    repeat: Option<RepeatText>,
}

#[derive(Deserialize)]
struct RepeatText {
    max: u32,
}

impl ChildRules {
    /// The kind of a node, or the body of a map. `None` if it starts no child.
    pub(super) fn of(kind: &str) -> Option<Self> {
        let text: SubgraphText<'_> = serde_json::from_str(kind).ok()?;
        if text.name != SUBGRAPH {
            return None;
        }
        let workflow = match (text.body, text.workflow_id.zip(text.version)) {
            (Some(body), _) => Err(body.get().into()),
            (None, Some((workflow_id, version))) => Ok(WorkflowName {
                workflow_id,
                version,
            }),
            (None, None) => return None,
        };
        Some(Self {
            workflow,
            is_detached: text.detached.unwrap_or(false),
            iterations: text.repeat.map_or(1, |repeat| repeat.max),
        })
    }

    /// The text of the workflow, where it is written in place.
    pub(crate) fn in_place(&self) -> Option<&str> {
        self.workflow.as_ref().err().map(|text| &**text)
    }

    /// Why this child is none that the workflow holds, if it is none.
    pub(super) fn fault(&self, order: &ChildOrder) -> Option<String> {
        if order.workflow.as_ref() != self.workflow.as_ref().ok() {
            return Some("is of another workflow than the node's".to_owned());
        }
        if order.name.iteration >= self.iterations || order.name.attempt == 0 {
            return Some(format!(
                "is attempt {} of iteration {}, and the node has attempts from 1, and {} iterations",
                order.name.attempt, order.name.iteration, self.iterations
            ));
        }
        None
    }

    /// About how much memory these rules take.
    pub(super) fn bytes(&self) -> usize {
        match &self.workflow {
            Ok(name) => name.workflow_id.len() + name.version.len(),
            Err(text) => text.len(),
        }
    }
}

/// The kind that starts a child.
pub(super) const SUBGRAPH: &str = "subgraph";

/// Holds the children that were ordered in a step against what it decided. Says what is
/// wrong, if anything is.
pub(crate) fn unfounded<'a>(
    decisions: impl Iterator<Item = &'a Event>,
    orders: &[WorkOrder],
) -> Option<String> {
    let started = orders.iter().filter_map(|order| match order {
        WorkOrder::StartChild(order) => Some((&order.name, order.workflow.as_ref())),
        _ => None,
    });
    let requested = decisions.filter_map(|event| match &event.kind {
        EventKind::ChildRequested(it) => Some(it),
        _ => None,
    });
    let mut started = started;
    for it in requested {
        let is_it = started.next().is_some_and(|(name, workflow)| {
            (&*name.node_id, name.attempt, name.iteration)
                == (&*it.node_id, it.attempt, it.iteration)
                && workflow == it.workflow.as_ref()
        });
        if !is_it {
            return Some(format!(
                "node {:?} was decided to have a child, and it was not ordered so",
                it.node_id
            ));
        }
    }
    if let Some((name, _)) = started.next() {
        return Some(format!(
            "a child of node {:?} was ordered without a decision",
            name.node_id
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChildName, ChildRequested, Origin};
    use crate::order_rules::OrderRules;

    const WORKFLOW: &str = r#"{"nodes": {
        "a": {"kind": {"type": "tool", "tool_ref": "t"}},
        "s": {"kind": {"type": "subgraph", "workflow_id": "c", "version": "1.0.0", "repeat": {"while": "true", "max": 3}}},
        "m": {"kind": {"type": "map", "over": "input", "body": {"type": "subgraph", "body": {"nodes": {}}}}}
    }}"#;

    fn order(node_id: &str, iteration: u32, workflow: Option<(&str, &str)>) -> ChildOrder {
        ChildOrder {
            name: ChildName {
                node_id: node_id.to_owned(),
                attempt: 1,
                iteration,
            },
            workflow: workflow.map(|(id, version)| WorkflowName {
                workflow_id: id.to_owned(),
                version: version.to_owned(),
            }),
            input: "{}".to_owned(),
        }
    }

    #[test]
    fn r22_a_child_is_the_one_that_the_workflow_holds() {
        let rules = OrderRules::of(WORKFLOW);
        let named = Some(("c", "1.0.0"));
        for lawful in [order("s", 2, named), order("m[7]", 0, None)] {
            assert_eq!(rules.child_fault(&lawful), None, "{lawful:?}");
        }
        for (unlawful, part) in [
            (order("a", 0, named), "starts none"),
            (order("m", 0, None), "starts none"),
            (order("x", 0, named), "starts none"),
            (order("s", 0, None), "another workflow"),
            (order("s", 0, Some(("c", "2.0.0"))), "another workflow"),
            (order("m[7]", 0, named), "another workflow"),
            (order("s", 3, named), "3 iterations"),
            (order("m[7]", 1, None), "1 iterations"),
        ] {
            let fault = rules.child_fault(&unlawful).unwrap_or_default();
            assert!(fault.contains(part), "{unlawful:?}: {fault}");
        }
        let in_place = rules.child("m[0]").and_then(ChildRules::in_place);
        assert_eq!(in_place, Some(r#"{"nodes": {}}"#));
    }

    #[test]
    fn law3_orders_about_children_are_those_of_the_decisions() {
        let event = |kind| Event {
            sequence: 2,
            at: 0,
            origin: Origin::Decision,
            kind,
        };
        let start = order("s", 0, Some(("c", "1.0.0")));
        let requested = event(EventKind::ChildRequested(ChildRequested {
            node_id: "s".to_owned(),
            attempt: 1,
            iteration: 0,
            workflow: start.workflow.clone(),
        }));
        let started = WorkOrder::StartChild(start);
        let judge = |events: &[&Event], orders: &[&WorkOrder]| {
            let orders: Vec<WorkOrder> = orders.iter().map(|it| (*it).clone()).collect();
            unfounded(events.iter().copied(), &orders)
        };
        assert_eq!(judge(&[], &[]), None);
        assert_eq!(judge(&[&requested], &[&started]), None);
        let other = WorkOrder::StartChild(order("s", 1, Some(("c", "1.0.0"))));
        for (events, orders, part) in [
            (&[&requested][..], &[][..], "was not ordered"),
            (&[&requested], &[&other], "was not ordered"),
            (&[], &[&started], "without a decision"),
            (&[&requested], &[&started, &started], "without a decision"),
        ] {
            let fault = judge(events, orders).unwrap_or_default();
            assert!(fault.contains(part), "{events:?} {orders:?}: {fault}");
        }
    }
}
