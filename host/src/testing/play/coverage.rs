//! Which edges were live (rule R7).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::case::Played;
use super::probe::{Question, ask};
use crate::error::EngineError;
use crate::guest::Library;
use crate::json::Json;
use crate::model::{CancelReason, EventKind, SkipReason, instance_of};
use crate::testing::graph::{Edge, Graph, Rule};

/// The places of the edges that were live in a case.
pub(in crate::testing) fn live_edges(
    graph: &Graph,
    input: &Json,
    played: &Played,
    library: &Library,
) -> Result<BTreeSet<usize>, EngineError> {
    let mut live = BTreeSet::new();
    let mut state = State::default();
    let mut questions = Vec::new();
    let mut asked = Vec::new();
    for event in &played.events {
        let Some(settled) = settled(&event.kind) else {
            continue;
        };
        state.merge(settled.patch);
        let (mut places, mut conditions) = (Vec::new(), Vec::new());
        for (place, edge) in graph.leading_on(settled.node) {
            match judged(edge, settled.chosen_target) {
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
            questions.push(Question { state, conditions });
            asked.push(places);
        }
    }
    if !questions.is_empty() {
        let answers = ask(library, input, &questions)?;
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
}

fn settled(kind: &EventKind) -> Option<Settled<'_>> {
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
    // An instance leads nowhere, and its patch does not touch the state (rule R21).
    if instance_of(node).is_some() {
        return None;
    }
    Some(Settled {
        node,
        chosen_target,
        patch,
    })
}

enum Judged<'a> {
    Live,
    Dead,
    /// Live if this holds.
    If(&'a str),
}

fn judged<'a>(edge: &'a Edge, chosen_target: Option<&str>) -> Judged<'a> {
    match (chosen_target, &edge.rule) {
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
            let key = serde_json::Value::from(key.as_str());
            members.push(format!("{key}:{value}"));
        }
        format!("{{{}}}", members.join(","))
    }
}
