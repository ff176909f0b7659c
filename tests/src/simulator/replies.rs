//! What callers and workers are told, and what they may never be told.

use std::collections::BTreeSet;

use refrain::ExecutionId;
use refrain::model::{Event, EventKind, Origin, Status};
use refrain::store::{StoreError, ended};
use refrain::{Claim, ClaimId, EngineError, Receipt};

use super::calls::{Call, Given, Operation, Outcome, Reply};
use super::world::{ToldExecution, World, name};
use crate::checkers::{Offer, Telling};

impl World {
    /// A caller hears what came of a call.
    pub(super) fn hear(
        &mut self,
        host: usize,
        call: Call,
        outcome: Outcome,
        store_failed: bool,
        left_out: &BTreeSet<ExecutionId>,
    ) -> Result<(), String> {
        self.story.tell(|| in_words(host, &call, &outcome));
        self.record(&call, &outcome);
        match outcome {
            Ok(Reply::Started(id)) => self.hear_start(call, id),
            Ok(Reply::Forked(id)) => self.hear_fork(&call, id),
            Ok(Reply::Claimed(claims)) => self.hear_claims(call, claims),
            Ok(Reply::Ended(status)) => self.hear_end(call, status),
            Ok(Reply::Settled(receipt)) => self.hear_receipt(call, receipt),
            Ok(Reply::Sent(Receipt::AlreadyRecorded)) => {
                self.story.fault("an external event comes twice");
                Ok(())
            }
            Ok(Reply::Stepped(stepped)) => self.hear_step(&call, &stepped.events),
            Ok(Reply::Renewed(_) | Reply::Sent(_)) => Ok(()),
            Ok(Reply::Done) => {
                if let Call::Operate(_, Operation::Upgrade(_)) = call {
                    self.story.fault("an execution is handed to another guest");
                }
                Ok(())
            }
            Ok(Reply::DoneBefore) => {
                let told = "an execution belongs to the guest that it is handed to";
                self.story.fault(told);
                Ok(())
            }
            Err(error) if self.is_contended(&error, left_out) => Ok(()),
            Err(error) => self.hear_error(host, &call, error, store_failed),
        }
    }

    /// A host is gone, and with it the answer to this call.
    pub(super) fn never_hear(&mut self, call: &Call) {
        self.record(call, &Err(EngineError::ShutDown));
    }

