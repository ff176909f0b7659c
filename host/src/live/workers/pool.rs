//! The engine's own workers: groups of a queue, their slots, what they are at.
//!
//! The pool is the engine's and plain data; each attempt runs as a task of its
//! own and comes back as an answer. It never decides what is claimed: a turn does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::id::ExecutionId;
use crate::limits::HEARTBEATS_PER_LEASE;
use crate::store::Timestamp;

use super::attempt::{AllSecrets, AttemptEnd, Work, attempt};
use super::deliver::{Deliver, Within};
use super::tasks::{Task, Tasks};
use crate::live::values::work::{Claim, ClaimId};

/// Workers of one queue that do the same.
pub(crate) struct WorkerGroup {
    pub(crate) queue: String,
    /// How many items at once.
    pub(crate) slots: usize,
    pub(crate) work: Work,
}

/// A claim for an own worker.
pub(crate) struct Granted {
    /// The place of its group.
    pub(crate) group: usize,
    pub(crate) claim: Claim,
    /// When it was claimed: the `at` of its `node_started`.
    pub(crate) at: Timestamp,
}

/// A group, and how many of its slots are taken.
struct StaffedGroup {
    group: WorkerGroup,
    busy: usize,
}

/// All groups of an engine.
pub(crate) struct Pool {
    tasks: Tasks,
    deliver: Arc<dyn Deliver>,
    within: Within,
    secrets: AllSecrets,
    groups: Vec<StaffedGroup>,
    running: BTreeMap<ClaimId, RunningAttempt>,
    /// How many leases are to be renewed when.
    renewals: BTreeMap<Timestamp, usize>,
    /// No more claims: the engine is being shut down.
    closed: bool,
}

/// One attempt under way.
struct RunningAttempt {
    group: usize,
    claimed_at: Timestamp,
    /// How long the claim holds without a heartbeat.
    lease_ms: u64,
    renew_at: Timestamp,
    task: Task,
    end: AttemptEnd,
    /// It was told to end, and is to be given back when it has.
    is_ending: bool,
}

impl Pool {
    pub(crate) fn new(
        tasks: Tasks,
        deliver: Arc<dyn Deliver>,
        within: Within,
        secrets: AllSecrets,
    ) -> Self {
        Self {
            tasks,
            deliver,
            within,
            secrets,
            groups: Vec::new(),
            running: BTreeMap::new(),
            renewals: BTreeMap::new(),
            closed: false,
        }
    }

    /// A group begins to work.
    pub(crate) fn join(&mut self, group: WorkerGroup) {
        self.groups.push(StaffedGroup { group, busy: 0 });
    }

    /// No more claims.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether no more is claimed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The queue of each group, by its place.
    pub(crate) fn queues(&self) -> Vec<String> {
        let queue = |staffed: &StaffedGroup| staffed.group.queue.clone();
        self.groups.iter().map(queue).collect()
    }

    /// How many slots of each group are free, by its place; of none, when no
    /// more is to be claimed.
    pub(crate) fn free_slots(&self) -> Vec<usize> {
        if self.closed {
            return Vec::new();
        }
        let free = |staffed: &StaffedGroup| staffed.group.slots.saturating_sub(staffed.busy);
        self.groups.iter().map(free).collect()
    }

    /// The queues on which there is a free slot.
    pub(crate) fn free_queues(&self) -> Vec<String> {
        let queues = self.queues().into_iter().zip(self.free_slots());
        let free = queues.filter(|(_, free)| *free > 0);
        free.map(|(queue, _)| queue).collect()
    }

    /// The group that is at this claim.
    pub(crate) fn group_of(&self, claim: &ClaimId) -> Option<usize> {
        self.running.get(claim).map(|running| running.group)
    }

    /// When a claim that is under way was made.
    pub(crate) fn claimed_at(&self, claim: &ClaimId) -> Option<Timestamp> {
        self.running.get(claim).map(|running| running.claimed_at)
    }

    /// What is under way for an execution.
    pub(crate) fn running_of(&self, execution: ExecutionId) -> impl Iterator<Item = &ClaimId> {
        let first = ClaimId {
            execution,
            node_id: String::new(),
            attempt: 0,
            fence: 0,
        };
        let claims = self.running.range(first..).map(|(claim, _)| claim);
        claims.take_while(move |claim| claim.execution == execution)
    }

