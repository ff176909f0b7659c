//! A start, as a caller asks for it.

use crate::error::EngineError;
use crate::json::Json;
use crate::limits::{PRIORITY_DEFAULT, PRIORITY_MAX};
use crate::model::Label;

use super::breakpoints::Breakpoints;
use super::facts;
use super::labels;

/// A start, with all that may be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub(crate) workflow_id: String,
    pub(crate) version: String,
    pub(crate) input: Json,
    pub(crate) key: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) priority: u32,
    pub(crate) breakpoints: Breakpoints,
    /// The seed of its jitter, where it is not drawn.
    pub(crate) jitter_seed: Option<u64>,
}

impl Start {
    /// Start this version of this workflow with this input.
    #[must_use]
    pub fn new(
        workflow_id: impl Into<String>,
        version: impl Into<String>,
        input: impl Into<Json>,
    ) -> Self {
        Self {
            workflow_id: workflow_id.into(),
            version: version.into(),
            input: input.into(),
            key: None,
            by: None,
            labels: Vec::new(),
            priority: PRIORITY_DEFAULT,
            breakpoints: Breakpoints::none(),
            jitter_seed: None,
        }
    }

    /// Start once: a further start with the same key, for the same tenant,
    /// finds the execution that the first one started (law 8). It is refused where
    /// workflow, input, labels or priority are others, so that none of them may say which
    /// try it is, and ([`EngineError::KeyErased`](crate::EngineError::KeyErased)) when the
    /// execution was erased since. Its id is [`ExecutionId::of_key`](crate::ExecutionId::of_key).
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// Who starts it, for the log.
    #[must_use]
    pub fn by(self, who: impl Into<String>) -> Self {
        Self {
            by: Some(who.into()),
            ..self
        }
    }

    /// With this label, to find the execution by: see
    /// [`ListFilter`](crate::store::ListFilter). An execution has at most 64, each of
    /// another name. A name has 1 to 256 letters and digits of ASCII, `_`, `.`, `-` and
    /// `/`, a value at most 256 bytes. They stand in the log for good, and in forks of the
    /// execution; erasing it removes them.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push(Label {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// How urgent its work is: 0 to 9, the greater first; 5 unless it is said. Of the
    /// items that wait on a queue, workers are given the most urgent ones, and of those
    /// that are as urgent, the ones that wait longest. A node may say it for itself.
    #[must_use]
    pub fn priority(self, priority: u32) -> Self {
        Self { priority, ..self }
    }

    /// Pause it at these places, in the name of the one who starts it. The engine that starts
    /// it looks for them, and no other: they are not in the log, and end with the engine.
    #[must_use]
    pub fn breakpoints(self, breakpoints: Breakpoints) -> Self {
        Self {
            breakpoints,
            ..self
        }
    }

    /// With the jitter of another execution.
    pub(crate) fn jitter_seed(self, seed: u64) -> Self {
        Self {
            jitter_seed: Some(seed),
            ..self
        }
    }

    /// What can be checked at the door.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        facts::text("workflow id", &self.workflow_id)?;
        facts::text("workflow version", &self.version)?;
        self.key
            .as_deref()
            .map_or(Ok(()), |key| facts::text("key", key))?;
        facts::actor(self.by.as_deref())?;
        labels::check(&self.labels)?;
        if self.priority > PRIORITY_MAX {
            return Err(EngineError::Priority {
                priority: self.priority,
            });
        }
        facts::payload("input", &self.input)
    }
}
