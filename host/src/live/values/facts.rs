//! The door: what callers and workers say, checked and made into facts.
//!
//! Pure. Whether a fact may stand where the log is now is not asked here; the
//! guest says that.

use crate::error::{EngineError, WorkError};
use crate::json::{Json, check};
use crate::limits::{ERROR_CLASS_BYTES_MAX, PAYLOAD_BYTES_MAX, TEXT_BYTES_MAX, WAKE_SPAN_MS_MAX};
use crate::model::{
    ApprovalDecision, ApprovalReceived, EventKind, ExternalEventReceived, LeaseExpired,
    NodeCompleted, NodeFailed, NodeReleased, NodeRequest, OperatorNote,
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
        object("state patch", &patch, FOR_ITS_KEYS)?;
    }
    if let Some(target) = &answer.chosen_target {
        text("chosen target", target)?;
    }
    if let Some(call) = &answer.gen_ai {
        let texts = [&call.system, &call.model, &call.finish_reason];
        texts
            .into_iter()
            .flatten()
            .try_for_each(|measured| text("call of a model", measured))?;
    }
    if let Some(telemetry) = &answer.telemetry {
        object("telemetry", telemetry, FOR_ITS_NAMES)?;
    }
    Ok(EventKind::NodeCompleted(NodeCompleted {
        node_id: claim.node_id.clone(),
        attempt: claim.attempt,
        fence: claim.fence,
        output: answer.output.as_str().to_owned(),
        state_patch: patch.into_string(),
        duration_ms,
        chosen_target: answer.chosen_target.clone(),
        gen_ai: answer.gen_ai.clone(),
        telemetry: answer.telemetry.as_ref().map(Json::to_string),
        edited_by: None,
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
        error_class: error.class.as_deref().map(error_class),
        retryable: error.retryable,
        retry_after_ms: error.retry_after.map(|delay| {
            let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            ms.min(WAKE_SPAN_MS_MAX)
        }),
    }
}

/// A class is a code that is never personal, because it stays when a log is erased:
/// whatever else a worker says is `other`.
fn error_class(class: &str) -> String {
    let is_of_code = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    let is_code =
        (1..=ERROR_CLASS_BYTES_MAX).contains(&class.len()) && class.bytes().all(is_of_code);
    if is_code { class } else { "other" }.to_owned()
}

/// A worker gives its item back (rule R25).
pub(crate) fn released(claim: &ClaimId, by: Option<&str>) -> Result<EventKind, EngineError> {
    actor(by)?;
    Ok(EventKind::NodeReleased(NodeReleased {
        by: by.map(str::to_owned),
        ..NodeReleased::new(&claim.node_id, claim.attempt, claim.fence)
    }))
}

/// A claim's lease is over (rule R13).
pub(crate) fn lease_expired(node_id: &str, attempt: u32, fence: u64) -> EventKind {
    EventKind::LeaseExpired(LeaseExpired::new(node_id, attempt, fence))
}

/// A person decided.
pub(crate) fn approval(
    node_id: &str,
    approval: &Approval,
    by: Option<&str>,
) -> Result<EventKind, EngineError> {
    actor(by)?;
    text("node id", node_id)?;
    text("user", &approval.user_id)?;
    reason(approval.comment.as_deref())?;
    if let Some(patch) = &approval.state_patch {
        object("state patch", patch, FOR_ITS_KEYS)?;
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
        by: by.map(str::to_owned),
    }))
}

/// An external event, for the node that waits for its correlation key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub(crate) correlation_key: String,
    pub(crate) payload: Json,
    pub(crate) event_id: Option<String>,
}

impl Signal {
    /// This event for this correlation key.
    #[must_use]
    pub fn new(correlation_key: impl Into<String>, payload: impl Into<Json>) -> Self {
        Self {
            correlation_key: correlation_key.into(),
            payload: payload.into(),
            event_id: None,
        }
    }

