//! Within a turn: the slots of the engine's own workers.
//!
//! A slot is free when its claim has been answered, and just as well when the
//! claim holds no longer: its lease ended, its attempt timed out, its node was
//! cancelled or skipped, its execution ended. The latter is found by looking at
//! the items themselves, whatever it was that changed them, so that no way to
//! free a slot can be forgotten.
//!
//! The rule that a turn keeps: **nothing that may be claimed waits while a
//! worker of its queue is free**, unless a limit cuts the turn off; then the
//! next one is due at once.

use std::collections::BTreeSet;

use crate::id::ExecutionId;

use super::answers::holds;
use super::open_turn::OpenTurn;
use crate::live::values::work::ClaimId;
use crate::live::workers::Granted;
use crate::live::workers::Pool;

/// The slots of all groups, as the turn goes on.
pub(crate) struct Slots {
    /// How many are free, by the group's place; empty where no more is to be
    /// claimed.
    free: Vec<usize>,
    /// Claims of own workers that this turn made.
    pub(crate) granted: Vec<Granted>,
    /// Claims whose own worker has answered.
    pub(crate) released: BTreeSet<ClaimId>,
    /// Claims whose own worker is at work, and which hold no longer.
    pub(crate) lost: BTreeSet<ClaimId>,
}

impl Slots {
    /// As they are when a turn begins.
    pub(in crate::live) fn of(pool: &Pool) -> Self {
        Self {
            free: pool.free_slots(),
            granted: Vec::new(),
            released: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    /// How many slots of this group are free.
    pub(in crate::live) fn free(&self, group: usize) -> usize {
        self.free.get(group).copied().unwrap_or(0)
    }

    /// A slot of its group is taken by this claim.
    pub(in crate::live) fn take(&mut self, granted: Granted) {
        if let Some(free) = self.free.get_mut(granted.group) {
            *free -= 1;
        }
        self.granted.push(granted);
    }

    fn give_back(&mut self, group: usize) {
        if let Some(free) = self.free.get_mut(group) {
            *free += 1;
        }
    }
}

impl OpenTurn<'_> {
    /// An own worker is at this claim no longer: its slot is free. Says
    /// whether that is news.
    pub(in crate::live) fn release(&mut self, claim: &ClaimId) -> bool {
        let news = self.slots.released.insert(claim.clone()) && !self.slots.lost.contains(claim);
        if let Some(group) = self.core.pool.group_of(claim).filter(|_| news) {
            self.slots.give_back(group);
        }
        news
    }

    /// Claims of own workers that hold no longer give their slots back. Says
    /// whether there were any: then more may be claimed.
    pub(crate) fn free_lost_slots(&mut self) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return false;
        }
        let lost = self.lost_claims(&changed);
        for claim in &lost {
            if let Some(group) = self.core.pool.group_of(claim) {
                self.slots.give_back(group);
            }
        }
        let any = !lost.is_empty();
        self.slots.lost.extend(lost);
        self.take_back_grants() || any
    }

    /// Claims of own workers at work, of executions in this turn, that hold no
    /// longer and were not known to.
    fn lost_claims(&self, changed: &BTreeSet<ExecutionId>) -> Vec<ClaimId> {
        let Slots { released, lost, .. } = &self.slots;
        let mut found = Vec::new();
        for execution in changed {
            let Some(staged) = self.staged.get(execution) else {
                continue;
            };
            let holds = |claim: &ClaimId| {
                let item = staged.items().of(&claim.node_id);
                item.is_some_and(|record| holds(record, claim))
            };
            let running = self.core.pool.running_of(*execution);
            let is_lost = |claim: &&ClaimId| {
                !holds(claim) && !released.contains(claim) && !lost.contains(claim)
            };
            found.extend(running.filter(is_lost).cloned());
        }
        if !self.core.set_aside.is_empty() {
            let mut running = self.core.pool.running_claims();
            running.retain(|claim| {
                let news = !released.contains(claim) && !lost.contains(claim);
                news && self.core.set_aside.holds(claim.execution)
            });
            found.extend(running);
        }
        found
    }

    /// Claims that this turn made and unmade again: their work never begins.
    fn take_back_grants(&mut self) -> bool {
        let Self { staged, slots, .. } = self;
        let granted = std::mem::take(&mut slots.granted);
        let (held, taken_back): (Vec<_>, Vec<_>) = granted.into_iter().partition(|granted| {
            let claim = &granted.claim.id;
            let staged = staged.get(&claim.execution);
            let item = staged.and_then(|staged| staged.items().of(&claim.node_id));
            item.is_some_and(|record| holds(record, claim))
        });
        slots.granted = held;
        for granted in &taken_back {
            slots.give_back(granted.group);
        }
        !taken_back.is_empty()
    }
}
