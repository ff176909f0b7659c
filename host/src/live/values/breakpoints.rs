//! Places at which an execution is to be paused by itself.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::graph::{Child, ChildWorkflow, Graph, MAP};
use crate::model::{EventKind, instance_of, node_of_run, undone_by};
use crate::resembling::meant;

/// Places at which an execution is to be paused by itself: before nodes, or when conditions
/// come to hold.
///
/// Where one is met, what the scheduler was about to decide is not appended. The execution
/// is paused in its place (rule R18), with the breakpoint as the reason, and what is in
/// flight goes on. Ending the pause, or a step, goes past it.
///
/// * **A node** is met when the scheduler is about to begin it: its first attempt, its child
///   (each iteration of it), its wait. An instance of a map, or of a child, is named as
///   everywhere: `resize[3]`, `bill/send`; the name of a map stands for the map and each of
///   its instances, and `charge!undo` is a compensation. A node that the scheduler settles
///   itself (rule R6) is not held by a pause: it is settled, and what comes behind it is held.
/// * **A condition** (rule R8) is met when it comes to hold on the state of the execution
///   itself, whatever was the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakpoints {
    nodes: BTreeSet<String>,
    conditions: Vec<String>,
}

impl Breakpoints {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Before this node, too.
    #[must_use]
    pub fn before(mut self, node: impl Into<String>) -> Self {
        self.nodes.insert(node.into());
        self
    }

    /// When this condition comes to hold, too.
    #[must_use]
    pub fn when(mut self, condition: impl Into<String>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.conditions.is_empty()
    }

    /// The conditions.
    #[must_use]
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }

    /// Whether the nodes are those of this workflow, a JSON text that is valid. What stands
    /// in a workflow that is named only is not looked into.
    ///
    /// # Errors
    /// [`EngineError::Breakpoint`] for one that is none.
    pub fn check_nodes(&self, workflow: &str) -> Result<(), EngineError> {
        let Some(graph) = Graph::read(workflow) else {
            return Ok(());
        };
        self.nodes.iter().try_for_each(|breakpoint| {
            check(&graph, breakpoint).map_err(|reason| EngineError::Breakpoint {
                breakpoint: breakpoint.clone(),
                reason,
            })
        })
    }

    /// The breakpoints of a child that this node, or this instance of one, has started.
    pub(in crate::live) fn of_child(&self, run: &str) -> Self {
        let ways = self.nodes.iter().filter_map(|it| it.split_once('/'));
        let below = ways.filter(|(first, _)| is_meant(first, run));
        Self {
            nodes: below.map(|(_, rest)| rest.to_owned()).collect(),
            conditions: Vec::new(),
        }
    }

    /// The breakpoint that a decision meets. `None` if it meets none.
    pub(in crate::live) fn met_by(&self, decision: &EventKind) -> Option<&str> {
        let run = begun_by(decision)?;
        let mut nodes = self.nodes.iter().map(String::as_str);
        nodes.find(|breakpoint| is_meant(breakpoint, run))
    }
}

/// The node that a decision begins. `None` if it begins none.
fn begun_by(decision: &EventKind) -> Option<&str> {
    Some(match decision {
        EventKind::NodeScheduled(it) => &it.node_id,
        EventKind::NodeSettled(it) => &it.node_id,
        EventKind::InterruptRaised(it) => &it.node_id,
        EventKind::TimerCreated(it) => &it.node_id,
        EventKind::MapExpanded(it) => &it.node_id,
        EventKind::ChildRequested(it) => &it.node_id,
        _ => return None,
    })
}

/// Whether a node, or an instance of one, is what was named. The name of a map stands for
/// its instances.
fn is_meant(named: &str, run: &str) -> bool {
    let is_of = |named: &str, run: &str| {
        named == run || instance_of(run).is_some_and(|(map, _)| map == named)
    };
    match (undone_by(named), undone_by(run)) {
        (Some(named), Some(run)) => is_of(named, run),
        (None, None) => is_of(named, run),
        _ => false,
    }
}

