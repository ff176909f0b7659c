//! A small log as a test of schedulers: a table in the notation of the scheduler's own tests.
//!
//! The graph comes first, and then a row for each turn: what happened, and what a scheduler
//! that decides as the log says concludes from that. Whoever builds a scheduler can paste it
//! into a test. Only what the notation has words for can be written in it.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::case::{Case, Tail};
use super::play::PlayedTurn;
use super::search::Candidate;
use crate::graph::END;
use crate::log::kind_name;
use crate::model::{
    ApprovalDecision, CancelReason, ChildRefusal, Event, EventKind, Limits, SkipReason,
    StallReason, Status,
};

/// The seed that the notation takes where none is written.
const SEED: u64 = 7;

/// The table, or why there is none.
pub(super) fn of(candidate: &Candidate) -> Result<String, String> {
    let Candidate { case, played, .. } = candidate;
    let mut table = graph(case)?;
    for turn in &played.turns {
        row(&mut table, turn, &played.events)?;
    }
    match &case.tail {
        Tail::Honest => {}
        Tail::Without(name) => line(
            &mut table,
            &format!("# the log ends before the first {name} of this row"),
        ),
        Tail::Instead(name, kind) => {
            let there = decided(kind, case.turns.last().map_or(0, |turn| turn.at));
            let there = there.unwrap_or_else(|_| kind_name(kind).to_owned());
            line(
                &mut table,
                &format!("# in the place of the first {name} of this row, the log has: {there}"),
            );
        }
        Tail::Besides(kind) | Tail::Fact(kind) => {
            line(
                &mut table,
                &format!(
                    "# after this row, the log has one more event: {}",
                    kind_name(kind)
                ),
            );
        }
    }
    Ok(table)
}

fn line(table: &mut String, line: &str) {
    table.push_str(line);
    table.push('\n');
}

// ---- the graph ---------------------------------------------------------------------------

/// Fields of a workflow that the graph's lines say.
const SAID: [&str; 6] = [
    "workflow_id",
    "version",
    "start_node",
    "nodes",
    "edges",
    "retry_policies",
];

const BUDGETS: [&str; 3] = ["token_budget", "cost_budget_usd", "on_budget_exceeded"];

fn graph(case: &Case) -> Result<String, String> {
    let workflow = case
        .workflow
        .as_object()
        .ok_or("the workflow is no object")?;
    let start = workflow["start_node"].as_str().unwrap_or_default();
    let nodes = workflow["nodes"]
        .as_object()
        .ok_or("the workflow has no nodes")?;
    let mut table = String::new();
    // The first node that is named is the one to start with.
    let others = nodes.iter().filter(|(id, _)| *id != start);
    let all = nodes.get_key_value(start).into_iter().chain(others);
    let edges = workflow.get("edges").and_then(Value::as_array);
    let edges: Vec<&Value> = edges.into_iter().flatten().collect();
    let is_alone = |id: &str| {
        !edges
            .iter()
            .any(|edge| edge["from"] == id || edge["to"] == id)
    };
    for (place, (id, node)) in all.enumerate() {
        plain_word(id)?;
        let is_named = place > 0 && !is_alone(id);
        if !is_named || !is_ordinary(node) {
            line(&mut table, &of_node(id, node)?);
        }
    }
    for edge in edges {
        line(&mut table, &of_edge(edge)?);
    }
    settings(&mut table, workflow)?;
    of_start(&mut table, case)?;
    Ok(table)
}

/// A word that is one in the notation, too.
fn plain_word(word: &str) -> Result<&str, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]!:".contains(c);
    match !word.is_empty() && word != END && word.chars().all(is_plain) && !word.ends_with(':') {
        true => Ok(word),
        false => Err(format!("{word:?} is no word of the notation")),
    }
}

/// JSON as it may stand in a line.
fn inline(value: &Value) -> Result<String, String> {
    let text = value.to_string();
    match text.contains("=>") || text.contains("->") {
        true => Err(format!("{text} has an arrow in it")),
        false => Ok(text),
    }
}

/// A node that needs no line, because the notation takes it for granted.
fn is_ordinary(node: &Value) -> bool {
    let kind = &node["kind"];
    let fields = node.as_object().map_or(0, Map::len);
    let has_id = node.get("id").is_some();
    let branches = kind.get("branches");
    let is_plain = branches.is_none_or(|it| it.as_array().is_some_and(Vec::is_empty));
    let known = 1 + usize::from(branches.is_some());
    kind["type"] == "condition"
        && is_plain
        && kind.as_object().map_or(0, Map::len) == known
        && fields == 1 + usize::from(has_id)
}

