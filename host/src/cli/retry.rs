//! `refrain retry`: run failed nodes again.

use refrain::log::KeptEvent;
use refrain::{EngineError, Execution};

use super::act::{self, Target, TargetArguments};
use super::nodes::Nodes;
use super::{Answer, log};

/// Retry nodes that have failed for good, each with a fresh budget of attempts
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["node", "all_failed"]))]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// The node
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// All nodes that have failed, and of which no further attempt is made
    #[arg(long)]
    all_failed: bool,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        node,
        reason,
        ..
    } = arguments;
    let target = target.find()?;
    let nodes = match node {
        Some(node) => vec![node],
        None => failed(&target)?,
    };
    let done = match nodes.len() {
        0 => "no node has failed",
        1 => "the retry is recorded",
        _ => "the retries are recorded",
    };
    let first = nodes.first().cloned();
    let retry =
        |execution: Execution| async move { retry_all(&execution, nodes, reason.as_deref()).await };
    act::unless_ended(&target, first.as_deref(), act::tell(&target, done, retry))
}

/// Retries these nodes. One that has failed while the execution is stalled on another is
/// decided on, and can be retried, only after that one.
async fn retry_all(
    execution: &Execution,
    mut nodes: Vec<String>,
    reason: Option<&str>,
) -> Result<(), EngineError> {
    loop {
        let (before, mut refused) = (nodes.len(), None);
        let mut left = Vec::new();
        for node in nodes {
            match execution.retry(&node, reason).await {
                Ok(()) => {}
                Err(error @ EngineError::Refused { .. }) => {
                    left.push(node);
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            None => return Ok(()),
            Some(error) if left.len() == before => return Err(error),
            Some(_) => nodes = left,
        }
    }
}

/// The nodes that have failed, as its log tells.
fn failed(target: &Target) -> anyhow::Result<Vec<String>> {
    let (mut store, _) = target.database().holding(target.execution())?;
    let events = log::kept(&mut store, target.execution())?;
    let nodes = Nodes::of(events.iter().map(KeptEvent::event));
    let failed = nodes.iter().filter(|node| node.has_failed());
    Ok(failed.map(|node| node.id.clone()).collect())
}
