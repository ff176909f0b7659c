//! A valid workflow, resolved: ids are indexes, conditions are compiled, orders are computed.
//!
//! Nothing behind this door checks a workflow again.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use serde_json::value::RawValue;

use super::names::NameIndex;
use crate::condition::{Expression, Root};
use crate::decimal::Decimal;
use crate::template::{KindTemplate, TextTemplate};
use crate::time::{Millis, Timestamp};

/// The target that is no node: the terminal.
pub(crate) const END: &str = "end";

/// A node, by its place in the order of rule R2: (rank, id by UTF-8 bytes).
/// Comparing two indexes compares that order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct NodeIx(pub u32);

/// An edge, by its place in [`Plan::edges`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct EdgeIx(pub u32);

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
}

impl Plan {
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
    /// Its outgoing edges: a range of [`Plan::edges`].
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

/// What a node does, as far as scheduling is concerned.
#[derive(Debug)]
pub enum Kind {
    /// A work item for a worker (rule R5).
    Work(Work),
    /// Takes its first true branch (rule R7). Never without branches.
    Condition(Vec<Branch>),
    /// Completes at once; its branches are ordinary edges.
    Parallel,
    /// Completes when it is ready.
    Join(Join),
    /// Waits for a time, an external event, or either (rule R19).
    Wait(Wait),
    /// Waits for a person (rule R19).
    HumanApproval(HumanApproval),
    /// Runs its body for each element of a list (rule R21).
    Map(Box<Map>),
    /// Starts a child, and completes with it (rule R22).
    Subgraph(Box<Subgraph>),
    /// Fails for good: a limit of the workflow's own was reached.
    LimitExceeded {
        /// The node's `description`, for the error.
        description: Option<String>,
    },
    /// Fixes the ending, and stops what is under way (rule R24).
    Terminate(Terminate),
}

/// A node that a worker does.
#[derive(Debug)]
pub struct Work {
    /// The queue: the node's own, else that of its kind.
    pub queue: Cow<'static, str>,
    /// How urgent its work items are; None: as urgent as the execution's.
    pub priority: Option<u32>,
    /// The kind, where texts in it hold expressions (rule R29). None: a worker gets it
    /// as it is written.
    pub template: Option<Box<KindTemplate>>,
    /// The input: name and expression, sorted by name. None: all of state and
    /// input.
    pub input_mapping: Option<Vec<(String, Expression)>>,
    /// For a finalizer: the endings it runs on (rule R16).
    pub finalizer: Option<RunOn>,
}

/// A node that runs its body for each element of a list (rule R21). The node's retry
/// policy and timeout are each instance's.
#[derive(Debug)]
pub struct Map {
    /// What it is over.
    pub over: Expression,
    /// What each instance is.
    pub body: Body,
    /// The kind's `body`, verbatim, for the payloads of work items.
    pub body_json: Box<RawValue>,
    /// How many instances may be under way. None: as many as the execution allows.
    pub max_concurrent: Option<u32>,
    /// How many instances may fail.
    pub tolerance: Tolerance,
    /// As many completed or skipped instances are enough. None: all have to settle.
    pub complete_after: Option<u32>,
    /// Whether what is under way is cancelled once the map has completed.
    pub cancel_rest: bool,
    /// The key of the list of outputs. None: the node's id.
    pub output_key: Option<String>,
    /// The most elements.
    pub max_items: u32,
}

/// What each instance of a map is.
#[derive(Debug)]
pub enum Body {
    /// A worker does it.
    Work(Work),
    /// It starts a child.
    Child(Subgraph),
}

/// A node, or an instance of one, that starts a child (rule R22).
#[derive(Debug)]
pub struct Subgraph {
    /// The child's workflow: its id and version. None: it is written in place.
    pub workflow: Option<(String, String)>,
    /// The queues that the nodes of a workflow written in place are dispatched to.
    pub queues: Vec<String>,
    /// The input: name and expression, sorted by name. None: all of state and input.
    pub input_mapping: Option<Vec<(String, Expression)>>,
    /// What becomes of the child's final state.
    pub gives: Gives,
    /// Whether it starts one child after another (rule R23).
    pub repeat: Option<Repeat>,
}

/// What becomes of a child's final state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// It stands in the state under this key. None: under the node's id.
    Under(Option<String>),
    /// Its keys are merged into the state.
    Merged,
    /// It is not waited for.
    Detached,
}

/// How often a node starts its child (rule R23).
#[derive(Debug)]
pub struct Repeat {
    /// Whether it goes on, judged when an iteration has ended well.
    pub condition: Expression,
    /// The most iterations; at least 1.
    pub max: u32,
    /// Whether the node completes when it would go on after the last one; else it fails.
    pub completes_at_max: bool,
}

