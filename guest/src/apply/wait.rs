//! Waits: for a time, for an external event, for a person (rule R19).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Refusal, payload};
use crate::contract::{
    ApprovalReceived, ExternalEventReceived, InterruptRaised, NodeState, TimerCreated, TimerFired,
};
use crate::json::Object;
use crate::limits::STATE_BYTES_MAX;
use crate::machine::Machine;
use crate::node::Step;
use crate::state::Answer;
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx, Wait};

impl Machine {
    pub(super) fn interrupted(
        &mut self,
        at: Timestamp,
        decision: &InterruptRaised,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Wait)?;
        if !matches!(self.node(ix).kind, Kind::HumanApproval(_)) {
            return Err(format!(
                "node `{}` does not wait for a person",
                decision.node_id
            ));
        }
        self.wait(ix, at, decision.expires_at.map(Timestamp));
        Ok(())
    }

    pub(super) fn timer_created(
        &mut self,
        at: Timestamp,
        decision: &TimerCreated,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Wait)?;
        let Kind::Wait(wait) = &self.node(ix).kind else {
            return Err(format!("node `{}` is no wait", decision.node_id));
        };
        if wait.correlation_key != decision.correlation_key {
            return Err(format!(
                "node `{}` waits for another external event",
                decision.node_id
            ));
        }
        if let Some(key) = wait.correlation_key.clone() {
            self.state
                .mailboxes
                .entry(key)
                .or_default()
                .waiters
                .push_back(ix);
        }
        self.wait(ix, at, decision.fire_at.map(Timestamp));
        Ok(())
    }

    fn wait(&mut self, ix: NodeIx, at: Timestamp, deadline: Option<Timestamp>) {
        self.change(ix, |node| {
            node.take(Step::Wait);
            node.started_at = Some(at);
            node.ended_at = None;
            node.deadline = deadline;
        });
    }

    pub(super) fn timer_fired(
        &mut self,
        at: Timestamp,
        decision: &TimerFired,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Answer)?;
        let Kind::Wait(wait) = &self.node(ix).kind else {
            return Err(format!("node `{}` is no wait", decision.node_id));
        };
        if !wait.timer_completes || wait.correlation_key != decision.correlation_key {
            return Err(format!("node `{}` waits otherwise", decision.node_id));
        }
        match self.record(ix).deadline {
            Some(deadline) if deadline <= at => {}
            Some(deadline) => {
                return Err(format!(
                    "node `{}` waits until {} ms; it is {} ms",
                    decision.node_id, deadline.0, at.0
                ));
            }
            None => return Err(format!("no time runs for node `{}`", decision.node_id)),
        }
        self.answer(ix, Answer::Time);
        Ok(())
    }

    pub(super) fn approved(&mut self, fact: &ApprovalReceived) -> Result<(), Refusal> {
        let ix = self.find(&fact.node_id)?;
        if !matches!(self.node(ix).kind, Kind::HumanApproval(_)) {
            return Err(format!(
                "node `{}` is no human_approval: nobody's approval is asked for",
                fact.node_id
            ));
        }
        self.check_step(&fact.node_id, Step::Answer)?;
        if self.record(ix).answer.is_some() {
            return Err(format!(
                "node `{}` has been decided on already",
                fact.node_id
            ));
        }
        if let Some(patch) = &fact.state_patch {
            let patch = payload::object("the state patch", patch)?;
            self.check_state_room(self.state.data.bytes_with(&patch))?;
        }
        let ApprovalReceived {
            user_id,
            decision,
            comment,
            state_patch,
            ..
        } = fact.clone();
        self.answer(
            ix,
            Answer::Approval {
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
    pub(super) fn external_event(&mut self, fact: &ExternalEventReceived) -> Result<(), Refusal> {
        payload::key(&fact.correlation_key)?;
        payload::member("the payload", &fact.payload)?;
        let state_bytes = self.state.data.bytes_with(&Object::new());
        self.check_state_room(state_bytes + fact.payload.len())?;
        let key = &fact.correlation_key;
        if let Some(payload) = self.hand_over(key, fact.payload.clone()) {
            self.keep(key, payload, VecDeque::push_back);
        }
        Ok(())
    }

    /// Give an external event to the node that waits longest for it; back, if
    /// nobody does.
    fn hand_over(&mut self, key: &str, payload: String) -> Option<String> {
        let mailbox = self.state.mailboxes.get_mut(key);
        let Some((ix, mailbox)) = mailbox.and_then(|it| Some((it.waiters.pop_front()?, it))) else {
            return Some(payload);
        };
        mailbox.answered.push_back(ix);
        self.note_answer(ix, Answer::ExternalEvent(payload));
        None
    }

    /// A wait whose external event has come is cancelled before it could
    /// consume it. The event goes to the wait that was answered next, what that
    /// one had to the one after it, and so on to whoever waits or, if nobody
    /// does, back to what is kept.
    pub(super) fn pass_on(&mut self, ix: NodeIx) {
        let Kind::Wait(Wait {
            correlation_key: Some(key),
            ..
        }) = &self.plan.clone().nodes[ix.0 as usize].kind
        else {
            return;
        };
        let Some(Answer::ExternalEvent(mut payload)) = self.record(ix).answer.as_deref().cloned()
        else {
            return;
        };
        let mailbox = self.state.mailboxes.get(key);
        let answered = mailbox.into_iter().flat_map(|mailbox| &mailbox.answered);
        let later = answered.skip_while(|it| **it != ix).skip(1);
        for next in later.copied().collect::<Vec<_>>() {
            self.change(next, |node| {
                if let Some(Answer::ExternalEvent(own)) = node.answer.as_deref_mut() {
                    core::mem::swap(own, &mut payload);
                }
            });
        }
        if let Some(payload) = self.hand_over(key, payload) {
            self.keep(key, payload, VecDeque::push_front);
        }
    }

    /// Keep an external event for a wait to come.
    fn keep(&mut self, key: &str, payload: String, put: fn(&mut VecDeque<String>, String)) {
        self.state.kept_bytes += payload.len() as u64;
        let mailbox = self.state.mailboxes.entry(key.to_owned()).or_default();
        put(&mut mailbox.kept, payload);
    }

    /// Whether a state of so many bytes is small enough, beside what is kept
    /// for it. What was answered and is not settled is not counted: that
    /// happens in the same turn.
    pub(super) fn check_state_room(&self, state_bytes: usize) -> Result<(), Refusal> {
        let bytes = (state_bytes as u64).saturating_add(self.state.kept_bytes);
        if bytes <= STATE_BYTES_MAX as u64 {
            return Ok(());
        }
        Err(format!(
            "the state, and the external events kept for it, would come to {bytes} bytes; \
             {STATE_BYTES_MAX} are allowed: store what is large elsewhere and pass a reference"
        ))
    }

    fn answer(&mut self, ix: NodeIx, answer: Answer) {
        self.stop_waiting(ix);
        self.note_answer(ix, answer);
    }

    fn note_answer(&mut self, ix: NodeIx, answer: Answer) {
        self.change(ix, |node| {
            node.take(Step::Answer);
            node.deadline = None;
            node.answer = Some(Box::new(answer));
        });
    }

    /// Whether the external event of this wait has come before anyone waited.
    pub(crate) fn has_kept(&self, wait: &Wait) -> bool {
        self.kept(wait).is_some()
    }

    /// The oldest external event that this wait could take.
    pub(crate) fn kept(&self, wait: &Wait) -> Option<&str> {
        let mailbox = self.state.mailboxes.get(wait.correlation_key.as_ref()?)?;
        mailbox.kept.front().map(String::as_str)
    }

    /// Leave the mailbox. A node that did not wait, because the event was
    /// there already, consumes it.
    pub(super) fn stop_waiting(&mut self, ix: NodeIx) {
        let Kind::Wait(wait) = &self.plan.nodes[ix.0 as usize].kind else {
            return;
        };
        let Some(key) = &wait.correlation_key else {
            return;
        };
        let Some(mailbox) = self.state.mailboxes.get_mut(key) else {
            return;
        };
        if self.state.nodes[ix.0 as usize].state == NodeState::Ready {
            let taken = mailbox.kept.pop_front();
            self.state.kept_bytes -= taken.map_or(0, |payload| payload.len() as u64);
        } else {
            mailbox.waiters.retain(|waiter| *waiter != ix);
            mailbox.answered.retain(|answered| *answered != ix);
        }
        if mailbox.kept.is_empty() && mailbox.waiters.is_empty() && mailbox.answered.is_empty() {
            self.state.mailboxes.remove(key);
        }
    }
}
