//! How a node that the guest settles itself comes to its end, as an event.

use alloc::string::{String, ToString};

use crate::contract::{EventKind, NodeExhausted, NodeFailure, NodeSettled};
use crate::machine::Machine;
use crate::workflow::plan::NodeIx;

/// A completion without a worker.
pub(super) fn completion(
    machine: &Machine,
    ix: NodeIx,
    output: String,
    state_patch: String,
    chosen_target: Option<String>,
) -> EventKind {
    EventKind::NodeSettled(NodeSettled {
        node_id: machine.node_id(ix),
        output,
        state_patch,
        chosen_target,
    })
}

/// A node without work items fails for good.
pub(super) fn exhaustion(machine: &Machine, ix: NodeIx, cause: NodeFailure) -> EventKind {
    EventKind::NodeExhausted(NodeExhausted {
        node_id: machine.node_id(ix),
        attempts: 0,
        cause,
    })
}

pub(super) fn null() -> String {
    "null".to_string()
}

pub(super) fn empty() -> String {
    "{}".to_string()
}
