//! Logs that a whole engine writes: of parents and children, and of executions that were
//! handed to another scheduler.

use anyhow::{Context, Result, bail};
use refrain::guest::Library;
use refrain::log::export::ExportReader;
use refrain::model::{Digest, Event, EventKind, Origin};
use refrain::{ExecutionId, Start};
use serde_json::json;

use super::super::source::Source;
use crate::chained;
use crate::golden;
use crate::golden::stage::{Props, Stage};
use crate::notation::Graph;
use crate::wat_guest::{TAKE_ALL, WatGuest};

/// A workflow whose node `s` starts a child, which starts one of its own.
const PARENT: &str = r#"
    a -> s -> b
    a: command
    s: subgraph {"workflow_id":null,"version":null,"output_key":"said","input_mapping":{"of":"state.of"},"body":{"start_node":"x","edges":[{"from":"x","to":"y"}],"nodes":{"x":{"kind":{"type":"tool","tool_ref":"t"}},"y":{"kind":{"type":"subgraph","body":{"start_node":"z","nodes":{"z":{"kind":{"type":"tool","tool_ref":"t"}}}}}}}}}
    b: command
"#;

/// The logs of a parent, its child, and the child's child.
pub(super) fn children(library: &Library) -> Result<Vec<Source>> {
    let lines = PARENT.lines().map(str::trim).filter(|it| !it.is_empty());
    let graph = Graph::read(lines).map_err(anyhow::Error::msg)?;
    let mut stage = Stage::set(Props {
        tenant: "default",
        library,
        seed: 9_000,
        workflow: &graph.workflow,
        start: Start::new("w", "1.0.0", json!({ "n": 7 })),
        simulated: false,
    })?;
    stage.claim("command")?;
    stage.complete("a", json!({ "of": [1] }))?;
    for node in ["x", "z"] {
        stage.claim("tool")?;
        stage.complete(node, json!({ node: true }))?;
    }
    stage.claim("command")?;
    stage.complete("b", json!({}))?;
    let parent = stage.execution();
    let child = ExecutionId::of_child(parent, "s", 1, 0);
    let logs = [
        ("family_parent", "a parent whose child completes", parent),
        (
            "family_child",
            "that child, which has a child itself",
            child,
        ),
        (
            "family_grandchild",
            "a child two levels below its root",
            ExecutionId::of_child(child, "y", 1, 0),
        ),
    ];
    let logs = logs.into_iter();
    logs.map(|(name, shows, id)| Source::new(name, shows, &stage.export_of(id)?))
        .collect()
}

/// Two logs in which the scheduler changes, to one that decides nothing and from it; and that
/// scheduler.
pub(super) fn upgraded(library: &Library) -> Result<(Vec<Source>, Vec<u8>)> {
    let idle = WatGuest {
        step: TAKE_ALL,
        ..WatGuest::default()
    };
    let idle = idle.component()?;
    let digest = Digest::of(&idle);
    let (workflow, events) = golden_log(library, "guest_changed")?;
    let [to_idle, from_idle] = [to(digest, &events), from(digest, library, &events)?];
    let sources = [
        (
            "upgraded_to_idle",
            "the execution is handed to a scheduler that decides nothing",
            to_idle,
        ),
        (
            "upgraded_from_idle",
            "the execution begins with a scheduler that decides nothing",
            from_idle,
        ),
    ];
    let sources = sources.into_iter().map(|(name, shows, events)| {
        Source::new(name, shows, &chained::export(&workflow, events)?)
    });
    Ok((sources.collect::<Result<_>>()?, idle))
}

/// Nothing is decided after the change.
fn to(idle: Digest, events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    let mut is_changed = false;
    events.retain_mut(|event| {
        if let EventKind::GuestChanged(it) = &mut event.kind {
            it.guest_digest = idle;
            is_changed = true;
        }
        !(is_changed && event.origin == Origin::Decision)
    });
    events
}

/// The change comes right behind event 1, before anything is decided.
fn from(idle: Digest, library: &Library, events: &[Event]) -> Result<Vec<Event>> {
    let [first, rest @ ..] = events else {
        bail!("the log is empty");
    };
    let is_change = |event: &&Event| matches!(event.kind, EventKind::GuestChanged(_));
    let mut change = rest.iter().find(is_change).context("a change")?.clone();
    change.at = first.at;
    if let EventKind::GuestChanged(it) = &mut change.kind {
        it.guest_digest = library.built_in().parse()?;
    }
    let mut first = first.clone();
    if let EventKind::WorkflowStarted(it) = &mut first.kind {
        it.guest_digest = idle;
    }
    let rest = rest.iter().filter(|event| !is_change(event)).cloned();
    let mut all: Vec<Event> = [first, change].into_iter().chain(rest).collect();
    let mut claimed = 0;
    for (event, sequence) in all.iter_mut().zip(1..) {
        event.sequence = sequence;
        match &mut event.kind {
            EventKind::NodeStarted(_) => claimed = sequence,
            EventKind::NodeCompleted(it) => it.fence = claimed,
            _ => {}
        }
    }
    Ok(all)
}

/// The workflow and the events of a golden log.
fn golden_log(library: &Library, name: &str) -> Result<(String, Vec<Event>)> {
    let sets = golden::sets()?;
    let set = sets.iter().find(|set| set.guest == library.built_in());
    let set = set.context("there are golden logs")?;
    let entry = set.logs.iter().find(|entry| entry.name == name);
    let text = set.text(entry.context("there is such a golden log")?)?;
    let reader = ExportReader::new(text.as_bytes())?;
    let workflow = reader.header().workflow.clone();
    let events = reader.map(|event| event.map(|event| event.event().clone()));
    Ok((workflow, events.collect::<Result<_, _>>()?))
}
