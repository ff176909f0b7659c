//! An action becomes facts.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::contract::{
    ApprovalDecision, ApprovalReceived, CancelRequested, ChildEnded, ChildName, ChildRefusal,
    ChildRefused, ChildStarted, EventKind, ExecutionForked, ExternalEventReceived, GenAi,
    GuestChanged, HostStalled, LeaseExpired, NodeCompleted, NodeFailed, NodeReleased, NodeRequest,
    NodeStarted, OperatorNote, Status,
};

use super::child::child_id;
use super::item::ItemState;
use super::row::Action;
use super::text::unquoted;
use super::world::Memory;

/// The facts that an action stands for, here and now; none: time passes.
///
/// # Errors
/// What of the action cannot be read.
pub fn facts(world: &Memory, action: &Action<'_>) -> Result<Vec<EventKind>, String> {
    let why = || action.option("why").map(|text| unquoted(text).to_owned());
    let by = || action.option("by").map(ToOwned::to_owned);
    let request = || {
        Ok::<_, String>(NodeRequest {
            node_id: action.subject()?.to_owned(),
            reason: why(),
            by: by(),
        })
    };
    let note = || OperatorNote {
        reason: why(),
        by: by(),
    };
    let fact = match action.verb {
        "tick" => return Ok(Vec::new()),
        "claim" => claim(world, action)?,
        "complete" | "fail" | "expire" => return result(world, action),
        "release" => return releases(world, action),
        "begin" => begin(world, action)?,
        "deny" => EventKind::ChildRefused(ChildRefused {
            node_id: action.subject()?.to_owned(),
            attempt: child_name(world, action)?.attempt,
            iteration: child_name(world, action)?.iteration,
            code: denial(action)?,
        }),
        "end" => return end(world, action),
        "approve" => EventKind::ApprovalReceived(approval(action, ApprovalDecision::Approved)?),
        "reject" => EventKind::ApprovalReceived(approval(action, ApprovalDecision::Rejected)?),
        "signal" => {
            let payload = action
                .json()
                .or_else(|| action.words().next())
                .unwrap_or("null")
                .to_owned();
            EventKind::ExternalEventReceived(ExternalEventReceived {
                correlation_key: action.subject()?.to_owned(),
                payload,
                event_id: action.option("id").map(ToOwned::to_owned),
                by: by(),
            })
        }
        "cancel" => EventKind::CancelRequested(CancelRequested {
            reason: why(),
            by: by(),
        }),
        "pause" => EventKind::ExecutionPaused(note()),
        "unpause" => EventKind::ExecutionUnpaused(note()),
        "retry" => EventKind::RetryRequested(request()?),
        "skip" => EventKind::SkipRequested(request()?),
        "stall" => EventKind::HostStalled(HostStalled {
            reason: "the guest failed twice".to_owned(),
        }),
        "guest" => EventKind::GuestChanged(GuestChanged {
            guest_digest: action.subject()?.repeat(64),
            by: by(),
        }),
        "lift" => EventKind::StallLifted(note()),
        "fork" => EventKind::ExecutionForked(ExecutionForked { by: by() }),
        other => return Err(format!("no action is called `{other}`")),
    };
    Ok(vec![fact])
}

fn claim(world: &Memory, action: &Action<'_>) -> Result<EventKind, String> {
    let node_id = action.subject()?;
    let ordered = world.last_item(node_id).map_or(1, |item| item.item.attempt);
    Ok(EventKind::NodeStarted(NodeStarted {
        node_id: node_id.to_owned(),
        worker_id: action.option("by").unwrap_or("w1").to_owned(),
        attempt: action.number("attempt")?.unwrap_or(ordered),
    }))
}

/// Which child an action speaks of.
fn child_name(world: &Memory, action: &Action<'_>) -> Result<ChildName, String> {
    let node_id = action.subject()?;
    let last = world.children.get(node_id).map(|child| &child.order.name);
    let (attempt, iteration) = last.map_or((1, 0), |name| (name.attempt, name.iteration));
    Ok(ChildName {
        node_id: node_id.to_owned(),
        attempt: action.number("attempt")?.unwrap_or(attempt),
        iteration: action.number("iteration")?.unwrap_or(iteration),
    })
}

fn begin(world: &Memory, action: &Action<'_>) -> Result<EventKind, String> {
    let name = child_name(world, action)?;
    let id = action.option("child").map(ToOwned::to_owned);
    Ok(EventKind::ChildStarted(ChildStarted {
        child_id: id.unwrap_or_else(|| child_id(&name)),
        node_id: name.node_id,
        attempt: name.attempt,
        iteration: name.iteration,
        workflow_digest: "3".repeat(64),
    }))
}

fn denial(action: &Action<'_>) -> Result<ChildRefusal, String> {
    match action.words().next() {
        Some("unknown_workflow") => Ok(ChildRefusal::UnknownWorkflow),
        Some("too_deep") => Ok(ChildRefusal::TooDeep),
        Some("too_many") => Ok(ChildRefusal::TooMany),
        other => Err(format!("{other:?} is no reason to refuse a child")),
    }
}

