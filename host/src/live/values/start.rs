//! A start, as a caller asks for it.

use crate::error::EngineError;
use crate::json::Json;

use super::facts;

/// A start, with all that may be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub(crate) workflow_id: String,
    pub(crate) version: String,
    pub(crate) input: Json,
    pub(crate) key: Option<String>,
    pub(crate) by: Option<String>,
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
        }
    }

    /// Start once: a further start with the same key, for the same tenant,
    /// finds the execution that the first one started (law 8), and is refused
    /// ([`EngineError::KeyErased`](crate::EngineError::KeyErased)) when that was erased
    /// since. Its id is [`ExecutionId::of_key`](crate::ExecutionId::of_key).
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

    /// What can be checked at the door.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        facts::text("workflow id", &self.workflow_id)?;
        facts::text("workflow version", &self.version)?;
        self.key
            .as_deref()
            .map_or(Ok(()), |key| facts::text("key", key))?;
        facts::actor(self.by.as_deref())?;
        facts::payload("input", &self.input)
    }
}
