//! Which events about children settle the node that started them (rules R22 and R23).

use super::graph::Graph;
use crate::model::Event;
use crate::model::{EventKind, Status, node_of_run};

/// The node that completes with the event at this place of a log, and the patch of it, if
/// that is an event about a child. An end that another iteration follows completes nothing,
/// nor does one that is the last of too many.
pub(super) fn by_a_child<'a>(
    graph: &Graph,
    events: &'a [Event],
    place: usize,
) -> Option<(&'a str, String)> {
    let nothing = || "{}".to_owned();
    match &events[place].kind {
        EventKind::ChildStarted(it) => {
            let child = graph.child(node_of_run(&it.node_id))?;
            child.is_detached.then(|| (it.node_id.as_str(), nothing()))
        }
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            let goes_on = events[place + 1..].iter().any(|event| match &event.kind {
                EventKind::ChildRequested(next) => next.node_id == it.node_id,
                EventKind::NodeExhausted(next) => next.node_id == it.node_id,
                _ => false,
            });
            let child = graph.child(node_of_run(&it.node_id))?;
            let patch = it.output.as_deref();
            let patch = patch.map_or_else(nothing, |output| child.patch(&it.node_id, output));
            (!goes_on).then_some((it.node_id.as_str(), patch))
        }
        _ => None,
    }
}