fn of_node(id: &str, node: &Value) -> Result<String, String> {
    let mut kind = node["kind"].as_object().cloned().unwrap_or_default();
    let name = kind.remove("type").unwrap_or_default();
    let name = name.as_str().unwrap_or_default();
    let mut text = format!("{id}: {name}");
    let options = [
        ("retry_policy", "retry"),
        ("node_timeout_secs", "timeout"),
        ("queue", "queue"),
        ("priority", "priority"),
        ("lease_secs", "lease"),
        ("run_on", "run_on"),
        ("compensate", "undo"),
    ];
    for (field, value) in node.as_object().into_iter().flatten() {
        let known = options.iter().find(|(name, _)| name == field);
        match (field.as_str(), known) {
            ("id" | "kind", _) => {}
            (_, Some((_, option))) => {
                let value = match value.as_str() {
                    Some(word) => plain_word(word)?.to_owned(),
                    None => inline(value)?,
                };
                _ = write!(text, " {option}={value}");
            }
            _ => {
                return Err(format!(
                    "the field {field} of node {id} has no word in the notation"
                ));
            }
        }
    }
    if !kind.is_empty() {
        _ = write!(text, " {}", inline(&kind.into())?);
    }
    Ok(text)
}

fn of_edge(edge: &Value) -> Result<String, String> {
    let end = |name: &str| edge[name].as_str().unwrap_or_default();
    let to = match end("to") {
        END => END,
        to => plain_word(to)?,
    };
    let mut text = format!("{} -> {to}", plain_word(end("from"))?);
    if let Some(on) = edge["on"].as_str() {
        _ = write!(text, " on {on}");
    }
    if let Some(condition) = edge["condition"].as_str() {
        if condition.contains([',', '\n'])
            || condition.contains("->")
            || condition.contains(" if ")
            || condition.contains(" on ")
        {
            return Err(format!(
                "the condition {condition:?} cannot stand in a line"
            ));
        }
        _ = write!(text, " if {condition}");
    }
    Ok(text)
}

fn settings(table: &mut String, workflow: &Map<String, Value>) -> Result<(), String> {
    let policies = workflow.get("retry_policies").and_then(Value::as_object);
    for (name, policy) in policies.into_iter().flatten() {
        line(
            table,
            &format!("policy {} {}", plain_word(name)?, inline(policy)?),
        );
    }
    let mut budget = Map::new();
    for (name, value) in workflow {
        match name.as_str() {
            "timeouts" => {
                for (name, seconds) in value.as_object().into_iter().flatten() {
                    let word = match name.as_str() {
                        "workflow_timeout" => "timeout",
                        "node_timeout" => "node_timeout",
                        _ => return Err(format!("the timeout {name} has no word in the notation")),
                    };
                    line(table, &format!("{word} {seconds}"));
                }
            }
            "limits" => {
                let numbers = [
                    &value["max_concurrent_nodes"],
                    &value["max_dispatch_per_tick"],
                ];
                let [Some(nodes), Some(items)] = numbers.map(Value::as_u64) else {
                    return Err("only one of the workflow's own limits is given".to_owned());
                };
                line(table, &format!("own_limits {nodes} {items}"));
            }
            name if BUDGETS.contains(&name) => drop(budget.insert(name.to_owned(), value.clone())),
            name if SAID.contains(&name) => {}
            name => return Err(format!("the workflow's {name} has no word in the notation")),
        }
    }
    if !budget.is_empty() {
        line(table, &format!("budget {}", inline(&budget.into())?));
    }
    Ok(())
}

fn of_start(table: &mut String, case: &Case) -> Result<(), String> {
    let started = &case.started;
    if started.limits != Limits::default() {
        let Limits {
            max_concurrent_nodes,
            max_dispatch_per_tick,
        } = started.limits;
        line(
            table,
            &format!("limits {max_concurrent_nodes} {max_dispatch_per_tick}"),
        );
    }
    if started.initial_input != "{}" {
        let input = serde_json::from_str(&started.initial_input);
        let input = input.map_err(|error| format!("the input is no JSON: {error}"))?;
        line(table, &format!("input {}", inline(&input)?));
    }
    if started.seed != SEED {
        line(table, &format!("seed {}", started.seed));
    }
    Ok(())
}

// ---- the rows ----------------------------------------------------------------------------

