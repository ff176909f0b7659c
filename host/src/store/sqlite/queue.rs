//! Work items: a projection of the logs, for claims.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row, params};

use crate::contract::WorkItem;
use crate::id::ExecutionId;
use crate::log::Timestamp;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::value::{Id, Number, Unknown, limit};
use crate::store::{ItemChange, ItemRecord, ItemState, Lease};

const SELECT: &str = "
    SELECT executions.id AS execution_id, items.node_id, items.attempt, items.max_attempts, items.queue_type,
           items.tenant, items.not_before, items.payload, items.enqueued_at, items.state, items.worker_id,
           items.fence, items.expires_at, items.error, items.dead_since,
           items.claimable_at = max(items.not_before, items.enqueued_at)
               AND items.held = (executions.status <> 'running')
               AND items.simulated = executions.simulated AS is_consistent
    FROM items JOIN executions ON executions.key = items.execution";

pub(super) const CLAIMABLE: &str = "
    WHERE items.simulated = ?1 AND items.queue_type = ?2 AND items.state = 'waiting' AND items.held = 0
          AND items.claimable_at <= ?3
    ORDER BY items.claimable_at, items.ordered LIMIT ?4";

pub(super) const EXPIRED: &str = "
    WHERE items.simulated = ?1 AND items.state = 'leased' AND items.expires_at <= ?2
    ORDER BY items.expires_at, items.ordered LIMIT ?3";

const LEASE_HOLDERS: &str = "
    SELECT DISTINCT worker_id FROM items INDEXED BY items_leased
    WHERE simulated = ?1 AND state = 'leased' ORDER BY worker_id";

pub(super) const NEXT_CLAIMABLE: &str = "
    SELECT claimable_at FROM items
    WHERE simulated = ?1 AND queue_type = ?2 AND state = 'waiting' AND held = 0 AND claimable_at > ?3
    ORDER BY claimable_at LIMIT 1";

pub(super) const NEXT_EXPIRY: &str = "
    SELECT expires_at FROM items
    WHERE simulated = ?1 AND state = 'leased' AND expires_at > ?2
    ORDER BY expires_at LIMIT 1";

/// The statement that selects items so.
pub(super) fn select(which: &str) -> String {
    format!("{SELECT} {which}")
}

fn read(row: &Row<'_>) -> Result<ItemRecord> {
    let number = |column| row.get::<_, Number>(column).map(|number| number.0);
    let item = WorkItem {
        execution_id: row.get("execution_id")?,
        node_id: row.get("node_id")?,
        attempt: row.get("attempt")?,
        max_attempts: row.get("max_attempts")?,
        queue_type: row.get("queue_type")?,
        tenant: row.get("tenant")?,
        not_before: number("not_before")?,
        payload: row.get("payload")?,
    };
    let state: String = row.get("state")?;
    let state = match state.as_str() {
        "waiting" => ItemState::Waiting,
        "leased" => ItemState::Leased(Lease {
            worker_id: row.get("worker_id")?,
            fence: number("fence")?,
            expires_at: number("expires_at")?,
        }),
        "dead" => ItemState::Dead {
            error: row.get("error")?,
            since: number("dead_since")?,
        },
        _ => {
            return Err(Error::FromSqlConversionFailure(
                9,
                Type::Text,
                Box::new(Unknown(state)),
            ));
        }
    };
    Ok(ItemRecord {
        item,
        enqueued_at: number("enqueued_at")?,
        state,
    })
}

fn query(connection: &Connection, which: &str, of: impl Params) -> Result<Vec<ItemRecord>> {
    connection
        .prepare_cached(&select(which))?
        .query_map(of, read)?
        .collect()
}

/// What claims go by is written beside each item, and must be what follows
/// from it: else it would wait for ever, and nobody could see why.
pub(super) fn of_execution(connection: &Connection, id: ExecutionId) -> Result<Vec<ItemRecord>> {
    connection
        .prepare_cached(&select("WHERE executions.id = ?1 ORDER BY items.node_id"))?
        .query_map([Id(id)], |row| {
            let record = read(row)?;
            if row.get("is_consistent")? {
                return Ok(record);
            }
            let node_id = record.item.node_id;
            let column = row.as_ref().column_index("is_consistent")?;
            Err(Error::FromSqlConversionFailure(
                column,
                Type::Integer,
                Box::new(Inconsistent(node_id)),
            ))
        })?
        .collect()
}

/// A row that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("the work item of node {0:?} may be claimed when its execution or its times say otherwise")]
struct Inconsistent(String);

pub(super) fn of_node(
    connection: &Connection,
    id: ExecutionId,
    node_id: &str,
) -> Result<Option<ItemRecord>> {
    let found = query(
        connection,
        "WHERE executions.id = ?1 AND items.node_id = ?2",
        params![Id(id), node_id],
    );
    found.map(|items| items.into_iter().next())
}

pub(super) fn claimable(
    connection: &Connection,
    simulated: bool,
    queue: &str,
    now: Timestamp,
    max: usize,
) -> Result<Vec<ItemRecord>> {
    query(
        connection,
        CLAIMABLE,
        params![simulated, queue, Number(now), limit(max)],
    )
}

