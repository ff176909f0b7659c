//! The door: what callers and workers say, checked and made into facts.
//!
//! Pure. Whether a fact may stand where the log is now is not asked here; the
//! guest says that.

use crate::error::{EngineError, WorkError};
use crate::json::{Json, check};
use crate::limits::{PAYLOAD_BYTES_MAX, TEXT_BYTES_MAX};
use crate::model::{
    ApprovalDecision, ApprovalReceived, EventKind, ExternalEventReceived, NodeCompleted,
    NodeFailed, NodeRequest, OperatorNote,
};

use super::work::{Answer, ClaimId};
use crate::shorten::shortened;

/// A person's decision on a node that waits for one (rule R19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whether the node completes; otherwise it fails for good.
    pub approved: bool,
    /// Who decided.
    pub user_id: String,
    /// What the person had to say.
    pub comment: Option<String>,
    /// A JSON object whose top-level keys are merged into the state.
    pub state_patch: Option<Json>,
}

impl Approval {
    /// Approved by this person.
    #[must_use]
    pub fn approved(user_id: impl Into<String>) -> Self {
        Self {
            approved: true,
            user_id: user_id.into(),
            comment: None,
            state_patch: None,
        }
    }

    /// Rejected by this person.
    #[must_use]
    pub fn rejected(user_id: impl Into<String>) -> Self {
        Self {
            approved: false,
            ..Self::approved(user_id)
        }
    }

    /// With this comment.
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Self {
        Self {
            comment: Some(comment.into()),
            ..self
        }
    }

    /// With these changes to the state.
    #[must_use]
    pub fn state_patch(self, patch: impl Into<Json>) -> Self {
        Self {
            state_patch: Some(patch.into()),
            ..self
        }
    }
}

/// A worker completed its item.
pub(crate) fn completed(
    claim: &ClaimId,
    answer: &Answer,
    duration_ms: u64,
) -> Result<EventKind, EngineError> {
    let patch = answer.state_patch(&claim.node_id);
    payload("output", &answer.output)?;
    // An object that is output and patch at once has just been looked at.
    if answer.patch.is_some() || !answer.output.is_object() {
        object("state patch", &patch)?;
    }
    if let Some(target) = &answer.chosen_target {
        text("chosen target", target)?;
    }
    if let Some(telemetry) = &answer.telemetry {
        for measured in [&telemetry.cost_usd, &telemetry.provenance]
            .into_iter()
            .flatten()
        {
            payload_text("telemetry", measured)?;
        }
        let texts = [
            &telemetry.gen_ai_system,
            &telemetry.gen_ai_model,
            &telemetry.finish_reason,
        ];
        texts
            .into_iter()
            .flatten()
            .try_for_each(|measured| text("telemetry", measured))?;
    }
    Ok(EventKind::NodeCompleted(NodeCompleted {
        node_id: claim.node_id.clone(),
        attempt: claim.attempt,
        fence: claim.fence,
        output: answer.output.as_str().to_owned(),
        state_patch: patch.into_string(),
        duration_ms,
        chosen_target: answer.chosen_target.clone(),
        telemetry: answer.telemetry.clone(),
    }))
}

/// A worker failed at its item. Whatever it has to say of that, the failure
/// stands: too long a text is shortened, and whether to try again stays as it is.
pub(crate) fn failed(claim: &ClaimId, error: &WorkError) -> NodeFailed {
    let short = |text: &str| shortened(text, TEXT_BYTES_MAX).into_owned();
    NodeFailed {
        node_id: claim.node_id.clone(),
        attempt: claim.attempt,
        fence: claim.fence,
        error: short(&error.message),
        class: error.class.as_deref().map(short),
        retryable: error.retryable,
    }
}

/// A claim's lease is over (rule R13).
pub(crate) fn lease_expired(node_id: &str, attempt: u32, fence: u64) -> EventKind {
    EventKind::NodeFailed(NodeFailed {
        node_id: node_id.to_owned(),
        attempt,
        fence,
        error: "lease expired: worker presumed dead".to_owned(),
        class: Some("lease_expired".to_owned()),
        retryable: true,
    })
}

