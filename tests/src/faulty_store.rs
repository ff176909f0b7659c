//! A store that can be told to fail, or to die at any of its operations.
//!
//! A host changes nothing but its store. So a store that is dead from some
//! operation on, and a host that is dropped then, are to the world what a
//! crash at that very point is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use refrain::ExecutionId;
use refrain::store::{CommitError, Reader, Store, StoreError, Turn};

use crate::meddled_store::{conflict, linked_with, written};

/// What the next commit comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    #[default]
    Good,
    /// Nothing is written.
    Fails,
    /// It is written, but the answer is lost.
    AnswerLost,
    /// Nothing is written, and the answer is lost.
    LostUnwritten,
    /// The store dies before it is written.
    DiesBefore,
    /// The store dies after it is written.
    DiesAfter,
}

/// The handle that plans failures and looks at what came of them.
#[derive(Clone, Debug, Default)]
pub struct Plan(Arc<Mutex<Planned>>);

#[derive(Debug, Default)]
struct Planned {
    next: Fate,
    /// Operations until one fails; none: none does.
    until_failure: Option<u64>,
    /// Operations until the store is dead for ever; none: it lives.
    until_death: Option<u64>,
    /// The operation at which it died.
    died_at: Option<&'static str>,
    /// How many operations failed as planned.
    failed: u64,
    /// The turns that were written, where they are recorded.
    committed: Option<Vec<Turn>>,
    /// Whose next writes conflict, if anyone's do.
    contention: Option<Contention>,
    /// The groups whose writes conflicted, where that was not yet asked.
    conflicts: Vec<BTreeSet<ExecutionId>>,
}

/// Writes to one execution that conflict.
#[derive(Clone, Copy, Debug)]
struct Contention {
    /// Which of those that the first of these turns writes.
    nth: usize,
    /// That one, once it is known.
    execution: Option<ExecutionId>,
    /// So many more.
    left: u32,
}

impl Plan {
    /// A plan that records what is committed.
    #[must_use]
    pub fn recording() -> Self {
        let plan = Self::default();
        plan.with(|planned| planned.committed = Some(Vec::new()));
        plan
    }

    /// Decide what the next commit comes to.
    pub fn next(&self, fate: Fate) {
        self.with(|planned| planned.next = fate);
    }

    /// Let one operation fail, after so many others.
    pub fn fail_after(&self, operations: u64) {
        self.with(|planned| planned.until_failure = Some(operations));
    }

    /// Let the store die, after so many further operations. A commit is two:
    /// before it writes, and after.
    pub fn die_after(&self, operations: u64) {
        self.with(|planned| planned.until_death = Some(operations));
    }

    /// Let so many commits that write to one execution conflict: the first of them says
    /// which, the one at this place (all around) of those that it writes.
    pub fn contend(&self, nth: usize, times: u32) {
        self.with(|planned| {
            planned.contention = Some(Contention {
                nth,
                execution: None,
                left: times,
            });
        });
    }

    /// The groups whose writes conflicted since this was last asked: the execution that
    /// the store named, and those that were linked with it in that turn.
    #[must_use]
    pub fn take_conflicts(&self) -> Vec<BTreeSet<ExecutionId>> {
        self.with(|planned| std::mem::take(&mut planned.conflicts))
    }

    /// The execution of this turn whose writes conflict, if any do.
    fn contended(&self, turn: &Turn) -> Option<ExecutionId> {
        self.with(|planned| {
            let contention = planned.contention.as_mut()?;
            let written = written(turn);
            let nth = contention.nth.checked_rem(written.len())?;
            let execution = *contention.execution.get_or_insert(written[nth]);
            if !written.contains(&execution) {
                return None;
            }
            contention.left = contention.left.saturating_sub(1);
            if contention.left == 0 {
                planned.contention = None;
            }
            planned.conflicts.push(linked_with(turn, execution));
            Some(execution)
        })
    }

