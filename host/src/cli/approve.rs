//! `refrain approve`: a person's decision on a node that waits for one.

use refrain::Approval;
use refrain::json::Json;

use super::act::{self, Target};
use super::{Answer, files};

/// Approve a node that waits for a person, or reject it
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// Reject it: the node fails for good
    #[arg(long)]
    reject: bool,
    /// Who decides
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    user: String,
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
    act::tell(&target, done, |execution| async move {
        execution.approve(&node, approval).await
    })
}