fn row(table: &mut String, turn: &PlayedTurn, events: &[Event]) -> Result<(), String> {
    let facts = events[turn.facts.clone()].iter();
    let facts = facts.filter(|event| event.sequence > 1);
    let actions: Vec<String> = facts
        .map(|event| action(&event.kind))
        .collect::<Result<_, _>>()?;
    let actions = match actions.is_empty() {
        true => "tick".to_owned(),
        false => actions.join("; "),
    };
    let mut outputs = Vec::new();
    for (place, step) in turn.steps.iter().enumerate() {
        if place > 0 {
            outputs.push("more".to_owned());
        }
        for event in &events[step.clone()] {
            outputs.push(decided(&event.kind, event.at)?);
        }
    }
    let mut text = format!("{:04} {actions}", turn.taken.at);
    if !outputs.is_empty() {
        _ = write!(text, " => {}", outputs.join(", "));
    }
    line(table, &text);
    Ok(())
}

/// `name=value`, where there is one.
fn option(name: &str, value: Option<&str>) -> Result<String, String> {
    match value {
        Some(value) => Ok(format!(" {name}={}", plain_word(value)?)),
        None => Ok(String::new()),
    }
}

/// A text in quotation marks.
fn why(reason: Option<&str>) -> Result<String, String> {
    match reason {
        Some(reason) if reason.contains(['"', '\\', '\n']) => {
            Err(format!("the reason {reason:?} cannot stand in a line"))
        }
        Some(reason) => Ok(format!(" why=\"{reason}\"")),
        None => Ok(String::new()),
    }
}

/// JSON behind a node, unless it is this.
fn given(text: &str, usual: &str) -> Result<String, String> {
    if text == usual {
        return Ok(String::new());
    }
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(format!(" {}", inline(&value)?))
}

/// What happened, in the words of the notation.
fn action(fact: &EventKind) -> Result<String, String> {
    let by = |by: &Option<String>| option("by", by.as_deref());
    Ok(match fact {
        EventKind::NodeStarted(it) => {
            let worker = Some(it.worker_id.as_str()).filter(|it| *it != "w1");
            format!(
                "claim {}{}",
                plain_word(&it.node_id)?,
                option("by", worker)?
            )
        }
        EventKind::NodeCompleted(it) => completed(it)?,
        EventKind::NodeFailed(it) => {
            let mut text = format!("fail {}", plain_word(&it.node_id)?);
            if let Some(class) = &it.error_class {
                _ = write!(text, " {}", plain_word(class)?);
            }
            if !it.retryable {
                text += " fatal";
            }
            if let Some(after) = it.retry_after_ms {
                _ = write!(text, " after={after}");
            }
            text
        }
        EventKind::LeaseExpired(it) => format!("expire {}", plain_word(&it.node_id)?),
        EventKind::NodeReleased(it) => {
            format!("release {}{}", plain_word(&it.node_id)?, by(&it.by)?)
        }
        EventKind::ApprovalReceived(it) => {
            let verb = match it.decision {
                ApprovalDecision::Approved => "approve",
                ApprovalDecision::Rejected => "reject",
            };
            let user = Some(it.user_id.as_str()).filter(|it| *it != "ada");
            let patch = it.state_patch.as_deref().unwrap_or("null");
            let patch = given(patch, "null")?;
            format!(
                "{verb} {}{}{patch}{}",
                plain_word(&it.node_id)?,
                option("by", user)?,
                why(it.comment.as_deref())?
            )
        }
        EventKind::ExternalEventReceived(it) => {
            let id = option("id", it.event_id.as_deref())?;
            let payload = given(&it.payload, "null")?;
            format!(
                "signal {}{payload}{id}{}",
                plain_word(&it.correlation_key)?,
                by(&it.by)?
            )
        }
        EventKind::ChildStarted(it) => format!("begin {}", plain_word(&it.node_id)?),
        EventKind::ChildRefused(it) => {
            let code = match it.code {
                ChildRefusal::UnknownWorkflow => "unknown_workflow",
                ChildRefusal::TooDeep => "too_deep",
                ChildRefusal::TooMany => "too_many",
            };
            format!("deny {} {code}", plain_word(&it.node_id)?)
        }
        EventKind::ChildEnded(it) => {
            let node = plain_word(&it.node_id)?;
            let reason = why(it.error.as_deref())?;
            match it.status {
                Status::Failed => format!("end {node} failed{reason}"),
                Status::Cancelled => format!("end {node} cancelled{reason}"),
                _ => format!(
                    "end {node}{}",
                    given(it.output.as_deref().unwrap_or("{}"), "{}")?
                ),
            }
        }
        EventKind::CancelRequested(it) => format!("cancel{}", why(it.reason.as_deref())?),
        EventKind::ExecutionPaused(_) => "pause".to_owned(),
        EventKind::ExecutionUnpaused(_) => "unpause".to_owned(),
        EventKind::RetryRequested(it) => format!("retry {}", plain_word(&it.node_id)?),
        EventKind::SkipRequested(it) => format!("skip {}", plain_word(&it.node_id)?),
        EventKind::HostStalled(_) => "stall".to_owned(),
        EventKind::StallLifted(_) => "lift".to_owned(),
        other => return Err(format!("the notation has no word for {}", kind_name(other))),
    })
}

