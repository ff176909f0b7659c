//! What can go wrong at the engine's doors.
//!
//! Every message names the place and the remedy, in words that hold for the
//! library, the command line and a service alike. [`EngineError::code`] and
//! [`StoreError::code`] are what programs go by, and [`crate::ErrorRemedy`] is what
//! helps, as a value.

mod sources;
mod work;

pub use sources::causes;
pub use work::WorkError;

use std::sync::Arc;

use crate::guest::ComponentError;
use crate::id::ExecutionId;
use crate::json::JsonError;
use crate::limits::PRIORITY_MAX;
use crate::model::{Fault, RefusalCode};
use crate::store::StoreError;

/// Why the engine did not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store could not be used.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// There is no such execution.
    #[error(
        "there is no execution {0} in this store; check the id, and that it is the right store"
    )]
    UnknownExecution(ExecutionId),
    /// The execution's workflow has no such node.
    #[error(
        "execution {execution} has no node {node_id:?}; its workflow's text says which nodes it has"
    )]
    UnknownNode {
        /// The execution.
        execution: ExecutionId,
        /// What was asked for.
        node_id: String,
    },
    /// No such workflow is registered.
    #[error("no workflow {workflow_id:?} of version {version:?} is registered; register it first")]
    UnknownWorkflow {
        /// The workflow's id.
        workflow_id: String,
        /// The workflow's version.
        version: String,
    },
    /// The workflow breaks rule R1.
    #[error("the workflow is not valid: {}", faults_in_words(.0))]
    InvalidWorkflow(
        /// All that is wrong with it.
        Vec<Fault>,
    ),
    /// Another text is registered under this id and version.
    #[error(
        "workflow {workflow_id:?} of version {version:?} is registered with another content, and a registered workflow never changes; give the new content a new version"
    )]
    WorkflowDiffers {
        /// The workflow's id.
        workflow_id: String,
        /// The workflow's version.
        version: String,
    },
    /// The key has started something else.
    #[error(
        "the key {key:?} has started {execution}, and this is another {differs}; choose another key"
    )]
    KeyTaken {
        /// The caller's key.
        key: String,
        /// What it started.
        execution: ExecutionId,
        /// What of the start is another than it was, in words.
        differs: String,
    },
    /// What the key has started was erased since (law 8): the key starts nothing anew.
    #[error(
        "the key {key:?} has started {execution}, which was erased since, and a key starts once; choose another key to start anew"
    )]
    KeyErased {
        /// The caller's key.
        key: String,
        /// What it started.
        execution: ExecutionId,
    },
    /// A JSON text is not accepted.
    #[error("the {what} is not accepted: {error}")]
    Json {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        error: JsonError,
    },
    /// A text is longer than is allowed.
    #[error("the {what} has {bytes} bytes, and {bytes_max} are allowed; shorten it")]
    TooLong {
        /// Which one.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// A label is not accepted.
    #[error("the label {name:?} is not accepted: {reason}")]
    Label {
        /// Its name, shortened.
        name: String,
        /// What is wrong with it, and what helps.
        reason: String,
    },
    /// A breakpoint is not accepted.
    #[error("the breakpoint {breakpoint:?} is not accepted: {reason}")]
    Breakpoint {
        /// The node or the condition.
        breakpoint: String,
        /// What is wrong with it, and what helps.
        reason: String,
    },
    /// There is no such priority.
    #[error(
        "there is no priority {priority}: it is a whole number from 0 to {PRIORITY_MAX}, the greater first"
    )]
    Priority {
        /// The one that was asked for.
        priority: u32,
    },
    /// A request names more than is allowed.
    #[error("the request names {count} {what}, and {count_max} are allowed; make several requests")]
    TooMany {
        /// What it names.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many it may name.
        count_max: usize,
    },
    /// The fact may not stand next in the log.
    #[error("execution {execution} does not take this: {reason}")]
    Refused {
        /// The execution.
        execution: ExecutionId,
        /// What is wrong, for programs.
        code: RefusalCode,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The execution cannot be forked like this.
    #[error("execution {execution} cannot be forked like this: {reason}")]
    NotForked {
        /// The execution that should have been forked.
        execution: ExecutionId,
        /// Why not.
        reason: String,
    },
    /// The log does not end with the head that was named any more.
    #[error(
        "the log of {execution} has gone on meanwhile, to event {found}, and what was looked at ends with event {expected}; look at it anew, or pause it before"
    )]
    HeadMoved {
        /// The execution.
        execution: ExecutionId,
        /// The sequence of the head that was named.
        expected: u64,
        /// That of the head it has.
        found: u64,
    },
    /// The claim that was presented does not hold the work item (law 7).
    #[error(
        "the claim with fence {fence} does not hold attempt {attempt} of node {node_id:?} of {execution}: {reason}; drop the answer, and claim anew for further work"
    )]
    Stale {
        /// The execution.
        execution: ExecutionId,
        /// The node.
        node_id: String,
        /// The attempt that was presented.
        attempt: u32,
        /// The fence that was presented.
        fence: u64,
        /// Who or what holds it instead.
        reason: String,
    },
    /// More waits for the engine than it lets wait.
    #[error("{0}, and it lets no more wait; try again in a moment, with fewer calls at once")]
    Overloaded(
        /// What there is too much of.
        Overload,
    ),
    /// The execution's guest could not answer.
    #[error("the scheduler component {digest} could not answer: {reason}")]
    Guest {
        /// The guest.
        digest: String,
        /// What happened.
        reason: String,
    },
    /// No such guest is at hand.
    #[error(
        "no scheduler component of digest {digest:?} is in the store or in the engine's library; give the engine its bytes, and name the SHA-256 of these in 64 hexadecimal digits"
    )]
    UnknownGuest {
        /// The digest that was asked for.
        digest: String,
    },
    /// The engine was given a scheduler component, and this program was built without the
    /// Cargo feature `compile`.
    #[error("the engine cannot start: {}", ComponentError::NoCompiler)]
    NoCompiler,
    /// The engine cannot be built like this.
    #[error("the engine cannot start: {0}")]
    Setup(String),
    /// The engine has been shut down.
    #[error("the engine has been shut down; start another one")]
    ShutDown,
    /// The engine has come to its end by itself: its thread panicked, or the
    /// Tokio runtime of its workers is gone.
    #[error(
        "the engine has ended by itself: {0}; what was acknowledged is stored, start another engine to go on"
    )]
    Died(
        /// What happened.
        String,
    ),
}

