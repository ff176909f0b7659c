//! Logs with another beginning, each with a workflow that its guest accepts.

use std::sync::Arc;

use super::change::Change;
use super::source::Recording;
use super::verdict::AuditError;
use crate::guest::{Library, NoPorts};
use crate::model::Fault;

/// Makes logs with another beginning.
#[derive(Default)]
pub(super) struct Changed {
    /// What is to be otherwise from event 1 on.
    change: Change,
    /// The changed workflow that a guest has accepted last: the guest, and the text.
    accepted: Option<(String, Arc<str>)>,
}

impl Changed {
    pub(super) fn by(change: Change) -> Self {
        Self {
            change,
            accepted: None,
        }
    }

    /// Whether all logs stay as they are.
    pub(super) fn is_nothing(&self) -> bool {
        self.change.is_none()
    }

    /// The log with its other beginning, whose workflow its guest accepts, or `other` in its
    /// place.
    ///
    /// # Errors
    /// It cannot have this beginning, or the guest cannot be asked.
    pub(super) fn log(
        &mut self,
        library: &mut Library,
        recording: &Recording,
        other: Option<&str>,
    ) -> Result<Recording, AuditError> {
        let unchanged = |problem: String| AuditError::Change {
            execution: recording.execution_id.to_string(),
            problem,
        };
        let changed = self.change.made_in(recording).map_err(unchanged)?;
        let guest = other.map(str::to_owned).or_else(|| recording.first_guest());
        let accepted = (guest.unwrap_or_default(), Arc::clone(&changed.workflow));
        if self.change.is_of_workflow() && self.accepted.as_ref() != Some(&accepted) {
            let mut instance = library.instance::<NoPorts>(&accepted.0)?;
            match instance.validate(&accepted.1) {
                Err(error) => return Err(unchanged(error.to_string())),
                Ok(Err(faults)) => return Err(unchanged(told(&faults))),
                Ok(Ok(_)) => self.accepted = Some(accepted),
            }
        }
        Ok(changed)
    }
}

/// The faults of a workflow in one line.
fn told(faults: &[Fault]) -> String {
    let each = faults
        .iter()
        .map(|it| format!("{} {}", it.pointer, it.message));
    each.collect::<Vec<_>>().join("; ")
}