    /// What the laws are judged by.
    fn record(&mut self, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (
                Call::Start {
                    key,
                    input,
                    workflow,
                    ..
                },
                Ok(Reply::Started(execution)),
            ) => {
                let workflow = (self.workflows[*workflow].id.clone(), "1.0.0".to_owned());
                self.told.tell(Telling::Started {
                    execution: *execution,
                    tenant: "default".to_owned(),
                    key: key.clone(),
                    workflow,
                    input: input.clone(),
                });
            }
            (
                Call::Claim { worker, .. }
                | Call::Request {
                    request: (worker, _),
                    ..
                },
                Ok(Reply::Claimed(claims)),
            ) => {
                for claim in claims {
                    self.told.tell(Telling::Claimed {
                        claim: claim.id.clone(),
                        worker_id: worker.clone(),
                        expires_at: claim.expires_at,
                    });
                }
            }
            (Call::Renew(claim), Ok(Reply::Renewed(expires_at))) => {
                self.told.tell(Telling::Renewed {
                    claim: claim.clone(),
                    expires_at: *expires_at,
                });
            }
            (Call::Answer(claim, given), outcome) => self.told.tell(Telling::Answered {
                claim: claim.clone(),
                offer: given.into(),
                receipt: (&outcome.as_ref().map(receipt_of).map_err(Clone::clone)).into(),
            }),
            (Call::Operate(execution, operation), outcome) => {
                if let (Some(fact), Some(sure)) = (operation.fact(), certainty(outcome)) {
                    self.told.tell(Telling::Acknowledged {
                        execution: *execution,
                        fact: Box::new(fact),
                        sure,
                    });
                }
            }
            _ => {}
        }
    }

    fn hear_start(&mut self, call: Call, id: ExecutionId) -> Result<(), String> {
        let Call::Start { workflow, key, .. } = call else {
            return Err(format!("{call:?} started {id}"));
        };
        if let Some(key) = key {
            let first = *self.keys.entry(key.clone()).or_insert(id);
            if first != id {
                return Err(format!("law 8: key {key:?} started {first} and {id}"));
            }
        }
        if !self.executions.iter().any(|known| known.id == id) {
            self.executions.push(ToldExecution { id, workflow });
        }
        Ok(())
    }

    /// Law 7, as a worker sees it: a claim is given once, and again to nobody but the
    /// request that it was given by.
    fn hear_claims(&mut self, call: Call, claims: Vec<Claim>) -> Result<(), String> {
        let request = match call {
            Call::Request { request, .. } => Some(request),
            _ => None,
        };
        let ids: Vec<_> = claims.iter().map(|claim| claim.id.clone()).collect();
        for claim in claims {
            let id = claim.id.clone();
            let is_repeated = request
                .as_ref()
                .is_some_and(|request| self.requests.was_given(request, &id));
            if self.outside.take(claim) && !is_repeated {
                return Err(format!("law 7: {id:?} was given twice"));
            }
        }
        let Some(request) = request else {
            return Ok(());
        };
        let onlooker = &mut self.onlooker;
        let holds = |claim: &ClaimId| {
            let item = onlooker.item(claim.execution, &claim.node_id);
            let item = item.map_err(|error| error.to_string())?;
            let lease = item.as_ref().and_then(|record| record.state.lease());
            Ok(lease.is_some_and(|lease| lease.fence == claim.fence))
        };
        if self.requests.answered(request, ids, holds)? {
            self.story
                .fault("a repeated request is given what it holds");
        }
        Ok(())
    }

    fn hear_fork(&mut self, call: &Call, id: ExecutionId) -> Result<(), String> {
        let Call::Fork {
            workflow, edits, ..
        } = call
        else {
            return Err(format!("{call:?} forked {id}"));
        };
        self.story.fault("an execution is forked");
        if *edits > 0 {
            self.story.fault("a fork begins with an edited result");
        }
        let workflow = *workflow;
        self.executions.push(ToldExecution { id, workflow });
        Ok(())
    }

    /// Rule R18: a step is the end of a pause, what was decided of it, claims, and the next
    /// pause, or the end.
    fn hear_step(&mut self, call: &Call, events: &[Event]) -> Result<(), String> {
        let ([first, within @ .., last], Call::Operate(id, _)) = (events, call) else {
            return Ok(());
        };
        self.story.fault("an execution is stepped");
        let is_within = |event: &Event| match &event.kind {
            EventKind::NodeStarted(_) | EventKind::HostStalled(_) => true,
            _ => event.origin == Origin::Decision,
        };
        let begins = matches!(first.kind, EventKind::ExecutionUnpaused(_));
        let is_paused = matches!(last.kind, EventKind::ExecutionPaused(_));
        if begins && (is_paused || last.kind.is_terminal()) && within.iter().all(is_within) {
            return Ok(());
        }
        Err(format!("rule R18: a step of {id} was {events:?}"))
    }

    /// Law 6, as a caller sees it: told of the end, it has ended so.
    fn hear_end(&mut self, call: Call, status: Status) -> Result<(), String> {
        self.story.fault("an end is heard of");
        let Call::Operate(id, _) = call else {
            return Err(format!("{call:?} ended something"));
        };
        let record = self
            .onlooker
            .execution(id)
            .map_err(|error| error.to_string())?;
        if record.is_some_and(|record| record.status == status && ended(status)) {
            return Ok(());
        }
        Err(format!("law 6: {id} was said to have ended as {status:?}"))
    }

    /// Law 7, as a worker sees it: an answer counts once, and the same again
    /// is told so.
    fn hear_receipt(&mut self, call: Call, receipt: Receipt) -> Result<(), String> {
        let Call::Answer(claim, given) = call else {
            return Err(format!("{call:?} was answered with {receipt:?}"));
        };
        let Some(held) = self.outside.of(&claim) else {
            return Ok(());
        };
        match (receipt, &held.settled) {
            (Receipt::Recorded, None) => held.settled = Some(given),
            (Receipt::AlreadyRecorded, None) => {
                let sent_before = held.sent.iter().filter(|sent| **sent == given).count();
                if sent_before < 2 {
                    return Err(format!("law 7: {claim:?} was answered only once"));
                }
                held.settled = Some(given);
            }
            (Receipt::AlreadyRecorded, Some(settled)) if *settled == given => {}
            (_, Some(settled)) => {
                return Err(format!(
                    "law 7: {claim:?} was settled with {settled:?}, and then {given:?} was {receipt:?}"
                ));
            }
        }
        Ok(())
    }

    fn hear_error(
        &mut self,
        host: usize,
        call: &Call,
        error: EngineError,
        store_failed: bool,
    ) -> Result<(), String> {
        let of_erased = self.is_of_erased(call);
        let allowed = match (&error, call) {
            (EngineError::Store(error), _) if of_erased => {
                let is_erased = matches!(**error, StoreError::Erased { .. });
                if is_erased {
                    self.story.fault("somebody asks for what was erased");
                }
                store_failed || is_erased
            }
            (EngineError::Refused { .. } | EngineError::Stale { .. }, _) if of_erased => true,
            (EngineError::KeyErased { execution, .. }, Call::Start { .. }) => {
                self.story
                    .fault("the key of an erased execution starts nothing anew");
                self.told.erased.contains_key(execution)
            }
            (EngineError::Store(_), _) => store_failed,
            (EngineError::Guest { .. }, _) => self.hosts[host].is_tight,
            (EngineError::ShutDown, _) => true,
            (EngineError::UnknownGuest { digest }, Call::Operate(_, Operation::Upgrade(_))) => {
                self.story
                    .fault("an execution is handed to a guest that nobody has");
                self.library.bytes(digest).is_none()
            }
            (EngineError::Refused { .. }, Call::Operate(..)) => true,
            (EngineError::NotForked { .. }, Call::Fork { .. }) => {
                self.story.fault("a fork is refused");
                true
            }
            (
                EngineError::Refused { .. } | EngineError::Json { .. },
                Call::Answer(claim, given),
            ) => !self.was_settled_with(claim, given),
            (EngineError::Stale { .. }, Call::Answer(claim, given)) => {
                !self.was_settled_with(claim, given)
            }
            (EngineError::Stale { .. }, Call::Renew(_)) => true,
            _ => false,
        };
        if allowed {
            return Ok(());
        }
        Err(format!("{call:?} was answered with: {error}"))
    }

    /// Whether a caller is told that writes to an execution conflict again and again. That
    /// is told of those that rest, and of nobody else.
    fn is_contended(&mut self, error: &EngineError, left_out: &BTreeSet<ExecutionId>) -> bool {
        let EngineError::Store(error) = error else {
            return false;
        };
        let StoreError::Contended { execution, .. } = &**error else {
            return false;
        };
        self.story.fault("a caller is told of conflicts in a row");
        left_out.contains(execution)
    }

    /// Law 8: what a worker was told that counts is known for ever.
    fn was_settled_with(&mut self, claim: &ClaimId, given: &Given) -> bool {
        let held = self.outside.of(claim);
        held.is_some_and(|held| held.settled.as_ref() == Some(given))
    }
}

fn receipt_of(reply: &Reply) -> Receipt {
    match reply {
        Reply::Settled(receipt) => *receipt,
        _ => Receipt::Recorded,
    }
}

/// Whether a fact counts for certain; none: it was refused, and does not.
fn certainty(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Ok(Reply::DoneBefore) => None,
        Ok(Reply::Stepped(stepped)) if stepped.events.is_empty() => None,
        Ok(_) => Some(true),
        Err(EngineError::Store(_) | EngineError::ShutDown) => Some(false),
        Err(_) => None,
    }
}

impl From<&Given> for Offer {
    fn from(given: &Given) -> Self {
        match given {
            Given::Done { output, patch, .. } => Self::Completed {
                output: output.to_string(),
                state_patch: Some(patch.to_string()),
            },
            Given::Failed(error) => Self::Failed {
                error: error.to_string(),
            },
            Given::Released => Self::Released,
        }
    }
}

fn in_words(host: usize, call: &Call, outcome: &Outcome) -> String {
    let outcome = match outcome {
        Ok(reply) => format!("{reply:?}"),
        Err(error) => error.to_string(),
    };
    format!("{} answers {call:?}: {outcome}", name(host))
}
