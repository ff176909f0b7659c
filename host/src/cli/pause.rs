//! `refrain pause`: hold an execution.

use super::Answer;
use super::act::{self, Target};

/// Pause an execution: no more work is handed out until it is unpaused
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments { target, reason } = arguments;
    act::tell(&target, "the pause is recorded", |execution| async move {
        execution.pause(reason.as_deref()).await
    })
}
