//! Logs with another beginning, each with a workflow that its guest accepts.

use std::sync::Arc;

use super::change::{Change, is_in_place};
use super::source::Recording;
use super::verdict::AuditError;
use crate::guest::{Library, NoPorts};
use crate::model::Fault;

/// Makes logs with another beginning.
#[derive(Default)]
pub(super) struct Changed {
    /// What is to be otherwise from event 1 on.
    change: Change,
    /// The changed workflow that a guest has accepted last. `None` if none was.
    accepted: Option<Accepted>,
}

/// A changed workflow that a guest has accepted.
struct Accepted {
    guest: String,
    text: Arc<str>,
    /// Its version: of a workflow that names none, another than before.
    version: String,
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
        let mut changed = self.change.made_in(recording).map_err(unchanged)?;
        // One within another has no name of its own: it is accepted with that one.
        if !self.change.is_of_workflow() || is_in_place(&changed.workflow) {
            return Ok(changed);
        }
        let guest = other.map(str::to_owned).or_else(|| recording.first_guest());
        let guest = guest.unwrap_or_default();
        let text = Arc::clone(&changed.workflow);
        let is_accepted = |it: &Accepted| (&it.guest, &it.text) == (&guest, &text);
        let accepted = match self.accepted.take().filter(is_accepted) {
            Some(accepted) => accepted,
            None => {
                let version = version(library, &guest, &text)?.map_err(unchanged)?;
                Accepted {
                    guest,
                    text,
                    version,
                }
            }
        };
        changed.name_version(&accepted.version);
        self.accepted = Some(accepted);
        Ok(changed)
    }
}

/// The version that a guest reads in a workflow, or why it does not accept it.
fn version(
    library: &mut Library,
    guest: &str,
    text: &str,
) -> Result<Result<String, String>, AuditError> {
    let mut instance = library.instance::<NoPorts>(guest)?;
    Ok(match instance.validate(text) {
        Err(error) => Err(error.to_string()),
        Ok(Err(faults)) => Err(told(&faults)),
        Ok(Ok(summary)) => Ok(summary.version),
    })
}

/// The faults of a workflow in one line.
fn told(faults: &[Fault]) -> String {
    let each = faults
        .iter()
        .map(|it| format!("{} {}", it.pointer, it.message));
    each.collect::<Vec<_>>().join("; ")
}
