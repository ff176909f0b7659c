//! Texts that the scheduler reads as something begins: those of waits, approvals and work
//! (rules R19 and R29).

use alloc::borrow::Cow;
use alloc::string::ToString;

use super::maps::is_of_settled_map;
use crate::contract::NodeFailure;
use crate::instance::RunIx;
use crate::limits::{ID_BYTES_MAX, SPAN_MAX};
use crate::machine::Machine;
use crate::template::Unresolved;
use crate::time::Timestamp;
use crate::workflow::plan::{Body, HumanApproval, Kind, NodeIx, PlanText, Timer, Wait};

/// The oldest external event that a wait that is ready could take: one that came
/// before anyone waited for it (rule R19).
pub(crate) fn kept<'a>(machine: &'a Machine, ix: NodeIx, wait: &'a Wait) -> Option<&'a str> {
    if !wait.takes_kept {
        return None;
    }
    let key = correlation_key(machine, ix, wait).ok()??;
    let mailbox = machine.state.mailboxes.get(&*key)?;
    mailbox.kept.front().map(|payload| payload.as_str())
}

/// The correlation key of a wait, if it waits for an external event. One with
/// expressions is resolved when the wait begins, and holds until it ends (rule R29).
pub(crate) fn correlation_key<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    wait: &'a Wait,
) -> Result<Option<Cow<'a, str>>, Unresolved> {
    const POINTER: &str = "/kind/correlation_key";
    let Some(text) = &wait.correlation_key else {
        return Ok(None);
    };
    let key = resolved(machine, ix, text, POINTER)?;
    if key.is_empty() {
        return Err(Unresolved::Null(POINTER.to_string()));
    }
    if key.len() > ID_BYTES_MAX {
        return Err(Unresolved::TooLarge(POINTER.to_string()));
    }
    Ok(Some(key))
}

/// When a wait that begins now ends by itself, if it does. A text with expressions that is
/// no time has no value, and a time further ahead than any span is too large.
pub(crate) fn fire_at(
    machine: &Machine,
    ix: NodeIx,
    wait: &Wait,
    now: Timestamp,
) -> Result<Option<Timestamp>, Unresolved> {
    const POINTER: &str = "/kind/until";
    let until = match &wait.timer {
        None => return Ok(None),
        Some(Timer::After(span)) => return Ok(Some(now.after(*span))),
        Some(Timer::At(time)) => *time,
        Some(Timer::ToldBy(template)) => {
            let text = template
                .resolve(&machine.scope_in(ix).reading(machine.reads.begin()))
                .map_err(|no_value| Unresolved::at(no_value, POINTER))?;
            let time = Timestamp::from_rfc3339(&text);
            time.map_err(|_| Unresolved::Null(POINTER.to_string()))?
        }
    };
    if until > now.after(SPAN_MAX) {
        return Err(Unresolved::TooLarge(POINTER.to_string()));
    }
    Ok(Some(until))
}

/// What the person is asked by an approval.
pub(crate) fn description<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    approval: &'a HumanApproval,
) -> Result<Cow<'a, str>, Unresolved> {
    const POINTER: &str = "/kind/description";
    resolved(machine, ix, &approval.description, POINTER)
}

/// What a text of a wait or an approval came to when it began, or would come to now.
fn resolved<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    text: &'a PlanText,
    pointer: &str,
) -> Result<Cow<'a, str>, Unresolved> {
    match text {
        PlanText::Literal(text) => Ok(Cow::Borrowed(text)),
        PlanText::Template(template) => match machine.state.wait_texts.get(&ix) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => template
                .resolve(&machine.scope_in(ix).reading(machine.reads.begin()))
                .map(Cow::Owned)
                .map_err(|no_value| Unresolved::at(no_value, pointer)),
        },
    }
}

/// Whether a text in the node's kind can be without a value (rule R29).
pub(crate) fn may_be_unresolved(machine: &Machine, run: RunIx) -> bool {
    if is_of_settled_map(machine, run) {
        return false;
    }
    let is_template = |text: &PlanText| matches!(text, PlanText::Template(_));
    match &machine.node(run).kind {
        _ if run.is_undo() => machine
            .work(run)
            .is_some_and(|work| work.template.is_some()),
        Kind::Work(work) => work.template.is_some(),
        // Its input can be too large.
        Kind::Subgraph(_) => true,
        Kind::Map(map) => {
            !run.is_own()
                && match &map.body {
                    Body::Work(work) => work.template.is_some(),
                    Body::Child(_) => true,
                }
        }
        Kind::Wait(wait) => {
            matches!(wait.timer, Some(Timer::At(_) | Timer::ToldBy(_)))
                || wait.correlation_key.as_ref().is_some_and(is_template)
        }
        Kind::HumanApproval(approval) => is_template(&approval.description),
        Kind::Condition(_)
        | Kind::Parallel
        | Kind::Join(_)
        | Kind::LimitExceeded { .. }
        | Kind::Terminate(_) => false,
    }
}

/// Why a node with such a text has failed, in the contract's words.
pub(crate) fn unresolved_cause(unresolved: Unresolved) -> NodeFailure {
    match unresolved {
        Unresolved::Null(pointer) => NodeFailure::UnresolvedExpression(pointer),
        Unresolved::TooLarge(pointer) => NodeFailure::TooLarge(pointer),
    }
}
