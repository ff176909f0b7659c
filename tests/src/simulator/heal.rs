//! Healing: no more faults, usual limits, willing workers, people who do what
//! waits for them. Then every execution must reach its end.

use std::collections::BTreeMap;
use std::time::Duration;

use refrain::model::{EventKind, Status};
use refrain::store::{ExecutionRecord, StoredEvent, ended};
use refrain::{Clock, Next};

use super::calls::{Call, Operation};
use super::crews;
use super::host::Host;
use super::world::World;

/// Steps within which hosts that have something to do must come to rest.
const STEPS_TO_REST_MAX: u32 = 2_000;

/// Rounds of rest, then acting or waiting, for each node that there is.
const ROUNDS_PER_NODE_MAX: usize = 40;

/// The same, for the children that a node may have: one after another, each with children.
const ROUNDS_OF_CHILDREN_MAX: usize = 60;

impl World {
    /// Heal, and bring everything to its end.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.story.tell(|| "the world heals".to_owned());
        self.begin_anew()?;
        let records = self.records()?;
        for record in records.iter().filter(|record| !ended(record.status)) {
            let host = usize::from(self.dice.chance(1, 2));
            self.hosts[host].send(Call::Operate(record.id, Operation::AwaitEnd));
        }
        let nodes = |record: &ExecutionRecord| {
            let drawn = self
                .workflows
                .iter()
                .find(|drawn| drawn.id == record.workflow_id);
            drawn.map_or(0, |drawn| drawn.nodes.len())
        };
        let nodes: usize = records.iter().map(nodes).sum();
        let rounds_max = 20 + (ROUNDS_PER_NODE_MAX + ROUNDS_OF_CHILDREN_MAX) * nodes;
        for _ in 0..rounds_max {
            let due_at = self.rest()?;
            let live: Vec<_> = self
                .records()?
                .into_iter()
                .filter(|record| !ended(record.status))
                .collect();
            if live.is_empty() {
                return self.everyone_hears();
            }
            if self.help(&live)? {
                continue;
            }
            let Some(due_at) = due_at else {
                let stuck = live
                    .iter()
                    .map(|record| format!("{} {:?}", record.id, record.status));
                let stuck = stuck.collect::<Vec<_>>().join(", ");
                return Err(format!(
                    "liveness: nothing is due, nobody is waited for, and yet: {stuck}"
                ));
            };
            let span = due_at.saturating_sub(self.hosts[0].now()).max(1);
            self.pass(Duration::from_millis(span));
        }
        Err(format!(
            "liveness: after {rounds_max} rounds there are executions that have not ended"
        ))
    }

    /// Who waits for an end asks once more when it has come, for how it was.
    fn everyone_hears(&mut self) -> Result<(), String> {
        for host in [0, 1, 0, 1] {
            self.step(host)?;
        }
        if self.hosts.iter().all(Host::is_silent) {
            return Ok(());
        }
        Err("liveness: all has ended, and someone still waits for that".to_owned())
    }

    /// Both hosts anew, with clocks that are right and workers that are willing.
    fn begin_anew(&mut self) -> Result<(), String> {
        let last_at = self
            .onlooker
            .last_at([0, 0])
            .map_err(|error| error.to_string())?;
        let shown = self.hosts.iter().map(|host| host.clock.now()).max();
        let now = last_at.max(shown.unwrap_or(0));
        for host in [0, 1] {
            for call in self.hosts[host].crash() {
                self.never_hear(&call);
            }
            self.hosts[host].clock.set(now);
            self.open_bare(host, false)?;
            if let Some(engine) = self.hosts[host].engine() {
                for queue in crews::queues() {
                    crews::willing(engine, queue);
                }
            }
        }
        Ok(())
    }

    /// Step until nobody has anything to do now; says when time brings something.
    fn rest(&mut self) -> Result<Option<u64>, String> {
        for _ in 0..STEPS_TO_REST_MAX {
            let (left, right) = (self.step(0)?, self.step(1)?);
            let due: Vec<_> = [left, right].into_iter().flatten().collect();
            if !due.contains(&Next::Now) && !self.is_anything_asked() {
                let at = |next: &Next| match next {
                    Next::At(at) => Some(*at),
                    Next::Now | Next::WhenAsked | Next::Ended => None,
                };
                return Ok(due.iter().filter_map(at).min());
            }
        }
        Err(format!(
            "liveness: the hosts do not come to rest within {STEPS_TO_REST_MAX} steps"
        ))
    }

    fn is_anything_asked(&self) -> bool {
        self.hosts.iter().any(|host| host.is_asked())
    }

    /// Do what only people do. Says whether there was anything.
    fn help(&mut self, live: &[ExecutionRecord]) -> Result<bool, String> {
        let mut any = false;
        for record in live {
            let log = self.log(record.id)?;
            for operation in self.wanted(record.status, &log) {
                any = true;
                let host = usize::from(self.dice.chance(1, 2));
                self.hosts[host].send(Call::Operate(record.id, operation));
            }
        }
        Ok(any)
    }

    /// What an execution waits for that only a person can do.
    fn wanted(&mut self, status: Status, log: &[StoredEvent]) -> Vec<Operation> {
        match status {
            Status::Paused if self.dice.chance(1, 3) => vec![Operation::Step],
            Status::Paused => vec![Operation::Unpause],
            Status::Stalled if is_stalled_by_a_host(log) || is_stalled_on_a_budget(log) => {
                vec![Operation::LiftStall]
            }
            Status::Stalled => {
                let retry = self.dice.chance(1, 2);
                let lift = if retry {
                    Operation::Retry
                } else {
                    Operation::Skip
                };
                stalled_on(log).map(lift).into_iter().collect()
            }
            _ => waited_for(log),
        }
    }
}