/// How many instances of a map may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// So many.
    Failures(u32),
    /// So many of a hundred, of all that there are.
    Percent(u32),
}

impl Tolerance {
    /// Whether so many failures are too many, of so many instances.
    #[must_use]
    pub fn is_exceeded(self, failures: u32, count: u32) -> bool {
        match self {
            Self::Failures(most) => failures > most,
            Self::Percent(percent) => {
                u64::from(failures) * 100 > u64::from(percent) * u64::from(count)
            }
        }
    }
}

/// The endings that a finalizer runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOn {
    /// No node failed.
    Success,
    /// A node failed, or time ran out.
    Failure,
    /// Every ending, cancellation included.
    Always,
}

/// A text that the scheduler itself reads.
#[derive(Debug)]
pub enum PlanText {
    /// As it is written.
    Literal(String),
    /// With expressions, which are resolved when the wait begins (rule R29).
    Template(TextTemplate),
}

impl PlanText {
    /// The text, if nothing has to be known for it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Template(_) => None,
        }
    }
}

/// One branch of a `condition` node.
#[derive(Debug)]
pub struct Branch {
    /// None is true.
    pub condition: Option<Expression>,
    /// Where it leads.
    pub target: Target,
}

/// Where a choice leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a node, by the edge that leads there.
    Node(NodeIx),
    /// To `"end"`: all edges are dead.
    End,
}

/// When a `join` is ready. A `custom` one is [`Kind::Work`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// As rule R3 has it.
    Collect,
    /// At its first live edge; what comes later changes nothing.
    First {
        /// Whether the nodes that lead only to the join are stopped then (rule R24).
        cancel_rest: bool,
    },
    /// At so many live edges; what comes later changes nothing.
    Count {
        /// How many.
        edges: u32,
        /// Whether the nodes that lead only to the join are stopped then (rule R24).
        cancel_rest: bool,
    },
}

impl Join {
    /// How many live edges make it ready; `None`: it waits until each edge is settled.
    #[must_use]
    pub const fn needed(self) -> Option<u32> {
        match self {
            Self::Collect => None,
            Self::First { .. } => Some(1),
            Self::Count { edges, .. } => Some(edges),
        }
    }

    /// Whether the nodes that lead only to it are stopped once it is settled.
    #[must_use]
    pub const fn cancels_rest(self) -> bool {
        match self {
            Self::Collect => false,
            Self::First { cancel_rest } | Self::Count { cancel_rest, .. } => cancel_rest,
        }
    }
}

/// How a `terminate` ends the execution (rule R24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminate {
    /// Whether it fails the execution; else it completes it.
    pub fails: bool,
    /// Why.
    pub reason: Option<String>,
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

/// What a `wait` node waits for.
#[derive(Debug)]
pub struct Wait {
    /// The timer; None: there is none.
    pub timer: Option<Timer>,
    /// The external event; None: none is waited for.
    pub correlation_key: Option<PlanText>,
    /// Whether the timer's end completes the node (`timer`, `either`) or is a
    /// timeout that fails it (`external_event`).
    pub timer_completes: bool,
    /// Whether it takes an event that came before it waited.
    pub takes_kept: bool,
}

/// When a wait ends by itself.
#[derive(Debug)]
pub enum Timer {
    /// So long after it began.
    After(Millis),
    /// At this time.
    At(Timestamp),
    /// At the time that this text comes to as it begins (rule R29).
    ToldBy(TextTemplate),
}

/// What a `human_approval` node asks.
#[derive(Debug)]
pub struct HumanApproval {
    /// What the person is asked.
    pub description: PlanText,
    /// How long to wait; None: for ever.
    pub timeout: Option<Millis>,
    /// Where to go when nobody answers in time; None: the node fails.
    pub fallback: Option<Target>,
}

/// What follows a failed attempt (rules R11 and R12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included; at least 1.
    pub max_attempts: u32,
    /// The delays; None: 2^min(n, 6) seconds.
    pub backoff: Option<Backoff>,
    /// The error classes that are retried; empty: all.
    pub retryable_on: Vec<String>,
    /// Stall instead of failing for good (`on_exhausted: pause`).
    pub pause_when_exhausted: bool,
}

/// How long to wait before a further attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How the delay grows.
    pub growth: Growth,
    /// The delay after the first failed attempt.
    pub initial: Millis,
    /// The longest delay.
    pub max: Millis,
    /// Whether to spread delays over [50 %, 100 %] of themselves.
    pub jitter: bool,
}

/// How a delay grows with failed attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Always the same.
    Fixed,
    /// n times the first.
    Linear,
    /// Twice the one before.
    Exponential,
}