fn completed(it: &crate::model::NodeCompleted) -> Result<String, String> {
    let mut text = format!("complete {}", plain_word(&it.node_id)?);
    text += &given(&it.state_patch, "{}")?;
    text += &option("choose", it.chosen_target.as_deref())?;
    for (name, value) in [
        (
            "output",
            Some(it.output.as_str()).filter(|it| *it != "null"),
        ),
        ("telemetry", it.telemetry.as_deref()),
    ] {
        if let Some(value) = value {
            let value = serde_json::from_str(value).map_err(|error| error.to_string())?;
            _ = write!(text, " {name}={}", inline(&value)?);
        }
    }
    if let Some(call) = &it.gen_ai {
        let tokens = [call.input_tokens, call.output_tokens].map(Option::unwrap_or_default);
        _ = write!(text, " tokens={}+{}", tokens[0], tokens[1]);
    }
    text += &option("edited", it.edited_by.as_deref())?;
    Ok(text)
}

/// What was decided, in the words of the notation.
fn decided(kind: &EventKind, at: u64) -> Result<String, String> {
    let time = |at: Option<u64>| at.map_or_else(String::new, |at| format!(" @{at}"));
    Ok(match kind {
        EventKind::WorkflowCompleted(_) => "completed".to_owned(),
        EventKind::WorkflowFailed(_) => "failed".to_owned(),
        EventKind::WorkflowCancelled(_) => "cancelled".to_owned(),
        EventKind::WorkflowTimedOut => "timeout workflow".to_owned(),
        EventKind::NodeScheduled(it) => format!("schedule {}", it.node_id),
        EventKind::NodeSettled(it) => match &it.chosen_target {
            Some(target) => format!("settle {} -> {target}", it.node_id),
            None => format!("settle {}", it.node_id),
        },
        EventKind::NodeTimedOut(it) => format!("timeout {}", it.node_id),
        EventKind::NodeExhausted(it) => format!("exhaust {}", it.node_id),
        EventKind::NodeSkipped(it) => {
            let why = match it.reason {
                SkipReason::Unreached => "",
                SkipReason::ByOperator => " by_operator",
                SkipReason::RunOn => " run_on",
                SkipReason::NotNeeded => " not_needed",
            };
            format!("skip {}{why}", it.node_id)
        }
        EventKind::NodeCancelled(it) => {
            let why = match it.reason {
                CancelReason::ByOperator => " by_operator",
                CancelReason::JoinSatisfied => " join_satisfied",
                CancelReason::Terminated => " terminated",
                CancelReason::BudgetExceeded => " budget_exceeded",
                _ => "",
            };
            format!("cancel {}{why}", it.node_id)
        }
        EventKind::RetryScheduled(it) => format!("retry {} @{}", it.node_id, at + it.delay_ms),
        EventKind::InterruptRaised(it) => {
            format!("interrupt {}{}", it.node_id, time(it.expires_at))
        }
        EventKind::TimerCreated(it) => format!("wait {}{}", it.node_id, time(it.fire_at)),
        EventKind::TimerFired(it) => format!("fire {}", it.node_id),
        EventKind::Stalled(it) => match &it.reason {
            StallReason::AttemptsExhausted(it) => format!("stall {}", it.node_id),
            StallReason::BudgetExceeded(_) => "stall budget".to_owned(),
        },
        EventKind::MapExpanded(it) => format!("expand {} {}", it.node_id, it.count),
        EventKind::ChildRequested(it) => format!("request {}", it.node_id),
        other => return Err(format!("the notation has no word for {}", kind_name(other))),
    })
}
