//! What a join does without once it is settled (rule R24).

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use crate::machine::Machine;
use crate::node::is_settled;
use crate::state::is_finalizer;
use crate::workflow::plan::NodeIx;

/// Note the nodes that are to be stopped or left out, because they lead to nothing but
/// this join: all of whose edges lead to it, or to another such node.
pub(super) fn note_rest(machine: &mut Machine, join: NodeIx) {
    let rest = rest(machine, join);
    let open = |ix: &NodeIx| !is_settled(machine.record(*ix).state);
    let open: Vec<NodeIx> = rest.into_iter().filter(open).collect();
    machine.state.unneeded.extend(open);
}

/// From the join backwards: a node is found with the last of its edges. That costs what
/// leads to those that are found.
fn rest(machine: &Machine, join: NodeIx) -> Vec<NodeIx> {
    let mut rest = Vec::new();
    let mut elsewhere: BTreeMap<NodeIx, usize> = BTreeMap::new();
    let mut found = Vec::from([join]);
    while let Some(ix) = found.pop() {
        for edge in &machine.node(ix).incoming {
            let from = machine.plan.edges[edge.0 as usize].from;
            let node = machine.node(from);
            if node.leads_to_end || is_finalizer(&node.kind) {
                continue;
            }
            let left = match elsewhere.entry(from) {
                Entry::Vacant(entry) => entry.insert(node.outgoing.len()),
                Entry::Occupied(entry) => entry.into_mut(),
            };
            *left -= 1;
            if *left == 0 {
                rest.push(from);
                found.push(from);
            }
        }
    }
    rest
}
