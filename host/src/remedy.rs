//! What helps against an error, as a value: for programs that turn it into a command to
//! type, a button or a link. The texts of errors name no command and no flag.

use crate::error::EngineError;
use crate::guest::{ComponentError, LibraryError};
use crate::id::ExecutionId;
use crate::model::RefusalCode;
use crate::store::StoreError;

/// What helps against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorRemedy {
    /// To look at the executions that there are.
    ListExecutions,
    /// To look at the nodes of this execution.
    ShowNodes(ExecutionId),
    /// To fork this execution, from before the place that it cannot leave any more.
    Fork(ExecutionId),
    /// To pause this execution first, so that its log does not go on meanwhile.
    Pause(ExecutionId),
    /// To audit this execution: that says what is wrong with its log.
    Audit(ExecutionId),
    /// To go on with this execution, once its log is mended: it is checked anew then.
    CheckAnew(ExecutionId),
    /// To hand the executions concerned to another scheduler component.
    Upgrade,
    /// To give the bytes of the scheduler component that is not at hand.
    GiveGuest,
    /// To open another store, or to create this one.
    CreateStore,
    /// To open the store for writing, which brings it up to date.
    BringUpToDate,
    /// To put a backup in the place of the store.
    RestoreBackup,
}

impl ErrorRemedy {
    /// What helps against an error of the engine, if something is known to.
    #[must_use]
    pub fn of_engine(error: &EngineError) -> Option<Self> {
        match error {
            EngineError::Store(error) => Self::of_store(error),
            EngineError::UnknownExecution(_) => Some(Self::ListExecutions),
            EngineError::UnknownNode { execution, .. } => Some(Self::ShowNodes(*execution)),
            EngineError::HeadMoved { execution, .. } => Some(Self::Pause(*execution)),
            // Nothing can be added to it any more.
            EngineError::Refused {
                execution,
                code: RefusalCode::Ended | RefusalCode::Ending | RefusalCode::LogFull,
                ..
            } => Some(Self::Fork(*execution)),
            EngineError::UnknownGuest { .. } => Some(Self::GiveGuest),
            _ => None,
        }
    }

    /// What helps against an error of a store, if something is known to.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::Missing { .. } | StoreError::Empty { .. } => Some(Self::CreateStore),
            StoreError::Outdated { .. } => Some(Self::BringUpToDate),
            StoreError::Tampered { execution, .. } => Some(Self::CheckAnew(*execution)),
            StoreError::Corrupt { .. }
            | StoreError::Malformed { .. }
            | StoreError::Unwritable { .. }
            | StoreError::StrayLog { .. } => Some(Self::RestoreBackup),
            _ => None,
        }
    }

    /// What helps where a scheduler component cannot be had, if something is known to.
    #[must_use]
    pub fn of_library(error: &LibraryError) -> Option<Self> {
        match error {
            LibraryError::Unknown { .. } => Some(Self::GiveGuest),
            LibraryError::Refused {
                reason: ComponentError::OtherVersion { .. },
                ..
            } => Some(Self::Upgrade),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law9_errors_come_with_what_helps() {
        let execution = ExecutionId::from_bytes([7; 16]);
        let (place, detail) = (String::from("here"), String::from("it broke"));
        let refused = |code| EngineError::Refused {
            execution,
            code,
            reason: String::new(),
        };
        let tampered = StoreError::Tampered {
            place: place.clone(),
            execution,
            sequence: 3,
            message: detail.clone(),
        };
        let missing = StoreError::Missing {
            place: place.clone(),
        };
        let empty = StoreError::Empty {
            place: place.clone(),
        };
        let outdated = StoreError::Outdated {
            place: place.clone(),
            found: 1,
            known: 2,
        };
        let corrupt = StoreError::Corrupt {
            place: place.clone(),
            detail: detail.clone(),
        };
        let fork = Some(ErrorRemedy::Fork(execution));
        let table = [
            (
                EngineError::UnknownExecution(execution),
                Some(ErrorRemedy::ListExecutions),
            ),
            (refused(RefusalCode::Ended), fork),
            (refused(RefusalCode::Ending), fork),
            (refused(RefusalCode::LogFull), fork),
            (refused(RefusalCode::Held), None),
            (tampered.into(), Some(ErrorRemedy::CheckAnew(execution))),
            (missing.into(), Some(ErrorRemedy::CreateStore)),
            (empty.into(), Some(ErrorRemedy::CreateStore)),
            (outdated.into(), Some(ErrorRemedy::BringUpToDate)),
            (corrupt.into(), Some(ErrorRemedy::RestoreBackup)),
            (StoreError::Io { place, detail }.into(), None),
            (EngineError::ShutDown, None),
        ];
        for (error, remedy) in table {
            assert_eq!(ErrorRemedy::of_engine(&error), remedy, "{error}");
        }
    }
}
