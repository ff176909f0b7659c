//! Ordinary work in the place of what waits: for instances, for a child, for a time, for
//! somebody. Where the log says that the wait is over, a worker answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::{Case, Turn};
use super::facts::{self, WORKER};
use super::nodes;
use super::play::{Played, PlayedTurn};
use crate::model::{Event, EventKind, NodeCompleted, NodeFailed, NodeStarted, Status, instance_of};

/// The kinds that wait for something other than a worker's answer.
const WAITING: [&str; 4] = ["map", "subgraph", "wait", "human_approval"];

/// The case in which a worker does what this node waits for. `None` if it does not wait.
pub(super) fn as_work(case: &Case, played: &Played, id: &str) -> Option<Case> {
    let kind = &case.workflow["nodes"].get(id)?["kind"];
    if !WAITING.contains(&kind["type"].as_str()?) {
        return None;
    }
    let mut ends = ends(played, id, kind);
    let mut work = nodes::plain(case, id)?;
    work.turns.clear();
    for (place, turn) in case.turns.iter().enumerate() {
        let mut answered = Answered {
            turn: Turn {
                at: turn.at,
                facts: Vec::new(),
            },
            end: ends.remove(&place),
        };
        for fact in &turn.facts {
            if is_of_wait(fact, id) {
                answered.answer(id);
            } else {
                answered.turn.facts.push(fact.clone());
            }
        }
        work.turns.extend(answered.turns(id));
    }
    work.retain_known();
    Some(work)
}

/// The same of the children that instances of a map start: each instance is a worker's.
/// `None` if it is no map of children.
pub(super) fn with_working_instances(case: &Case, id: &str) -> Option<Case> {
    let mut work = case.clone();
    let kind = &mut work.workflow["nodes"].get_mut(id)?["kind"];
    if kind["type"] != "map" || kind["body"]["type"] != "subgraph" {
        return None;
    }
    kind["body"] = json!({ "type": "tool", "tool_ref": "t" });
    for turn in &mut work.turns {
        for fact in &mut turn.facts {
            if instance_of(facts::run(fact).unwrap_or_default()).is_some_and(|(map, _)| map == id)
                && let Some(said) = of_worker(fact)
            {
                *fact = said;
            }
        }
    }
    Some(work)
}

/// What a worker does in the place of a child that this is told of.
fn of_worker(fact: &EventKind) -> Option<EventKind> {
    Some(match fact {
        EventKind::ChildStarted(it) => claim(&it.node_id),
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            let mut completed = NodeCompleted::new(&it.node_id, 1, 0);
            completed.output = it.output.clone().unwrap_or(completed.output);
            EventKind::NodeCompleted(completed)
        }
        EventKind::ChildEnded(it) => EventKind::NodeFailed(failure(&it.node_id)),
        _ => return None,
    })
}

/// How a wait ends.
struct End {
    /// What a worker says in its place.
    answer: EventKind,
    /// Whether it has begun in the same turn, so that a worker can only say it in a later one.
    is_too_early: bool,
}

/// A turn in which a worker may answer.
struct Answered {
    turn: Turn,
    /// What has not been answered yet.
    end: Option<End>,
}

impl Answered {
    /// A worker answers now, if it can.
    fn answer(&mut self, id: &str) {
        if let Some(end) = self.end.take_if(|end| !end.is_too_early) {
            self.turn.facts.extend([claim(id), end.answer]);
        }
    }

    /// The turn, and a further one if it is answered in that.
    fn turns(mut self, id: &str) -> impl Iterator<Item = Turn> {
        self.answer(id);
        let at = self.turn.at;
        let later = self.end.map(|end| Turn {
            at,
            facts: vec![claim(id), end.answer],
        });
        std::iter::once(self.turn).chain(later)
    }
}

/// Whether a fact is about the wait, or an instance: not what an operator asks for.
fn is_of_wait(fact: &EventKind, id: &str) -> bool {
    let is_asked = matches!(
        fact,
        EventKind::RetryRequested(_) | EventKind::SkipRequested(_)
    );
    facts::node(fact) == Some(id) && !is_asked
}

/// How the waits of a node end, by the places of their turns.
fn ends(played: &Played, id: &str, kind: &Value) -> BTreeMap<usize, End> {
    let mut ends = BTreeMap::new();
    let mut begun_in = None;
    for (place, turn) in played.turns.iter().enumerate() {
        for event in events_of(played, turn) {
            if facts::run(&event.kind) != Some(id) {
                continue;
            }
            if begins(&event.kind) {
                // A loop goes on: its child's end was not that of the wait.
                ends.retain(|_, end: &mut End| !matches!(end.answer, EventKind::NodeCompleted(_)));
                begun_in = Some(place);
            }
            if let Some(answer) = end(&event.kind, kind) {
                let is_too_early = begun_in == Some(place);
                ends.insert(
                    place,
                    End {
                        answer,
                        is_too_early,
                    },
                );
            }
        }
    }
    ends
}

fn events_of<'p>(played: &'p Played, turn: &PlayedTurn) -> &'p [Event] {
    &played.events[turn.facts.start..turn.decisions().end]
}

fn begins(event: &EventKind) -> bool {
    matches!(
        event,
        EventKind::MapExpanded(_)
            | EventKind::ChildRequested(_)
            | EventKind::TimerCreated(_)
            | EventKind::InterruptRaised(_)
    )
}

/// What a worker says where a wait ends by this event. `None` if it does not.
fn end(event: &EventKind, kind: &Value) -> Option<EventKind> {
    let completed = |id: &str, patch: String| {
        let mut completed = NodeCompleted::new(id, 1, 0);
        completed.state_patch = patch;
        Some(EventKind::NodeCompleted(completed))
    };
    match event {
        EventKind::NodeSettled(it) => completed(&it.node_id, it.state_patch.clone()),
        EventKind::NodeExhausted(it) => Some(EventKind::NodeFailed(failure(&it.node_id))),
        EventKind::ChildStarted(it) if kind["detached"] == true => {
            completed(&it.node_id, "{}".to_owned())
        }
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            completed(&it.node_id, patch(kind, it.output.as_deref()))
        }
        _ => None,
    }
}

/// What the final state of a child does to that of its parent.
fn patch(kind: &Value, output: Option<&str>) -> String {
    let output = output.unwrap_or("{}");
    match kind["output_key"].as_str() {
        Some(key) => format!("{{{}:{output}}}", Value::from(key)),
        None if kind["merge"] == true => output.to_owned(),
        None => "{}".to_owned(),
    }
}

fn claim(run: &str) -> EventKind {
    EventKind::NodeStarted(NodeStarted::new(run, WORKER, 1))
}

fn failure(run: &str) -> NodeFailed {
    NodeFailed::new(run, 1, 0, "boom")
}
