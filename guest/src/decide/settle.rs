//! Nodes that the guest settles itself, without a worker (rule R6).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use super::decision::{Decision, decision};
use super::map::settle_map;
use super::words::{completion, empty, exhaustion, null};
use crate::contract::{
    ApprovalDecision, EventKind, InterruptRaised, NodeFailure, NodeSkipped, NodeState, Rejection,
    SkipReason, TimerCreated,
};
use crate::guards::{correlation_key, description, fire_at, kept, unresolved_cause};
use crate::json::Object;
use crate::machine::Machine;
use crate::state::WaitResult;
use crate::time::Timestamp;
use crate::workflow::END;
use crate::workflow::plan::{Branch, HumanApproval, Kind, NodeIx, Target, Wait};

/// What becomes of a node that is filed for settling.
pub(super) fn settle(machine: &Machine, now: Timestamp, ix: NodeIx) -> Decision {
    decision(machine, now, settlement(machine, now, ix), None)
}

fn settlement(machine: &Machine, now: Timestamp, ix: NodeIx) -> EventKind {
    let record = machine.record(ix);
    if record.state == NodeState::Pending {
        return EventKind::NodeSkipped(NodeSkipped {
            node_id: machine.node_id(ix),
            reason: SkipReason::Unreached,
        });
    }
    match (&machine.node(ix).kind, record.wait_result.as_deref()) {
        (Kind::Condition(branches), _) => {
            completion(machine, ix, null(), empty(), choose(machine, branches))
        }
        (Kind::Parallel | Kind::Join(_) | Kind::Terminate(_), _) => {
            completion(machine, ix, null(), empty(), None)
        }
        (Kind::Map(map), _) => settle_map(machine, ix, map),
        (Kind::LimitExceeded { description }, _) => {
            exhaustion(machine, ix, NodeFailure::LimitExceeded(description.clone()))
        }
        (Kind::Wait(wait), None) => begin_wait(machine, now, ix, wait),
        (Kind::HumanApproval(approval), None) => raise_interrupt(machine, now, ix, approval),
        (Kind::Wait(_) | Kind::HumanApproval(_), Some(WaitResult::Time)) => {
            completion(machine, ix, null(), empty(), None)
        }
        (Kind::Wait(_) | Kind::HumanApproval(_), Some(WaitResult::ExternalEvent(payload))) => {
            end_wait(machine, ix, payload)
        }
        (
            Kind::Wait(_) | Kind::HumanApproval(_),
            Some(WaitResult::Approval {
                user_id,
                decision,
                comment,
                state_patch,
            }),
        ) => match decision {
            ApprovalDecision::Approved => {
                let patch = state_patch.clone().unwrap_or_else(empty);
                completion(
                    machine,
                    ix,
                    approval_output(user_id, comment.as_deref()),
                    patch,
                    None,
                )
            }
            ApprovalDecision::Rejected => {
                let rejection = Rejection {
                    user_id: user_id.clone(),
                    comment: comment.clone(),
                };
                exhaustion(machine, ix, NodeFailure::Rejected(rejection))
            }
        },
        (Kind::Work(_) | Kind::Subgraph(_), _) => {
            unreachable!("nodes for workers and with children are not filed for settling")
        }
    }
}

/// Rule R7: the first true branch.
fn choose(machine: &Machine, branches: &[Branch]) -> Option<String> {
    let scope = machine.scope().reading(machine.reads.begin());
    let is_true = |branch: &&Branch| {
        branch
            .condition
            .as_ref()
            .is_none_or(|condition| condition.is_true(&scope))
    };
    let branch = branches.iter().find(is_true)?;
    Some(target(machine, branch.target))
}

/// The name under which a target is chosen.
pub(super) fn target(machine: &Machine, target: Target) -> String {
    match target {
        Target::Node(ix) => machine.node_id(ix),
        Target::End => END.to_string(),
    }
}

/// An external event that came early is there at once.
fn begin_wait(machine: &Machine, now: Timestamp, ix: NodeIx, wait: &Wait) -> EventKind {
    let correlation_key = match correlation_key(machine, ix, wait) {
        Ok(key) => key.map(Cow::into_owned),
        Err(unresolved) => return exhaustion(machine, ix, unresolved_cause(unresolved)),
    };
    if let Some(payload) = kept(machine, ix, wait) {
        return end_wait(machine, ix, payload);
    }
    let fire_at = match fire_at(machine, ix, wait, now) {
        Ok(time) => time.map(|time| time.0),
        Err(unresolved) => return exhaustion(machine, ix, unresolved_cause(unresolved)),
    };
    EventKind::TimerCreated(TimerCreated {
        node_id: machine.node_id(ix),
        fire_at,
        correlation_key,
    })
}

/// An object is the patch; anything else goes under the node's id.
fn end_wait(machine: &Machine, ix: NodeIx, payload: &str) -> EventKind {
    let patch = match Object::parse(payload) {
        Ok(_) => payload.to_string(),
        Err(_) => {
            let mut patch = Object::new();
            patch.insert(machine.node_id(ix), payload);
            patch.to_text()
        }
    };
    completion(machine, ix, payload.to_string(), patch, None)
}

fn raise_interrupt(
    machine: &Machine,
    now: Timestamp,
    ix: NodeIx,
    approval: &HumanApproval,
) -> EventKind {
    let reason = match description(machine, ix, approval) {
        Ok(text) => text.into_owned(),
        Err(unresolved) => return exhaustion(machine, ix, unresolved_cause(unresolved)),
    };
    EventKind::InterruptRaised(InterruptRaised {
        node_id: machine.node_id(ix),
        reason,
        expires_at: approval.timeout.map(|timeout| now.after(timeout).0),
    })
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written")
}

fn approval_output(user_id: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(null, quote);
    format!(
        "{{\"decision\":\"approved\",\"user_id\":{},\"comment\":{comment}}}",
        quote(user_id)
    )
}
