//! What an execution is between two events.
//!
//! Data only. [`crate::apply`] is the one writer; what is to be done next is
//! indexed next to it, in the agenda, and follows from it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::contract::{
    ApprovalDecision, BudgetExcess, CancelReason, NodeFailure, NodeState, SkipReason, StallReason,
    WorkflowStarted,
};
use crate::decimal::Decimal;
pub use crate::ending::Ending;
use crate::instance::RunIx;
use crate::json;
use crate::node::Step;
use crate::time::{Millis, Timestamp};
use crate::workflow::Plan;
use crate::workflow::plan::{Kind, NodeIx};

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

/// One node of an execution. There are as many as the workflow has nodes, for
/// each execution at hand, so what few nodes have stands elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Where it is.
    pub state: NodeState,
    /// How often the last attempt was given back (rule R25).
    pub releases: u8,
    /// Its incoming edges that are not settled.
    pub unsettled: u32,
    /// Its incoming edges that are live. The start node has one from outside.
    pub live: u32,
    /// The last attempt that was ordered; 0: none.
    pub attempt: u32,
    /// The last attempt that there can be.
    pub max_attempts: u32,
    /// The fence of the running attempt.
    pub fence: u64,
    /// When time alone ends what it does: an attempt, a wait, an approval.
    /// Only while running or waiting.
    pub deadline: Option<Timestamp>,
    /// When the ordered attempt may be claimed.
    pub not_before: Option<Timestamp>,
    /// When the last attempt was ordered.
    pub scheduled_at: Option<Timestamp>,
    /// When the last attempt, or the wait, began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// Who does, or did, the last attempt.
    pub worker_id: Option<String>,
    /// The last failure.
    pub failure: Option<Box<Failure>>,
    /// What has come of what it waited for.
    pub wait_result: Option<Box<WaitResult>>,
    /// The target that was chosen.
    pub chosen_target: Option<String>,
    /// Why it did not run, or was stopped.
    pub dismissal: Option<Dismissal>,
}

/// The child of a node, or of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// Which iteration it is, from 0 (rule R23).
    pub iteration: u32,
    /// The child of the last attempt, once it was started.
    pub child_id: Option<String>,
    /// What the iteration before came to, JSON. None in the first one.
    pub last: Option<Box<str>>,
}

/// The instances of a map that was expanded (rule R21).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instances {
    /// The JSON of all elements, one after another. Empty once the map has completed, if
    /// nothing undoes its instances: then no further attempt is ordered.
    pub items: String,
    /// Where each element ends in it.
    pub ends: Vec<u32>,
    /// Those to which something has happened, by their index.
    pub runs: Vec<Option<Box<InstanceRecord>>>,
    /// What the others are.
    pub fresh: NodeRecord,
    /// What the list of all outputs that are kept comes to, in bytes.
    pub output_bytes: u64,
    /// Whether an output is nested too deeply to stand in a list in the state.
    pub is_too_deep: bool,
}

/// An instance to which something has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// Where it is.
    pub record: NodeRecord,
    /// What it produced, JSON: until the map has completed.
    pub output: Option<Box<str>>,
}

/// What undoes a run that was completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UndoRecord {
    /// The sequence of the run's completion: the latest is undone first.
    pub completed: u64,
    /// What the run produced, JSON.
    pub output: Box<str>,
    /// Where the compensation is. Pending until the execution ends otherwise than well.
    pub record: NodeRecord,
}

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Why.
    pub cause: NodeFailure,
    /// The class of the error.
    pub class: Option<String>,
    /// Whether a further attempt may help.
    pub retryable: bool,
    /// How long not to try again, where the other side asked for that.
    pub retry_after: Option<Millis>,
    /// An edge handled it (rule R26): it fails the execution no more.
    pub is_handled: bool,
}

/// What has come of what a node waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitResult {
    /// The time (rule R19).
    Time,
    /// The external event, with its payload.
    ExternalEvent(String),
    /// A person's decision.
    Approval {
        /// Who decided.
        user_id: String,
        /// What was decided.
        decision: ApprovalDecision,
        /// What they had to say.
        comment: Option<String>,
        /// The patch they gave, a JSON object.
        state_patch: Option<String>,
    },
}

/// Why a node did not run, or was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dismissal {
    /// It was skipped.
    Skipped(SkipReason),
    /// It was cancelled.
    Cancelled(CancelReason),
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

impl NodeRecord {
    fn new(plan: &Plan, index: usize) -> Self {
        let node = &plan.nodes[index];
        Self {
            state: NodeState::Pending,
            unsettled: u32::try_from(node.incoming.len()).unwrap_or(u32::MAX),
            live: 0,
            ..Self::fresh(node.retry.max_attempts)
        }
    }
}

