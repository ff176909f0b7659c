//! What would make a node run, in words and as a document.

use refrain::id::ExecutionId;
use refrain::model::{NodeState, Remedy};
use refrain::names;
use refrain::replay::{Assumption, NeededAct, NeededFact, Needs, Prospect, Prospects, Travel};
use refrain::store::Timestamp;
use refrain::time::rfc3339;
use serde_json::{Value, json};

use super::database::Database;
use super::text::{Text, text};
use super::time::stamp;
use super::{failure, remedy};

/// What would make a node run, or why that cannot be told.
pub(super) struct Told {
    prospect: Result<Prospect, String>,
    /// Whether the node has begun, and waits.
    waits: bool,
    /// Whether it is a map.
    is_map: bool,
}

/// Lines that are shown of facts, and of assumptions; a line counts the rest.
const LINES_MAX: usize = 20;

impl Told {
    /// At a cursor, and at this time or that of the cursor.
    pub(super) fn at(travel: &mut Travel, node: &str, now: Timestamp) -> Self {
        let state = travel.explain(node).map(|it| it.state);
        let workflow: Value = serde_json::from_str(travel.log().workflow()).unwrap_or_default();
        let prospect = Prospects::of(travel).at_time(now).what_would_run(node);
        Self {
            prospect: prospect.map_err(|error| failure::line(&error.into())),
            waits: state.is_ok_and(|it| it == NodeState::Waiting),
            is_map: workflow["nodes"][node]["kind"]["type"] == "map",
        }
    }

    /// The lines of it; none where the node's state says it all. With a database, what to
    /// type stands in them.
    pub(super) fn lines(&self, on: Option<(ExecutionId, &Database)>) -> Vec<Text> {
        match &self.prospect {
            Err(why) => vec![text!("what would make it run cannot be told: {}", why)],
            Ok(Prospect::Needs(needs)) => of_needs(needs, self.waits, on),
            Ok(Prospect::Ending) => vec![text!(
                "nothing makes it run any more: the execution is coming to its end"
            )],
            Ok(Prospect::NotFound) => vec![text!("nothing was found that would make it run")],
            Ok(Prospect::CutOff) => vec![text!(
                "what would make it run was not searched to the end: there is too much to try"
            )],
            Ok(_) => Vec::new(),
        }
    }

    /// The same for a page that has nothing else.
    pub(super) fn page(&self) -> Vec<Text> {
        let alone = match &self.prospect {
            Ok(Prospect::Begun(NodeState::Running)) => {
                text!("it is running: nothing more has to happen for that")
            }
            Ok(Prospect::Begun(NodeState::Waiting)) if self.is_map => {
                text!("it has begun, and waits until its instances have ended")
            }
            Ok(Prospect::Begun(NodeState::Waiting)) => {
                text!("it has begun, and waits until its child has ended")
            }
            Ok(Prospect::Begun(_)) => {
                text!("a worker has to take its work: nothing has to happen before")
            }
            Ok(Prospect::Settled(state)) => {
                text!("it is {}: nothing makes it run", names::node_state(*state))
            }
            Ok(Prospect::Ended(status)) => text!(
                "the execution is {}: nothing makes it run",
                names::status(*status)
            ),
            _ => return self.lines(None),
        };
        vec![alone]
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        match &self.prospect {
            Err(why) => json!({ "answer": "unknown", "error": why }),
            Ok(Prospect::Begun(state)) => {
                json!({ "answer": "begun", "state": names::node_state(*state) })
            }
            Ok(Prospect::Settled(state)) => {
                json!({ "answer": "settled", "state": names::node_state(*state) })
            }
            Ok(Prospect::Ended(status)) => {
                json!({ "answer": "ended", "status": names::status(*status) })
            }
            Ok(Prospect::Ending) => json!({ "answer": "ending" }),
            Ok(Prospect::NotFound) => json!({ "answer": "not_found" }),
            Ok(Prospect::Needs(needs)) => json!({
                "answer": "needs",
                "acts": needs.acts.iter().map(act_document).collect::<Vec<_>>(),
                "facts": needs.facts.iter().map(fact_document).collect::<Vec<_>>(),
                "assumptions": needs.assumptions.iter().map(assumption_document).collect::<Vec<_>>(),
                "minimal": needs.is_minimal,
                "least_assumptions": needs.has_least_assumptions,
            }),
            Ok(_) => json!({ "answer": "cut_off" }),
        }
    }
}

fn of_needs(needs: &Needs, waits: bool, on: Option<(ExecutionId, &Database)>) -> Vec<Text> {
    let acts = needs.acts.iter().map(|it| act(it, on));
    let facts = needs.facts.iter().map(fact);
    let needed: Vec<Text> = acts.chain(facts).collect();
    let mut lines = Vec::new();
    if needed.is_empty() {
        lines.push(match waits {
            true => text!("its wait is over with the next step: nothing has to happen before"),
            false => text!("it runs with the next step: nothing has to happen before"),
        });
    } else {
        lines.push(match waits {
            true => text!("what would end its wait:"),
            false => text!("what would make it run:"),
        });
        lines.extend(indented(needed));
    }
    if !needs.assumptions.is_empty() {
        lines.push(text!("provided that"));
        let assumptions = needs.assumptions.iter().map(assumption);
        lines.extend(indented(assumptions.collect()));
    }
    for (is_least, what) in [
        (needs.is_minimal, "whether less would do as well"),
        (
            needs.has_least_assumptions,
            "whether less has to be provided",
        ),
    ] {
        if !is_least {
            lines.push(text!(
                "{} was not tried to the end: there is too much of it",
                what
            ));
        }
    }
    lines
}

