//! `refrain show`: one execution, node by node.

use std::collections::BTreeMap;

use refrain::ErrorRemedy;
use refrain::model::{Event, EventKind, ForkOrigin, Label, NodeState, ParentOrigin};
use refrain::names;
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::{Damaged, ExecutionRecord, Many, Reader, Timestamp, ended};

use super::children::{self, Children};
use super::damage;
use super::database::Database;
use super::ending::Ending;
use super::failure::curable_because;
use super::log_source::{GuestArguments, LogArguments, OpenLog, Place};
use super::logged::Logged;
use super::node_table::{ROWS_MAX, node_table, stand_below_what_they_undo, summary};
use super::output::{self, Form, Paint};
use super::text::{Text, text};
use super::time::stamp;
use super::waiting::{self, Waiting};
use super::why_ended::Written;
use super::{
    Answer, erased, explained, failure, guests, json_text, labels, leaf, list, shown, unresolved,
};

/// Show an execution: its status and state, its nodes, and what it waits for
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    guests: GuestArguments,
    /// Show it as it was behind this event
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    /// Show of its nodes only those that have failed
    #[arg(long, conflicts_with = "node")]
    failed: bool,
    /// Show of its nodes only this one
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// All that is shown.
pub(super) struct View {
    pub(super) record: ExecutionRecord,
    /// Behind which event it is shown. `None` if behind the last one, as it is now.
    pub(super) place: Option<Place>,
    /// Whether all that is known of it is its log.
    is_log_alone: bool,
    /// The execution that it was forked from, if it is a fork.
    pub(super) forked_from: Option<ForkOrigin>,
    /// The node that asked for it, where it is a child.
    pub(super) parent: Option<ParentOrigin>,
    pub(super) children: Children,
    pub(super) simulated: bool,
    pub(super) labels: Vec<Label>,
    pub(super) ending: Ending,
    /// Its state now, while it has not ended; or why the guest cannot tell.
    pub(super) state: Option<Result<String, String>>,
    /// What to type where that is because the guest does not take the log.
    to_audit: Option<Text>,
    /// What its log tells of its nodes.
    pub(super) told: Nodes,
    /// Those that are shown.
    pub(super) nodes: Vec<Node>,
    /// How many of all its nodes are in each state.
    counts: BTreeMap<&'static str, usize>,
    /// The same of compensations.
    undos: BTreeMap<&'static str, usize>,
    pub(super) waiting: Vec<Waiting>,
    /// What time it is by the log.
    pub(super) now: Timestamp,
    /// Why not all of the log is shown, if it is not.
    unreadable: Option<String>,
    pub(super) damaged: Vec<Damaged>,
}

pub(super) fn run(mut arguments: Arguments) -> anyhow::Result<Answer> {
    let (mut open, node) =
        arguments
            .log
            .open_for(arguments.node.as_deref(), arguments.at, &arguments.guests)?;
    arguments.node = node;
    let arguments = &arguments;
    let children_max = match arguments.form.json || arguments.failed {
        true => usize::MAX,
        false => children::SHOWN_MAX,
    };
    let mut view = view(&arguments.log, &mut open, children_max)?;
    view.choose(arguments)?;
    if arguments.form.json {
        output::document(&shown::document(&view)?)?;
    } else {
        let colours = output::colours(&std::io::stdout());
        output::data(&text(&view, open.to_act_on(), colours));
    }
    for damaged in &view.damaged {
        output::tell(&text!("error: {}", damaged.to_string()));
    }
    if let Some(error) = &view.unreadable {
        output::tell(&text!("error: {}", error));
    }
    let is_whole = view.damaged.is_empty() && view.unreadable.is_none();
    Ok(Answer::good_if(is_whole && view.record.tampering.is_none()))
}

