//! Who works on the queues that nodes wait on, as far as a database can know: a worker is
//! known by the leases that it holds. One that holds none now left a trace only in the logs.

use std::collections::BTreeSet;

use refrain::model::{Explanation, ReasonCause};
use refrain::replay::nodes::Nodes;
use refrain::store::{Lease, Timestamp};
use refrain::time::rfc3339;
use serde_json::{Value, json};

use super::log_source::OpenLog;
use super::text::{Text, counted, text};
use super::time::stamp;

/// Leases that are looked at. Where there are more, it is not said who works.
const LEASES_MAX: usize = 10_000;

/// Workers that are named.
const NAMED_MAX: usize = 3;

/// Those who hold leases on an execution's queues, which all executions of its tenant share.
pub(super) struct QueueWorkers(Vec<(String, Lease)>);

impl QueueWorkers {
    /// Those of now. `None` where only the log is known, or there are too many leases.
    pub(super) fn of(open: &mut OpenLog) -> anyhow::Result<Option<Self>> {
        if open.is_log_alone() {
            return Ok(None);
        }
        let now = open.now()?;
        // Each lease is over some time: that is all of them.
        let leased = open.store.expired(Timestamp::MAX, LEASES_MAX)?;
        if leased.found.len() == LEASES_MAX {
            return Ok(None);
        }
        let tenant = &open.record.tenant;
        let leased = leased.found.into_iter();
        let held = leased.filter(|record| record.item.tenant == *tenant);
        let held = held.filter_map(|record| {
            let lease = record.state.lease()?;
            (lease.expires_at > now).then(|| (record.item.queue.clone(), lease.clone()))
        });
        Ok(Some(Self(held.collect())))
    }

    /// What there is to say, in a line, where the node waits for a worker.
    pub(super) fn text(&self, explanation: &Explanation, nodes: &Nodes) -> Text {
        let Some(queue) = waits_on(explanation) else {
            return Text::new();
        };
        let workers = self.workers(queue);
        match workers.len() {
            0 => text!(
                "  no worker of the queue {:?} is known: none holds work of it now, and {}\n",
                queue,
                match last_claim(queue, nodes) {
                    Some(at) => text!("the last claim in this execution was at {}", stamp(at)),
                    None => text!("none has ever claimed any in this execution"),
                }
            ),
            count => {
                let named = workers.iter().take(NAMED_MAX);
                let named = named.map(|worker| text!("{:?}", *worker));
                let rest = if count > NAMED_MAX { ", …" } else { "" };
                text!(
                    "  the queue {:?} has {} at work on other items: {}{}\n",
                    queue,
                    counted(count as u64, "worker"),
                    Text::joined(named, ", "),
                    rest
                )
            }
        }
    }

    /// The same for programs. `None` where the node does not wait for a worker.
    pub(super) fn document(&self, explanation: &Explanation, nodes: &Nodes) -> Option<Value> {
        let queue = waits_on(explanation)?;
        Some(json!({
            "name": queue,
            "workers": self.workers(queue),
            "last_claim_at": last_claim(queue, nodes).and_then(rfc3339),
        }))
    }

    /// The workers that hold items of a queue.
    fn workers(&self, queue: &str) -> BTreeSet<&str> {
        let held = self.0.iter().filter(|(of, _)| of == queue);
        held.map(|(_, lease)| lease.worker_id.as_str()).collect()
    }
}

/// The queue on which a node waits for a worker.
pub(super) fn waits_on(explanation: &Explanation) -> Option<&str> {
    let mut causes = explanation.reasons.iter().map(|reason| &reason.cause);
    causes.find_map(|cause| match cause {
        ReasonCause::WaitsForWorker(it) => Some(it.queue.as_str()),
        _ => None,
    })
}

/// When a worker claimed an item of this queue last, as the log says.
fn last_claim(queue: &str, nodes: &Nodes) -> Option<Timestamp> {
    let of_queue = nodes
        .iter()
        .filter(|node| node.queue.as_deref() == Some(queue));
    of_queue.filter_map(|node| node.started_at).max()
}
