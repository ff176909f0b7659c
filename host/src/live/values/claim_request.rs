//! A request for work, of a worker outside of the engine.

use std::time::Duration;

use super::facts;
use crate::error::EngineError;
use crate::limits::QUEUES_PER_REQUEST_MAX;

/// A request for work that can wait, for
/// [`Engine::claim_waiting`](crate::Engine::claim_waiting).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    pub(crate) worker_id: String,
    pub(crate) request_id: String,
    pub(crate) queues: Vec<String>,
    pub(crate) max: usize,
    pub(crate) wait: Duration,
}

impl ClaimRequest {
    /// A request of this worker, with an id that the worker gives to no other of its
    /// requests: for one item of these queues, without waiting.
    #[must_use]
    pub fn new<Q: Into<String>>(
        worker_id: impl Into<String>,
        request_id: impl Into<String>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Self {
        Self {
            worker_id: worker_id.into(),
            request_id: request_id.into(),
            queues: queues.into_iter().map(Into::into).collect(),
            max: 1,
            wait: Duration::ZERO,
        }
    }

    /// At most so many items.
    #[must_use]
    pub fn max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// Waits for the first item, for so long.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), EngineError> {
        facts::text("worker id", &self.worker_id)?;
        facts::text("request id", &self.request_id)?;
        let count = self.queues.len();
        if count > QUEUES_PER_REQUEST_MAX {
            return Err(EngineError::TooMany {
                what: "queues",
                count,
                count_max: QUEUES_PER_REQUEST_MAX,
            });
        }
        let mut queues = self.queues.iter();
        queues.try_for_each(|queue| facts::text("name of a queue", queue))
    }

    /// The bytes that it brings, for as long as it waits.
    pub(crate) fn bytes(&self) -> usize {
        let queues = self.queues.iter().map(String::len).sum::<usize>();
        queues + self.worker_id.len() + self.request_id.len()
    }
}
