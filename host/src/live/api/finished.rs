//! How an execution ended, and the wait for that.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::model::Status;
use crate::store::{Reader, ended};

use super::record::record;
use super::shared::Shared;
use crate::live::runtime::observers::EndsSeen;
use crate::live::values::ending::Ending;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finished {
    /// Completed, failed or cancelled.
    #[serde(
        serialize_with = "crate::names::serialize_status",
        deserialize_with = "crate::names::deserialize_status"
    )]
    pub status: Status,
    /// The state at its end, a JSON object.
    pub final_state: Json,
    /// Why it failed, or the reason given when it was cancelled.
    pub error: Option<String>,
}

/// The end of an execution, from the turn in which it comes, else from the store. It may
/// be known when it had not ended yet.
pub(super) async fn end_of(
    shared: &Shared,
    id: ExecutionId,
    mut was_running: Option<EndsSeen>,
) -> Result<Ending, EngineError> {
    let observers = &shared.observers;
    loop {
        // Before it is looked at, so that its end is not missed in between.
        let mut watch = observers.watch(id);
        let runs = was_running
            .take()
            .is_some_and(|then| !observers.may_have_ended(id, then));
        if !runs && let Some(ending) = shared.read(move |store| ending(store, id)).await? {
            return Ok(ending);
        }
        if let Some(ending) = shared.inbox.answered(&mut watch.ended).await? {
            return Ok(ending);
        }
    }
}

/// How an execution ended, if it has.
fn ending(store: &mut dyn Reader, id: ExecutionId) -> Result<Option<Ending>, EngineError> {
    let record = record(store, id)?;
    if !ended(record.status) {
        return Ok(None);
    }
    let last = store.events(id, record.head.sequence, 1)?;
    let last = last.into_iter().next().map(|stored| stored.event.kind);
    Ok(Some(Ending::of(record.status, last)))
}
