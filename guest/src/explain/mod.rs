//! Why a node is where it is, in sentences with the names and numbers in them.
//!
//! Nothing here decides anything: it reads what the decisions read, and says
//! it in words. The most telling reason comes first.

mod edges;
mod ends;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::contract::{Explanation, NodeState, Reason, ReasonTopic};
use crate::inspect::{queue, status_name};
use crate::machine::Machine;
use crate::node::is_settled;
use crate::state::is_finalizer;
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx};

impl Machine {
    /// Why the node is where it is; none: the workflow has no such node.
    #[must_use]
    pub fn explain(&self, node_id: &str) -> Option<Explanation> {
        let ix = self.plan.find(node_id)?;
        let state = self.record(ix).state;
        let mut reasons = match state {
            NodeState::Pending => self.why_pending(ix),
            NodeState::Ready => self.why_ready(ix),
            NodeState::Scheduled | NodeState::BackingOff => self.why_ordered(ix),
            NodeState::Running => self.why_running(ix),
            NodeState::Failing => self.why_failing(ix),
            NodeState::Waiting => self.why_waiting(ix),
            NodeState::Completed => self.why_completed(ix),
            NodeState::Failed => self.why_failed(ix),
            NodeState::Skipped | NodeState::Cancelled => self.why_dismissed(ix),
        };
        reasons.extend(self.why_execution(state));
        Some(Explanation {
            node_id: node_id.to_string(),
            state,
            reasons,
        })
    }

    fn why_pending(&self, ix: NodeIx) -> Vec<Reason> {
        let id = &self.node(ix).id;
        if is_finalizer(&self.node(ix).kind) {
            return self.why_finalizer_pending(ix);
        }
        if self.record(ix).unsettled == 0 {
            return [say(
                ReasonTopic::Progress,
                format!("node `{id}` cannot be reached and will be skipped"),
            )]
            .into();
        }
        self.unmet(ix)
    }

    fn why_finalizer_pending(&self, ix: NodeIx) -> Vec<Reason> {
        let id = &self.node(ix).id;
        let sentence = if self.is_time_for_finalizers() {
            format!(
                "finalizer `{id}` comes after {} other finalizer(s) that have not ended",
                self.record(ix).unsettled
            )
        } else {
            format!(
                "finalizer `{id}` runs when the execution ends; {} node(s) are under way, and {} can go on",
                self.agenda.active.len(),
                self.agenda.settle.len() + self.agenda.dispatch.len()
            )
        };
        [say(ReasonTopic::UnmetPredecessor, sentence)].into()
    }

