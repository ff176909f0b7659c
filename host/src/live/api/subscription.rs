//! An execution's log as it grows.

use std::fmt;
use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::store::{StoredEvent, ended};

use super::record::record;
use super::shared::Shared;
use crate::live::runtime::observers::Follow;

/// An execution's events, as they are committed.
pub struct Subscription {
    /// Kept, so that the engine lives for as long as someone holds this.
    shared: Arc<Shared>,
    id: ExecutionId,
    news: Follow,
    next: u64,
    ended: bool,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// The events of an execution, from sequence `first` on.
    pub(super) fn new(shared: Arc<Shared>, id: ExecutionId, first: u64) -> Self {
        Self {
            news: shared.observers.follow(id),
            shared,
            id,
            next: first.max(1),
            ended: false,
        }
    }

    /// The next events, at least one; none: the execution has ended.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], [`EngineError::ShutDown`].
    pub async fn next(&mut self) -> Result<Option<Vec<StoredEvent>>, EngineError> {
        let (id, shared) = (self.id, &self.shared);
        while !self.ended {
            // Marked as seen before reading: what is committed after that is news.
            self.news.mark_seen();
            let next = self.next;
            let (page, has_ended) = shared
                .read(move |store| {
                    let page = store.events(id, next, EVENTS_PAGE_MAX)?;
                    Ok((page, ended(record(store, id)?.status)))
                })
                .await?;
            if let Some(last) = page.last() {
                self.next = last.event.sequence + 1;
                self.ended = last.event.kind.is_terminal();
                return Ok(Some(page));
            }
            if has_ended {
                self.ended = true;
                break;
            }
            match self.news.next().await {
                Some(news) => news?,
                None => return Err(shared.inbox.ended().await),
            }
        }
        Ok(None)
    }
}