fn view(log: &LogArguments, open: &mut OpenLog, children_max: usize) -> anyhow::Result<View> {
    let now = open.now()?;
    let (place, is_log_alone) = (open.place, open.is_log_alone());
    let record = open.record.clone();
    let (logged, unreadable) = match Logged::of(open) {
        Ok(logged) => (logged, open.broken_off.as_ref().map(failure::line)),
        // What the record says can be shown all the same.
        Err(error) if record.tampering.is_some() => (Logged::none(), Some(failure::line(&error))),
        Err(error) => return Err(error),
    };
    let store = &mut *open.store;
    let forked_from = forked_from(logged.first());
    let parent = children::parent(logged.first());
    let labels = store.labels(record.id)?;
    let mut told = Nodes::of(logged.events());
    if record.erased.is_none() {
        unresolved::tell(store, &record, logged.events(), &mut told)?;
    }
    leaf::tell(store, record.id, &mut told)?;
    let simulated = store.is_simulated();
    let items = match ended(record.status) || record.tampering.is_some() {
        true => Many::whole(Vec::new()),
        false => store.items(record.id)?,
    };
    let waiting = match ended(record.status) || record.tampering.is_some() {
        true => Vec::new(),
        false if is_log_alone => waiting::by_log(&told, now),
        false => waiting::all(&told, &items.found, now),
    };
    let mut nodes: Vec<Node> = told.iter().cloned().collect();
    let ids = node_ids(store, &record)?;
    nodes.extend(
        ids.iter()
            .filter(|id| told.named(id).is_none())
            .map(|id| Node::pending(id)),
    );
    let mut ending = Ending::default();
    let (mut state, mut to_audit) = (None, None);
    if record.erased.is_some() {
        // What stands in the place of erased texts says nothing.
        nodes.iter_mut().for_each(|node| node.error = None);
    } else {
        ending = Ending::of(logged.events());
        let is_sound = record.tampering.is_none() && unreadable.is_none();
        if is_sound && !ended(record.status) {
            let now = state_now(store, &record);
            let is_refused = now.as_ref().is_err_and(explained::is_log_refused);
            to_audit = is_refused.then(|| log.to_audit(record.id));
            state = Some(now.map_err(|error| failure::line(&error)));
        }
    }
    complete_detached(store, &record, &mut nodes)?;
    let record_id = record.id;
    let (mut counts, mut undos) = (BTreeMap::new(), BTreeMap::new());
    for node in nodes.iter().filter(|node| node.map().is_none()) {
        let counts = match node.undoes() {
            Some(_) => &mut undos,
            None => &mut counts,
        };
        *counts.entry(names::node_state(node.state)).or_default() += 1;
    }
    stand_below_what_they_undo(&mut nodes);
    Ok(View {
        record,
        place,
        is_log_alone,
        forked_from,
        parent,
        children: children::tree(store, record_id, now, children_max)?,
        simulated,
        labels,
        ending,
        state,
        to_audit,
        told,
        nodes,
        counts,
        undos,
        waiting,
        now,
        unreadable,
        damaged: items.damaged,
    })
}

/// Of a node whose child nobody waits for, the log says no more than that it was started.
fn complete_detached(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    nodes: &mut [Node],
) -> anyhow::Result<()> {
    let may_be = |node: &&mut Node| {
        node.child && node.state == NodeState::Waiting && node.child_started_at.is_some()
    };
    let mut started = nodes.iter_mut().filter(may_be).peekable();
    if started.peek().is_none() {
        return Ok(());
    }
    let written = Written::of(store, record)?;
    for node in started.filter(|node| written.is_detached(&node.id)) {
        node.state = NodeState::Completed;
        node.ended_at = node.child_started_at;
    }
    Ok(())
}

/// Only the guest knows the state of an execution that has not ended. One that cannot tell
/// is no reason to hide all else.
fn state_now(store: &mut dyn Reader, record: &ExecutionRecord) -> anyhow::Result<String> {
    let mut player = guests::player(store, record)?;
    Ok(player.inspect()?.into_merged_state().into_string())
}

impl View {
    /// Leaves the nodes that were asked for.
    fn choose(&mut self, arguments: &Arguments) -> anyhow::Result<()> {
        if arguments.failed {
            self.nodes.retain(Node::has_failed);
            self.children.retain_failed();
        } else if arguments.node.is_none() && !arguments.form.json {
            // A map's row counts its instances, and what undoes them; those that have failed
            // are told one by one.
            self.nodes
                .retain(|node| !node.is_one_of_many() || node.has_failed());
        }
        if let Some(named) = &arguments.node {
            self.nodes.retain(|node| node.id == *named);
            if self.nodes.is_empty() && self.told.has_instance(named) {
                self.nodes.push(Node::pending(named));
            }
            if self.nodes.is_empty() {
                let id = self.record.id;
                return Err(explained::unknown_node(id, named.clone(), &self.told));
            }
        }
        Ok(())
    }

    /// Its nodes by their states, in a line.
    fn summary(&self) -> Text {
        let nodes = summary("node", &self.counts);
        match self.undos.is_empty() {
            true => nodes,
            false => text!("{}; {}", nodes, summary("compensation", &self.undos)),
        }
    }
}

/// The execution that event 1 names as the one that it was forked from.
fn forked_from(first: Option<&Event>) -> Option<ForkOrigin> {
    match first.map(|event| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => started.forked_from.clone(),
        _ => None,
    }
}

