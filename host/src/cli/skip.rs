//! `refrain skip`: go on without a node.

use super::act::{self, TargetArguments};
use super::{Answer, refused_act};

/// Skip a node: it counts as completed; if it is in flight, it is cancelled
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
    let mut target = target.find()?;
    let node = target.node(&node)?;
    let skipped = act::tell(&target, "the skip is recorded", |execution| async {
        let execution = execution;
        execution.skip(&node, reason.as_deref()).await
    });
    let skipped = refused_act::unless_misspelled(&target, &node, skipped);
    refused_act::unless_ended(&target, Some(&node), skipped)
}
