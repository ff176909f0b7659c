//! Compensations (rule R27). What undoes a run becomes a further node of the graph, behind
//! all others, as the run is completed; no edge leads to it or from it.

use refrain_guest::contract::{Event, EventKind, Status};

use super::attempt::{max_attempts, policy};
use super::ended::Fixed;
use super::graph::Graph;
use super::next::Question;
use super::node::{Node, Undo};
use super::past::Past;
use super::record::{Record, Stage};

impl Question<'_> {
    pub(super) fn is_undo(&self, node: usize) -> bool {
        self.graph.nodes[node].undo.is_some()
    }

    /// Whether a compensation is under way, or what follows its failure is open.
    pub(super) fn is_undoing(&self) -> bool {
        let mut nodes = self.nodes();
        nodes.any(|(node, record)| {
            self.is_undo(node) && (record.is_under_way() || record.is_failing())
        })
    }

    /// Of the compensations that have not begun, that of what was completed last.
    pub(super) fn next_undo(&self) -> Option<usize> {
        let pending = |(node, record): (usize, &Record)| {
            let undo = self.graph.nodes[node].undo.as_ref()?;
            matches!(record.stage, Stage::Pending).then_some((undo.completed, node))
        };
        let (_, node) = self.nodes().filter_map(pending).max()?;
        Some(node)
    }

    /// Whether the execution would not end as completed if it ended now.
    pub(super) fn ends_badly(&self) -> bool {
        let is_fixed = matches!(
            self.past.fixed,
            Some(Fixed::Failed(_) | Fixed::OverBudget(_))
        );
        let is_asked = self.past.cancel.is_some() || self.past.timed_out;
        is_fixed || is_asked || self.past.compensating || !self.failed_nodes().is_empty()
    }
}

/// If a worker or a child has completed a run by this event, it can be undone from now on.
pub(super) fn begin(graph: &mut Graph, past: &mut Past, event: &Event) {
    let (node_id, output) = match &event.kind {
        EventKind::NodeCompleted(it) => (&it.node_id, &it.output),
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            (&it.node_id, it.output.as_ref().expect("it completed"))
        }
        _ => return,
    };
    let place = graph.place(node_id);
    let it = &graph.nodes[place];
    let Some(kind_text) = it.compensate_text.clone() else {
        return;
    };
    // A loop may go on, and what it gives may be too large.
    if !matches!(past.nodes[place].stage, Stage::Completed) {
        return;
    }
    let mut json = it.json.clone();
    json["kind"] = it.json["compensate"].clone();
    if json["kind"]["type"] == "task" {
        json["queue"] = json["kind"]["queue"].clone();
    }
    let instance = it.instance.as_ref();
    let undo = Undo {
        completed: event.sequence,
        output: output.trim().to_owned(),
        element: instance.map(|it| (it.item.trim().to_owned(), it.index)),
    };
    let node = Node::of_undo(format!("{node_id}!undo"), json, kind_text, undo);
    graph.nodes.push(node);
    let max_attempts = max_attempts(&policy(graph, graph.nodes.len() - 1));
    past.nodes.push(Record {
        stage: Stage::Pending,
        attempt: 0,
        releases: 0,
        handled: false,
        iteration: 0,
        max_attempts,
        skip_asked_for: None,
    });
}

impl Past {
    /// The first compensation has begun.
    pub(super) fn note_undo(&mut self, graph: &Graph, node: usize) {
        self.compensating |= graph.nodes[node].undo.is_some();
    }

    /// Whether the event completes a compensation: that leads nowhere, and its patch does
    /// not touch the state.
    pub(super) fn observe_end_of_undo(&mut self, graph: &Graph, event: &Event) -> bool {
        let EventKind::NodeCompleted(it) = &event.kind else {
            return false;
        };
        let node = graph.place(&it.node_id);
        if graph.nodes[node].undo.is_none() {
            return false;
        }
        self.stop(node, Stage::Completed);
        self.note_spent(graph, &event.kind);
        true
    }
}
