//! `refrain cancel`: stop an execution for good.

use super::Answer;
use super::act::{self, Target};

/// Cancel an execution: stop what is in flight, run its finalizers, and end it
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
    act::tell(
        &target,
        "the request to cancel is recorded",
        |execution| async move { execution.cancel(reason.as_deref()).await },
    )
}