pub(super) fn expired(
    connection: &Connection,
    simulated: bool,
    now: Timestamp,
    max: usize,
) -> Result<Vec<ItemRecord>> {
    query(
        connection,
        EXPIRED,
        params![simulated, Number(now), limit(max)],
    )
}

pub(super) fn lease_holders(connection: &Connection, simulated: bool) -> Result<Vec<String>> {
    connection
        .prepare_cached(LEASE_HOLDERS)?
        .query_map([simulated], |row| row.get(0))?
        .collect()
}

/// The first time after `now` at which an item on this queue may be claimed.
pub(super) fn next_claimable(
    connection: &Connection,
    simulated: bool,
    queue: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    time(
        connection,
        NEXT_CLAIMABLE,
        params![simulated, queue, Number(now)],
    )
}

/// The first end of a lease after `now`.
pub(super) fn next_expiry(
    connection: &Connection,
    simulated: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    time(connection, NEXT_EXPIRY, params![simulated, Number(now)])
}

fn time(connection: &Connection, sql: &str, of: impl Params) -> Result<Option<Timestamp>> {
    let time = connection
        .prepare_cached(sql)?
        .query_row(of, |row| row.get::<_, Number>(0));
    time.map(|time| time.0).optional()
}

/// The execution of item changes, as its items know it.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) key: Key,
    pub(super) simulated: bool,
    /// Whether its items may not be claimed.
    pub(super) held: bool,
}

/// Apply a change. Some: it does not fit what is there, and why.
pub(super) fn change(
    connection: &Connection,
    owner: Owner,
    change: &ItemChange,
) -> Result<Option<String>> {
    let refused = match change {
        ItemChange::Enqueue { item, at, lease } => {
            remove(connection, owner.key, &item.node_id, "AND state = 'dead'")?;
            let order = Order {
                item,
                enqueued_at: *at,
                lease: lease.as_ref(),
                dead: None,
            };
            (insert(connection, owner, &order)? == 0)
                .then(|| format!("node {} has an unsettled item already", item.node_id))
        }
        ItemChange::Lease {
            node_id,
            lease: claim,
        } => (lease(connection, owner.key, node_id, claim)? == 0)
            .then(|| format!("node {node_id} has no unsettled item to lease")),
        ItemChange::Remove { node_id } => (remove(connection, owner.key, node_id, "")? == 0)
            .then(|| format!("node {node_id} has no item to remove")),
        ItemChange::Bury {
            node_id,
            item,
            enqueued_at,
            error,
            at,
        } => {
            remove(connection, owner.key, node_id, "")?;
            let order = Order {
                item,
                enqueued_at: *enqueued_at,
                lease: None,
                dead: Some((error, *at)),
            };
            (insert(connection, owner, &order)? == 0)
                .then(|| format!("node {node_id} has an item already"))
        }
    };
    Ok(refused)
}

/// Say of all items of an execution whether they may be claimed.
pub(super) fn hold(connection: &Connection, owner: Owner) -> Result<()> {
    let mut update =
        connection.prepare_cached("UPDATE items SET held = ?2 WHERE execution = ?1")?;
    update.execute(params![owner.key, owner.held])?;
    Ok(())
}

/// A row to insert.
struct Order<'a> {
    item: &'a WorkItem,
    enqueued_at: Timestamp,
    lease: Option<&'a Lease>,
    /// The error and the time of a dead letter.
    dead: Option<(&'a str, Timestamp)>,
}

fn insert(connection: &Connection, owner: Owner, order: &Order<'_>) -> Result<usize> {
    let Order {
        item,
        enqueued_at,
        lease,
        dead,
    } = order;
    let state = match (lease, dead) {
        (_, Some(_)) => "dead",
        (Some(_), None) => "leased",
        (None, None) => "waiting",
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO items (execution, node_id, attempt, max_attempts, queue_type, tenant, not_before, payload,
             enqueued_at, claimable_at, simulated, held, state, worker_id, fence, expires_at, error,
             dead_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, max(?7, ?9), ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT DO NOTHING",
    )?;
    insert.execute(params![
        owner.key,
        item.node_id,
        item.attempt,
        item.max_attempts,
        item.queue_type,
        item.tenant,
        Number(item.not_before),
        item.payload,
        Number(*enqueued_at),
        owner.simulated,
        owner.held,
        state,
        lease.map(|lease| &lease.worker_id),
        lease.map(|lease| Number(lease.fence)),
        lease.map(|lease| Number(lease.expires_at)),
        dead.map(|(error, _)| error),
        dead.map(|(_, since)| Number(since)),
    ])
}

fn lease(connection: &Connection, key: Key, node_id: &str, lease: &Lease) -> Result<usize> {
    let mut update = connection.prepare_cached(
        "UPDATE items SET state = 'leased', worker_id = ?3, fence = ?4, expires_at = ?5
         WHERE execution = ?1 AND node_id = ?2 AND state IN ('waiting', 'leased')",
    )?;
    update.execute(params![
        key,
        node_id,
        lease.worker_id,
        Number(lease.fence),
        Number(lease.expires_at)
    ])
}

fn remove(connection: &Connection, key: Key, node_id: &str, and: &str) -> Result<usize> {
    let sql = format!("DELETE FROM items WHERE execution = ?1 AND node_id = ?2 {and}");
    connection
        .prepare_cached(&sql)?
        .execute(params![key, node_id])
}
