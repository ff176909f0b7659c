//! What callers, workers and operators were told, in the order in which it was.

use std::collections::{BTreeMap, BTreeSet};

use refrain::id::ExecutionId;
use refrain::log::StoredEvent;
use refrain::model::EventKind;
use refrain::store::{Timestamp, Turn};
use refrain::{ClaimId, EngineError};

use super::waiting::Rest;

/// Everything that was told. It must be complete: what stands in a log and was
/// neither told nor offered is found to be invented.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// In order.
    pub tellings: Vec<Telling>,
    /// The logs that were erased, as they were before.
    pub erased: BTreeMap<ExecutionId, Vec<StoredEvent>>,
}

/// One thing that was told, or was asked and left without an answer.
#[derive(Clone, Debug)]
pub enum Telling {
    /// A caller: this execution was started.
    Started {
        /// The execution.
        execution: ExecutionId,
        /// Whom it belongs to.
        tenant: String,
        /// The caller's key.
        key: Option<String>,
        /// The workflow's id and version.
        workflow: (String, String),
        /// The input, as it was given.
        input: String,
    },
    /// A worker: this item is yours.
    Claimed {
        /// The claim.
        claim: ClaimId,
        /// The worker.
        worker_id: String,
        /// When it ends, unless it is renewed.
        expires_at: Timestamp,
    },
    /// A worker: your claim is renewed.
    Renewed {
        /// The claim.
        claim: ClaimId,
        /// When it ends now.
        expires_at: Timestamp,
    },
    /// A worker: this is what became of your answer.
    Answered {
        /// The claim.
        claim: ClaimId,
        /// The answer.
        offer: Offer,
        /// What became of it.
        receipt: Receipt,
    },
    /// An operator: this fact counts. `sure` is false where the operator was
    /// told nothing, because the host died or did not know either.
    Acknowledged {
        /// The execution.
        execution: ExecutionId,
        /// The fact.
        fact: Box<EventKind>,
        /// Whether it was said that it counts.
        sure: bool,
    },
    /// From the one who steps a host: it rests.
    Rested(Rest),
    /// From the store that records turns: these events were one turn's.
    Written(TurnSeen),
}

/// What a worker answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It completed its item.
    Completed {
        /// The output, verbatim.
        output: String,
        /// The patch, where it gave one of its own.
        state_patch: Option<String>,
    },
    /// It failed.
    Failed {
        /// The error.
        error: String,
    },
    /// It gave its item back.
    Released,
}

impl Offer {
    /// Whether this event is this answer's.
    #[must_use]
    pub fn is(&self, kind: &EventKind) -> bool {
        match (self, kind) {
            (
                Self::Completed {
                    output,
                    state_patch,
                },
                EventKind::NodeCompleted(it),
            ) => {
                it.output == *output
                    && state_patch
                        .as_ref()
                        .is_none_or(|patch| it.state_patch == *patch)
            }
            (Self::Failed { error }, EventKind::NodeFailed(it)) => it.error == *error,
            (Self::Released, EventKind::NodeReleased(_)) => true,
            _ => false,
        }
    }
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the log now.
    Recorded,
    /// The very same answer has settled the item before.
    AlreadyRecorded,
    /// The claim does not hold the item (law 7).
    Stale,
    /// It is not acceptable, no matter who gives it.
    Refused,
    /// Nobody said: the host died, or could not tell.
    Unknown,
}

impl From<&Result<refrain::Receipt, EngineError>> for Receipt {
    fn from(answer: &Result<refrain::Receipt, EngineError>) -> Self {
        match answer {
            Ok(refrain::Receipt::Recorded) => Self::Recorded,
            Ok(refrain::Receipt::AlreadyRecorded) => Self::AlreadyRecorded,
            Err(EngineError::Stale { .. }) => Self::Stale,
            Err(EngineError::Store(_) | EngineError::ShutDown) => Self::Unknown,
            Err(_) => Self::Refused,
        }
    }
}

/// The events that one turn wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnSeen {
    /// First and last event, by execution.
    pub events: BTreeMap<ExecutionId, (u64, u64)>,
    /// The executions that its host worked on when it began; none: all.
    pub works_on: Option<BTreeSet<ExecutionId>>,
    /// The executions that were left out of it, because writes to them conflict, and those
    /// that were linked with them.
    pub left_out: BTreeSet<ExecutionId>,
    /// Of the executions that it wrote: whether it left each owed a step.
    pub owed: BTreeMap<ExecutionId, bool>,
}

impl From<&Turn> for TurnSeen {
    fn from(turn: &Turn) -> Self {
        let events = turn.executions.iter().filter_map(|change| {
            let first = change.events.first()?.event.sequence;
            let last = change.events.last()?.event.sequence;
            Some((change.record.id, (first, last)))
        });
        let records = turn.executions.iter().map(|change| &change.record);
        Self {
            events: events.collect(),
            works_on: None,
            left_out: BTreeSet::new(),
            owed: records.map(|it| (it.id, it.is_owed_a_step())).collect(),
        }
    }
}

impl Told {
    /// Something is told.
    pub fn tell(&mut self, telling: Telling) {
        self.tellings.push(telling);
    }

    /// What became of answers, in order.
    pub fn answers(&self) -> impl Iterator<Item = (&ClaimId, &Offer, Receipt)> {
        self.tellings.iter().filter_map(|telling| match telling {
            Telling::Answered {
                claim,
                offer,
                receipt,
            } => Some((claim, offer, *receipt)),
            _ => None,
        })
    }

    /// The turns that were seen, in order.
    pub fn turns(&self) -> impl Iterator<Item = &TurnSeen> {
        self.tellings.iter().filter_map(|telling| match telling {
            Telling::Written(turn) => Some(turn),
            _ => None,
        })
    }

    /// When a claim was last said to end.
    #[must_use]
    pub fn lease_end(&self, claim: &ClaimId) -> Option<Timestamp> {
        self.tellings
            .iter()
            .rev()
            .find_map(|telling| match telling {
                Telling::Claimed {
                    claim: of,
                    expires_at,
                    ..
                }
                | Telling::Renewed {
                    claim: of,
                    expires_at,
                } if of == claim => Some(*expires_at),
                _ => None,
            })
    }
}