    /// What is under way.
    pub(crate) fn running_claims(&self) -> Vec<ClaimId> {
        self.running.keys().cloned().collect()
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// The claims that are to be renewed at `time`, and for how long each.
    pub(crate) fn to_renew(&self, time: Timestamp) -> Vec<(ClaimId, u64)> {
        if self.first_renewal().is_none_or(|first| first > time) {
            return Vec::new();
        }
        let running = self.running.iter();
        let due = running.filter(|(_, running)| running.renew_at <= time);
        due.map(|(claim, running)| (claim.clone(), running.lease_ms))
            .collect()
    }

    /// When the first claim is to be renewed.
    pub(crate) fn first_renewal(&self) -> Option<Timestamp> {
        self.renewals.keys().next().copied()
    }

    /// These claims are committed: their work begins.
    pub(crate) fn begin(&mut self, granted: Vec<Granted>) {
        let mut begun = Vec::with_capacity(granted.len());
        for Granted { group, claim, at } in granted {
            let Some(staffed) = self.groups.get_mut(group) else {
                continue;
            };
            staffed.busy += 1;
            let work = Arc::clone(&staffed.group.work);
            let (end, attempt) = attempt(
                Arc::clone(&self.deliver),
                self.within,
                claim.id.clone(),
                work,
                claim.item,
                Arc::clone(&self.secrets),
            );
            let (task, attempt) = self.tasks.prepare(attempt);
            begun.extend(attempt);
            let lease_ms = claim.expires_at.saturating_sub(at);
            let renew_at = renew_at(claim.expires_at, lease_ms);
            *self.renewals.entry(renew_at).or_default() += 1;
            let running = RunningAttempt {
                group,
                claimed_at: at,
                lease_ms,
                renew_at,
                task,
                end,
                is_ending: false,
            };
            self.running.insert(claim.id, running);
        }
        self.tasks.begin(begun);
    }

    /// Attempts that run within the engine's steps go on.
    pub(crate) fn go_on(&mut self) {
        let attempts = self.running.values_mut();
        self.tasks.go_on(attempts.map(|running| &mut running.task));
    }

    /// Whether an attempt could go on within a step.
    pub(crate) fn is_woken(&self) -> bool {
        self.tasks.is_woken()
    }

    /// The claim's lease was renewed until this time.
    pub(crate) fn renewed(&mut self, claim: &ClaimId, expires_at: Timestamp) {
        if let Some(running) = self.running.get_mut(claim) {
            let renew_at = renew_at(expires_at, running.lease_ms);
            let before = std::mem::replace(&mut running.renew_at, renew_at);
            *self.renewals.entry(renew_at).or_default() += 1;
            self.is_not_renewed(before);
        }
    }

    /// The attempt has been answered for.
    pub(crate) fn end(&mut self, claim: &ClaimId) {
        self.leave(claim);
    }

    /// The claim holds no longer: the work is stopped.
    pub(crate) fn stop(&mut self, claim: &ClaimId) {
        if let Some(running) = self.leave(claim) {
            tracing::info!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "stopped");
            running.task.stop();
        }
    }

    fn leave(&mut self, claim: &ClaimId) -> Option<RunningAttempt> {
        let running = self.running.remove(claim)?;
        if let Some(staffed) = self.groups.get_mut(running.group) {
            staffed.busy -= 1;
        }
        self.is_not_renewed(running.renew_at);
        Some(running)
    }

    /// One lease less is to be renewed at this time.
    fn is_not_renewed(&mut self, renew_at: Timestamp) {
        if let Entry::Occupied(mut leases) = self.renewals.entry(renew_at) {
            *leases.get_mut() -= 1;
            if *leases.get() == 0 {
                leases.remove();
            }
        }
    }

    /// All work is told to end. It keeps its slots until it was given back: its claims
    /// are renewed until then.
    pub(crate) fn end_all(&mut self) {
        for (claim, running) in &mut self.running {
            tracing::info!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "told to end");
            running.is_ending = true;
            std::mem::replace(&mut running.task, Task::Done).stop();
        }
    }

    /// Whether this claim's work was told to end.
    pub(crate) fn is_ending(&self, claim: &ClaimId) -> bool {
        let running = self.running.get(claim);
        running.is_some_and(|running| running.is_ending)
    }

    /// Whether this claim's work has ended, with all that belongs to it.
    pub(crate) fn has_ended(&self, claim: &ClaimId) -> bool {
        let running = self.running.get(claim);
        running.is_none_or(|running| running.end.has_come())
    }

    /// Whether attempts run in tasks of their own, so that their end can be waited for.
    pub(crate) fn has_tasks(&self) -> bool {
        matches!(self.tasks, Tasks::Runtime(_))
    }

    /// All work is stopped.
    pub(crate) fn stop_all(&mut self) {
        for claim in self.running_claims() {
            self.stop(&claim);
        }
    }
}

/// When a claim of this length, which holds until then, is to be renewed: after the time
/// between two heartbeats.
fn renew_at(expires_at: Timestamp, lease_ms: u64) -> Timestamp {
    let heartbeat_ms = lease_ms / u64::from(HEARTBEATS_PER_LEASE);
    expires_at.saturating_sub(lease_ms - heartbeat_ms)
}