/// Whether there may be such a node; else what is wrong.
fn check(graph: &Graph, breakpoint: &str) -> Result<(), String> {
    let (run, below) = match breakpoint.split_once('/') {
        Some((run, below)) => (run, Some(below)),
        None => (breakpoint, None),
    };
    let id = node_of_run(run);
    let Some(kind) = graph.nodes.get(id) else {
        let known = graph.nodes.keys().map(String::as_str);
        return Err(format!(
            "there is no such node; {}",
            meant(id, "nodes", known)
        ));
    };
    let of = undone_by(run).unwrap_or(run);
    if instance_of(of).is_some() && kind.name != MAP {
        return Err(format!("node `{id}` is no map, and has no instances"));
    }
    if undone_by(run).is_some() && kind.undo.is_none() {
        return Err(format!(
            "nothing undoes node `{id}`: it has no `compensate`"
        ));
    }
    match (below, &kind.child) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(format!(
            "node `{id}` starts no child, and no node is below it"
        )),
        (Some(below), Some(Child { workflow, .. })) => match workflow {
            ChildWorkflow::InPlace(graph) => check(graph, below),
            ChildWorkflow::Named { .. } => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeScheduled;

    fn scheduled(run: &str) -> EventKind {
        EventKind::NodeScheduled(NodeScheduled {
            node_id: run.to_owned(),
            ..NodeScheduled::default()
        })
    }

    #[test]
    fn a_name_stands_for_a_node_or_for_all_its_instances() {
        #[rustfmt::skip]
        let rows = [
            ("a",              "a",              true),
            ("a",              "b",              false),
            ("a",              "a[3]",           true),
            ("a[3]",           "a[3]",           true),
            ("a[3]",           "a[4]",           false),
            ("a[3]",           "a",              false),
            ("a",              "a!undo",         false),
            ("a!undo",         "a!undo",         true),
            ("a!undo",         "a[3]!undo",      true),
            ("a!undo",         "a",              false),
            ("a[3]!undo",      "a[3]!undo",      true),
            ("a/b",            "a",              false),
        ];
        for (named, run, is_met) in rows {
            let breakpoints = Breakpoints::none().before(named);
            let met = breakpoints.met_by(&scheduled(run));
            assert_eq!(met.is_some(), is_met, "{named}, {run}");
        }
    }

    #[test]
    fn what_is_below_a_node_is_of_its_child() {
        let all = Breakpoints::none()
            .before("a/b/c")
            .before("a[1]/d")
            .before("e")
            .when("true");
        assert_eq!(all.of_child("a"), Breakpoints::none().before("b/c"));
        assert_eq!(
            all.of_child("a[1]"),
            Breakpoints::none().before("b/c").before("d")
        );
        assert!(all.of_child("e").is_empty());
    }

    #[test]
    fn what_no_node_can_be_is_refused_with_what_was_meant() {
        let workflow = serde_json::json!({
            "workflow_id": "w", "version": "1.0.0", "start_node": "build",
            "nodes": {
                "build": { "kind": { "type": "command", "argv": ["true"] }, "compensate": { "type": "command", "argv": ["true"] } },
                "each": { "kind": { "type": "map", "over": "[1]", "body": { "type": "command", "argv": ["true"] } } },
                "bill": { "kind": { "type": "subgraph", "body": {
                    "start_node": "send",
                    "nodes": { "send": { "kind": { "type": "tool", "tool_ref": "t" } } },
                    "edges": [],
                } } },
                "other": { "kind": { "type": "subgraph", "workflow_id": "o", "version": "1.0.0" } },
            },
            "edges": [],
        })
        .to_string();
        #[rustfmt::skip]
        let rows = [
            ("build",        None),
            ("build!undo",   None),
            ("each",         None),
            ("each[7]",      None),
            ("bill/send",    None),
            ("other/any",    None),
            ("biuld",        Some("did you mean `build`?")),
            ("x",            Some("the nodes are `bill`, `build`, `each`, `other`")),
            ("build[0]",     Some("is no map")),
            ("each!undo",    Some("no `compensate`")),
            ("build/send",   Some("starts no child")),
            ("bill/sent",    Some("did you mean `send`?")),
        ];
        for (breakpoint, refused) in rows {
            let checked = Breakpoints::none()
                .before(breakpoint)
                .check_nodes(&workflow);
            match (checked, refused) {
                (Ok(()), None) => {}
                (Err(error), Some(why)) => {
                    let said = error.to_string();
                    assert!(said.contains(why) && said.contains(breakpoint), "{said}");
                }
                (checked, _) => panic!("{breakpoint}: {checked:?}"),
            }
        }
    }
}