impl Instances {
    /// Those of a map over these elements, none of which has begun.
    #[must_use]
    pub fn new<'a>(items: impl Iterator<Item = &'a str>, max_attempts: u32) -> Self {
        let mut all = String::new();
        let ends = items
            .map(|item| {
                all.push_str(item.trim_ascii());
                u32::try_from(all.len()).expect("a list is no larger than a payload")
            })
            .collect();
        all.shrink_to_fit();
        Self {
            items: all,
            ends,
            runs: Vec::new(),
            fresh: NodeRecord::fresh(max_attempts),
            output_bytes: 0,
            is_too_deep: false,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// The element of an instance, JSON. `None` if there is no such instance, or the
    /// elements are not kept any more.
    #[must_use]
    pub fn item(&self, index: u32) -> Option<&str> {
        let index = index as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.items
            .get(start as usize..*self.ends.get(index)? as usize)
    }

    /// The record of an instance.
    #[must_use]
    pub fn record(&self, index: u32) -> &NodeRecord {
        self.touched(index).map_or(&self.fresh, |run| &run.record)
    }

    /// What has become of an instance, if anything has happened to it.
    #[must_use]
    pub fn touched(&self, index: u32) -> Option<&InstanceRecord> {
        self.runs.get(index as usize)?.as_deref()
    }

    /// What has become of an instance, to be changed.
    pub(crate) fn touch(&mut self, index: u32) -> &mut InstanceRecord {
        let index = index as usize;
        if index >= self.runs.len() {
            self.runs.resize_with(index + 1, || None);
        }
        let fresh = &self.fresh;
        self.runs[index].get_or_insert_with(|| {
            let record = fresh.clone();
            Box::new(InstanceRecord {
                record,
                output: None,
            })
        })
    }

    /// The outputs by index, where there are any.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.count()).map(|index| self.touched(index)?.output.as_deref())
    }

    /// Forget what nobody needs once the map has completed. What undoes an instance still
    /// sees its element.
    pub(crate) fn shed(&mut self, are_undone: bool) {
        if !are_undone {
            self.items = String::new();
        }
        self.output_bytes = 0;
        for run in self.runs.iter_mut().flatten() {
            run.output = None;
        }
    }
}

impl UndoRecord {
    /// What undoes a run that was completed by this event with this output.
    pub(crate) fn new(completed: u64, output: &str, max_attempts: u32) -> Self {
        Self {
            completed,
            output: output.into(),
            record: NodeRecord {
                state: NodeState::Pending,
                ..NodeRecord::fresh(max_attempts)
            },
        }
    }
}

impl NodeRecord {
    /// That of an instance to which nothing has happened: it waits for its turn.
    fn fresh(max_attempts: u32) -> Self {
        Self {
            state: NodeState::Ready,
            releases: 0,
            unsettled: 0,
            live: 1,
            attempt: 0,
            max_attempts,
            fence: 0,
            deadline: None,
            not_before: None,
            scheduled_at: None,
            started_at: None,
            ended_at: None,
            worker_id: None,
            failure: None,
            wait_result: None,
            chosen_target: None,
            dismissal: None,
        }
    }

    /// Take a step that was checked. A deadline outlives it only while the
    /// node waits.
    pub(crate) fn take(&mut self, step: Step) {
        self.state = step
            .leads(self.state)
            .expect("a step is checked before it is taken");
        if self.state != NodeState::Waiting {
            self.deadline = None;
        }
    }
}

impl NodeRecord {
    /// Whether the node failed for good, and an edge handled that (rule R26).
    pub(crate) fn is_handled(&self) -> bool {
        let failure = self.failure.as_deref();
        self.state == NodeState::Failed && failure.is_some_and(|failure| failure.is_handled)
    }
}

impl Failure {
    /// Whether nobody answered: the lease expired (rule R13).
    #[must_use]
    pub fn is_lease_expired(&self) -> bool {
        self.cause == NodeFailure::LeaseExpired
    }

    /// The class of the error as conditions see it: the worker's, else the code of
    /// the cause.
    #[must_use]
    pub fn class_seen(&self) -> Option<&str> {
        match &self.cause {
            NodeFailure::AttemptFailed(_) => self.class.as_deref(),
            cause => Some(cause.code()),
        }
    }

    /// What the worker said, where one did.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.cause {
            NodeFailure::AttemptFailed(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether so many of the node's incoming edges are dead that it will not run (rules R9
/// and R24). `record` is that of a pending node of this kind, which is no finalizer.
#[must_use]
pub fn is_out_of_reach(record: &NodeRecord, kind: &Kind) -> bool {
    match kind {
        Kind::Join(join) if let Some(needed) = join.needed() => {
            record.live.saturating_add(record.unsettled) < needed
        }
        _ => record.unsettled == 0 && record.live == 0,
    }
}
/// Whether a node of this kind takes part only at the end (rule R16).
#[must_use]
pub fn is_finalizer(kind: &Kind) -> bool {
    matches!(kind, Kind::Work(work) if work.finalizer.is_some())
}
