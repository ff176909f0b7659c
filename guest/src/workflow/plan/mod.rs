//! A valid workflow, resolved: ids are indexes, conditions are compiled, orders are computed.
//!
//! Nothing behind this door checks a workflow again.

mod index;
mod retry;
mod kind;
mod node;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::names::NameIndex;
use crate::decimal::Decimal;
use crate::time::Millis;

pub(crate) use index::END;
pub use index::{EdgeIx, NodeIx};
pub use kind::{
    Body, Branch, Gives, HumanApproval, Join, Kind, Map, PlanText, Repeat, RunOn, Subgraph, Target,
    Terminate, Timer, Tolerance, Wait, Work,
};
pub use node::{Compensation, Edge, EdgeRule, Node, On};
pub use retry::{Backoff, Growth, RetryPolicy};

/// A valid workflow. Immutable.
#[derive(Debug)]
pub struct Plan {
    /// The workflow's id.
    pub workflow_id: String,
    /// The workflow's version: three numbers, or what comes of the text where it says
    /// none.
    pub version: String,
    /// The nodes in the order of rule R2. A finalizer's rank counts the edges
    /// among finalizers only.
    pub nodes: Vec<Node>,
    /// The nodes by their ids: what [`Plan::find`] searches.
    pub(super) by_id: NameIndex,
    /// The edges, sorted by (source, target); those inside kinds included,
    /// those to `"end"`, and those from other nodes to a finalizer, left out.
    pub edges: Vec<Edge>,
    /// The node that is ready at once.
    pub start: NodeIx,
    /// How long the execution may take (rule R14).
    pub workflow_timeout: Option<Millis>,
    /// The workflow's own narrowing of `max_concurrent_nodes` (rule R4).
    pub max_concurrent_nodes: Option<u32>,
    /// The workflow's own narrowing of `max_dispatch_per_tick` (rule R4).
    pub max_dispatch_per_tick: Option<u32>,
    /// What executions may use up of tokens and money (rule R28).
    pub budgets: Option<Budgets>,
    /// The correlation keys of waits none of which takes what came before it waited (rule
    /// R19): such events are not kept.
    pub transient_keys: BTreeSet<String>,
    /// Whether an expression reads how nodes have failed whose failure an edge handles (rule
    /// R26): then that is kept.
    pub reads_errors: bool,
    /// Where there are fields that change nothing, as JSON pointers.
    pub ignored: Vec<String>,
    /// The ids of nodes that no path leads to; they are skipped at the start.
    pub unreachable: Vec<String>,
}

impl Plan {
    /// The node of an id.
    #[must_use]
    pub fn find(&self, node_id: &str) -> Option<NodeIx> {
        let id = |ix: u32| self.nodes[ix as usize].id.as_str();
        self.by_id.find(node_id, id).map(NodeIx)
    }

    /// The queues that its nodes are dispatched to, and those of workflows that they
    /// have written in place.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().flat_map(|node| {
            let (work, child) = match &node.kind {
                Kind::Work(work) => (Some(work), None),
                Kind::Subgraph(child) => (None, Some(&**child)),
                Kind::Map(map) => match &map.body {
                    Body::Work(work) => (Some(work), None),
                    Body::Child(child) => (None, Some(child)),
                },
                _ => (None, None),
            };
            let of_child = child.into_iter().flat_map(|child| &child.queues);
            let undo = node.compensation.as_ref().map(|it| &it.work);
            let of_work = work.into_iter().chain(undo).map(|work| &*work.queue);
            of_work.chain(of_child.map(String::as_str))
        })
    }
}

/// The budgets of a workflow (rule R28); at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Tokens of models, input and output together.
    pub total_tokens: Option<u64>,
    /// Input tokens of models.
    pub input_tokens: Option<u64>,
    /// Output tokens of models.
    pub output_tokens: Option<u64>,
    /// US dollars.
    pub cost_usd: Option<Decimal>,
    /// Whether the execution is stalled when one is spent; else it fails.
    pub pauses: bool,
}
