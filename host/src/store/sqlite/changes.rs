//! Changes of work items, written to their rows.

use rusqlite::{CachedStatement, Connection, Result, params};

use crate::log::Timestamp;
use crate::model::WorkItem;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::value::Number;
use crate::store::{ItemChange, Lease};

/// The row of an item in this state, with these values of its own.
macro_rules! insert {
    ($columns:literal, $values:literal) => {
        concat!(
            "INSERT INTO items (execution, node_id, attempt, max_attempts, queue, tenant, priority, not_before, payload,
                ordered, enqueued_at, claimable_at, held, state",
            $columns,
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ",
            $values,
            ") ON CONFLICT DO NOTHING"
        )
    };
}

const INSERT_WAITING: &str = insert!("", "'waiting'");
const INSERT_LEASED: &str = insert!(
    ", worker_id, fence, expires_at, request_id",
    "'leased', ?14, ?15, ?16, ?17"
);
const INSERT_DEAD: &str = insert!(", error, dead_since", "'dead', ?14, ?15");

const LEASE: &str = "
    UPDATE items SET state = 'leased', worker_id = ?3, fence = ?4, expires_at = ?5, request_id = ?6
    WHERE execution = ?1 AND node_id = ?2 AND state IN ('waiting', 'leased')";

const RELEASE: &str = "
    UPDATE items
    SET state = 'waiting', releases = ?3, worker_id = NULL, fence = NULL, expires_at = NULL, request_id = NULL
    WHERE execution = ?1 AND node_id = ?2 AND state IN ('waiting', 'leased')";

const REMOVE: &str = "DELETE FROM items WHERE execution = ?1 AND node_id = ?2";

const REMOVE_DEAD: &str =
    "DELETE FROM items WHERE execution = ?1 AND node_id = ?2 AND state = 'dead'";

/// The execution whose items are changed, as their rows name it.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) key: Key,
    /// The place of the next ordered item among all items that were ever ordered.
    pub(super) ordered: i64,
    /// Whether its items may not be claimed.
    pub(super) held: bool,
}

/// Makes the changes. Keeps the statements at hand that most changes take.
pub(super) struct Changes<'a> {
    connection: &'a Connection,
    insert_waiting: CachedStatement<'a>,
    insert_leased: CachedStatement<'a>,
    lease: CachedStatement<'a>,
    remove: CachedStatement<'a>,
}

/// A row to insert.
struct Order<'a> {
    item: &'a WorkItem,
    enqueued_at: Timestamp,
    state: State<'a>,
}

enum State<'a> {
    Waiting,
    Leased(&'a Lease),
    Dead { error: &'a str, since: Timestamp },
}

impl<'a> Changes<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self> {
        Ok(Self {
            connection,
            insert_waiting: connection.prepare_cached(INSERT_WAITING)?,
            insert_leased: connection.prepare_cached(INSERT_LEASED)?,
            lease: connection.prepare_cached(LEASE)?,
            remove: connection.prepare_cached(REMOVE)?,
        })
    }

    /// Makes a change. `Some` says why it does not fit what is there.
    pub(super) fn make(&mut self, owner: Owner, change: &ItemChange) -> Result<Option<String>> {
        let refused = match change {
            ItemChange::Enqueue { item, at, lease } => {
                let order = Order {
                    item,
                    enqueued_at: *at,
                    state: lease.as_ref().map_or(State::Waiting, State::Leased),
                };
                let ordered = self.insert(owner, &order)?
                    || (self.remove_dead(owner.key, &item.node_id)?
                        && self.insert(owner, &order)?);
                (!ordered).then(|| format!("node {} has an unsettled item already", item.node_id))
            }
            ItemChange::Lease { node_id, lease } => (!self.lease(owner.key, node_id, lease)?)
                .then(|| format!("node {node_id} has no unsettled item to lease")),
            ItemChange::Release { node_id, releases } => (!self
                .release(owner.key, node_id, *releases)?)
            .then(|| format!("node {node_id} has no unsettled item to give back")),
            ItemChange::Remove { node_id } => (!self.remove(owner.key, node_id)?)
                .then(|| format!("node {node_id} has no item to remove")),
            ItemChange::DeadLetter {
                node_id,
                item,
                enqueued_at,
                error,
                at,
            } => {
                self.remove(owner.key, node_id)?;
                let order = Order {
                    item,
                    enqueued_at: *enqueued_at,
                    state: State::Dead { error, since: *at },
                };
                (!self.insert(owner, &order)?)
                    .then(|| format!("node {node_id} has an item already"))
            }
        };
        Ok(refused)
    }

    /// `false` if the node has an item already.
    fn insert(&mut self, owner: Owner, order: &Order<'_>) -> Result<bool> {
        let inserted = match order.state {
            State::Waiting => {
                bind(&mut self.insert_waiting, owner, order)?;
                self.insert_waiting.raw_execute()?
            }
            State::Leased(lease) => {
                let insert = &mut self.insert_leased;
                bind(insert, owner, order)?;
                insert.raw_bind_parameter(14, &lease.worker_id)?;
                insert.raw_bind_parameter(15, Number(lease.fence))?;
                insert.raw_bind_parameter(16, Number(lease.expires_at))?;
                insert.raw_bind_parameter(17, &lease.request_id)?;
                insert.raw_execute()?
            }
            State::Dead { error, since } => {
                let mut insert = self.connection.prepare_cached(INSERT_DEAD)?;
                bind(&mut insert, owner, order)?;
                insert.raw_bind_parameter(14, error)?;
                insert.raw_bind_parameter(15, Number(since))?;
                insert.raw_execute()?
            }
        };
        Ok(inserted > 0)
    }

    fn lease(&mut self, key: Key, node_id: &str, lease: &Lease) -> Result<bool> {
        let leased = self.lease.execute(params![
            key,
            node_id,
            lease.worker_id,
            Number(lease.fence),
            Number(lease.expires_at),
            lease.request_id,
        ])?;
        Ok(leased > 0)
    }

    fn release(&self, key: Key, node_id: &str, releases: u32) -> Result<bool> {
        let mut release = self.connection.prepare_cached(RELEASE)?;
        Ok(release.execute(params![key, node_id, releases])? > 0)
    }

    fn remove(&mut self, key: Key, node_id: &str) -> Result<bool> {
        Ok(self.remove.execute(params![key, node_id])? > 0)
    }

    fn remove_dead(&self, key: Key, node_id: &str) -> Result<bool> {
        let mut remove = self.connection.prepare_cached(REMOVE_DEAD)?;
        Ok(remove.execute(params![key, node_id])? > 0)
    }
}

/// Binds the values that rows of all states have.
fn bind(insert: &mut CachedStatement<'_>, owner: Owner, order: &Order<'_>) -> Result<()> {
    let Order {
        item, enqueued_at, ..
    } = order;
    let values = params![
        owner.key,
        item.node_id,
        item.attempt,
        item.max_attempts,
        item.queue,
        item.tenant,
        item.priority,
        Number(item.not_before),
        item.payload,
        owner.ordered,
        Number(*enqueued_at),
        Number(item.not_before.max(*enqueued_at)),
        owner.held,
    ];
    for (place, value) in (1..).zip(values) {
        insert.raw_bind_parameter(place, value)?;
    }
    Ok(())
}

/// Writes to all items of an execution whether they may be claimed.
pub(super) fn hold(connection: &Connection, key: Key, held: bool) -> Result<()> {
    let mut update =
        connection.prepare_cached("UPDATE items SET held = ?2 WHERE execution = ?1")?;
    update.execute(params![key, held])?;
    Ok(())
}
