//! Waits: for a time, for an external event, for a person (rule R19).

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::payload;
use super::refusal::{Refusal, check_own, check_step, find, refuse};
use crate::contract::{
    ApprovalReceived, ExternalEventReceived, InterruptRaised, NodeState, RefusalCode as Code,
    TimerCreated, TimerFired,
};
use crate::guards::{correlation_key, may_be_unresolved};
use crate::json::Object;
use crate::limits::STATE_BYTES_MAX;
use crate::machine::Machine;
use crate::node::Step;
use crate::state::WaitResult;
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx, PlanText};

pub(super) fn interrupted(
    machine: &mut Machine,
    at: Timestamp,
    decision: &InterruptRaised,
) -> Result<(), Refusal> {
    let run = check_step(machine, &decision.node_id, Step::Wait)?;
    let ix = check_own(machine, run)?;
    if !matches!(machine.node(ix).kind, Kind::HumanApproval(_)) {
        return refuse(
            Code::WrongState,
            format!("node `{}` does not wait for a person", decision.node_id),
        );
    }
    note_text(machine, ix, &decision.reason);
    begin(machine, ix, at, decision.expires_at.map(Timestamp));
    Ok(())
}

pub(super) fn timer_created(
    machine: &mut Machine,
    at: Timestamp,
    decision: &TimerCreated,
) -> Result<(), Refusal> {
    let run = check_step(machine, &decision.node_id, Step::Wait)?;
    let ix = check_own(machine, run)?;
    let Kind::Wait(wait) = &machine.node(ix).kind else {
        return refuse(
            Code::WrongState,
            format!("node `{}` is no wait", decision.node_id),
        );
    };
    let key = correlation_key(machine, ix, wait).ok().flatten();
    if key.as_deref() != decision.correlation_key.as_deref() {
        return refuse(
            Code::Unfounded,
            format!(
                "node `{}` waits for another external event",
                decision.node_id
            ),
        );
    }
    let is_template = matches!(wait.correlation_key, Some(PlanText::Template(_)));
    if let Some(key) = key.map(Cow::into_owned) {
        if is_template {
            note_text(machine, ix, &key);
        }
        machine
            .state
            .mailboxes
            .entry(key)
            .or_default()
            .waiters
            .push_back(ix);
    }
    begin(machine, ix, at, decision.fire_at.map(Timestamp));
    Ok(())
}

/// Keeps what the text of a wait came to, where it has expressions.
fn note_text(machine: &mut Machine, ix: NodeIx, text: &str) {
    if may_be_unresolved(machine, ix.into()) {
        machine.state.wait_texts.insert(ix, text.to_owned());
    }
}

fn begin(machine: &mut Machine, ix: NodeIx, at: Timestamp, deadline: Option<Timestamp>) {
    machine.change(ix, |node| {
        node.take(Step::Wait);
        node.started_at = Some(at);
        node.ended_at = None;
        node.deadline = deadline;
    });
}

/// The node is ready to begin its wait once more.
pub(super) fn wait_anew(machine: &mut Machine, ix: NodeIx) {
    stop_waiting(machine, ix);
    machine.change(ix, |node| {
        node.take(Step::BeginAnew);
        node.started_at = None;
    });
}

pub(super) fn timer_fired(
    machine: &mut Machine,
    at: Timestamp,
    decision: &TimerFired,
) -> Result<(), Refusal> {
    let run = check_step(machine, &decision.node_id, Step::Receive)?;
    let ix = check_own(machine, run)?;
    let Kind::Wait(wait) = &machine.node(ix).kind else {
        return refuse(
            Code::WrongState,
            format!("node `{}` is no wait", decision.node_id),
        );
    };
    let key = correlation_key(machine, ix, wait).ok().flatten();
    if !wait.timer_completes || key.as_deref() != decision.correlation_key.as_deref() {
        return refuse(
            Code::Unfounded,
            format!("node `{}` waits otherwise", decision.node_id),
        );
    }
    match machine.record(ix).deadline {
        Some(deadline) if deadline <= at => {}
        Some(deadline) => {
            return refuse(
                Code::TooEarly,
                format!(
                    "node `{}` waits until {} ms; it is {} ms",
                    decision.node_id, deadline.0, at.0
                ),
            );
        }
        None => {
            return refuse(
                Code::Unfounded,
                format!("no time runs for node `{}`", decision.node_id),
            );
        }
    }
    receive(machine, ix, WaitResult::Time);
    Ok(())
}

pub(super) fn approved(machine: &mut Machine, fact: &ApprovalReceived) -> Result<(), Refusal> {
    let ix = check_own(machine, find(machine, &fact.node_id)?)?;
    if !matches!(machine.node(ix).kind, Kind::HumanApproval(_)) {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is no human_approval: nobody's approval is asked for",
                fact.node_id
            ),
        );
    }
    check_step(machine, &fact.node_id, Step::Receive)?;
    if machine.record(ix).wait_result.is_some() {
        return refuse(
            Code::Repeated,
            format!("node `{}` has been decided on already", fact.node_id),
        );
    }
    if let Some(patch) = &fact.state_patch {
        let patch = payload::object("the state patch", patch)?;
        check_state_room(machine, machine.state.data.bytes_with(&patch))?;
    }
    let ApprovalReceived {
        user_id,
        decision,
        comment,
        state_patch,
        ..
    } = fact.clone();
    receive(
        machine,
        ix,
        WaitResult::Approval {
            user_id,
            decision,
            comment,
            state_patch,
        },
    );
    Ok(())
}

