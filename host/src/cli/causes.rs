//! The nodes that an execution failed for, or that hold it up.

use std::collections::BTreeSet;

use refrain::model::{Inspection, NodeState};
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::{ExecutionRecord, ended};

use super::ending::Ending;
use super::shown_nodes::ShownNodes;

/// Those that have begun and have not ended well, without those that the execution does not
/// fail for; and those that could run and are held back. All others wait for these, or are
/// settled.
pub(super) fn of(
    record: &ExecutionRecord,
    nodes: &Nodes,
    ending: &Ending,
    inspection: &Inspection,
) -> Vec<String> {
    let is_cause = |node: &&Node| {
        !matches!(
            node.state,
            NodeState::Completed | NodeState::Skipped | NodeState::Cancelled | NodeState::Pending
        )
    };
    // What became of an instance of a settled map holds nothing up.
    let is_open = |node: &&Node| {
        let map = node.map().and_then(|map| nodes.named(map));
        map.is_none_or(|map| matches!(map.state, NodeState::Waiting | NodeState::Failed))
    };
    let shown = ShownNodes::of(inspection);
    // Of a map, it is the map that fails the execution.
    let fails_it = |node: &&Node| {
        let id = node.map().unwrap_or(&node.id);
        let is_failed_for = match ended(record.status) {
            true => ending.is_failed_for(id),
            false => !shown.is_handled(id),
        };
        node.state != NodeState::Failed || node.undoes().is_some() || is_failed_for
    };
    let causes = nodes.iter().filter(is_cause).filter(is_open);
    let mut causes: Vec<&Node> = causes.filter(fails_it).collect();
    // What has failed comes first: the rest may only be waiting for what follows on that.
    causes.sort_by_key(|node| node.state != NodeState::Failed);
    let begun: BTreeSet<&str> = causes.iter().map(|node| node.id.as_str()).collect();
    let ready = shown.ready().filter(|id| !begun.contains(id));
    let begun = causes.iter().map(|node| node.id.clone());
    begun.chain(ready.map(str::to_owned)).collect()
}