    fn why_ready(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, max) = (&self.node(ix).id, self.max_concurrent());
        if self.is_held() || self.is_ending() {
            return Vec::new();
        }
        let sentence = if !matches!(self.node(ix).kind, Kind::Work(_)) {
            say(
                ReasonTopic::Progress,
                format!("node `{id}` is settled by the scheduler at its next tick"),
            )
        } else if self.agenda.in_flight >= max {
            let sentence = format!(
                "node `{id}` could run, but {} of {max} nodes (max_concurrent_nodes) are in flight",
                self.agenda.in_flight
            );
            say(ReasonTopic::Limit, sentence)
        } else {
            let limit = self.dispatch_per_tick();
            say(
                ReasonTopic::Limit,
                format!(
                    "node `{id}` is dispatched at the next tick; one tick orders at most {limit} items (max_dispatch_per_tick)"
                ),
            )
        };
        [sentence].into()
    }

    fn why_ordered(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, record) = (&self.node(ix).id, self.record(ix));
        let queue = queue(&self.node(ix).kind).unwrap_or_default();
        let mut reasons = Vec::new();
        if let Some(not_before) = record.not_before.filter(|time| *time > self.state.at) {
            let wait = not_before.since(self.state.at);
            let sentence = format!(
                "attempt {} of node `{id}` may begin at {} ms, {wait} after the last event",
                record.attempt, not_before.0
            );
            reasons.push(say(ReasonTopic::Time, sentence));
        }
        let since = record.scheduled_at.unwrap_or_default();
        let sentence = format!(
            "attempt {} of node `{id}` waits on the queue `{queue}` for a worker, since {} ms",
            record.attempt, since.0
        );
        reasons.push(say(ReasonTopic::Worker, sentence));
        reasons.extend(self.attempts_made(ix));
        reasons
    }

    fn why_running(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, record) = (&self.node(ix).id, self.record(ix));
        let worker = record.worker_id.as_deref().unwrap_or_default();
        let since = record.started_at.unwrap_or_default();
        let sentence = format!(
            "worker `{worker}` has been doing attempt {} of node `{id}` since {} ms",
            record.attempt, since.0
        );
        let mut reasons: Vec<Reason> = [say(ReasonTopic::Worker, sentence)].into();
        reasons.extend(record.deadline.map(|deadline| times_out(id, deadline)));
        reasons.extend(self.attempts_made(ix));
        reasons
    }

    fn why_failing(&self, ix: NodeIx) -> Vec<Reason> {
        if self.is_stalled_on(ix) {
            return self.attempts_made(ix).into_iter().collect();
        }
        let sentence = format!(
            "what follows the failure of node `{}` is decided at the next tick",
            self.node(ix).id
        );
        self.attempts_made(ix)
            .into_iter()
            .chain([say(ReasonTopic::Progress, sentence)])
            .collect()
    }

    fn attempts_made(&self, ix: NodeIx) -> Option<Reason> {
        let (id, record) = (&self.node(ix).id, self.record(ix));
        let failure = record.failure.as_ref()?;
        let class = failure
            .class
            .as_ref()
            .map_or(String::new(), |class| format!(" of class {class}"));
        let sentence = format!(
            "node `{id}` is at attempt {} of {}; the last failure{class}: {}",
            record.attempt, record.max_attempts, failure.error
        );
        Some(say(ReasonTopic::Attempts, sentence))
    }

    fn why_waiting(&self, ix: NodeIx) -> Vec<Reason> {
        let (node, record) = (self.node(ix), self.record(ix));
        if record.answer.is_some() {
            let sentence = format!(
                "what node `{}` waited for has come; it is settled at the next tick",
                node.id
            );
            return [say(ReasonTopic::Progress, sentence)].into();
        }
        let execution = &self.state.started.execution_id;
        let signal = match &node.kind {
            Kind::HumanApproval(approval) => Some(format!(
                "node `{id}` waits for a person to decide on \"{}\": `refrain approve {execution} {id}`",
                approval.description,
                id = node.id
            )),
            Kind::Wait(wait) => wait.correlation_key.as_ref().map(|key| {
                format!("node `{}` waits for the external event `{key}`: `refrain signal {execution} {key}`", node.id)
            }),
            _ => None,
        };
        let mut reasons: Vec<Reason> = signal
            .map(|sentence| say(ReasonTopic::Signal, sentence))
            .into_iter()
            .collect();
        if let Some(deadline) = record.deadline {
            let sentence = format!(
                "the wait of node `{}` ends by itself at {} ms",
                node.id, deadline.0
            );
            reasons.push(say(ReasonTopic::Time, sentence));
        }
        reasons
    }

    /// What holds the whole execution, where that concerns a node.
    fn why_execution(&self, state: NodeState) -> Vec<Reason> {
        let is_open = !is_settled(state);
        let execution = &self.state.started.execution_id;
        let mut reasons = Vec::new();
        if let Some(ending) = self.state.ended.filter(|_| is_open) {
            reasons.push(format!("the execution has ended ({})", ending.name()));
        } else if is_open {
            if let Some(reason) = self.stall() {
                reasons.push(format!(
                    "the execution is {}: {reason}",
                    status_name(self.status())
                ));
            }
            if self.state.paused {
                reasons.push(format!(
                    "the execution is paused: `refrain unpause {execution}`"
                ));
            }
            if self.state.cancel.is_some() {
                reasons.push("the execution is being cancelled".to_string());
            } else if self.state.timed_out {
                reasons
                    .push("the workflow's time ran out, and the execution is ending".to_string());
            }
        }
        reasons
            .into_iter()
            .map(|sentence| say(ReasonTopic::Execution, sentence))
            .collect()
    }
}

fn times_out(id: &str, deadline: Timestamp) -> Reason {
    say(
        ReasonTopic::Time,
        format!("the attempt of node `{id}` times out at {} ms", deadline.0),
    )
}

fn say(topic: ReasonTopic, message: String) -> Reason {
    Reason { topic, message }
}