/// A person decided.
pub(crate) fn approval(node_id: &str, approval: &Approval) -> Result<EventKind, EngineError> {
    text("node id", node_id)?;
    text("user", &approval.user_id)?;
    reason(approval.comment.as_deref())?;
    if let Some(patch) = &approval.state_patch {
        object("state patch", patch)?;
    }
    Ok(EventKind::ApprovalReceived(ApprovalReceived {
        node_id: node_id.to_owned(),
        user_id: approval.user_id.clone(),
        decision: if approval.approved {
            ApprovalDecision::Approved
        } else {
            ApprovalDecision::Rejected
        },
        comment: approval.comment.clone(),
        state_patch: approval.state_patch.as_ref().map(Json::to_string),
    }))
}

/// An external event arrived.
pub(crate) fn signal(correlation_key: &str, brings: &Json) -> Result<EventKind, EngineError> {
    text("correlation key", correlation_key)?;
    payload("external event", brings)?;
    Ok(EventKind::ExternalEventReceived(ExternalEventReceived {
        correlation_key: correlation_key.to_owned(),
        payload: brings.to_string(),
    }))
}

/// What an operator had to say.
pub(crate) fn note(why: Option<&str>) -> Result<OperatorNote, EngineError> {
    reason(why)?;
    Ok(OperatorNote {
        reason: why.map(str::to_owned),
    })
}

/// An operator's request about a node.
pub(crate) fn node_request(node_id: &str, why: Option<&str>) -> Result<NodeRequest, EngineError> {
    text("node id", node_id)?;
    reason(why)?;
    Ok(NodeRequest {
        node_id: node_id.to_owned(),
        reason: why.map(str::to_owned),
    })
}

/// A user's JSON, within the limits.
pub(crate) fn payload(what: &'static str, json: &Json) -> Result<(), EngineError> {
    payload_text(what, json.as_str())
}

/// A short text, within the limits.
pub(crate) fn text(what: &'static str, text: &str) -> Result<(), EngineError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(EngineError::TooLong {
            what,
            bytes: text.len(),
            bytes_max: TEXT_BYTES_MAX,
        });
    }
    Ok(())
}

fn reason(reason: Option<&str>) -> Result<(), EngineError> {
    reason.map_or(Ok(()), |reason| text("reason", reason))
}

fn payload_text(what: &'static str, text: &str) -> Result<(), EngineError> {
    check(text, PAYLOAD_BYTES_MAX).map_err(|error| EngineError::Json { what, error })
}

/// A patch is an object (rule R10).
fn object(what: &'static str, json: &Json) -> Result<(), EngineError> {
    payload(what, json)?;
    if json.is_object() {
        return Ok(());
    }
    Err(EngineError::Json {
        what,
        error: crate::json::JsonError {
            pointer: String::new(),
            problem: "it is no JSON object, and only an object's keys can be merged into the state"
                .to_owned(),
            remedy: "put it under a key".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim() -> ClaimId {
        ClaimId {
            execution: crate::ExecutionId::from_bytes([7; 16]),
            node_id: "a".into(),
            attempt: 1,
            fence: 4,
        }
    }

    #[test]
    fn r10_a_patch_that_is_no_object_is_refused() {
        let error = completed(&claim(), &Answer::output(json!(1)).patch(json!([1])), 0)
            .expect_err("a list is no patch");
        assert!(error.to_string().contains("state patch"), "{error}");
    }

    #[test]
    fn a_failure_with_too_long_texts_is_shortened_and_stays_what_it_is() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let passing = WorkError::retryable(long.clone()).class(long);
        let fact = failed(&claim(), &passing);
        assert!(fact.retryable);
        for text in [&fact.error, fact.class.as_ref().expect("a class")] {
            assert!(text.len() <= TEXT_BYTES_MAX, "{}", text.len());
            assert!(text.ends_with(" bytes left out)"), "{}", &text[60_000..]);
        }
        let short = failed(&claim(), &WorkError::permanent("no").class("io_error"));
        assert_eq!(
            (short.error, short.class),
            ("no".into(), Some("io_error".into()))
        );
        assert!(!short.retryable);
    }

    #[test]
    fn a_reason_that_is_too_long_is_refused() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(
            matches!(note(Some(&long)), Err(EngineError::TooLong { bytes, .. }) if bytes == TEXT_BYTES_MAX + 1)
        );
    }
}
