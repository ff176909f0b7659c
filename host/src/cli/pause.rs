//! `refrain pause`: hold an execution.

use super::Answer;
use super::act::{self, TargetArguments};

/// Pause an execution: no more work is handed out until it is unpaused
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments { target, reason } = arguments;
    let target = target.find()?;
    act::tell(&target, "the pause is recorded", |execution| async move {
        execution.pause(reason.as_deref()).await
    })
}
