//! `refrain unpause`: let a paused execution go on.

use super::Answer;
use super::act::{self, TargetArguments};

/// Lift the pause of an execution
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
    act::tell(&target, "the pause is lifted", |execution| async move {
        execution.unpause(reason.as_deref()).await
    })
}