fn is_stalled_by_a_host(log: &[StoredEvent]) -> bool {
    let last = log
        .iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::HostStalled(_) => Some(true),
            EventKind::StallLifted(_) => Some(false),
            _ => None,
        });
    last.unwrap_or(false)
}

/// Whether the last stall of a policy is on a budget.
fn is_stalled_on_a_budget(log: &[StoredEvent]) -> bool {
    let mut events = log.iter().rev().map(|stored| &stored.event.kind);
    let last = events.find_map(|kind| match kind {
        EventKind::Stalled(it) => Some(it.node_id().is_none()),
        _ => None,
    });
    last.unwrap_or(false)
}

/// The node that a retry policy stalled on last.
fn stalled_on(log: &[StoredEvent]) -> Option<String> {
    log.iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::Stalled(it) => it.node_id().map(str::to_owned),
            _ => None,
        })
}

/// Approvals and external events without which nothing goes on.
fn waited_for(log: &[StoredEvent]) -> Vec<Operation> {
    let mut waiting = BTreeMap::new();
    for stored in log {
        match &stored.event.kind {
            EventKind::InterruptRaised(it) if it.expires_at.is_none() => {
                waiting.insert(
                    it.node_id.clone(),
                    Operation::Approve(it.node_id.clone(), true),
                );
            }
            EventKind::TimerCreated(it) if it.fire_at.is_none() => {
                let key = it.correlation_key.clone().unwrap_or_default();
                waiting.insert(it.node_id.clone(), Operation::Signal(key, None));
            }
            EventKind::NodeSettled(it) => drop(waiting.remove(&it.node_id)),
            EventKind::NodeExhausted(it) => drop(waiting.remove(&it.node_id)),
            EventKind::NodeSkipped(it) => drop(waiting.remove(&it.node_id)),
            EventKind::NodeCancelled(it) => drop(waiting.remove(&it.node_id)),
            _ => {}
        }
    }
    waiting.into_values().collect()
}
