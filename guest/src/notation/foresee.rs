//! What becomes of a row's facts, each offered alone.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::apply::{apply, start};
use crate::contract::{Event, Fact, IllegalEvent};
use crate::digest::digest_of_text;
use crate::machine::Machine;
use crate::workflow;

use super::facts::facts;
use super::graph::Graph;
use super::row::Action;
use super::world::Memory;

/// Facts, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// All of them, as a step is given them.
    pub facts: Vec<Fact>,
    /// Those of them that may not stand, by their place, and why.
    pub refused: Vec<(u32, String)>,
    /// The last event when those are appended that may.
    pub last_sequence: usize,
}

/// The facts that these actions stand for, one after the other: each sees what
/// has become of those before it. Where the log is empty, event 1 comes first.
///
/// # Errors
/// What of an action cannot be read, or why the log cannot go on at all.
pub fn foresee(world: &Memory, graph: &Graph, actions: &[Action<'_>]) -> Result<Foreseen, String> {
    let mut world = world.clone();
    let mut foreseen = Foreseen {
        facts: Vec::new(),
        refused: Vec::new(),
        last_sequence: 0,
    };
    if world.events.is_empty() {
        let first = world.start(graph);
        foreseen.facts.push(first.kind.clone());
        world.append_fact(first);
    }
    let mut machine = machine_of(&world.workflow, &world.events)?;
    for action in actions {
        for kind in facts(&world, action)? {
            let fact = world.fact(kind.clone());
            match apply(&mut machine, &fact) {
                Ok(()) => world.append_fact(fact),
                Err(IllegalEvent { reason, .. }) => {
                    foreseen.refused.push((foreseen.facts.len() as u32, reason));
                }
            }
            foreseen.facts.push(kind);
        }
    }
    foreseen.last_sequence = world.events.len();
    Ok(foreseen)
}

fn machine_of(text: &str, log: &[Event]) -> Result<Machine, String> {
    let why = |illegal| format!("the log cannot be read: {illegal:?}");
    let plan = workflow::parse(text).map_err(|faults| format!("it has faults: {faults:?}"))?;
    let (first, rest) = log.split_first().ok_or("the log is empty")?;
    let mut machine = start(Arc::new(plan), &digest_of_text(text), first).map_err(why)?;
    for event in rest {
        apply(&mut machine, event).map_err(why)?;
    }
    Ok(machine)
}
