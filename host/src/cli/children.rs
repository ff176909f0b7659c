//! The children of an execution, and theirs, as a tree.

use refrain::id::ExecutionId;
use refrain::limits::CHILD_DEPTH_MAX;
use refrain::log::KeptEvent;
use refrain::model::{Event, EventKind, NodeState, ParentOrigin, Status};
use refrain::names;
use refrain::replay::nodes::Nodes;
use refrain::store::{ChildRecord, ExecutionRecord, Reader, StoreError, Timestamp, ended};
use serde::{Serialize, Serializer};

use super::database::Database;
use super::ending::{self, Ending};
use super::log;
use super::text::{Text, text};
use super::waiting::{self, Waiting};

/// Children of one execution.
#[derive(Default)]
pub(super) struct Children {
    pub(super) shown: Vec<Child>,
    /// How many more there are.
    more: usize,
}

impl Serialize for Children {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

/// A child, with its own.
#[derive(Serialize)]
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
    /// Why it failed, was cancelled or is stalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    children: Children,
    #[serde(skip)]
    id: ExecutionId,
    /// What its log says, if it is stalled.
    #[serde(skip)]
    stalled: Option<(Ending, Nodes)>,
}

fn documents<S: Serializer>(waiting: &[Waiting], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(waiting.iter().map(Waiting::document))
}

/// Children of one execution that are shown to a person: more than anyone reads.
pub(super) const SHOWN_MAX: usize = 100;

/// The children of an execution, and theirs, down to where there are none, at `now`: at most
/// so many of each, and rather those that have not completed.
pub(super) fn tree(
    store: &mut dyn Reader,
    id: ExecutionId,
    now: Timestamp,
    max: usize,
) -> anyhow::Result<Children> {
    below(store, id, now, max, 0)
}

/// The same, so many levels below the execution that was asked for.
fn below(
    store: &mut dyn Reader,
    id: ExecutionId,
    now: Timestamp,
    max: usize,
    depth: u32,
) -> anyhow::Result<Children> {
    check_depth(store, id, depth)?;
    let mut records = Vec::new();
    for record in store.children(id)? {
        let stored = store.execution(record.child)?;
        records.push((record, stored));
    }
    let more = records.len().saturating_sub(max);
    if more > 0 {
        let is_completed = |stored: &Option<ExecutionRecord>| matches!(stored, Some(it) if it.status == Status::Completed);
        records.sort_by_key(|(_, stored)| is_completed(stored));
        records.truncate(max);
        records.sort_by_key(|(record, _)| record.sequence);
    }
    let mut shown = Vec::new();
    for (record, stored) in records {
        let children = below(store, record.child, now, max, depth + 1)?;
        let mut child = Child::of(&record, stored.as_ref(), children);
        if let Some(stored) = stored.filter(|it| it.tampering.is_none()) {
            child.look_into(store, &stored, now)?;
        }
        shown.push(child);
    }
    Ok(Children { shown, more })
}

/// Rows that are damaged may lead in a circle; those of a tree do not lead so far down.
fn check_depth(store: &dyn Reader, id: ExecutionId, depth: u32) -> Result<(), StoreError> {
    if depth <= CHILD_DEPTH_MAX {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        place: format!("{}, `children`", store.place()),
        detail: format!("its rows lead more than {CHILD_DEPTH_MAX} levels down, to {id}"),
    })
}

