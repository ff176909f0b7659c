//! Nodes that the guest settles itself, without a worker (rule R6).

use alloc::format;
use alloc::string::{String, ToString};

use crate::contract::{
    ApprovalDecision, EventKind, InterruptRaised, NodeCompleted, NodeExhausted, NodeSkipped,
    NodeState, SkipReason, TimerCreated,
};
use crate::json::Object;
use crate::machine::{Decision, Machine};
use crate::state::Answer;
use crate::time::Timestamp;
use crate::workflow::plan::{Branch, HumanApproval, Kind, NodeIx, Wait};

impl Machine {
    /// What becomes of a node that is filed for settling.
    pub(super) fn settle(&self, now: Timestamp, ix: NodeIx) -> Decision {
        self.decision(now, self.settlement(now, ix), None)
    }

    fn settlement(&self, now: Timestamp, ix: NodeIx) -> EventKind {
        let record = self.record(ix);
        if record.state == NodeState::Pending {
            return EventKind::NodeSkipped(NodeSkipped {
                node_id: self.node_id(ix),
                reason: SkipReason::Unreached,
            });
        }
        match (&self.node(ix).kind, record.answer.as_deref()) {
            (Kind::Condition(branches), _) => {
                self.completion(ix, null(), empty(), self.choose(branches))
            }
            (Kind::Parallel | Kind::Join(_), _) => self.completion(ix, null(), empty(), None),
            (Kind::LimitExceeded { description }, _) => {
                let error = format!(
                    "limit exceeded: {}",
                    description.as_deref().unwrap_or("no description")
                );
                self.exhaustion(ix, error)
            }
            (Kind::Wait(wait), None) => self.begin_wait(now, ix, wait),
            (Kind::HumanApproval(approval), None) => self.raise_interrupt(now, ix, approval),
            (Kind::Wait(_) | Kind::HumanApproval(_), Some(Answer::Time)) => {
                self.completion(ix, null(), empty(), None)
            }
            (Kind::Wait(_) | Kind::HumanApproval(_), Some(Answer::ExternalEvent(payload))) => {
                self.end_wait(ix, payload)
            }
            (
                Kind::Wait(_) | Kind::HumanApproval(_),
                Some(Answer::Approval {
                    user_id,
                    decision,
                    comment,
                    state_patch,
                }),
            ) => match decision {
                ApprovalDecision::Approved => {
                    let patch = state_patch.clone().unwrap_or_else(empty);
                    self.completion(
                        ix,
                        approval_output(user_id, comment.as_deref()),
                        patch,
                        None,
                    )
                }
                ApprovalDecision::Rejected => {
                    self.exhaustion(ix, rejection(user_id, comment.as_deref()))
                }
            },
            (Kind::Work(_), _) => unreachable!("nodes for workers are filed for dispatch"),
        }
    }

    /// A completion without a worker: attempt and fence are 0.
    pub(super) fn completion(
        &self,
        ix: NodeIx,
        output: String,
        state_patch: String,
        chosen_target: Option<String>,
    ) -> EventKind {
        EventKind::NodeCompleted(NodeCompleted {
            node_id: self.node_id(ix),
            attempt: 0,
            fence: 0,
            output,
            state_patch,
            duration_ms: 0,
            chosen_target,
            telemetry: None,
        })
    }

    fn exhaustion(&self, ix: NodeIx, error: String) -> EventKind {
        EventKind::NodeExhausted(NodeExhausted {
            node_id: self.node_id(ix),
            attempts: 0,
            error,
        })
    }

    /// Rule R7: the first true branch.
    fn choose(&self, branches: &[Branch]) -> Option<String> {
        let scope = self.scope();
        let is_true = |branch: &&Branch| {
            branch
                .condition
                .as_ref()
                .is_none_or(|condition| condition.is_true(&scope))
        };
        let branch = branches.iter().find(is_true)?;
        Some(self.target(branch.target))
    }

    /// An external event that came early is there at once.
    fn begin_wait(&self, now: Timestamp, ix: NodeIx, wait: &Wait) -> EventKind {
        if let Some(payload) = self.kept(wait) {
            return self.end_wait(ix, payload);
        }
        EventKind::TimerCreated(TimerCreated {
            node_id: self.node_id(ix),
            fire_at: wait.timer.map(|timer| now.after(timer).0),
            correlation_key: wait.correlation_key.clone(),
        })
    }

    /// An object is the patch; anything else goes under the node's id.
    fn end_wait(&self, ix: NodeIx, payload: &str) -> EventKind {
        let patch = match Object::parse(payload) {
            Ok(_) => payload.to_string(),
            Err(_) => {
                let mut patch = Object::new();
                patch.insert(self.node_id(ix), payload);
                patch.to_text()
            }
        };
        self.completion(ix, payload.to_string(), patch, None)
    }

    fn raise_interrupt(&self, now: Timestamp, ix: NodeIx, approval: &HumanApproval) -> EventKind {
        EventKind::InterruptRaised(InterruptRaised {
            node_id: self.node_id(ix),
            reason: approval.description.clone(),
            state_for_review: self.state.data.to_text(),
            expires_at: approval.timeout.map(|timeout| now.after(timeout).0),
        })
    }
}

fn null() -> String {
    "null".to_string()
}

fn empty() -> String {
    "{}".to_string()
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

fn rejection(user_id: &str, comment: Option<&str>) -> String {
    match comment {
        Some(comment) => format!("rejected by {user_id}: {comment}"),
        None => format!("rejected by {user_id}"),
    }
}