    /// With the sender's id for it, so that it can be sent again: the same id counts
    /// once in an execution.
    #[must_use]
    pub fn event_id(self, id: impl Into<String>) -> Self {
        Self {
            event_id: Some(id.into()),
            ..self
        }
    }
}

/// An external event arrived.
pub(crate) fn signal(signal: &Signal, by: Option<&str>) -> Result<EventKind, EngineError> {
    text("correlation key", &signal.correlation_key)?;
    payload("external event", &signal.payload)?;
    actor(by)?;
    Ok(EventKind::ExternalEventReceived(ExternalEventReceived {
        correlation_key: signal.correlation_key.clone(),
        payload: signal.payload.to_string(),
        event_id: signal.event_id.clone(),
        by: by.map(str::to_owned),
    }))
}

/// What an operator had to say.
pub(crate) fn note(why: Option<&str>, by: Option<&str>) -> Result<OperatorNote, EngineError> {
    reason(why)?;
    actor(by)?;
    Ok(OperatorNote {
        reason: why.map(str::to_owned),
        by: by.map(str::to_owned),
    })
}

/// An operator's request about a node.
pub(crate) fn node_request(
    node_id: &str,
    why: Option<&str>,
    by: Option<&str>,
) -> Result<NodeRequest, EngineError> {
    text("node id", node_id)?;
    reason(why)?;
    actor(by)?;
    Ok(NodeRequest {
        node_id: node_id.to_owned(),
        reason: why.map(str::to_owned),
        by: by.map(str::to_owned),
    })
}

/// A user's JSON, within the limits.
pub(crate) fn payload(what: &'static str, json: &Json) -> Result<(), EngineError> {
    check(json.as_str(), PAYLOAD_BYTES_MAX).map_err(|error| EngineError::Json { what, error })
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

/// Who does something, within the limits.
pub(crate) fn actor(by: Option<&str>) -> Result<(), EngineError> {
    by.map_or(Ok(()), |by| text("name of who does it", by))
}

fn reason(reason: Option<&str>) -> Result<(), EngineError> {
    reason.map_or(Ok(()), |reason| text("reason", reason))
}

/// Of a patch, the keys are merged into the state (rule R10).
const FOR_ITS_KEYS: &str =
    "it is no JSON object, and only an object's keys can be merged into the state";

/// Of telemetry, the keys say what was measured (rule R28).
const FOR_ITS_NAMES: &str = "it is no JSON object, whose keys would name what was measured";

/// What has to be an object, and why.
fn object(what: &'static str, json: &Json, why: &str) -> Result<(), EngineError> {
    payload(what, json)?;
    if json.is_object() {
        return Ok(());
    }
    Err(EngineError::Json {
        what,
        error: crate::json::JsonError {
            pointer: String::new(),
            problem: why.to_owned(),
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
        let text = &fact.error;
        assert!(text.len() <= TEXT_BYTES_MAX, "{}", text.len());
        assert!(text.ends_with(" bytes left out)"), "{}", &text[60_000..]);
        assert_eq!(fact.error_class.as_deref(), Some("other"));
        let short = failed(&claim(), &WorkError::permanent("no").class("io_error"));
        assert_eq!(
            (short.error, short.error_class),
            ("no".into(), Some("io_error".into()))
        );
        assert!(!short.retryable);
    }

    #[test]
    fn law4_a_class_that_is_no_code_becomes_other() {
        let longest = "x".repeat(ERROR_CLASS_BYTES_MAX);
        for class in ["io_error", "a", "0.9-b_c", &longest] {
            assert_eq!(error_class(class), class);
        }
        let too_long = "x".repeat(ERROR_CLASS_BYTES_MAX + 1);
        for class in [
            "",
            "IOError",
            "ada@example.org",
            "no file",
            "größe",
            &too_long,
        ] {
            assert_eq!(error_class(class), "other", "{class}");
        }
    }

    #[test]
    fn a_reason_that_is_too_long_is_refused() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(
            matches!(note(Some(&long), None), Err(EngineError::TooLong { bytes, .. }) if bytes == TEXT_BYTES_MAX + 1)
        );
    }
}
