//! Which executions an engine works on.
//!
//! An engine works on all executions of its store, unless its builder gave it a
//! scope. An engine with a scope does only what it is asked to for all others: it
//! leaves their wakes, their leases and their waiting work alone. An execution
//! that starts here joins the scope; one that has ended leaves it.

use std::collections::BTreeSet;

use crate::id::ExecutionId;
use crate::store::Turn;

/// The executions that an engine works on.
#[derive(Clone, Debug, Default)]
pub(crate) enum Scope {
    /// All of its store.
    #[default]
    Everything,
    /// These; each until it has ended.
    Only(BTreeSet<ExecutionId>),
}

impl Scope {
    /// Whether it works on all.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether it works on this execution.
    pub(crate) fn includes(&self, id: ExecutionId) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(executions) => executions.contains(&id),
        }
    }

    /// The executions that it is for; none if it works on all.
    pub(crate) fn executions(&self) -> Vec<ExecutionId> {
        match self {
            Self::Everything => Vec::new(),
            Self::Only(executions) => executions.iter().copied().collect(),
        }
    }

    /// Adds an execution. Says whether it was not in the scope before.
    pub(crate) fn join(&mut self, id: ExecutionId) -> bool {
        match self {
            Self::Everything => false,
            Self::Only(executions) => executions.insert(id),
        }
    }

    /// Removes an execution that has ended.
    pub(crate) fn leave(&mut self, id: ExecutionId) {
        if let Self::Only(executions) = self {
            executions.remove(&id);
        }
    }

    /// Adds the executions that began in a turn which was written.
    pub(crate) fn written(&mut self, turn: &Turn) {
        if let Self::Only(executions) = self {
            let changes = turn.executions.iter();
            let begun = changes.filter(|change| change.expected.sequence == 0);
            executions.extend(begun.map(|change| change.record.id));
        }
    }
}