    /// The operation at which the store died, if it did.
    #[must_use]
    pub fn died_at(&self) -> Option<&'static str> {
        self.with(|planned| planned.died_at)
    }

    /// How many operations have failed as planned, commits too.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.with(|planned| planned.failed)
    }

    /// The turns that were written since this was last asked, where they are
    /// recorded.
    #[must_use]
    pub fn take_committed(&self) -> Vec<Turn> {
        self.with(|planned| planned.committed.as_mut().map(std::mem::take))
            .unwrap_or_default()
    }

    /// The turns that were written, in order, where they are recorded.
    #[must_use]
    pub fn committed(&self) -> Vec<Turn> {
        self.with(|planned| planned.committed.clone().unwrap_or_default())
    }

    /// One operation: why it cannot be, if it cannot.
    fn operation(&self, name: &'static str) -> Result<(), String> {
        self.with(|planned| {
            if planned.died_at.is_none() && is_over(&mut planned.until_death) {
                planned.died_at = Some(name);
            }
            if let Some(died_at) = planned.died_at {
                planned.failed += 1;
                return Err(format!("it died at `{died_at}`"));
            }
            if is_over(&mut planned.until_failure) {
                planned.failed += 1;
                return Err(format!("this `{name}` was made to fail"));
            }
            Ok(())
        })
    }

    /// A turn was written.
    fn wrote(&self, turn: &Turn) {
        self.with(|planned| {
            if let Some(committed) = &mut planned.committed {
                committed.push(turn.clone());
            }
        });
    }

    /// What this commit comes to.
    fn fate(&self) -> Fate {
        self.with(|planned| {
            let fate = std::mem::take(&mut planned.next);
            planned.failed += u64::from(fate != Fate::Good);
            if fate == Fate::DiesBefore {
                planned.until_death = Some(0);
            }
            fate
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Planned) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Count down; over and gone when there is nothing left to count.
fn is_over(left: &mut Option<u64>) -> bool {
    match left {
        None => false,
        Some(0) => {
            *left = None;
            true
        }
        Some(more) => {
            *more -= 1;
            false
        }
    }
}

/// A store, with failures planned.
pub struct FaultyStore {
    inner: Box<dyn Store>,
    plan: Plan,
}

impl FaultyStore {
    /// `inner`, which fails as `plan` says.
    pub fn new(inner: impl Store + 'static, plan: &Plan) -> Self {
        Self::boxed(Box::new(inner), plan)
    }

    /// As [`FaultyStore::new`].
    #[must_use]
    pub fn boxed(inner: Box<dyn Store>, plan: &Plan) -> Self {
        Self {
            inner,
            plan: plan.clone(),
        }
    }

    fn operation(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.plan.operation(name).map_err(|detail| {
            // The lock goes with who holds it.
            if self.plan.died_at().is_some() {
                self.inner.rollback();
            }
            self.failure(detail)
        })
    }

    fn before_commit(&mut self, fate: Fate) -> Result<(), CommitError> {
        self.operation("commit").map_err(CommitError::Failed)?;
        let failure = || self.failure("this commit was made to fail".to_owned());
        match fate {
            Fate::Fails => Err(CommitError::Failed(failure())),
            Fate::LostUnwritten => Err(CommitError::Unknown(failure())),
            Fate::Good | Fate::AnswerLost | Fate::DiesBefore | Fate::DiesAfter => Ok(()),
        }
    }

    fn after_commit(&mut self, fate: Fate) -> Result<(), StoreError> {
        if fate == Fate::DiesAfter {
            self.plan.die_after(0);
        }
        self.operation("commit, written")?;
        if fate == Fate::AnswerLost {
            return Err(self.failure("the answer to this commit was made to get lost".to_owned()));
        }
        Ok(())
    }

    fn failure(&self, detail: String) -> StoreError {
        StoreError::Io {
            place: self.inner.place(),
            detail,
        }
    }
}

impl Store for FaultyStore {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        let fate = self.plan.fate();
        if let Err(error) = self.before_commit(fate) {
            self.inner.rollback();
            return Err(error);
        }
        if fate == Fate::Good
            && let Some(execution) = self.plan.contended(turn)
        {
            self.inner.rollback();
            return Err(conflict(vec![execution]));
        }
        self.inner.commit(turn)?;
        self.plan.wrote(turn);
        self.after_commit(fate).map_err(CommitError::Unknown)
    }

    refrain::delegate_store!(inner: rollback, watched_file);
    refrain::delegate_store!(inner after operation: begin, purge, reopen, version);
}

impl Reader for FaultyStore {
    // Further readers change nothing, so that it does not matter when they die.
    refrain::delegate_store!(inner: place, is_simulated, reader, end_reading);
    refrain::delegate_store!(inner after operation: begin_reading);
    refrain::delegate_store!(inner after operation: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner after operation: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner after operation: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
