//! Acts that were refused: what helps, and what was perhaps meant.

use refrain::EngineError;
use refrain::log::KeptEvent;
use refrain::names;
use refrain::replay::nodes::Nodes;
use refrain::resembling::resembling;
use refrain::store::{ExecutionRecord, Reader, ended};

use super::act::Target;
use super::text::text;
use super::why_ended::Written;
use super::{Answer, children, failure, log};

/// What came of an act on a node. Where it was refused because the execution has ended, what
/// helps is a fork from before that node.
pub(super) fn unless_ended(
    target: &Target,
    node: Option<&str>,
    answer: anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let (Err(error), Some(node)) = (&answer, node) else {
        return answer;
    };
    if !matches!(error.downcast_ref(), Some(EngineError::Refused { .. })) {
        return answer;
    }
    let (mut store, record) = target.database().holding(target.execution())?;
    let status = record.status;
    if !ended(status) {
        return answer;
    }
    let events = log::kept(&mut store, target.execution())?;
    // There is no fork from before what never began.
    if Nodes::of(events.iter().map(KeptEvent::event))
        .named(node)
        .is_none()
    {
        return answer;
    }
    let (id, fork) = (
        target.execution(),
        target
            .database()
            .command_to_fork_from(target.execution(), node),
    );
    Err(failure::curable_by(
        "ended",
        format!(
            "{id} has ended ({}), and nothing follows on an end; to go on, fork it",
            names::status(status)
        ),
        text!(
            "`{}` makes another one that goes on from before {:?}",
            fork,
            node
        ),
    ))
}

/// What came of an act on a node that was to wait. Where it was refused, and a node below
/// waits for somebody, that one was perhaps meant; else one whose name looks like this.
pub(super) fn unless_below(
    target: &Target,
    node: &str,
    answer: anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    unless(
        target,
        answer,
        |store, record, written| match waiting_below(store, record, written, node)? {
            Some(below) => Ok(Some(below)),
            None => Ok(misspelled(record, written, node)),
        },
    )
}

/// What came of an act on a node. Where it was refused because the execution has no such
/// node, and has one whose name looks like this: that one was perhaps meant.
pub(super) fn unless_misspelled(
    target: &Target,
    node: &str,
    answer: anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    unless(target, answer, |_, record, written| {
        Ok(misspelled(record, written, node))
    })
}

/// What came of an act. Where it was refused, and this says what was perhaps meant: that.
fn unless(
    target: &Target,
    answer: anyhow::Result<Answer>,
    meant: impl FnOnce(
        &mut dyn Reader,
        &ExecutionRecord,
        &Written,
    ) -> anyhow::Result<Option<anyhow::Error>>,
) -> anyhow::Result<Answer> {
    if !answer.as_ref().is_err_and(is_refused) {
        return answer;
    }
    let (mut store, record) = target.database().holding(target.execution())?;
    let written = Written::of(&mut store, &record)?;
    meant(&mut store, &record, &written)?.map_or(answer, Err)
}

fn is_refused(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(EngineError::Refused { .. } | EngineError::UnknownNode { .. })
    )
}

/// So many children of an execution are looked through for a node that was perhaps meant.
const MEANT_MAX: usize = 100;

/// Names the node that waits for somebody in a child: in any if the execution has no node of
/// this name, else in the child of this node.
fn waiting_below(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    written: &Written,
    node: &str,
) -> anyhow::Result<Option<anyhow::Error>> {
    let id = record.id;
    let is_known = written.has_node(node);
    let tree = children::tree(store, id, record.last_at, MEANT_MAX)?;
    let waiting = children::waiting_nodes(&tree, "");
    let is_meant = |way: &&String| match is_known {
        true => {
            let below = way.strip_prefix(node);
            below.is_some_and(|below| below.starts_with('/'))
        }
        false => way.rsplit('/').next() == Some(node),
    };
    let Some(meant) = waiting.iter().find(is_meant) else {
        return Ok(None);
    };
    let why = match is_known {
        true => format!("node {node:?} of {id} does not wait itself"),
        false => format!("{id} has no node {node:?}"),
    };
    Ok(Some(failure::curable_by(
        "unknown_node",
        format!("{why}; did you mean {meant:?}, which waits in a child of it?"),
        text!("name the node by the way to it: {:?}", meant),
    )))
}

/// Names the node whose name looks like this, if the execution has no node of this name.
fn misspelled(record: &ExecutionRecord, written: &Written, node: &str) -> Option<anyhow::Error> {
    if written.has_node(node) {
        return None;
    }
    let meant = resembling(node, written.nodes())?;
    Some(failure::curable_by(
        "unknown_node",
        format!("{} has no node {node:?}", record.id),
        text!("did you mean {:?}?", meant),
    ))
}