/// What a log tells of its nodes.
fn nodes(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Nodes> {
    let events = log::kept(store, id)?;
    Ok(Nodes::of(events.iter().map(KeptEvent::event)))
}

/// What these children wait for, and theirs, with the commands to type. `way` stands before
/// the names of their nodes.
pub(super) fn waits(
    children: &Children,
    way: &str,
    database: &Database,
    now: Timestamp,
) -> Vec<Text> {
    let mut waits = Vec::new();
    for child in &children.shown {
        let way = format!("{way}{}/", child.node_id);
        let own = child.waiting.iter();
        waits.extend(own.map(|waiting| waiting.text(&way, child.id, database, now)));
        if let Some((ending, nodes)) = &child.stalled {
            let (_, stalled) = ending.of_stalled_child(&way, child.id, nodes, database);
            waits.push(stalled);
        }
        waits.extend(self::waits(&child.children, &way, database, now));
    }
    waits
}

/// The ways to the nodes of these children, and of theirs, that wait for somebody. `way`
/// stands before the names of their nodes.
pub(super) fn waiting_nodes(children: &Children, way: &str) -> Vec<String> {
    let mut nodes = Vec::new();
    for child in &children.shown {
        let way = format!("{way}{}/", child.node_id);
        let own = child.waiting.iter().filter_map(Waiting::node);
        nodes.extend(own.map(|node| format!("{way}{node}")));
        nodes.extend(waiting_nodes(&child.children, &way));
    }
    nodes
}

impl Children {
    /// Leaves those that failed or are stalled, and those that they are children of.
    pub(super) fn retain_failed(&mut self) {
        self.shown
            .iter_mut()
            .for_each(|it| it.children.retain_failed());
        self.shown.retain(|it| {
            let bad = [Status::Failed, Status::Stalled].map(|status| Some(names::status(status)));
            bad.contains(&it.status) || !it.children.shown.is_empty()
        });
        self.more = 0;
    }

    /// Lines for these, and for theirs behind each.
    fn push_lines(&self, depth: usize, lines: &mut Text) {
        for child in &self.shown {
            // The first of several is numbered, too.
            let repeats = |it: &Child| it.node_id == child.node_id && it.iteration > 0;
            child.push_lines(depth, self.shown.iter().any(repeats), lines);
        }
        if self.more > 0 {
            lines.push(&text!(
                "{}and {} more, which --json shows\n",
                "  ".repeat(depth),
                self.more
            ));
        }
    }
}

impl Child {
    /// What it waits for, or why it does not go on.
    fn look_into(
        &mut self,
        store: &mut dyn Reader,
        record: &ExecutionRecord,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        match record.status {
            Status::Running => {
                let nodes = nodes(store, record.id)?;
                let items = store.items(record.id)?;
                self.waiting = waiting::all(&nodes, &items.found, now);
            }
            Status::Stalled => {
                let events = log::kept(store, record.id)?;
                let events = || events.iter().map(KeptEvent::event);
                let ending = Ending::of(events());
                self.error.clone_from(&ending.error);
                self.stalled = Some((ending, Nodes::of(events())));
            }
            _ => (self.error, _) = ending::why(store, record)?,
        }
        Ok(())
    }

    fn of(record: &ChildRecord, stored: Option<&ExecutionRecord>, children: Children) -> Self {
        Self {
            node_id: record.node_id.clone(),
            attempt: record.attempt,
            iteration: record.iteration,
            execution_id: record.child.to_string(),
            status: stored.map(|stored| names::status(stored.status)),
            workflow_id: stored.map(|stored| stored.workflow_id.clone()),
            workflow_version: stored.map(|stored| stored.workflow_version.clone()),
            waiting: Vec::new(),
            error: None,
            children,
            id: record.child,
            stalled: None,
        }
    }

    /// A line for it, and behind it those for its own.
    fn push_lines(&self, depth: usize, repeats: bool, lines: &mut Text) {
        let mut which = String::new();
        if repeats {
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
        self.children.push_lines(depth + 1, lines);
    }
}

/// The tree for people; nothing if there are no children.
pub(super) fn text(children: &Children) -> Text {
    let mut lines = Text::new();
    if children.shown.is_empty() {
        return lines;
    }
    lines.push(&text!("\nchildren, by the nodes that asked for them\n"));
    children.push_lines(1, &mut lines);
    lines
}

/// The parent that event 1 names.
pub(super) fn parent(first: Option<&Event>) -> Option<ParentOrigin> {
    match first.map(|event| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => started.parent.clone(),
        _ => None,
    }
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
    let mut depth = 0;
    loop {
        check_depth(store, id, depth)?;
        depth += 1;
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
            None if record.status == Status::Completed => Text::new(),
            None => text!("; no node of it fails or waits"),
            Some(node) => {
                let error = node.error.as_deref().map(|error| format!(": {error}"));
                text!(
                    "; its node {:?} is {}{}",
                    node.id,
                    names::node_state(node.state).replace('_', " "),
                    error.unwrap_or_default()
                )
            }
        };
        text.push(&text!(
            "  the child of {:?} is {}, {}{}\n",
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
        if record.status == Status::Stalled {
            let events = log::kept(store, record.id)?;
            let ending = Ending::of(events.iter().map(KeptEvent::event));
            text.push(&text!("{}", ending.remedies(record.id, database)));
        }
        match cause {
            Some(node) if !ended(record.status) || node.state == NodeState::Failed => {
                (id, node_id) = (record.id, node.id.clone());
            }
            _ => return Ok(text),
        }
    }
}
