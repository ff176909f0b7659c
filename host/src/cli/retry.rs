//! `refrain retry`: run failed nodes again.

use refrain::log::KeptEvent;
use refrain::model::NodeState;
use refrain::replay::nodes::{Node, Nodes};
use refrain::{EngineError, Execution};

use super::act::{self, Target, TargetArguments};
use super::ending::Ending;
use super::shown_nodes::ShownNodes;
use super::{Answer, log, refused_act};

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
    let mut target = target.find()?;
    let is_all = node.is_none();
    let nodes = match node {
        Some(node) => vec![target.node(&node)?],
        None => failed(&target)?,
    };
    let first = match is_all {
        true => failed_for(&target)?,
        false => nodes.first().cloned(),
    };
    let retry = |execution: Execution| async move {
        let nodes = match is_all {
            true => unhandled(&execution, nodes).await?,
            false => nodes,
        };
        let count = nodes.len();
        let refused = retry_all(&execution, nodes, reason.as_deref()).await?;
        Ok((count, refused))
    };
    let retried = act::told(&target, retry).and_then(|((count, refused), status)| {
        let done = match count {
            0 => "no node has failed that could be retried",
            1 => "the retry is recorded",
            _ => "the retries are recorded",
        };
        // One that was to be decided on only after another may be tried again by itself.
        let still_failed = match is_all && refused.is_some() {
            true => failed(&target)?,
            false => Vec::new(),
        };
        match refused {
            Some((left, error)) if !is_all || left.iter().any(|it| still_failed.contains(it)) => {
                Err(error.into())
            }
            _ => act::say(&target, done, true, status, &act::hint(&target, status)),
        }
    });
    let retried = match (&first, is_all) {
        (Some(node), false) => refused_act::unless_misspelled(&target, node, retried),
        _ => retried,
    };
    refused_act::unless_ended(&target, first.as_deref(), retried)
}

/// Nodes that could not be retried, and why not the last of them.
type Refused = (Vec<String>, EngineError);

/// Retries these nodes. One that has failed while the execution is stalled on another is
/// decided on, and can be retried, only after that one. Answers what of them was refused.
async fn retry_all(
    execution: &Execution,
    mut nodes: Vec<String>,
    reason: Option<&str>,
) -> Result<Option<Refused>, EngineError> {
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
            None => return Ok(None),
            Some(error) if left.len() == before => return Ok(Some((left, error))),
            Some(_) => nodes = left,
        }
    }
}

/// Without those whose failure an edge has handled: what follows on that is decided.
async fn unhandled(
    execution: &Execution,
    mut nodes: Vec<String>,
) -> Result<Vec<String>, EngineError> {
    if !nodes.is_empty() {
        let shown = ShownNodes::of(&execution.inspect().await?);
        nodes.retain(|node| !shown.is_handled(node));
    }
    Ok(nodes)
}

/// The node that an execution failed for first. `None` if it did not fail for nodes.
fn failed_for(target: &Target) -> anyhow::Result<Option<String>> {
    let (mut store, _) = target.database().holding(target.execution())?;
    let events = log::kept(&mut store, target.execution())?;
    let nodes = Nodes::of(events.iter().map(KeptEvent::event));
    let ending = Ending::of(events.iter().map(KeptEvent::event));
    Ok(ending.failed_for(&nodes).map(str::to_owned))
}

/// The nodes that have failed, as its log tells: of a map that has failed the map alone,
/// which takes up its instances.
fn failed(target: &Target) -> anyhow::Result<Vec<String>> {
    let (mut store, _) = target.database().holding(target.execution())?;
    let events = log::kept(&mut store, target.execution())?;
    let nodes = Nodes::of(events.iter().map(KeptEvent::event));
    let map_has_failed = |node: &Node| {
        let map = node.map().and_then(|map| nodes.named(map));
        map.is_some_and(|map| map.state != NodeState::Waiting)
    };
    let failed = nodes.iter().filter(|node| node.has_failed());
    let failed = failed.filter(|node| !map_has_failed(node));
    Ok(failed.map(|node| node.id.clone()).collect())
}
