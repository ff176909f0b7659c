//! Within a turn: executions go on, each as far as its share of the turn
//! reaches. Who is cut off is **owed a step**, and goes to the end of the queue.
//!
//! What it decided so far is written with the turn, and its record says that it
//! is due at once, at its last event's time ([`ExecutionRecord::is_owed_a_step`]):
//! so whoever has the store next knows it too, after a crash and in another
//! process. It goes on with the clock reading of its last event, for law 2 wants
//! all that follows at one time decided before anything of a later time; until
//! it has, no fact may be appended to it.
//!
//! [`ExecutionRecord::is_owed_a_step`]: crate::store::ExecutionRecord::is_owed_a_step

use std::collections::BTreeSet;

use hashlink::LinkedHashMap;

use crate::contract::Outcome;
use crate::error::EngineError;
use crate::guest::CallError;
use crate::id::ExecutionId;
use crate::store::{StoreError, ended};

use super::budget::{Phase, Share};
use super::open_turn::{OpenTurn, tick_and_settle};
use crate::live::cache::instances::Failure;

/// Executions that come after the others, one after another: those that are owed
/// a step, and those that are due and costly.
#[derive(Clone, Debug, Default)]
pub(crate) struct Late(LinkedHashMap<ExecutionId, ()>);

impl Late {
    /// To the end of the queue, unless it is in it already.
    pub(in crate::live) fn push(&mut self, id: ExecutionId) {
        if !self.0.contains_key(&id) {
            self.0.insert(id, ());
        }
    }

    /// The first one, unless it is one of these.
    fn pop_unless(&mut self, served: &BTreeSet<ExecutionId>) -> Option<ExecutionId> {
        let first = *self.0.front()?.0;
        if served.contains(&first) {
            return None;
        }
        self.0.pop_front().map(|(id, ())| id)
    }

    pub(in crate::live) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl OpenTurn<'_> {
    /// Tick what is to be ticked, until nothing more is decided.
    pub(crate) fn tick_all(&mut self) -> Result<(), EngineError> {
        while let Some(id) = self.dirty.pop_first() {
            if self.core.costly.contains(id) || !self.may(Phase::Steps) {
                let owed = self.owe(id);
                self.others_go_on(id, owed)?;
                continue;
            }
            let ticked = self.tick(id);
            self.others_go_on(id, ticked)?;
        }
        Ok(())
    }

    /// The next one of those that come after the others goes on. Says whether
    /// there was one.
    pub(crate) fn serve_late(&mut self) -> Result<bool, EngineError> {
        while !self.late.is_empty() {
            if !self.may(Phase::LateSteps) {
                break;
            }
            let Some(id) = self.late.pop_unless(&self.served_late) else {
                break;
            };
            let now = self.now();
            let opened = self.open(id).map(|staged| {
                let wake = staged.record.next_wake;
                staged.owed || wake.is_some_and(|wake| wake <= now)
            });
            if self.others_go_on(id, opened)? == Some(true) {
                self.served_late.insert(id);
                self.facts += 1;
                let ticked = self.tick(id);
                self.others_go_on(id, ticked)?;
                return Ok(true);
            }
        }
        self.cut |= !self.late.is_empty();
        Ok(false)
    }

    /// This execution goes on, as far as its share of the turn reaches.
    pub(in crate::live) fn tick(&mut self, id: ExecutionId) -> Result<(), EngineError> {
        self.changed.insert(id);
        let mut share = Share::of(self.core.settings.turn_limits);
        loop {
            let staged = self.open(id)?;
            if staged.held || ended(staged.record.status) {
                return Ok(());
            }
            let before = self.budget.fuel();
            let ticked = self.ask(id, true, |guest, ports| tick_and_settle(guest, ports, id));
            let (outcome, spent) = match ticked {
                Ok(ticked) => ticked,
                // It has left the turn already.
                Err(Failure::Store(StoreError::Tampered { .. })) => return Ok(()),
                // One that is damaged does not stop the others.
                Err(Failure::Store(error @ StoreError::Corrupt { .. })) => {
                    return self.stall(id, &error.to_string());
                }
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Refused(refusal)) => {
                    return self.stall(id, &CallError::Scheduler(refusal).to_string());
                }
                Err(Failure::Broken(reason)) => return self.stall(id, &reason),
            };
            self.budget.took(spent.bytes);
            if outcome.more && spent.decided == 0 {
                let reason = "the guest says that there is more to be decided, and decides nothing";
                return self.stall(id, reason);
            }
            let burnt = self.budget.fuel().saturating_sub(before);
            let has_left = share.spend(burnt, spent.bytes) && !self.budget.is_over();
            match self.goes_on(id, &outcome)? {
                true if has_left => {}
                true => return self.owe(id),
                false => return Ok(()),
            }
        }
    }

    /// Whether it is to be ticked again after this outcome. One that was owed
    /// a step, and has none left at the time of its last event, has come to the
    /// time of the turn; something may be due since.
    fn goes_on(&mut self, id: ExecutionId, outcome: &Outcome) -> Result<bool, EngineError> {
        if outcome.more {
            return Ok(true);
        }
        let now = self.now();
        let staged = self.open(id)?;
        let was_owed = std::mem::replace(&mut staged.owed, false);
        Ok(was_owed && outcome.next_wake.is_some_and(|wake| wake <= now))
    }

    /// It is owed a step, and goes to the end of the queue.
    pub(in crate::live) fn owe(&mut self, id: ExecutionId) -> Result<(), EngineError> {
        let staged = self.open(id)?;
        if staged.held || ended(staged.record.status) {
            return Ok(());
        }
        // What only came to be due needs no mark: it stays due.
        if staged.has_changed() || staged.owed {
            staged.owed = true;
            staged.record.next_wake = Some(staged.record.last_at);
        }
        self.late.push(id);
        Ok(())
    }
}
