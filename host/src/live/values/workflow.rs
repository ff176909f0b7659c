//! A workflow's text on its way to the register.

use sha2::{Digest, Sha256};

use crate::error::EngineError;
use crate::json::check;
use crate::limits::WORKFLOW_BYTES_MAX;

use super::workflow_builder::WorkflowBuilder;

/// A workflow as text: JSON within the limits. Whether it is a valid workflow
/// (rule R1) is the scheduler's to say, when it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    text: String,
}

impl Workflow {
    /// The workflow that this JSON text describes.
    ///
    /// # Errors
    /// [`EngineError::Json`] when the text is malformed, too long or too deep, or repeats a key.
    pub fn from_json(text: impl Into<String>) -> Result<Self, EngineError> {
        let text = text.into();
        check(&text, WORKFLOW_BYTES_MAX).map_err(|error| EngineError::Json {
            what: "workflow",
            error,
        })?;
        Ok(Self { text })
    }

    /// Make a workflow in Rust: the one that the same JSON describes.
    #[must_use]
    pub fn builder(id: impl Into<String>, version: impl Into<String>) -> WorkflowBuilder {
        WorkflowBuilder::new(id.into(), version.into())
    }

    /// The text, verbatim.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the text, as 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:x}", Sha256::digest(&self.text))
    }
}
