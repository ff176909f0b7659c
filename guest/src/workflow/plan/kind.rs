//! What nodes do, as far as scheduling is concerned.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::index::NodeIx;
use crate::condition::Expression;
use crate::template::{KindTemplate, TextTemplate};
use crate::time::{Millis, Timestamp};

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
