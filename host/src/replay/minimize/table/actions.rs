//! What happened, in the words of the notation.

use std::fmt::Write;

use super::words::{given, inline, option, plain, why};
use crate::log::kind_name;
use crate::model::{ApprovalDecision, ChildRefusal, EventKind, NodeCompleted, Status};
use crate::replay::minimize::facts;

/// What happened.
pub(super) fn action(fact: &EventKind) -> Result<String, String> {
    let by = |by: &Option<String>| option("by", by.as_deref());
    Ok(match fact {
        EventKind::NodeStarted(it) => {
            let worker = Some(it.worker_id.as_str()).filter(|it| *it != facts::WORKER);
            format!("claim {}{}", plain(&it.node_id)?, option("by", worker)?)
        }
        EventKind::NodeCompleted(it) => completed(it)?,
        EventKind::NodeFailed(it) => {
            let mut text = format!("fail {}", plain(&it.node_id)?);
            if let Some(class) = &it.error_class {
                _ = write!(text, " {}", plain(class)?);
            }
            if !it.retryable {
                text += " fatal";
            }
            if let Some(after) = it.retry_after_ms {
                _ = write!(text, " after={after}");
            }
            text
        }
        EventKind::LeaseExpired(it) => format!("expire {}", plain(&it.node_id)?),
        EventKind::NodeReleased(it) => {
            format!("release {}{}", plain(&it.node_id)?, by(&it.by)?)
        }
        EventKind::ApprovalReceived(it) => {
            let verb = match it.decision {
                ApprovalDecision::Approved => "approve",
                ApprovalDecision::Rejected => "reject",
            };
            let user = Some(it.user_id.as_str()).filter(|it| *it != "ada");
            let patch = it.state_patch.as_deref().unwrap_or("null");
            let patch = given(patch, "null")?;
            format!(
                "{verb} {}{}{patch}{}",
                plain(&it.node_id)?,
                option("by", user)?,
                why(it.comment.as_deref())?
            )
        }
        EventKind::ExternalEventReceived(it) => {
            let id = option("id", it.event_id.as_deref())?;
            let payload = given(&it.payload, "null")?;
            format!(
                "signal {}{payload}{id}{}",
                plain(&it.correlation_key)?,
                by(&it.by)?
            )
        }
        EventKind::ChildStarted(it) => format!("begin {}", plain(&it.node_id)?),
        EventKind::ChildRefused(it) => {
            let code = match it.code {
                ChildRefusal::UnknownWorkflow => "unknown_workflow",
                ChildRefusal::TooDeep => "too_deep",
                ChildRefusal::TooMany => "too_many",
            };
            format!("deny {} {code}", plain(&it.node_id)?)
        }
        EventKind::ChildEnded(it) => {
            let node = plain(&it.node_id)?;
            let reason = why(it.error.as_deref())?;
            match it.status {
                Status::Failed => format!("end {node} failed{reason}"),
                Status::Cancelled => format!("end {node} cancelled{reason}"),
                _ => format!(
                    "end {node}{}",
                    given(it.output.as_deref().unwrap_or("{}"), "{}")?
                ),
            }
        }
        EventKind::CancelRequested(it) => format!("cancel{}", why(it.reason.as_deref())?),
        EventKind::ExecutionPaused(_) => "pause".to_owned(),
        EventKind::ExecutionUnpaused(_) => "unpause".to_owned(),
        EventKind::RetryRequested(it) => format!("retry {}", plain(&it.node_id)?),
        EventKind::SkipRequested(it) => format!("skip {}", plain(&it.node_id)?),
        EventKind::HostStalled(_) => "stall".to_owned(),
        EventKind::StallLifted(_) => "lift".to_owned(),
        other => return Err(format!("the notation has no word for {}", kind_name(other))),
    })
}

fn completed(it: &NodeCompleted) -> Result<String, String> {
    let mut text = format!("complete {}", plain(&it.node_id)?);
    text += &given(&it.state_patch, "{}")?;
    text += &option("choose", it.chosen_target.as_deref())?;
    for (name, value) in [
        (
            "output",
            Some(it.output.as_str()).filter(|it| *it != "null"),
        ),
        ("telemetry", it.telemetry.as_deref()),
    ] {
        if let Some(value) = value {
            let value = serde_json::from_str(value).map_err(|error| error.to_string())?;
            _ = write!(text, " {name}={}", inline(&value)?);
        }
    }
    if let Some(call) = &it.gen_ai {
        let tokens = [call.input_tokens, call.output_tokens].map(Option::unwrap_or_default);
        _ = write!(text, " tokens={}+{}", tokens[0], tokens[1]);
    }
    text += &option("edited", it.edited_by.as_deref())?;
    Ok(text)
}
