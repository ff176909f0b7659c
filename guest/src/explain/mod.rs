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
        reasons.extend(self.why_skip(ix));
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
            return self.why_finalizer(ix);
        }
        if self.record(ix).unsettled > 0 {
            return self.unmet(ix);
        }
        if !self.may_settle() {
            return Vec::new();
        }
        let sentence = format!("node `{id}` cannot be reached and will be skipped");
        [say(ReasonTopic::Progress, sentence)].into()
    }

    /// Whether the scheduler settles nodes itself at the next tick.
    fn may_settle(&self) -> bool {
        self.state.ended.is_none() && self.state.host_stall.is_none() && !self.is_ending()
    }

    fn why_ready(&self, ix: NodeIx) -> Vec<Reason> {
        if is_finalizer(&self.node(ix).kind) {
            return self.why_finalizer(ix);
        }
        let id = &self.node(ix).id;
        let is_work = matches!(self.node(ix).kind, Kind::Work(_));
        if !self.may_settle() || (is_work && self.is_held()) {
            return Vec::new();
        }
        let sentence = if !is_work {
            say(
                ReasonTopic::Progress,
                format!("node `{id}` is settled by the scheduler at its next tick"),
            )
        } else if self.agenda.in_flight >= self.max_concurrent() {
            self.no_room(ix)
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

    fn no_room(&self, ix: NodeIx) -> Reason {
        let sentence = format!(
            "node `{}` could run, but {} of {} nodes (max_concurrent_nodes) are in flight",
            self.node(ix).id,
            self.agenda.in_flight,
            self.max_concurrent()
        );
        say(ReasonTopic::Limit, sentence)
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
        let is_judged = self.state.host_stall.is_none()
            && !self.is_stalled_on(ix)
            && self.judge_failure(1, ix).is_some();
        if !is_judged {
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
        if record.answer.is_some() && !self.may_settle() {
            return Vec::new();
        }
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

    /// That an operator asked for the node to be skipped, and it is not yet.
    fn why_skip(&self, ix: NodeIx) -> Option<Reason> {
        let id = &self.node(ix).id;
        let when = match self.state.host_stall {
            None => "this is done at the next tick",
            Some(_) => "this is done when the stall is lifted",
        };
        let sentence = format!("an operator asked for node `{id}` to be skipped; {when}");
        let is_asked = self.state.ended.is_none() && self.state.skips.contains(&ix);
        is_asked.then(|| say(ReasonTopic::Operator, sentence))
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