/// What there is too much of, for an engine to take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overload {
    /// As many callers wait as may.
    #[error("{waiting} callers wait for the engine already")]
    Callers {
        /// How many wait.
        waiting: usize,
    },
    /// As many callers wait with one and the same request for work as may.
    #[error("{waiting} callers wait for work with this request already")]
    Request {
        /// How many wait.
        waiting: usize,
    },
    /// As many questions to one scheduler component wait as may.
    #[error("{waiting} questions to the execution's scheduler component wait already")]
    Questions {
        /// How many wait or are answered just now.
        waiting: usize,
    },
    /// The callers that wait bring as much as they may together.
    #[error("the callers that wait for the engine bring {waiting} bytes already")]
    Bytes {
        /// How many bytes they bring.
        waiting: usize,
    },
}

impl EngineError {
    /// What kind of error it is, in a word that does not change: for programs
    /// that go by it, and for answers over a network.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::UnknownExecution(_) => "unknown_execution",
            Self::UnknownNode { .. } => "unknown_node",
            Self::UnknownWorkflow { .. } => "unknown_workflow",
            Self::InvalidWorkflow(_) => "invalid_workflow",
            Self::WorkflowDiffers { .. } => "workflow_differs",
            Self::KeyTaken { .. } => "key_taken",
            Self::KeyErased { .. } => "key_erased",
            Self::Json { .. } => "invalid_json",
            Self::TooLong { .. } => "too_long",
            Self::Label { .. } => "invalid_label",
            Self::Breakpoint { .. } => "invalid_breakpoint",
            Self::Priority { .. } => "invalid_priority",
            Self::TooMany { .. } => "too_many",
            Self::Refused { .. } => "refused",
            Self::NotForked { .. } => "not_forked",
            Self::HeadMoved { .. } => "head_moved",
            Self::Stale { .. } => "stale",
            Self::Overloaded(_) => "overloaded",
            Self::Guest { .. } => "guest_failed",
            Self::UnknownGuest { .. } => "unknown_guest",
            Self::NoCompiler => ComponentError::NoCompiler.code(),
            Self::Setup(_) => "setup_failed",
            Self::ShutDown => "shut_down",
            Self::Died(_) => "engine_died",
        }
    }
}

impl EngineError {
    /// Whether it is about what is stored of one execution, and not about the
    /// store as a whole: the others go on.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_of_one())
    }

    /// Whether writes to an execution have met those of others again and again.
    pub(crate) fn is_contended(&self) -> bool {
        matches!(self, Self::Store(error) if matches!(**error, StoreError::Contended { .. }))
    }

    /// Whether what was opened as the store is no longer there.
    pub(crate) fn is_store_gone(&self) -> bool {
        matches!(self, Self::Store(error) if matches!(**error, StoreError::Gone { .. }))
    }

    /// Whether the store failed as a whole.
    #[must_use]
    pub fn is_of_the_store(&self) -> bool {
        matches!(self, Self::Store(error) if !error.is_of_one())
    }
}

impl From<Overload> for EngineError {
    fn from(overload: Overload) -> Self {
        Self::Overloaded(overload)
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

fn faults_in_words(faults: &[Fault]) -> String {
    let each = |fault: &Fault| match fault.pointer.as_str() {
        "" => format!("{}; {}", fault.message, fault.remedy),
        place => format!("{place}: {}; {}", fault.message, fault.remedy),
    };
    faults.iter().map(each).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law3_what_is_damaged_of_one_execution_is_no_failure_of_the_store() {
        let (place, detail) = (String::from("here"), String::from("it broke"));
        let damaged = StoreError::Corrupt {
            place: place.clone(),
            detail: detail.clone(),
        };
        let table = [
            (StoreError::Io { place, detail }.into(), false, true),
            (damaged.into(), true, false),
            (EngineError::ShutDown, false, false),
        ];
        for (error, of_one, of_the_store) in table {
            let found = (error.is_of_one(), error.is_of_the_store());
            assert_eq!(found, (of_one, of_the_store), "{error}");
        }
    }
}
