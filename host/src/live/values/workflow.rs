//! A workflow's text on its way to the register.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::EngineError;
use crate::json::{Json, check};
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

    /// What it says beside its id and version, for a node in which it stands.
    pub(super) fn without_name(&self) -> Json {
        let without_name = || {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(&self.text)?;
            let is_name = |key: &str| matches!(key, "workflow_id" | "version");
            let members = members.iter().filter(|(key, _)| !is_name(key));
            serde_json::to_string(&members.collect::<BTreeMap<_, _>>())
        };
        // What is no object is left as it is: the scheduler says what is wrong with it.
        Json::trusted(without_name().unwrap_or_else(|_: serde_json::Error| self.text.clone()))
    }

    /// The SHA-256 of the text, as 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:x}", Sha256::digest(&self.text))
    }
}
