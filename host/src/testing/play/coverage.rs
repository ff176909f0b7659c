//! Which edges were live (rules R7 and R26).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::case::Played;
use super::probe::{Question, ask};
use crate::error::EngineError;
use crate::guest::Library;
use crate::json::Json;
use crate::model::{
    CancelReason, Event, EventKind, NodeExhausted, NodeFailure, SkipReason, instance_of,
};
use crate::testing::graph::{Edge, Graph, On, Rule, Workflows};
use crate::testing::settled::by_a_child;

/// The edges that were live in a case: the part of the tested workflow, and their place in
/// it. Those of other workflows are not counted.
pub(in crate::testing) fn live_edges(
    workflows: &Workflows,
    played: &Played<'_>,
    library: &Library,
) -> Result<BTreeSet<(usize, usize)>, EngineError> {
    let mut live = BTreeSet::new();
    let parts = workflows.parts();
    for run in &played.runs {
        let is_its = |graph: &Graph| run.graph.is_some_and(|it| std::ptr::eq(it, graph));
        let Some(part) = parts.iter().position(|(_, graph)| is_its(graph)) else {
            continue;
        };
        let places = live_edges_of(parts[part].1, &run.events, library)?;
        live.extend(places.into_iter().map(|place| (part, place)));
    }
    Ok(live)
}

/// The places of the edges that were live in an execution.
fn live_edges_of(
    graph: &Graph,
    events: &[Event],
    library: &Library,
) -> Result<BTreeSet<usize>, EngineError> {
    let mut live = BTreeSet::new();
    let mut state = State::default();
    let mut questions = Vec::new();
    let mut asked = Vec::new();
    let mut classes = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if let EventKind::NodeFailed(it) = &event.kind {
            classes.insert(&it.node_id, it.error_class.as_deref());
        }
        let by_a_child = by_a_child(graph, events, place);
        let settled = match &by_a_child {
            Some((node, patch)) => completed(node, None, patch),
            None => settled(&event.kind, &classes),
        };
        let Some(settled) = settled else {
            continue;
        };
        state.merge(settled.patch);
        let (mut places, mut conditions) = (Vec::new(), Vec::new());
        for (place, edge) in graph.leading_on(settled.node) {
            match judged(edge, &settled) {
                Judged::Live => drop(live.insert(place)),
                Judged::Dead => {}
                Judged::If(condition) => {
                    places.push(place);
                    conditions.push(condition);
                }
            }
        }
        if !places.is_empty() {
            let state = state.text();
            let error = settled.error;
            questions.push(Question {
                state,
                error,
                conditions,
            });
            asked.push(places);
        }
    }
    if let (false, Some(EventKind::WorkflowStarted(it))) = (
        questions.is_empty(),
        events.first().map(|event| &event.kind),
    ) {
        let input = Json::trusted(it.initial_input.clone());
        let answers = ask(library, &input, &questions)?;
        for (places, hold) in asked.iter().zip(answers) {
            live.extend(hold.into_iter().map(|place| places[place]));
        }
    }
    Ok(live)
}

/// A node that leads on.
struct Settled<'a> {
    node: &'a str,
    chosen_target: Option<&'a str>,
    /// What the state gets, a JSON object.
    patch: &'a str,
    /// How it failed for good, if it did (rule R26).
    error: Option<Value>,
}

/// `classes`: those of the nodes' last failed attempts, as workers said them.
fn settled<'a>(
    kind: &'a EventKind,
    classes: &BTreeMap<&'a String, Option<&str>>,
) -> Option<Settled<'a>> {
    if let EventKind::NodeExhausted(it) = kind {
        let class = classes.get(&it.node_id).copied().flatten();
        return Some(Settled {
            node: &it.node_id,
            chosen_target: None,
            patch: "{}",
            error: Some(error(it, class)),
        });
    }
    let (node, chosen_target, patch) = match kind {
        EventKind::NodeCompleted(it) => {
            (&it.node_id, it.chosen_target.as_deref(), &*it.state_patch)
        }
        EventKind::NodeSettled(it) => (&it.node_id, it.chosen_target.as_deref(), &*it.state_patch),
        // These count as completed (rule R9).
        EventKind::NodeSkipped(it) if it.reason == SkipReason::ByOperator => {
            (&it.node_id, None, "{}")
        }
        EventKind::NodeCancelled(it) if it.reason == CancelReason::ByOperator => {
            (&it.node_id, None, "{}")
        }
        _ => return None,
    };
    completed(node, chosen_target, patch)
}

fn completed<'a>(
    node: &'a str,
    chosen_target: Option<&'a str>,
    patch: &'a str,
) -> Option<Settled<'a>> {
    // An instance leads nowhere, and its patch does not touch the state (rule R21).
    instance_of(node).is_none().then_some(Settled {
        node,
        chosen_target,
        patch,
        error: None,
    })
}

/// What the conditions of edges see of a failure.
fn error(exhausted: &NodeExhausted, class: Option<&str>) -> Value {
    let (class, message) = match &exhausted.cause {
        NodeFailure::AttemptFailed(error) => (class, Some(error)),
        cause => (Some(cause.code()), None),
    };
    json!({ "class": class, "message": message, "attempts": exhausted.attempts })
}

enum Judged<'a> {
    Live,
    Dead,
    /// Live if this holds.
    If(&'a str),
}

fn judged<'a>(edge: &'a Edge, settled: &Settled<'_>) -> Judged<'a> {
    let is_judged = match settled.error {
        Some(_) => edge.on != On::Success,
        None => edge.on != On::Failure,
    };
    match (settled.chosen_target, &edge.rule) {
        _ if !is_judged => Judged::Dead,
        (Some(target), _) if target == edge.to => Judged::Live,
        (Some(_), _) | (None, Rule::Chosen) => Judged::Dead,
        (None, Rule::Implied | Rule::Ordinary(None)) => Judged::Live,
        (None, Rule::Ordinary(Some(condition))) => Judged::If(condition),
    }
}

/// The state as it grows: the top-level keys of each patch replace earlier ones (rule R10).
#[derive(Default)]
struct State {
    members: BTreeMap<String, Box<RawValue>>,
}

impl State {
    fn merge(&mut self, patch: &str) {
        // A log holds objects only.
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(patch).unwrap_or_default();
        self.members.extend(members);
    }

    fn text(&self) -> String {
        let mut members = Vec::with_capacity(self.members.len());
        for (key, value) in &self.members {
            let key = Value::from(key.as_str());
            members.push(format!("{key}:{value}"));
        }
        format!("{{{}}}", members.join(","))
    }
}
