//! What the log of a child says that its parent's log has to agree with (law 11): how it
//! begins, and how it ends.

use super::missing;
use super::source::Recording;
use crate::id::ExecutionId;
use crate::log::{Head, KeptEvent};
use crate::model::{Digest, Event, EventKind, Timestamp, WorkflowStarted};
use crate::store::{ChildEnd, Reader, StoreError};

/// The beginning and the end of a log.
#[derive(Debug)]
pub(super) struct ChildLog {
    pub(super) id: ExecutionId,
    /// Its event 1, without the input.
    pub(super) started: WorkflowStarted,
    /// The digest of its input. `None` if the log is erased.
    pub(super) input: Option<Digest>,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) head: Head,
    /// How it ended. `None` if it has not.
    pub(super) end: Option<ChildEnd>,
    pub(super) is_erased: bool,
    /// Whether it stands in a store.
    pub(super) is_stored: bool,
}

impl ChildLog {
    /// `None` if the log does not begin with a start: it is refused for that.
    pub(super) fn of(recording: &Recording) -> Option<Self> {
        let (id, is_erased) = (recording.execution_id, recording.is_erased());
        let first = recording.plain().next()?.0;
        let last = recording.plain().next_back()?.0;
        let log = Self::between(id, (first, last), recording.head, is_erased)?;
        Some(Self {
            is_stored: missing::is_stored(recording),
            ..log
        })
    }

    /// The same of an execution of a store. `None` if there is none, or its first or last
    /// event cannot be read: its own audit says so.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn stored(
        store: &mut dyn Reader,
        id: ExecutionId,
    ) -> Result<Option<Self>, StoreError> {
        let Some(head) = of_one(store.execution(id).map(|it| it.map(|it| it.head)))?.flatten()
        else {
            return Ok(None);
        };
        let mut event = |sequence| {
            let page = of_one(store.raw_events(id, sequence, 1))?;
            let kept = page.and_then(|page| page.first()?.kept().ok());
            Ok::<_, StoreError>(kept)
        };
        let (Some(first), Some(last)) = (event(1)?, event(head.sequence)?) else {
            return Ok(None);
        };
        let is_erased = matches!(first, KeptEvent::Erased(_));
        let ends = (first.event(), last.event());
        Ok(Self::between(id, ends, head, is_erased))
    }

    fn between(
        id: ExecutionId,
        (first, last): (&Event, &Event),
        head: Head,
        is_erased: bool,
    ) -> Option<Self> {
        let EventKind::WorkflowStarted(started) = &first.kind else {
            return None;
        };
        let input = Digest::of(started.initial_input.as_bytes());
        Some(Self {
            id,
            started: without_input(started),
            input: (!is_erased).then_some(input),
            first_at: first.at,
            last_at: last.at,
            head,
            end: ChildEnd::of(&last.kind),
            is_erased,
            is_stored: true,
        })
    }
}

/// What concerns a single execution is no failure of the store: `None`.
pub(super) fn of_one<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_of_one() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An event 1 without its input, which can be long.
pub(super) fn without_input(started: &WorkflowStarted) -> WorkflowStarted {
    let initial_input = String::new();
    WorkflowStarted {
        initial_input,
        ..started.clone()
    }
}
