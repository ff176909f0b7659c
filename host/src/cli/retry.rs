//! `refrain retry`: run a failed node again.

use super::Answer;
use super::act::{self, TargetArguments};

/// Retry a node that has failed for good, with a fresh budget of attempts
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        node,
        reason,
    } = arguments;
    let target = target.find()?;
    act::tell(&target, "the retry is recorded", |execution| async move {
        execution.retry(&node, reason.as_deref()).await
    })
}
