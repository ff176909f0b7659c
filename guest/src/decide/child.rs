//! A node asks for a child (rules R22 and R23).

use alloc::format;
use alloc::string::{String, ToString};

use super::decision::{Decision, decision};
use super::dispatch::{Told, push_input};
use crate::contract::{
    ChildName, ChildOrder, ChildRequested, EventKind, NodeExhausted, NodeFailure, WorkOrder,
    WorkflowName,
};
use crate::guards::element;
use crate::instance::RunIx;
use crate::json;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow::plan::Subgraph;

/// The next child of a ready node, or of one that is to be tried again.
pub(super) fn request(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    let subgraph = machine.subgraph(run);
    let subgraph = subgraph.expect("only nodes with a child are filed for requests");
    let input = match input(machine, run, subgraph) {
        Ok(input) => input,
        Err(cause) => return give_up(machine, now, run, cause),
    };
    let name = ChildName {
        node_id: machine.node_id(run),
        attempt: machine.record(run).attempt + 1,
        iteration: machine.iteration(run),
    };
    let workflow = subgraph
        .workflow
        .as_ref()
        .map(|(id, version)| WorkflowName {
            workflow_id: id.clone(),
            version: version.clone(),
        });
    let requested = ChildRequested {
        node_id: name.node_id.clone(),
        attempt: name.attempt,
        iteration: name.iteration,
        workflow: workflow.clone(),
    };
    let order = ChildOrder {
        name,
        workflow,
        input,
    };
    decision(
        machine,
        now,
        EventKind::ChildRequested(requested),
        Some(WorkOrder::StartChild(order)),
    )
}

/// The child's input, which has to be a payload.
fn input(machine: &Machine, run: RunIx, subgraph: &Subgraph) -> Result<String, NodeFailure> {
    let id = machine.node_id(run);
    let element = element(machine, run);
    let index = run.instance().map(|index| index.to_string());
    let element = element.zip(index.as_deref());
    let scope = machine.scope().reading(machine.reads.begin());
    let mut scope = scope.in_node(&id);
    if let Some((item, index)) = element {
        scope = scope.of_instance(item, index);
    }
    let iteration = machine.iteration(run).to_string();
    if subgraph.repeat.is_some() {
        let child = machine.state.children.get(&run);
        let last = child.and_then(|child| child.last.as_deref());
        scope = scope.in_iteration(last.unwrap_or("null"), &iteration);
    }
    let mut input = String::new();
    let mapping = subgraph.input_mapping.as_deref();
    let told = Told {
        element,
        output: None,
    };
    push_input(machine, &mut input, mapping, &scope, told);
    if input.len() <= PAYLOAD_BYTES_MAX && json::check(&input).is_ok() {
        return Ok(input);
    }
    let place = match subgraph.input_mapping {
        Some(_) => "/input_mapping",
        None => "",
    };
    let kind = match run.is_own() {
        true => "/kind",
        false => "/kind/body",
    };
    Err(NodeFailure::TooLarge(format!("{kind}{place}")))
}

/// No further attempt makes its input smaller.
fn give_up(machine: &Machine, now: Timestamp, run: RunIx, cause: NodeFailure) -> Decision {
    let exhausted = NodeExhausted {
        node_id: machine.node_id(run),
        attempts: machine.record(run).attempt,
        cause,
    };
    decision(machine, now, EventKind::NodeExhausted(exhausted), None)
}