/// The ids of all nodes of the workflow.
pub(super) fn node_ids(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
) -> anyhow::Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Workflow {
        /// Another scheduler may take a workflow without any.
        #[serde(default)]
        nodes: BTreeMap<String, serde::de::IgnoredAny>,
    }
    let Some(workflow) = store.workflow(
        &record.tenant,
        &record.workflow_id,
        &record.workflow_version,
    )?
    else {
        return Ok(Vec::new());
    };
    match serde_json::from_str::<Workflow>(&workflow.text) {
        Ok(workflow) => Ok(workflow.nodes.into_keys().collect()),
        // That is told, and what the log says of its nodes.
        Err(_) if record.tampering.is_some() => Ok(Vec::new()),
        Err(error) => Err(curable_because(
            "workflow_damaged",
            format!(
                "the text of workflow {} {} is damaged",
                record.workflow_id, record.workflow_version
            ),
            ErrorRemedy::Audit(record.id),
            error,
        )),
    }
}

fn text(view: &View, database: Option<&Database>, colours: bool) -> Text {
    let mut text = heading(view, colours);
    text.push(&how_it_stands(view, database, colours));
    text.push(&text!("{}\n", view.summary()));
    text.push(&rows(view, colours));
    text.push(&children::text(&view.children));
    text.push(&waits(view, database));
    text.push(&states(view));
    text
}

/// Which execution it is, and where it comes from.
fn heading(view: &View, colours: bool) -> Text {
    let record = &view.record;
    let (standing, paint) = damage::standing(record);
    let mut text = text!(
        "{}  {}{}\n{} {}, started {}, {}, {} events\n",
        record.id,
        standing.painted(paint, colours),
        list::mark(view.simulated),
        record.workflow_id,
        record.workflow_version,
        stamp(record.started_at),
        list::took(record, view.simulated, view.now),
        record.head.sequence
    );
    if let Some(Place { sequence, last }) = view.place {
        text.push(&text!(
            "as it was behind event {} of {}, at {}\n",
            sequence,
            last,
            stamp(view.now)
        ));
    }
    if let Some(origin) = &view.forked_from {
        text.push(&text!(
            "forked from {}, behind its event {}\n",
            origin.execution_id,
            origin.sequence
        ));
    }
    if let Some(parent) = &view.parent {
        text.push(&text!(
            "child of {}, for its node {}\n",
            parent.execution_id,
            parent.node_id
        ));
    }
    if !view.labels.is_empty() {
        text.push(&text!("labels: {}\n", labels::line(&view.labels)));
    }
    text
}

/// Why it ended, or why it does not go on, and that it was erased.
fn how_it_stands(view: &View, database: Option<&Database>, colours: bool) -> Text {
    let (record, ending) = (&view.record, &view.ending);
    let mut text = Text::default();
    if let Some(error) = ending.text(record.id, &view.told, database) {
        let paint = Paint::of_status(record.status);
        text.push(&text!("{}\n", error.painted(paint, colours)));
    }
    let (paint, why) = (
        damage::standing(record).1,
        damage::why_set_aside(record, database),
    );
    if let Some(why) = why.or_else(|| ending.why_held(record, database)) {
        text.push(&text!("{}\n", why.painted(paint, colours)));
    }
    if let Some(attestation) = &record.erased {
        text.push(&text!("{}\n", erased::sentence(attestation)));
    }
    text
}

/// The nodes, as many as a person reads.
fn rows(view: &View, colours: bool) -> Text {
    let nodes = &view.nodes;
    if nodes.is_empty() {
        return Text::default();
    }
    let shown = &nodes[..nodes.len().min(ROWS_MAX)];
    let table = node_table(shown, &view.told, view.now).text(2, colours);
    let mut text = text!("\n{}", table);
    if nodes.len() > ROWS_MAX {
        let more = nodes.len() - ROWS_MAX;
        text.push(&text!("and {} more, which --json shows\n", more));
    }
    text
}

/// What it waits for, and what its children wait for.
fn waits(view: &View, database: Option<&Database>) -> Text {
    let mut text = Text::default();
    for waiting in &view.waiting {
        let waiting = waiting.text("", view.record.id, database, view.now);
        text.push(&text!("\n{}\n", waiting));
    }
    if let Some(database) = database {
        for waiting in children::waits(&view.children, "", database, view.now) {
            text.push(&text!("\n{}\n", waiting));
        }
    }
    text
}

/// Its state, while it runs, and its final state.
fn states(view: &View) -> Text {
    let when = if view.is_log_alone {
        "was then"
    } else {
        "is now"
    };
    let mut text = match &view.state {
        Some(Ok(state)) => text!("\nits state {}\n{}\n", when, json_text::pretty(state)),
        Some(Err(error)) => text!("\nits state cannot be told: {}\n", error),
        None => Text::default(),
    };
    if let Some(to_audit) = &view.to_audit {
        text.push(&text!("  {}\n", to_audit));
    }
    if let Some(state) = &view.ending.final_state {
        text.push(&text!("\n{}\n", json_text::pretty(state)));
    }
    text
}
