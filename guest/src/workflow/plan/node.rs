//! The nodes of a plan, and its edges.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use serde_json::value::RawValue;

use super::index::{EdgeIx, NodeIx};
use super::kind::{Body, Kind, PlanText, Subgraph, Timer, Work};
use super::retry::RetryPolicy;
use crate::condition::{Expression, Root};
use crate::time::Millis;

/// One node of a plan.
#[derive(Debug)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// The longest path from the start node, in edges.
    pub rank: u32,
    /// What it does, as far as scheduling is concerned.
    pub kind: Kind,
    /// The node's `kind` object, verbatim, for work item payloads.
    pub kind_json: Box<RawValue>,
    /// Its outgoing edges: a range of [`Plan::edges`](super::Plan::edges).
    pub outgoing: Range<u32>,
    /// Its incoming edges.
    pub incoming: Vec<EdgeIx>,
    /// The conditions of its edges to `"end"` that handle its failure (rule R26);
    /// `None` is true.
    pub failure_ends: Vec<Option<Expression>>,
    /// Whether an edge leads from it to `"end"`.
    pub leads_to_end: bool,
    /// What follows a failed attempt.
    pub retry: RetryPolicy,
    /// How long one attempt may take (rule R14).
    pub timeout: Option<Millis>,
    /// What undoes it, or each of its instances (rule R27). None: nothing does.
    pub compensation: Option<Box<Compensation>>,
}

impl Node {
    /// Whether an expression of it reads something that begins with this root.
    #[must_use]
    pub fn reads(&self, root: Root) -> bool {
        let reads = |it: &Expression| it.reads(root);
        let of_mapping = |mapping: &Option<Vec<(String, Expression)>>| {
            let mut values = mapping.iter().flatten();
            values.any(|(_, value)| reads(value))
        };
        let of_work = |work: &Work| {
            let template = work.template.as_ref();
            template.is_some_and(|it| it.reads(root)) || of_mapping(&work.input_mapping)
        };
        let of_child = |child: &Subgraph| {
            let repeat = child.repeat.as_ref();
            repeat.is_some_and(|it| reads(&it.condition)) || of_mapping(&child.input_mapping)
        };
        let of_text =
            |text: &PlanText| matches!(text, PlanText::Template(text) if text.reads(root));
        let of_compensation = self.compensation.as_ref();
        of_compensation.is_some_and(|it| of_work(&it.work))
            || match &self.kind {
                Kind::Work(work) => of_work(work),
                Kind::Subgraph(child) => of_child(child),
                Kind::Map(map) => match &map.body {
                    Body::Work(work) => of_work(work),
                    Body::Child(child) => of_child(child),
                },
                Kind::Wait(wait) => {
                    matches!(&wait.timer, Some(Timer::ToldBy(text)) if text.reads(root))
                        || wait.correlation_key.as_ref().is_some_and(of_text)
                }
                Kind::HumanApproval(approval) => of_text(&approval.description),
                Kind::Condition(_)
                | Kind::Parallel
                | Kind::Join(_)
                | Kind::LimitExceeded { .. }
                | Kind::Terminate(_) => false,
            }
    }
}

/// What undoes a node, or each of its instances, where the execution ends otherwise than
/// well (rule R27).
#[derive(Debug)]
pub struct Compensation {
    /// A worker does it.
    pub work: Work,
    /// The node's `compensate`, verbatim, for the payloads of work items.
    pub json: Box<RawValue>,
    /// How long one attempt may take: as long as one of the node, else as the workflow says
    /// of each attempt of a worker (rule R14).
    pub timeout: Option<Millis>,
}

/// One edge of a plan.
#[derive(Debug)]
pub struct Edge {
    /// Where it comes from.
    pub from: NodeIx,
    /// Where it leads.
    pub to: NodeIx,
    /// How it becomes live.
    pub rule: EdgeRule,
    /// What has to become of its source for that.
    pub on: On,
}

/// What has to become of a node for an edge that leaves it to be live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// It completes, or counts as completed (rule R7).
    Success,
    /// It fails for good, and the edge handles that (rule R26).
    Failure,
    /// Either of them.
    Always,
}

impl On {
    /// Whether the edge is judged when its source completes.
    #[must_use]
    pub const fn judges_success(self) -> bool {
        !matches!(self, Self::Failure)
    }

    /// Whether the edge is judged when its source fails for good.
    #[must_use]
    pub const fn judges_failure(self) -> bool {
        !matches!(self, Self::Success)
    }
}

/// How an edge becomes live when its source completes.
#[derive(Debug)]
pub enum EdgeRule {
    /// Live if the condition holds, or if there is none. Where the source names
    /// a chosen target, that alone decides.
    Ordinary(Option<Expression>),
    /// A target inside the source's kind that is only taken when chosen: a
    /// branch, a fallback, a violation target. With the explicit edge to the
    /// same target, if there is one, it is one edge.
    Chosen,
}