/// A child's end; before it its start, if it was not started.
fn end(world: &Memory, action: &Action<'_>) -> Result<Vec<EventKind>, String> {
    let name = child_name(world, action)?;
    let last = world.children.get(&name.node_id);
    let is_unbegun = last.is_some_and(|child| child.is_open && child.id.is_none());
    let status = match action.words().next() {
        Some("failed") => Status::Failed,
        Some("cancelled") => Status::Cancelled,
        _ => Status::Completed,
    };
    let id = action.option("child").map(ToOwned::to_owned);
    let ended = EventKind::ChildEnded(ChildEnded {
        child_id: id.unwrap_or_else(|| child_id(&name)),
        node_id: name.node_id,
        attempt: name.attempt,
        iteration: name.iteration,
        status,
        sequence: action.number("last")?.unwrap_or(9),
        head: "4".repeat(64),
        output: match status {
            Status::Completed => Some(action.json().unwrap_or("{}").to_owned()),
            _ => action.json().map(ToOwned::to_owned),
        },
        error: action.option("why").map(|text| unquoted(text).to_owned()),
    });
    Ok(match is_unbegun {
        true => vec![begin(world, action)?, ended],
        false => vec![ended],
    })
}

/// A worker's answer; before it a claim, if nobody has claimed the item.
fn result(world: &Memory, action: &Action<'_>) -> Result<Vec<EventKind>, String> {
    let node_id = action.subject()?;
    let item = world.last_item(node_id);
    let mut facts = Vec::new();
    let held = match item.map(|item| item.state) {
        Some(ItemState::Waiting) if action.option("fence").is_none() => {
            facts.push(claim(world, action)?);
            world.events.len() as u64 + 1
        }
        Some(ItemState::Claimed(fence)) => fence,
        _ => 0,
    };
    let attempt = action
        .number("attempt")?
        .unwrap_or(item.map_or(1, |item| item.item.attempt));
    let fence = action.number("fence")?.unwrap_or(held);
    facts.push(match action.verb {
        "complete" => EventKind::NodeCompleted(NodeCompleted {
            node_id: node_id.to_owned(),
            attempt,
            fence,
            output: action.option("output").unwrap_or("null").to_owned(),
            state_patch: action.json().unwrap_or("{}").to_owned(),
            duration_ms: 1,
            chosen_target: action.option("choose").map(ToOwned::to_owned),
            gen_ai: tokens(action)?,
            telemetry: action.option("telemetry").map(ToOwned::to_owned),
            edited_by: action.option("edited").map(ToOwned::to_owned),
        }),
        "fail" => EventKind::NodeFailed(NodeFailed {
            node_id: node_id.to_owned(),
            attempt,
            fence,
            error: "boom".to_owned(),
            error_class: action
                .words()
                .find(|word| *word != "fatal")
                .map(ToOwned::to_owned),
            retryable: !action.words().any(|word| word == "fatal"),
            retry_after_ms: action.number("after")?,
        }),
        "release" => EventKind::NodeReleased(NodeReleased {
            node_id: node_id.to_owned(),
            attempt,
            fence,
            by: action.option("by").map(ToOwned::to_owned),
        }),
        _ => EventKind::LeaseExpired(LeaseExpired {
            node_id: node_id.to_owned(),
            attempt,
            fence,
        }),
    });
    Ok(facts)
}

/// The call of a model, as `tokens=IN+OUT` says it.
fn tokens(action: &Action<'_>) -> Result<Option<GenAi>, String> {
    let Some(text) = action.option("tokens") else {
        return Ok(None);
    };
    let (input, output) = text.split_once('+').unwrap_or((text, "0"));
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("`tokens={text}` is no number of tokens"))
    };
    Ok(Some(GenAi {
        system: None,
        model: None,
        input_tokens: Some(number(input)?),
        output_tokens: Some(number(output)?),
        finish_reason: None,
    }))
}

/// A worker gives its item back, as often as the action says. Each time but the first
/// it is claimed before.
fn releases(world: &Memory, action: &Action<'_>) -> Result<Vec<EventKind>, String> {
    let mut facts = result(world, action)?;
    for _ in 1..action.number("times")?.unwrap_or(1) {
        let again = claim(world, action)?;
        facts.push(again);
        let mut back = facts[facts.len() - 2].clone();
        if let EventKind::NodeReleased(it) = &mut back {
            it.fence = (world.events.len() + facts.len()) as u64;
        }
        facts.push(back);
    }
    Ok(facts)
}

fn approval(action: &Action<'_>, decision: ApprovalDecision) -> Result<ApprovalReceived, String> {
    Ok(ApprovalReceived {
        node_id: action.subject()?.to_owned(),
        user_id: action.option("by").unwrap_or("ada").to_owned(),
        decision,
        comment: action.option("why").map(|text| unquoted(text).to_owned()),
        state_patch: action.json().map(ToOwned::to_owned),
        by: None,
    })
}
