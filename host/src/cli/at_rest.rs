//! What a paused execution has besides what a step of it decides: work in flight, which
//! goes on, work that waits, children, and what it waits for.

use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::names;
use refrain::replay::nodes::Nodes;
use refrain::store::{ChildState, ExecutionRecord, ItemState, Reader, Timestamp, ended};
use serde_json::{Value, json};

use super::database::Database;
use super::text::{Text, text};
use super::time::stamp;
use super::waiting::{self, Waiting};

/// What there is of an execution that is held.
pub(super) struct AtRest {
    in_flight: Vec<InFlight>,
    queued: Vec<Queued>,
    children: Vec<Child>,
    waiting: Vec<Waiting>,
}

/// An item in the hands of a worker.
struct InFlight {
    node: String,
    attempt: u32,
    worker: String,
}

/// An item that waits for a worker, and may be claimed as soon as the execution is not
/// held.
pub(super) struct Queued {
    pub(super) node: String,
    pub(super) queue: String,
    since: Timestamp,
}

/// A child that has not ended.
struct Child {
    node: String,
    id: ExecutionId,
    /// `None` if it is to be started.
    status: Option<Status>,
}

impl AtRest {
    /// What there is at `now`.
    pub(super) fn of(
        store: &mut dyn Reader,
        record: &ExecutionRecord,
        nodes: &Nodes,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut rest = Self {
            in_flight: Vec::new(),
            queued: Vec::new(),
            children: children(store, record.id)?,
            waiting: Vec::new(),
        };
        if ended(record.status) {
            return Ok(rest);
        }
        let items = store.items(record.id)?.found;
        for it in &items {
            let (node, attempt) = (it.item.node_id.clone(), it.item.attempt);
            match &it.state {
                ItemState::Leased(lease) => rest.in_flight.push(InFlight {
                    node,
                    attempt,
                    worker: lease.worker_id.clone(),
                }),
                ItemState::Waiting if it.item.not_before <= now => rest.queued.push(Queued {
                    node,
                    queue: it.item.queue.clone(),
                    since: it.item.not_before.max(it.enqueued_at),
                }),
                _ => {}
            }
        }
        // Of work that waits is said that it is held.
        let waiting = waiting::all(nodes, &items, now).into_iter();
        rest.waiting
            .extend(waiting.filter(|it| !matches!(it, Waiting::Worker { .. })));
        Ok(rest)
    }

    /// Its work that waits for a worker.
    pub(super) fn queued(&self) -> &[Queued] {
        &self.queued
    }

    /// Whether there is nothing at all.
    pub(super) fn is_nothing(&self) -> bool {
        self.in_flight.is_empty()
            && self.queued.is_empty()
            && self.children.is_empty()
            && self.waiting.is_empty()
    }

    /// A line for each, with what to type where somebody has to do something.
    pub(super) fn text(&self, execution: ExecutionId, database: &Database, now: Timestamp) -> Text {
        let in_flight = self.in_flight.iter().map(|it| {
            text!(
                "{} is at work, and goes on: attempt {}, worker {:?}\n",
                it.node,
                it.attempt,
                it.worker
            )
        });
        let queued = self.queued.iter().map(|it| {
            text!(
                "{} waits on the queue {:?} since {}\n",
                it.node,
                it.queue,
                stamp(it.since)
            )
        });
        let children = self.children.iter().map(|it| match it.status {
            Some(Status::Paused) => text!(
                "{} waits for its child {}, which is paused itself\n",
                it.node,
                it.id
            ),
            Some(status) => text!(
                "{} waits for its child {}, which is {}, and goes on meanwhile\n",
                it.node,
                it.id,
                names::status(status)
            ),
            None => text!(
                "{} waits for its child {}, which is to be started\n",
                it.node,
                it.id
            ),
        });
        let waiting = self.waiting.iter();
        let waiting = waiting.map(|it| text!("{}\n", it.text("", execution, database, now)));
        in_flight
            .chain(queued)
            .chain(children)
            .chain(waiting)
            .collect()
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        let in_flight = self
            .in_flight
            .iter()
            .map(|it| json!({ "node_id": it.node, "attempt": it.attempt, "worker_id": it.worker }));
        let queued = self.queued.iter();
        let queued = queued.map(|it| json!({ "node_id": it.node, "queue": it.queue }));
        let children = self.children.iter().map(|it| {
            json!({
                "node_id": it.node,
                "execution_id": it.id.to_string(),
                "status": it.status.map(names::status),
            })
        });
        json!({
            "in_flight": in_flight.collect::<Vec<_>>(),
            "queued": queued.collect::<Vec<_>>(),
            "children": children.collect::<Vec<_>>(),
            "waiting": self.waiting.iter().map(Waiting::document).collect::<Vec<_>>(),
        })
    }
}

/// The children that an execution waits for.
fn children(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Vec<Child>> {
    let mut children = Vec::new();
    for row in store.children(id)? {
        if matches!(row.state, ChildState::Settled | ChildState::Cancelled) {
            continue;
        }
        let status = store.execution(row.child)?.map(|record| record.status);
        if !status.is_some_and(ended) {
            children.push(Child {
                node: row.node_id,
                id: row.child,
                status,
            });
        }
    }
    Ok(children)
}
