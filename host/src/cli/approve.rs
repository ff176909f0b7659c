//! `refrain approve`: a person's decision on a node that waits for one.

use refrain::json::Json;
use refrain::log::KeptEvent;
use refrain::model::EventKind;
use refrain::{Approval, EngineError, Execution};

use super::act::{self, Target, TargetArguments};
use super::coded::coded;
use super::time::stamp;
use super::{Answer, files, log, refused_act};

/// Approve a node that waits for a person, or reject it
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// Reject it: the node fails for good
    #[arg(long)]
    reject: bool,
    /// Who decides; the one who does this (`--by`), unless you say
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    user: Option<String>,
    /// What there is to say about it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// A JSON object that is merged into the state
    #[arg(long, value_name = "JSON|@FILE", conflicts_with = "reject")]
    patch: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        node,
        reject,
        user,
        comment,
        patch,
    } = arguments;
    let mut target = target.find()?;
    let node = target.node(&node)?;
    let user = user.unwrap_or_else(|| target.who());
    let mut approval = if reject {
        Approval::rejected(user)
    } else {
        Approval::approved(user)
    };
    if let Some(comment) = comment {
        approval = approval.comment(comment);
    }
    if let Some(patch) = patch {
        approval = approval.state_patch(Json::from_text(files::json(&patch, "patch")?)?);
    }
    let done = if reject {
        "the rejection is recorded"
    } else {
        "the approval is recorded"
    };
    let approve = |execution: Execution| {
        let node = node.clone();
        async move { execution.approve(&node, approval).await }
    };
    let told = act::tell(&target, done, approve);
    match &told {
        Err(error) if is_refused(error) => match missed_deadline(&target, &node)? {
            Some(missed) => Err(missed),
            None => refused_act::unless_below(&target, &node, told),
        },
        _ => told,
    }
}

fn is_refused(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(EngineError::Refused { .. }))
}

/// What to say if the decision comes after the node's deadline.
fn missed_deadline(target: &Target, node: &str) -> anyhow::Result<Option<anyhow::Error>> {
    let events = log::kept(
        &mut target.database().holding(target.execution())?.0,
        target.execution(),
    )?;
    let events = events.iter().map(KeptEvent::event);
    let mut missed = None;
    let mut deadline = None;
    for event in events {
        let what = match &event.kind {
            EventKind::InterruptRaised(raised) if raised.node_id == node => {
                (deadline, missed) = (raised.expires_at, None);
                continue;
            }
            EventKind::ApprovalReceived(received) if received.node_id == node => {
                deadline = None;
                continue;
            }
            EventKind::NodeSettled(settled) if settled.node_id == node => {
                let fallback = settled.chosen_target.as_deref().unwrap_or_default();
                format!("it went on with {fallback:?}, its fallback")
            }
            EventKind::NodeExhausted(failed) if failed.node_id == node => {
                "it failed for good".to_owned()
            }
            _ => continue,
        };
        missed = deadline.filter(|at| *at <= event.at).map(|at| (at, what));
    }
    Ok(missed.map(|(at, what)| {
        coded("too_late", format!(
            "the decision on node {node:?} comes too late: its deadline was {}, nobody had decided by then, and {what}",
            stamp(at)
        ))
    }))
}