fn indented(texts: Vec<Text>) -> Vec<Text> {
    let more = texts.len().saturating_sub(LINES_MAX);
    let texts = texts.into_iter().take(LINES_MAX);
    let mut lines: Vec<Text> = texts.map(|it| text!("  {}", it)).collect();
    if more > 0 {
        lines.push(text!("  and {} more", more));
    }
    lines
}

fn act(act: &NeededAct, on: Option<(ExecutionId, &Database)>) -> Text {
    let (said, remedy) = match act {
        NeededAct::Unpause => (text!("the pause is ended"), Remedy::Unpause),
        NeededAct::Lift => (text!("the stall is lifted"), Remedy::Lift),
        NeededAct::Retry(node) => (
            text!("{} is tried again", node),
            Remedy::Retry(node.clone()),
        ),
        _ => return text!("a newer program knows what"),
    };
    match on {
        None => said,
        Some((id, database)) => {
            let remedies = remedy::each(std::slice::from_ref(&remedy), id, database);
            text!("{}: {}", said, Text::joined(remedies, ", "))
        }
    }
}

fn fact(fact: &NeededFact) -> Text {
    match fact {
        NeededFact::Complete(node) => text!("{} completes", node),
        NeededFact::Fail(node) => text!("{} fails for good", node),
        NeededFact::Approve(node) => text!("a person approves {}", node),
        NeededFact::Signal {
            node_id,
            correlation_key,
        } => text!(
            "the event {:?} comes, which {} waits for",
            correlation_key,
            node_id
        ),
        NeededFact::Time {
            at,
            node_id: Some(node),
        } => text!("it is {} or later: {} waits until then", stamp(*at), node),
        NeededFact::Time { at, node_id: None } => text!("it is {} or later", stamp(*at)),
        NeededFact::UnknownTime {
            node_id: Some(node),
        } => text!(
            "the time comes that {} waits for, which is not known yet",
            node
        ),
        NeededFact::UnknownTime { node_id: None } => {
            text!("a time comes that is not known yet")
        }
        _ => text!("something that a newer program knows"),
    }
}

fn assumption(assumption: &Assumption) -> Text {
    match assumption {
        Assumption::Condition {
            from,
            to,
            condition,
            holds,
        } => {
            let does = if *holds { "holds" } else { "does not hold" };
            text!(
                "the condition {:?} from {} to {} {}",
                condition,
                from,
                to,
                does
            )
        }
        Assumption::Choice { node_id, target } => text!("{} chooses {}", node_id, target),
        Assumption::LoopEnds { node_id, condition } => text!(
            "the loop of {} ends: {:?} does not hold any more",
            node_id,
            condition
        ),
        Assumption::Value { node_id, pointer } if pointer == OVER => {
            text!(
                "what the map {} is over is a list, here of one element",
                node_id
            )
        }
        Assumption::Value { node_id, pointer } => {
            text!("the expression at {} of {} has a value", pointer, node_id)
        }
        _ => text!("something that a newer program knows"),
    }
}

/// Where it stands what a map is over.
const OVER: &str = "/kind/over";

fn act_document(act: &NeededAct) -> Value {
    match act {
        NeededAct::Unpause => json!({ "type": "unpause" }),
        NeededAct::Lift => json!({ "type": "lift" }),
        NeededAct::Retry(node) => json!({ "type": "retry", "node_id": node }),
        _ => json!({ "type": "newer" }),
    }
}

fn fact_document(fact: &NeededFact) -> Value {
    match fact {
        NeededFact::Complete(node) => json!({ "type": "complete", "node_id": node }),
        NeededFact::Fail(node) => json!({ "type": "fail", "node_id": node }),
        NeededFact::Approve(node) => json!({ "type": "approve", "node_id": node }),
        NeededFact::Signal {
            node_id,
            correlation_key,
        } => json!({
            "type": "signal",
            "node_id": node_id,
            "correlation_key": correlation_key,
        }),
        NeededFact::Time { at, node_id } => json!({
            "type": "time",
            "at": rfc3339(*at),
            "node_id": node_id,
        }),
        NeededFact::UnknownTime { node_id } => json!({
            "type": "time",
            "at": null,
            "node_id": node_id,
        }),
        _ => json!({ "type": "newer" }),
    }
}

fn assumption_document(assumption: &Assumption) -> Value {
    match assumption {
        Assumption::Condition {
            from,
            to,
            condition,
            holds,
        } => json!({
            "type": "condition",
            "from": from,
            "to": to,
            "condition": condition,
            "holds": holds,
        }),
        Assumption::Choice { node_id, target } => {
            json!({ "type": "choice", "node_id": node_id, "target": target })
        }
        Assumption::LoopEnds { node_id, condition } => {
            json!({ "type": "loop_ends", "node_id": node_id, "condition": condition })
        }
        Assumption::Value { node_id, pointer } => {
            json!({ "type": "value", "node_id": node_id, "pointer": pointer })
        }
        _ => json!({ "type": "newer" }),
    }
}
