//! Machines in the middle of a history, and worlds at its beginning.

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::Event;
use refrain_guest::machine::Machine;
use refrain_guest::notation::{Graph, Memory};
use refrain_guest::strategies::{History, Workflow};

/// The machine that has read this much of a legal log.
pub(crate) fn read(workflow: &Workflow, log: &[Event]) -> Machine {
    let mut machine = begun(workflow, &log[0]);
    for event in &log[1..] {
        apply(&mut machine, event).expect("the log is legal");
    }
    machine
}

/// The machine that has read event 1.
pub(crate) fn begun(workflow: &Workflow, first: &Event) -> Machine {
    start(workflow.plan().clone(), &workflow.digest(), first).expect("it starts")
}

/// The world of a history before anything happened.
pub(crate) fn empty(history: &History) -> Memory {
    Memory::new(&graph(history.workflow(), history.workflow().text()), 0)
}

/// What a workflow is started with, but with another text.
pub(crate) fn graph(workflow: &Workflow, text: &str) -> Graph {
    Graph {
        workflow: text.to_owned(),
        limits: workflow.limits(),
        input: workflow.input().to_owned(),
        seed: workflow.seed(),
    }
}
