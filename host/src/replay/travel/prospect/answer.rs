//! What would make a node run: the answer.

use crate::model::{NodeState, Status};
use crate::store::Timestamp;

/// What would make a node run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prospect {
    /// It runs already: a worker is at it or may claim its work item, or its instances or its
    /// child are under way.
    Begun(NodeState),
    /// This would.
    Needs(Needs),
    /// Nothing will: it is settled.
    Settled(NodeState),
    /// Nothing will: the execution has ended.
    Ended(Status),
    /// Nothing will: the execution is coming to its end, and this node is no part of that.
    Ending,
    /// Nothing was found, and all ways that lead to it were tried.
    NotFound,
    /// Nothing was found, and there was more to try than is tried.
    CutOff,
}

/// What would make a node run, or, if it waits for a time, an event or a person, settle it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// What an operator has to do first.
    pub acts: Vec<NeededAct>,
    /// What has to happen then, in an order in which it can. If none of these and none of the
    /// acts is there, the next step alone does it.
    pub facts: Vec<NeededFact>,
    /// What is taken for granted of results that are not known yet.
    pub assumptions: Vec<Assumption>,
    /// Whether none of the acts and facts can be left out while the assumptions hold. `false`
    /// if there are more of them than could be tried.
    pub is_minimal: bool,
    /// Whether none of the assumptions can be left out: without it, results could come that
    /// this does not do for, or for which less would do. `false` if there are more of them than
    /// could be tried.
    pub has_least_assumptions: bool,
}

/// What an operator has to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NeededAct {
    /// End the pause.
    Unpause,
    /// Lift the stall of the host, or that on a budget.
    Lift,
    /// Have this node tried again.
    Retry(String),
}

/// What has to happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NeededFact {
    /// The worker or the child of this node, or of this instance, completes it.
    Complete(String),
    /// This node, or this instance, fails for good; if it waits for a person, that is a
    /// rejection.
    Fail(String),
    /// A person approves this node.
    Approve(String),
    /// The external event comes that this node waits for.
    Signal {
        /// The node.
        node_id: String,
        /// The event's correlation key.
        correlation_key: String,
    },
    /// Time passes.
    Time {
        /// Up to this time; if what comes before takes its time, up to a later one.
        at: Timestamp,
        /// The node that waits for it. `None` if it is about none.
        node_id: Option<String>,
    },
    /// Time passes, up to one that follows on a result that is not known yet.
    UnknownTime {
        /// The node that waits for it. `None` if it is about none.
        node_id: Option<String>,
    },
}

/// What is taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Assumption {
    /// What a condition comes to.
    Condition {
        /// The node in whose settling it is judged.
        from: String,
        /// Where it leads.
        to: String,
        /// The condition, as the workflow has it.
        condition: String,
        /// Whether it is taken to hold.
        holds: bool,
    },
    /// The target that the worker of a node chooses.
    Choice {
        /// The node.
        node_id: String,
        /// The target.
        target: String,
    },
    /// The loop of a node ends with the iteration that is under way, or begins next.
    LoopEnds {
        /// The node.
        node_id: String,
        /// The condition to go on, as the workflow has it.
        condition: String,
    },
    /// An expression has a value of the type that is needed. If it is what a map is over, that
    /// is a list of one element.
    Value {
        /// The node.
        node_id: String,
        /// Where the expression stands, a JSON pointer into the node.
        pointer: String,
    },
}
