//! What an execution is between two events.
//!
//! Data only. [`crate::apply`] is the one writer; what is to be done next is
//! indexed next to it, in the agenda, and follows from it.

mod node_record;
mod instances;
mod undo;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::contract::{BudgetExcess, StallReason, WorkflowStarted};
use crate::decimal::Decimal;
pub use crate::ending::Ending;
use crate::instance::RunIx;
use crate::json;
use crate::time::Timestamp;
use crate::workflow::Plan;
use crate::workflow::plan::NodeIx;

pub use instances::{InstanceRecord, Instances};
pub use node_record::{
    ChildRecord, Dismissal, Failure, NodeRecord, WaitResult, is_finalizer, is_out_of_reach,
};
pub use undo::UndoRecord;

/// The state of one execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// What event 1 says.
    pub started: WorkflowStarted,
    /// When event 1 says it.
    pub started_at: Timestamp,
    /// Where the log last went its own way, if it is a fork's (law 11): the
    /// sequence of that event, and when it was. Time counts from there.
    pub forked: Option<(u64, Timestamp)>,
    /// The guest that the execution belongs to now (law 10).
    pub guest_digest: String,
    /// The last event.
    pub sequence: u64,
    /// When the last event was.
    pub at: Timestamp,
    /// The merged state of the user's data (rule R10).
    #[serde(with = "crate::json::verbatim")]
    pub data: json::Object,
    /// How nodes failed whose failure an edge has handled, by their ids; where an expression
    /// reads that (rule R26).
    #[serde(with = "crate::json::verbatim")]
    pub errors: json::Object,
    /// The nodes, by their index.
    pub nodes: Vec<NodeRecord>,
    /// The instances of the nodes that were expanded (rule R21).
    pub instances: BTreeMap<NodeIx, Instances>,
    /// What undoes the runs that workers and children have completed, by the run that is
    /// undone, where their nodes have a compensation (rule R27).
    pub undos: BTreeMap<RunIx, UndoRecord>,
    /// The children of those nodes and instances that have asked for one (rule R22).
    pub children: BTreeMap<RunIx, ChildRecord>,
    /// What became of each edge, by its index.
    pub edges: Vec<EdgeFate>,
    /// The ids of the external events that have come (rule R19).
    pub event_ids: BTreeSet<String>,
    /// External events and those who wait for them, by correlation key.
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// What the text of a wait or an approval came to when it began, where it has
    /// expressions (rule R29).
    pub wait_texts: BTreeMap<NodeIx, String>,
    /// The bytes of all payloads that mailboxes keep, and of all outputs that are kept for
    /// compensations.
    pub kept_bytes: u64,
    /// What an operator asked to skip, in the order of asking.
    pub skips: VecDeque<RunIx>,
    /// An operator holds the execution (rule R18).
    pub paused: bool,
    /// Why the host stalled the execution.
    pub host_stall: Option<String>,
    /// What a policy stalled the execution on, and why (rules R11 and R28): a node or an
    /// instance, or none but a budget.
    pub policy_stall: Option<(Option<RunIx>, StallReason)>,
    /// Someone asked for the end (rule R17).
    pub cancel: Option<CancelRequest>,
    /// The workflow's own timeout has passed (rule R14).
    pub timed_out: bool,
    /// What fixed the ending before everything was done (rules R24 and R28).
    pub fixed: Option<Fixed>,
    /// What was used up, where the workflow has budgets (rule R28).
    pub spent: Option<Box<Spent>>,
    /// Nodes that lead to no other than a join that is settled, and that are to be
    /// stopped or left out (rule R24).
    pub unneeded: BTreeSet<NodeIx>,
    /// The ending that the finalizers run for, once one of them was reached
    /// (rule R16).
    pub finalizing: Option<Ending>,
    /// A compensation has begun: the execution does not complete any more (rule R27).
    pub compensating: bool,
    /// How the execution ended (law 6).
    pub ended: Option<Ending>,
}

/// That someone asked for the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Why.
    pub reason: Option<String>,
}

/// What fixes an ending before everything is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fixed {
    /// A `terminate` (rule R24).
    Terminated(NodeIx),
    /// A budget that is spent (rule R28).
    OverBudget(BudgetExcess),
}

/// What an execution used up, as far as completions tell (rule R28).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Input tokens of models.
    pub input_tokens: u64,
    /// Output tokens of models.
    pub output_tokens: u64,
    /// US dollars.
    pub cost_usd: Decimal,
    /// An operator switched the budget of tokens off.
    pub tokens_off: bool,
    /// An operator switched the budget of money off.
    pub cost_off: bool,
}

/// What became of an edge (rule R7). Judged once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EdgeFate {
    /// Its source is not settled yet.
    Unsettled,
    /// It leads on.
    Live,
    /// It leads nowhere.
    Dead,
}

/// The external events of one correlation key (rule R19). Either nothing is
/// kept or nobody waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Payloads that came early, the oldest first.
    pub kept: VecDeque<String>,
    /// Nodes that wait, the longest waiting first.
    pub waiters: VecDeque<NodeIx>,
    /// Nodes whose wait an external event has ended, and that are not settled
    /// yet: what they do not consume goes to the next.
    pub answered: VecDeque<NodeIx>,
}

impl State {
    /// The state of an execution of `plan` before its start node is reached.
    #[must_use]
    pub fn new(plan: &Plan, started: WorkflowStarted, at: Timestamp) -> Self {
        let mut nodes: Vec<NodeRecord> = (0..plan.nodes.len())
            .map(|index| NodeRecord::new(plan, index))
            .collect();
        if let Some(start) = nodes.get_mut(plan.start.0 as usize) {
            start.live = 1;
        }
        Self {
            guest_digest: started.guest_digest.clone(),
            started,
            started_at: at,
            forked: None,
            sequence: 1,
            at,
            data: json::Object::new(),
            errors: json::Object::new(),
            nodes,
            instances: BTreeMap::new(),
            undos: BTreeMap::new(),
            children: BTreeMap::new(),
            edges: vec![EdgeFate::Unsettled; plan.edges.len()],
            event_ids: BTreeSet::new(),
            mailboxes: BTreeMap::new(),
            wait_texts: BTreeMap::new(),
            kept_bytes: 0,
            skips: VecDeque::new(),
            paused: false,
            host_stall: None,
            policy_stall: None,
            cancel: None,
            timed_out: false,
            fixed: None,
            spent: None,
            unneeded: BTreeSet::new(),
            finalizing: None,
            compensating: false,
            ended: None,
        }
    }
}