/// First come, first served: the longest waiting node takes it, and if
/// nobody waits it is kept.
pub(super) fn external_event(
    machine: &mut Machine,
    fact: &ExternalEventReceived,
) -> Result<(), Refusal> {
    payload::key("the correlation key", &fact.correlation_key)?;
    if let Some(id) = &fact.event_id {
        payload::key("the event's id", id)?;
    }
    payload::member("the payload", &fact.payload)?;
    let state_bytes = machine.state.data.bytes_with(&Object::new());
    check_state_room(machine, state_bytes + fact.payload.len())?;
    machine.state.event_ids.extend(fact.event_id.clone());
    let key = &fact.correlation_key;
    if let Some(payload) = hand_over(machine, key, fact.payload.clone()) {
        keep(machine, key, payload, VecDeque::push_back);
    }
    Ok(())
}

/// Give an external event to the node that waits longest for it; back, if
/// nobody does.
fn hand_over(machine: &mut Machine, key: &str, payload: String) -> Option<String> {
    let mailbox = machine.state.mailboxes.get_mut(key);
    let Some((ix, mailbox)) = mailbox.and_then(|it| Some((it.waiters.pop_front()?, it))) else {
        return Some(payload);
    };
    mailbox.answered.push_back(ix);
    note_result(machine, ix, WaitResult::ExternalEvent(payload));
    None
}

/// A wait whose external event has come is cancelled before it could
/// consume it. The event goes to the wait that was answered next, what that
/// one had to the one after it, and so on to a node that still waits or, if none
/// does, back to what is kept.
pub(super) fn pass_on(machine: &mut Machine, ix: NodeIx) {
    let plan = machine.plan.clone();
    let Kind::Wait(wait) = &plan.nodes[ix.0 as usize].kind else {
        return;
    };
    let Ok(Some(key)) = correlation_key(machine, ix, wait) else {
        return;
    };
    let key = key.into_owned();
    let key = key.as_str();
    let Some(WaitResult::ExternalEvent(mut payload)) =
        machine.record(ix).wait_result.as_deref().cloned()
    else {
        return;
    };
    let mailbox = machine.state.mailboxes.get(key);
    let answered = mailbox.into_iter().flat_map(|mailbox| &mailbox.answered);
    let later = answered.skip_while(|it| **it != ix).skip(1);
    for next in later.copied().collect::<Vec<_>>() {
        machine.change(next, |node| {
            if let Some(WaitResult::ExternalEvent(own)) = node.wait_result.as_deref_mut() {
                core::mem::swap(own, &mut payload);
            }
        });
    }
    if let Some(payload) = hand_over(machine, key, payload) {
        keep(machine, key, payload, VecDeque::push_front);
    }
}

/// Keep an external event for a wait to come, if there can be one that takes it.
fn keep(machine: &mut Machine, key: &str, payload: String, put: fn(&mut VecDeque<String>, String)) {
    if machine.plan.transient_keys.contains(key) {
        return;
    }
    machine.state.kept_bytes += payload.len() as u64;
    let mailbox = machine.state.mailboxes.entry(key.to_owned()).or_default();
    put(&mut mailbox.kept, payload);
}

/// Whether a state of so many bytes is small enough, together with what is kept
/// for it. What was answered and is not settled is not counted: that
/// happens in the same turn.
pub(super) fn check_state_room(machine: &Machine, state_bytes: usize) -> Result<(), Refusal> {
    let bytes = (state_bytes as u64).saturating_add(machine.state.kept_bytes);
    if bytes <= STATE_BYTES_MAX as u64 {
        return Ok(());
    }
    refuse(
        Code::TooLarge,
        format!(
            "the state, and the external events kept for it, would come to {bytes} bytes; \
         {STATE_BYTES_MAX} are allowed: store what is large elsewhere and pass a reference"
        ),
    )
}

fn receive(machine: &mut Machine, ix: NodeIx, result: WaitResult) {
    stop_waiting(machine, ix);
    note_result(machine, ix, result);
}

fn note_result(machine: &mut Machine, ix: NodeIx, result: WaitResult) {
    machine.change(ix, |node| {
        node.take(Step::Receive);
        node.deadline = None;
        node.wait_result = Some(Box::new(result));
    });
}

/// Leave the mailbox. A node that did not wait, because the event was
/// there already, consumes it.
pub(super) fn stop_waiting(machine: &mut Machine, ix: NodeIx) {
    if !matches!(
        machine.node(ix).kind,
        Kind::Wait(_) | Kind::HumanApproval(_)
    ) {
        return;
    }
    let plan = machine.plan.clone();
    if let Kind::Wait(wait) = &plan.nodes[ix.0 as usize].kind {
        let resolved;
        let literal = wait.correlation_key.as_ref().and_then(PlanText::literal);
        let key = if literal.is_some() {
            literal
        } else {
            let key = correlation_key(machine, ix, wait).ok().flatten();
            resolved = key.map(Cow::into_owned);
            resolved.as_deref()
        };
        if let Some(key) = key {
            leave_mailbox(machine, ix, key);
        }
    }
    machine.state.wait_texts.remove(&ix);
}

fn leave_mailbox(machine: &mut Machine, ix: NodeIx, key: &str) {
    let Some(mailbox) = machine.state.mailboxes.get_mut(key) else {
        return;
    };
    if machine.state.nodes[ix.0 as usize].state == NodeState::Ready {
        let taken = mailbox.kept.pop_front();
        machine.state.kept_bytes -= taken.map_or(0, |payload| payload.len() as u64);
    } else {
        mailbox.waiters.retain(|waiter| *waiter != ix);
        mailbox.answered.retain(|answered| *answered != ix);
    }
    if mailbox.kept.is_empty() && mailbox.waiters.is_empty() && mailbox.answered.is_empty() {
        machine.state.mailboxes.remove(key);
    }
}
