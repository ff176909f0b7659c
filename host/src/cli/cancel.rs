//! `refrain cancel`: stop an execution for good.

use refrain::Execution;
use refrain::model::Status;

use super::Answer;
use super::act::{self, TargetArguments};
use super::text::text;

/// Cancel an execution: stop what is in flight, run its finalizers, and end it
///
/// One that is paused ends once the pause is lifted (`refrain unpause`).
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
    let cancel = |execution: Execution| async move { execution.cancel(reason.as_deref()).await };
    let ((), status) = act::told(&target, cancel)?;
    let hint = match status {
        // The pause stays, and it holds the end too (rule R18).
        Status::Paused => text!(
            ", and ends only when the pause is lifted; type: {}",
            target.command("unpause")
        ),
        status => act::hint(&target, status),
    };
    let done = "the request to cancel is recorded";
    act::say(&target, done, true, status, &hint)
}
