//! The expression that a node's own end came of: whether its child was repeated (rule
//! R23), what a map was over (rule R21).

use alloc::string::ToString;

use super::reason::because;
use super::seen::{Seen, Use, Watched};
use crate::condition::Expression;
use crate::contract::{FalseCondition, NodeFailure, NodeState, Reason, ReasonCause};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::workflow::plan::Kind;

/// The expression, where the node has one that may be why it is settled.
pub(super) fn own_expression(machine: &Machine, run: RunIx) -> Option<Watched> {
    let (of, expression) = used(machine, run)?;
    Some(Watched::new(of, expression))
}

fn used(machine: &Machine, run: RunIx) -> Option<(Use, &Expression)> {
    let record = machine.record(run);
    let is_no_list = || {
        let failure = record.failure.as_ref();
        failure.is_some_and(|failure| failure.cause == NodeFailure::NotAList)
    };
    match &machine.node(run).kind {
        _ if !run.is_own() => None,
        Kind::Subgraph(subgraph) if record.state == NodeState::Completed => {
            let repeat = subgraph.repeat.as_ref()?;
            Some((Use::Repeat(run.node), &repeat.condition))
        }
        Kind::Map(map) if record.state == NodeState::Failed && is_no_list() => {
            Some((Use::Over(run.node), &map.over))
        }
        _ => None,
    }
}

/// What the node read as it was settled: its child is not repeated because `while` was
/// false, or there is no list at `over`. The node stands in the place of the one that an
/// edge comes from.
pub(super) fn why_so(machine: &Machine, run: RunIx, seen: &Seen) -> Option<Reason> {
    let (of, expression) = used(machine, run)?;
    seen.knows(of).then(|| {
        because(ReasonCause::FalseCondition(FalseCondition {
            node_id: machine.node_id(run),
            condition: expression.text().to_string(),
            seen: seen.at(of),
        }))
    })
}
