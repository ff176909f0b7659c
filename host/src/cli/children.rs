//! The children of an execution, and theirs, as a tree.

use refrain::id::ExecutionId;
use refrain::log::KeptEvent;
use refrain::model::{EventKind, NodeState, ParentOrigin, Status};
use refrain::names;
use refrain::store::{
    ChildRecord, ChildState, ExecutionRecord, Reader, StoreError, Timestamp, ended,
};
use serde::{Serialize, Serializer};

use super::database::Database;
use super::log;
use super::nodes::Nodes;
use super::text::{Text, text};
use super::waiting::{self, Waiting};

/// A child, with its own.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Child {
    /// The node that asked for it.
    node_id: String,
    attempt: u32,
    iteration: u32,
    execution_id: String,
    /// `None` if it is to be started.
    status: Option<&'static str>,
    workflow_id: Option<String>,
    workflow_version: Option<String>,
    /// What it waits for that only somebody else can give.
    #[serde(serialize_with = "documents", skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
    children: Vec<Child>,
    #[serde(skip)]
    id: ExecutionId,
}

fn documents<S: Serializer>(waiting: &[Waiting], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(waiting.iter().map(Waiting::document))
}

/// Children of one execution that are shown: more than anyone reads.
const SHOWN_MAX: usize = 100;

/// The children of an execution, and theirs, down to where there are none, at `now`.
pub(super) fn tree(
    store: &mut dyn Reader,
    id: ExecutionId,
    now: Timestamp,
) -> anyhow::Result<Vec<Child>> {
    let children = store.children(id)?.into_iter().take(SHOWN_MAX);
    children
        .map(|record| {
            let stored = store.execution(record.child)?;
            let children = tree(store, record.child, now)?;
            let mut child = Child::of(&record, stored.as_ref(), children);
            if stored.is_some_and(|stored| {
                stored.status == Status::Running && stored.tampering.is_none()
            }) {
                let nodes = nodes(store, record.child)?;
                let items = store.items(record.child)?;
                child.waiting = waiting::all(&nodes, &items.found, now);
            }
            Ok(child)
        })
        .collect()
}

/// What a log tells of its nodes.
fn nodes(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Nodes> {
    let events = log::kept(store, id)?;
    Ok(Nodes::of(events.iter().map(KeptEvent::event)))
}

/// What these children wait for, and theirs, with the commands to type. `way` stands before
/// the names of their nodes.
pub(super) fn waits(
    children: &[Child],
    way: &str,
    database: &Database,
    now: Timestamp,
) -> Vec<Text> {
    let mut waits = Vec::new();
    for child in children {
        let way = format!("{way}{}/", child.node_id);
        let own = child.waiting.iter();
        waits.extend(own.map(|waiting| waiting.text(&way, child.id, database, now)));
        waits.extend(self::waits(&child.children, &way, database, now));
    }
    waits
}

impl Child {
    fn of(record: &ChildRecord, stored: Option<&ExecutionRecord>, children: Vec<Self>) -> Self {
        Self {
            node_id: record.node_id.clone(),
            attempt: record.attempt,
            iteration: record.iteration,
            execution_id: record.child.to_string(),
            status: stored.map(|stored| names::status(stored.status)),
            workflow_id: stored.map(|stored| stored.workflow_id.clone()),
            workflow_version: stored.map(|stored| stored.workflow_version.clone()),
            waiting: Vec::new(),
            children,
            id: record.child,
        }
    }

    /// A line for it, and behind it those for its own.
    fn push_lines(&self, depth: usize, lines: &mut Text) {
        let mut which = String::new();
        if self.iteration > 0 {
            which += &format!(", iteration {}", self.iteration);
        }
        if self.attempt > 1 {
            which += &format!(", attempt {}", self.attempt);
        }
        lines.push(&text!(
            "{}{}{}: {}  {}  {} {}\n",
            "  ".repeat(depth),
            self.node_id,
            which,
            self.execution_id,
            self.status.unwrap_or("to be started"),
            self.workflow_id.as_deref().unwrap_or_default(),
            self.workflow_version.as_deref().unwrap_or_default()
        ));
        for child in &self.children {
            child.push_lines(depth + 1, lines);
        }
    }
}

/// The tree for people; nothing if there are no children.
pub(super) fn text(children: &[Child]) -> Text {
    let mut lines = Text::new();
    if children.is_empty() {
        return lines;
    }
    lines.push(&text!("\nchildren, by the nodes that asked for them\n"));
    for child in children {
        child.push_lines(1, &mut lines);
    }
    lines
}

/// The parent that event 1 names.
pub(super) fn parent(events: &[KeptEvent]) -> Option<ParentOrigin> {
    match events.first().map(|kept| &kept.event().kind) {
        Some(EventKind::WorkflowStarted(started)) => started.parent.clone(),
        _ => None,
    }
}

/// Nodes that nobody waits for although the log says so alone: those with a detached child
/// complete when it was started.
pub(super) fn is_detached(
    store: &mut dyn Reader,
    id: ExecutionId,
    node_id: &str,
) -> Result<bool, StoreError> {
    let last = store.children(id)?;
    let last = last.iter().rev().find(|record| record.node_id == node_id);
    Ok(last.is_some_and(|record| record.state == ChildState::Settled))
}

/// Where what holds up a node is to be found: its child, as long as that has not ended
/// well, and the nodes of that which have failed or wait; and so on down. Of what waits at
/// `now` for somebody, with the command to type.
pub(super) fn causes(
    store: &mut dyn Reader,
    id: ExecutionId,
    node_id: &str,
    database: &Database,
    now: Timestamp,
) -> anyhow::Result<Text> {
    let mut text = Text::new();
    let (mut id, mut node_id) = (id, node_id.to_owned());
    loop {
        let children = store.children(id)?;
        let Some(last) = children.iter().rev().find(|it| it.node_id == node_id) else {
            return Ok(text);
        };
        let Some(record) = store.execution(last.child)? else {
            return Ok(text);
        };
        let nodes = match record.erased {
            Some(_) => Nodes::default(),
            None => nodes(store, record.id)?,
        };
        let holds = |state: NodeState| {
            !matches!(
                state,
                NodeState::Completed
                    | NodeState::Skipped
                    | NodeState::Cancelled
                    | NodeState::Pending
            )
        };
        let cause = nodes.iter().filter(|node| holds(node.state));
        let cause = cause.min_by_key(|node| node.state != NodeState::Failed);
        let said = match cause {
            None => text!("no node of it fails or waits"),
            Some(node) => {
                let error = node.error.as_deref().map(|error| format!(": {error}"));
                text!(
                    "its node {:?} is {}{}",
                    node.id,
                    names::node_state(node.state).replace('_', " "),
                    error.unwrap_or_default()
                )
            }
        };
        text.push(&text!(
            "  the child of {:?} is {}, {}; {}\n",
            node_id,
            record.id,
            names::status(record.status),
            said
        ));
        if let Some(node) = cause.filter(|_| record.status == Status::Running) {
            let items = store.items(record.id)?;
            let waiting = waiting::all(&nodes, &items.found, now);
            for waiting in waiting.iter().filter(|it| it.is_of(&node.id)) {
                let said = waiting.text("", record.id, database, now);
                text.push(&text!("  {}\n", said));
            }
        }
        match cause {
            Some(node) if !ended(record.status) || node.state == NodeState::Failed => {
                (id, node_id) = (record.id, node.id.clone());
            }
            _ => return Ok(text),
        }
    }
}
