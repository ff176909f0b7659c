//! One turn that is being filled: what it is going to write, and who comes next
//! in it.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{EventKind, RefusalCode};
use crate::store::{Timestamp, Turn};

use super::backlog::Backlog;
use super::core::Core;
use super::engine_time::TurnTime;
use super::offer::{self, Taken};
use super::slots::Slots;
use super::step::step;
use super::transaction::Transaction;
use super::turn_claims::TurnClaims;
use super::waiting::WaitingWrites;
use super::waiting_claims::Ticket;
use crate::live::execution::cached::CacheUpdate;
use crate::live::values::ending::Ending;
use crate::live::values::links::Links;
use crate::live::values::work::{Claim, ClaimId};

/// A turn that is being filled.
pub(crate) struct OpenTurn<'a> {
    pub(in crate::live) transaction: Transaction<'a>,
    /// What the turn will leave to the next.
    pub(in crate::live) backlog: Backlog,
    /// Executions that came after the others, and have gone on in this turn.
    pub(in crate::live) served_late: BTreeSet<ExecutionId>,
    /// The writes that have to wait.
    pub(in crate::live) waiting: WaitingWrites,
    pub(in crate::live) claims: TurnClaims,
}

/// What is to be done in memory once a turn is written.
pub(crate) struct Effects {
    pub(crate) now: TurnTime,
    /// What the turn leaves of its executions.
    pub(crate) left: Vec<CacheUpdate>,
    /// How many executions that is.
    pub(crate) touched: usize,
    /// The executions of which something was written.
    pub(crate) changed: Vec<ExecutionId>,
    /// Which executions are linked.
    pub(crate) links: Links,
    /// The executions that have ended, and how, where that is at hand.
    pub(in crate::live) ended: Vec<(ExecutionId, Option<Ending>)>,
    /// What became of the slots of own workers.
    pub(crate) slots: Slots,
    /// The requests for work that were given claims.
    pub(crate) served: Vec<(Ticket, Vec<Claim>)>,
    /// Claims of own workers whose leases were renewed, and until when.
    pub(crate) renewed: Vec<(ClaimId, Timestamp)>,
    /// Queues on which everything was claimed.
    pub(crate) drained_queues: BTreeSet<String>,
    pub(crate) backlog: Backlog,
    /// The digests of the guests that were written.
    pub(crate) guests_kept: Vec<String>,
    /// A limit cut something off: another turn is due at once.
    pub(crate) cut: bool,
    /// The places of the writes that were not done, and go into the next turn.
    pub(crate) waiting: BTreeSet<usize>,
    /// Whether there was anything to write, and it was written.
    pub(crate) written: bool,
}

impl<'a> OpenTurn<'a> {
    /// A turn of this time, with nothing in it.
    pub(crate) fn new(core: &'a mut Core, time: TurnTime) -> Self {
        let backlog = Backlog {
            first_group: 0,
            ..core.backlog.clone()
        };
        let claims = TurnClaims::new(&core.pool, core.settings.turn_limits.claims);
        Self {
            transaction: Transaction::new(core, time),
            backlog,
            served_late: BTreeSet::new(),
            waiting: WaitingWrites::default(),
            claims,
        }
    }

    /// Offers a fact to the guest of an execution that need not go on before.
    /// Answers the fact's sequence.
    pub(crate) fn offer(&mut self, id: ExecutionId, kind: EventKind) -> Result<u64, EngineError> {
        self.catch_up(id)?;
        self.must_not_wait(id)?;
        offer::offer(&mut self.transaction, id, kind)
    }

    /// What is due of an execution at the turn's time is decided before the execution is
    /// told anything (law 5): whether a deadline counts must not depend on whether a wake
    /// or a fact came to this thread first. An execution that comes after the others
    /// catches up when it is its turn; one that is cut off is owed a step.
    pub(in crate::live) fn catch_up(&mut self, id: ExecutionId) -> Result<(), EngineError> {
        let transaction = &mut self.transaction;
        let now = transaction.now();
        if !transaction.open(id)?.is_due(now)
            || self.waiting.comes_later(&transaction.core.costly, id)
        {
            return Ok(());
        }
        transaction.budget.took_fact();
        transaction.to_step.remove(&id);
        step(transaction, id).map(drop)
    }

    /// Offers facts, in one call. Answers what became of each.
    pub(in crate::live) fn offer_all(
        &mut self,
        id: ExecutionId,
        kinds: Vec<EventKind>,
    ) -> Result<Vec<Taken>, EngineError> {
        self.catch_up(id)?;
        self.must_not_wait(id)?;
        offer::offer_all(&mut self.transaction, id, kinds)
    }

    /// Fails if no fact may be appended to this execution now. The write that is being
    /// applied, if there is one, is applied again when the execution has gone on: so
    /// it must have staged nothing yet.
    pub(in crate::live) fn must_not_wait(&mut self, id: ExecutionId) -> Result<(), EngineError> {
        if !self.has_to_wait(id)? {
            return Ok(());
        }
        if self.waiting.applied_in().is_some() {
            self.waiting.block(id);
        }
        Err(EngineError::Refused {
            execution: id,
            code: RefusalCode::Held,
            reason: "it has to go on before it can be told anything; try again".to_owned(),
        })
    }

    /// Whether this execution is left out of this turn only. The write that is being
    /// applied is applied again in the next then: so it must have staged nothing yet.
    pub(in crate::live) fn comes_next_turn(&mut self, id: ExecutionId) -> bool {
        let is_next = self.transaction.core.conflicts.is_tried_again(id);
        if is_next && self.waiting.applied_in().is_some() {
            self.waiting.block(id);
        }
        is_next
    }

    /// Whether no fact may be appended to this execution now.
    pub(in crate::live) fn has_to_wait(&mut self, id: ExecutionId) -> Result<bool, EngineError> {
        let owed = self.transaction.open(id)?.owed;
        if owed {
            self.backlog.late.push(id);
        }
        let costly = &self.transaction.core.costly;
        Ok(owed || self.waiting.comes_later(costly, id))
    }

    /// The turn as one write, and what follows when it is written.
    pub(crate) fn close(mut self) -> (Turn, Effects) {
        let (now, cut) = (self.transaction.time, self.transaction.budget.is_cut());
        let links = std::mem::take(&mut self.transaction.links);
        // What is left out for a conflict comes into the next turn.
        let cut = cut || self.transaction.core.conflicts.try_again();
        let (turn, left) = self.transaction.close();
        let guests = turn.components.iter();
        let effects = Effects {
            now,
            touched: left.len(),
            left,
            changed: Vec::new(),
            links,
            ended: Vec::new(),
            slots: self.claims.slots,
            served: self
                .claims
                .served
                .into_iter()
                .chain(self.claims.repeated)
                .collect(),
            renewed: self.claims.renewed,
            drained_queues: self.claims.drained_queues,
            backlog: self.backlog,
            guests_kept: guests.map(|component| component.digest.clone()).collect(),
            cut,
            waiting: self.waiting.into_places(),
            written: false,
        };
        (turn, effects)
    }
}
