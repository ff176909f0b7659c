//! One reason, in a sentence.

use alloc::format;
use alloc::string::String;

use crate::contract::{Reason, ReasonTopic};
use crate::guards::max_concurrent;
use crate::machine::Machine;
use crate::workflow::plan::NodeIx;

pub(super) fn say(topic: ReasonTopic, message: String) -> Reason {
    Reason { topic, message }
}

pub(super) fn no_room(machine: &Machine, ix: NodeIx) -> Reason {
    let sentence = format!(
        "node `{}` could run, but {} of {} nodes (max_concurrent_nodes) are in flight",
        machine.node(ix).id,
        machine.agenda.in_flight,
        max_concurrent(machine)
    );
    say(ReasonTopic::Limit, sentence)
}
