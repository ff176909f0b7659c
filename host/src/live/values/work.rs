//! What workers get and give: claims, payloads, answers.

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::json::Json;
use crate::model::{GenAi, WorkItem};
use crate::store::Timestamp;

/// Which claim on a work item: what every answer must present (law 7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimId {
    /// The execution.
    pub execution: ExecutionId,
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The number minted at the claim.
    pub fence: u64,
}

/// A work item that a worker outside of the engine has claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What the answer must present.
    pub id: ClaimId,
    /// The work item.
    pub item: WorkItem,
    /// The id of the execution's workflow.
    pub workflow_id: String,
    /// Its version.
    pub workflow_version: String,
    /// When the claim ends, unless it is renewed before.
    pub expires_at: Timestamp,
}

/// What a worker concluded.
///
/// Made from JSON with `into()`, it is the node's output, and what the state
/// gets: the output's top-level keys if it is an object, else the output under
/// the node's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) output: Json,
    pub(crate) patch: Option<Json>,
    pub(crate) chosen_target: Option<String>,
    pub(crate) gen_ai: Option<Box<GenAi>>,
    pub(crate) telemetry: Option<Json>,
}

impl Answer {
    /// The node produced this.
    #[must_use]
    pub fn output(output: impl Into<Json>) -> Self {
        Self {
            output: output.into(),
            patch: None,
            chosen_target: None,
            gen_ai: None,
            telemetry: None,
        }
    }

    /// Merge this JSON object into the state, instead of what follows from the output.
    #[must_use]
    pub fn patch(self, patch: impl Into<Json>) -> Self {
        Self {
            patch: Some(patch.into()),
            ..self
        }
    }

    /// Take the edge to this node, and no other.
    #[must_use]
    pub fn chosen_target(self, node_id: impl Into<String>) -> Self {
        Self {
            chosen_target: Some(node_id.into()),
            ..self
        }
    }

    /// What the call of a model was; kept as it comes.
    #[must_use]
    pub fn gen_ai(self, call: GenAi) -> Self {
        Self {
            gen_ai: Some(call.into()),
            ..self
        }
    }

    /// What else was measured, a JSON object; kept as it comes. In it, `cost_usd` is
    /// what the work cost in US dollars, a number.
    #[must_use]
    pub fn telemetry(self, measured: impl Into<Json>) -> Self {
        Self {
            telemetry: Some(measured.into()),
            ..self
        }
    }

    /// How many bytes of JSON it brings.
    pub(crate) fn bytes(&self) -> usize {
        let parts = [
            Some(&self.output),
            self.patch.as_ref(),
            self.telemetry.as_ref(),
        ];
        parts
            .into_iter()
            .flatten()
            .map(|json| json.as_str().len())
            .sum()
    }

    /// What the state gets from `node_id`.
    pub(crate) fn state_patch(&self, node_id: &str) -> Json {
        match &self.patch {
            Some(patch) => patch.clone(),
            None if self.output.is_object() => self.output.clone(),
            None => Json::trusted(format!(
                "{{{}:{}}}",
                serde_json::Value::from(node_id),
                self.output
            )),
        }
    }
}

impl<T: Into<Json>> From<T> for Answer {
    fn from(output: T) -> Self {
        Self::output(output)
    }
}

/// What became of something that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// It is in the log now.
    Recorded,
    /// It was recorded before: the very same answer has settled the item (law 7), an
    /// event of the same id has come, the execution belongs to that guest.
    AlreadyRecorded,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_written_as_json_and_read_again() {
        let claim = Claim {
            id: ClaimId {
                execution: ExecutionId::from_bytes([7; 16]),
                node_id: "a".to_owned(),
                attempt: 1,
                fence: 3,
            },
            item: WorkItem::default(),
            workflow_id: "claims".to_owned(),
            workflow_version: "1.0.0".to_owned(),
            expires_at: 60_000,
        };
        let written = serde_json::to_string(&claim).unwrap();
        assert_eq!(serde_json::from_str::<Claim>(&written).unwrap(), claim);
    }

    #[test]
    fn r10_the_state_gets_the_object_or_the_output_under_the_nodes_id() {
        let given = |answer: Answer| answer.state_patch("n\"1").to_string();
        assert_eq!(given(json!({"a": 1}).into()), r#"{"a":1}"#);
        assert_eq!(given(json!([1]).into()), r#"{"n\"1":[1]}"#);
        assert_eq!(
            given(Answer::output(json!(7)).patch(json!({"b": 2}))),
            r#"{"b":2}"#
        );
    }
}
