//! `refrain retry`: run failed nodes again.

use refrain::Execution;
use refrain::log::KeptEvent;
use refrain::model::NodeState;

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
    /// All nodes that have failed for good
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
    let retry = |execution: Execution| async move {
        for node in &nodes {
            execution.retry(node, reason.as_deref()).await?;
        }
        Ok(())
    };
    act::unless_ended(&target, first.as_deref(), act::tell(&target, done, retry))
}

/// The nodes that have failed for good, as its log tells.
fn failed(target: &Target) -> anyhow::Result<Vec<String>> {
    let (mut store, _) = target.database().holding(target.execution())?;
    let events = log::kept(&mut store, target.execution())?;
    let nodes = Nodes::of(events.iter().map(KeptEvent::event));
    let failed = nodes.iter().filter(|node| node.state == NodeState::Failed);
    Ok(failed.map(|node| node.id.clone()).collect())
}
