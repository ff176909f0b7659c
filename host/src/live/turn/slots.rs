//! The slots of the engine's own workers, within a turn.
//!
//! A slot is free when its claim has been answered, and just as well when the
//! claim holds no longer: its lease ended, its attempt timed out, its node was
//! cancelled or skipped, its execution ended. The latter is found by looking at
//! the items themselves, whatever it was that changed them, so that no way to
//! free a slot can be forgotten.
//!
//! A turn keeps this rule: **nothing that may be claimed waits while a worker of
//! its queue is free**, unless a limit cuts the turn off; then the next turn is
//! due at once.

use std::collections::{BTreeSet, HashMap};

use crate::id::ExecutionId;
use crate::live::values::work::ClaimId;
use crate::live::workers::{Granted, Pool};

/// The slots of all groups of workers, as the turn goes on.
pub(crate) struct Slots {
    /// The number of free slots, by the group's place; empty where no more is to
    /// be claimed.
    free: Vec<usize>,
    /// Claims of own workers that this turn made.
    pub(crate) granted: Vec<Granted>,
    /// The fence of the last of them, by execution.
    last_granted: HashMap<ExecutionId, u64>,
    /// Claims whose own worker has answered.
    pub(crate) released: BTreeSet<ClaimId>,
    /// Claims whose own worker is running, and which hold no longer.
    pub(crate) lost: BTreeSet<ClaimId>,
}

impl Slots {
    /// The slots as they are when a turn begins.
    pub(in crate::live) fn of(pool: &Pool) -> Self {
        Self {
            free: pool.free_slots(),
            granted: Vec::new(),
            last_granted: HashMap::new(),
            released: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    /// The number of free slots of this group.
    pub(in crate::live) fn free(&self, group: usize) -> usize {
        self.free.get(group).copied().unwrap_or(0)
    }

    /// Gives a slot of its group to this claim.
    pub(in crate::live) fn take(&mut self, granted: Granted) {
        if let Some(free) = self.free.get_mut(granted.group) {
            *free -= 1;
        }
        let claim = &granted.claim.id;
        self.last_granted.insert(claim.execution, claim.fence);
        self.granted.push(granted);
    }

    /// The own worker of this claim is done: its slot is free.
    pub(in crate::live) fn release(&mut self, claim: &ClaimId, pool: &Pool) {
        let was_taken = self.released.insert(claim.clone()) && !self.lost.contains(claim);
        if let Some(group) = pool.group_of(claim).filter(|_| was_taken) {
            self.give_back(group);
        }
    }

    /// Whether this claim has neither been answered nor lost in this turn.
    pub(in crate::live) fn is_taken_by(&self, claim: &ClaimId) -> bool {
        !self.released.contains(claim) && !self.lost.contains(claim)
    }

    /// Frees the slots of claims that hold no longer. Says whether there were any.
    pub(in crate::live) fn lose(&mut self, claims: Vec<ClaimId>, pool: &Pool) -> bool {
        for group in claims.iter().filter_map(|claim| pool.group_of(claim)) {
            self.give_back(group);
        }
        let any = !claims.is_empty();
        self.lost.extend(claims);
        any
    }

    /// Whether anything was appended to this execution after the last claim that
    /// this turn made of it. `head` is its last sequence; `None` if it has left
    /// the turn.
    pub(in crate::live) fn have_aged(&self, execution: ExecutionId, head: Option<u64>) -> bool {
        let fence = self.last_granted.get(&execution);
        fence.is_some_and(|fence| head != Some(*fence))
    }

    /// Takes back the claims that this turn made and that hold no longer: their
    /// work never begins. Says whether there were any.
    pub(in crate::live) fn take_back_grants(&mut self, holds: impl Fn(&ClaimId) -> bool) -> bool {
        let granted = std::mem::take(&mut self.granted);
        let (held, taken_back): (Vec<_>, Vec<_>) = granted
            .into_iter()
            .partition(|granted| holds(&granted.claim.id));
        self.granted = held;
        for granted in &taken_back {
            self.give_back(granted.group);
        }
        !taken_back.is_empty()
    }

    fn give_back(&mut self, group: usize) {
        if let Some(free) = self.free.get_mut(group) {
            *free += 1;
        }
    }
}
