//! Questions about work items, which are a projection of the logs, for claims. Their
//! changes stand in `changes.rs`.

use std::path::Path;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row, ToSql, params};

use crate::id::ExecutionId;
use crate::limits::PRIORITY_MAX;
use crate::log::Timestamp;
use crate::model::WorkItem;
use crate::store::sqlite::execution::{self, Key};
use crate::store::sqlite::failure;
use crate::store::sqlite::many::{self, Name};
use crate::store::sqlite::row::{self, of_column, read_row};
use crate::store::sqlite::value::{Id, Number, Unknown};
use crate::store::{ItemRecord, ItemState, Lease, Many};

const SELECT: &str = "
    SELECT executions.id AS execution_id, items.node_id, items.attempt, items.max_attempts, items.queue,
           items.tenant, items.priority, items.not_before, items.payload, items.enqueued_at, items.state, items.worker_id,
           items.fence, items.expires_at, items.error, items.dead_since, items.request_id,
           items.claimable_at = max(items.not_before, items.enqueued_at)
               AND items.held = (executions.status <> 'running' OR executions.tampered_sequence IS NOT NULL)
               AND items.tenant = executions.tenant AS is_consistent,
           items.releases
    FROM items JOIN executions ON executions.key = items.execution";

/// Where in it these stand, from 0.
const STATE: usize = 10;
const IS_CONSISTENT: usize = 17;

/// The items of one priority. [`URGENCY`] says which priorities there are.
pub(super) const CLAIMABLE: &str = "
    WHERE items.tenant = ?1 AND items.queue = ?2 AND items.state = 'waiting' AND items.held = 0
          AND items.priority = ?3 AND items.claimable_at <= ?4
    ORDER BY items.claimable_at, items.ordered";

/// The greatest priority below this one of an item that waits on a queue: so what waits
/// for a later time, with a greater priority, need not be passed one by one.
pub(super) const URGENCY: &str = "
    SELECT priority FROM items INDEXED BY items_claimable
    WHERE tenant = ?1 AND queue = ?2 AND state = 'waiting' AND held = 0 AND priority < ?3
    ORDER BY priority DESC LIMIT 1";

/// The first queue behind this one on which items wait.
pub(super) const QUEUE: &str = "
    SELECT queue FROM items INDEXED BY items_claimable
    WHERE tenant = ?1 AND queue > ?2 AND state = 'waiting' AND held = 0
    ORDER BY queue LIMIT 1";

pub(super) const EXPIRED: &str = "
    WHERE items.state = 'leased' AND items.expires_at <= ?1 AND executions.tampered_sequence IS NULL
    ORDER BY items.expires_at, items.ordered";

pub(super) const DEAD: &str = "
    WHERE items.state = 'dead' AND items.dead_since >= ?1
    ORDER BY items.dead_since, items.ordered";

pub(super) const BY_REQUEST: &str = "
    WHERE items.worker_id = ?1 AND items.request_id = ?2 AND items.state = 'leased'
          AND items.request_id IS NOT NULL
    ORDER BY executions.id, items.node_id";

const LEASE_HOLDERS: &str = "
    SELECT DISTINCT worker_id FROM items INDEXED BY items_leased
    WHERE state = 'leased' ORDER BY worker_id";

/// Of one priority.
pub(super) const NEXT_CLAIMABLE: &str = "
    SELECT claimable_at FROM items
    WHERE tenant = ?1 AND queue = ?2 AND state = 'waiting' AND held = 0 AND priority = ?3
          AND claimable_at > ?4
    ORDER BY claimable_at LIMIT 1";

pub(super) const NEXT_EXPIRY: &str = "
    SELECT expires_at FROM items
    WHERE state = 'leased' AND expires_at > ?1
    ORDER BY expires_at LIMIT 1";

/// The statement that selects items so.
pub(super) fn select(which: &str) -> String {
    format!("{SELECT} {which}")
}

fn read(row: &Row<'_>) -> Result<ItemRecord> {
    let number = |column| row.get::<_, Number>(column).map(|number| number.0);
    let item = WorkItem {
        execution_id: row.get::<_, Id>(0)?.0.to_string(),
        node_id: row.get(1)?,
        attempt: row.get(2)?,
        max_attempts: row.get(3)?,
        queue: row.get(4)?,
        tenant: row.get(5)?,
        priority: row.get(6)?,
        not_before: number(7)?,
        payload: row.get(8)?,
    };
    let state = row.get_ref(STATE)?.as_str();
    let state = match state.map_err(of_column(STATE, Type::Text))? {
        "waiting" => ItemState::Waiting,
        "leased" => ItemState::Leased(Lease {
            worker_id: row.get(11)?,
            fence: number(12)?,
            expires_at: number(13)?,
            request_id: row.get(16)?,
        }),
        "dead" => ItemState::Dead {
            error: row.get(14)?,
            since: number(15)?,
        },
        other => {
            let unknown = Unknown(other.to_owned());
            return Err(damaged(STATE, Type::Text, unknown));
        }
    };
    Ok(ItemRecord {
        item,
        enqueued_at: number(9)?,
        releases: row.get(18)?,
        state,
    })
}

fn damaged(
    column: usize,
    of: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::FromSqlConversionFailure(column, of, Box::new(error))
}

/// The name of a row that [`SELECT`] finds.
fn name(row: &Row<'_>) -> Name {
    let execution = row.get::<_, Id>(0).ok().map(|id| id.0);
    let (of, node_id) = (many::text(row, 0), many::text(row, 1));
    (
        execution,
        format!("the work item of node {node_id:?} of {of}"),
    )
}

fn query(
    connection: &Connection,
    path: &Path,
    which: &str,
    of: impl Params,
    max: usize,
) -> Result<Many<ItemRecord>> {
    let mut select = connection.prepare_cached(&select(which))?;
    many::read(path, select.query(of)?, max, read, name)
}

/// The keys of the same items, from the index alone.
const CLAIMABLE_KEYS: &str = "
    SELECT execution, node_id FROM items INDEXED BY items_claimable
    WHERE tenant = ?1 AND queue = ?2 AND state = 'waiting' AND held = 0 AND priority = ?3
          AND claimable_at <= ?4
    ORDER BY claimable_at, ordered";

const EXPIRED_KEYS: &str = "
    SELECT execution, node_id FROM items INDEXED BY items_leased
    WHERE state = 'leased' AND expires_at <= ?1
    ORDER BY expires_at, ordered";

const DEAD_KEYS: &str = "
    SELECT execution, node_id FROM items INDEXED BY items_dead
    WHERE state = 'dead' AND dead_since >= ?1
    ORDER BY dead_since, ordered";

/// The item of a key.
const BY_KEY: &str = "
    WHERE items.execution = ?1 AND items.node_id = ?2";

/// The same, if its execution is not set aside.
const BY_KEY_TO_WORK_ON: &str = "
    WHERE items.execution = ?1 AND items.node_id = ?2 AND executions.tampered_sequence IS NULL";

/// Asks for items, and does so one by one where a page of them or of their executions
/// is damaged.
fn query_around_pages(
    connection: &Connection,
    path: &Path,
    [which, keys, by_key]: [&str; 3],
    of: &[&dyn ToSql],
    max: usize,
) -> Result<Many<ItemRecord>> {
    match query(connection, path, which, of, max) {
        Err(error) if failure::is_of_a_page(&error) => {}
        found => return found,
    }
    let mut keys = connection.prepare_cached(keys)?;
    let by_key = select(by_key);
    let item = |key: &Row<'_>| {
        let mut by_key = connection.prepare_cached(&by_key)?;
        let key = params![key.get::<_, Key>(0)?, key.get::<_, String>(1)?];
        by_key.query_row(key, |row| read_row(row, read)).optional()
    };
    let named = |key: &Row<'_>| {
        let execution = execution::id_of(connection, key.get(0)?)?;
        let of = execution.map_or_else(|| many::text(key, 0), |id| id.to_string());
        let node_id = many::text(key, 1);
        Ok((
            execution,
            format!("the work item of node {node_id:?} of {of}"),
        ))
    };
    many::one_by_one(path, keys.query(of)?, max, item, named)
}

/// The items of an execution. The columns by which claims find an item must follow
/// from the item itself: otherwise it would wait for ever, and nobody could see why.
pub(super) fn of_execution(
    connection: &Connection,
    path: &Path,
    id: ExecutionId,
) -> Result<Many<ItemRecord>> {
    let mut select =
        connection.prepare_cached(&select("WHERE executions.id = ?1 ORDER BY items.node_id"))?;
    let consistent = |row: &Row<'_>| {
        let record = read(row)?;
        if row.get(IS_CONSISTENT)? {
            return Ok(record);
        }
        let inconsistent = Inconsistent(record.item.node_id);
        Err(damaged(row::WHOLE, Type::Integer, inconsistent))
    };
    many::read(path, select.query([Id(id)])?, usize::MAX, consistent, name)
}

/// The error of a row that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("the work item of node {0:?} may be claimed when its execution or its times say otherwise")]
struct Inconsistent(String);

pub(super) fn of_node(
    connection: &Connection,
    id: ExecutionId,
    node_id: &str,
) -> Result<Option<ItemRecord>> {
    connection
        .prepare_cached(&select("WHERE executions.id = ?1 AND items.node_id = ?2"))?
        .query_row(params![Id(id), node_id], read)
        .optional()
}

pub(super) fn claimable(
    connection: &Connection,
    path: &Path,
    [tenant, queue]: [&str; 2],
    now: Timestamp,
    max: usize,
) -> Result<Many<ItemRecord>> {
    let questions = [CLAIMABLE, CLAIMABLE_KEYS, BY_KEY_TO_WORK_ON];
    let mut all = Many::whole(Vec::new());
    let mut below = PRIORITY_MAX + 1;
    while all.found.len() < max {
        let Some(priority) = urgency(connection, [tenant, queue], below)? else {
            break;
        };
        let of = params![tenant, queue, priority, Number(now)];
        let left = max - all.found.len();
        let Many { found, damaged } = query_around_pages(connection, path, questions, of, left)?;
        all.found.extend(found);
        all.damaged.extend(damaged);
        below = priority;
    }
    Ok(all)
}

/// The greatest priority below this one of an item that waits on a queue.
fn urgency(connection: &Connection, [tenant, queue]: [&str; 2], below: u32) -> Result<Option<u32>> {
    connection
        .prepare_cached(URGENCY)?
        .query_row(params![tenant, queue, below], |row| row.get(0))
        .optional()
}

/// The queues of a tenant on which items wait, in the order of their names.
pub(super) fn waiting_queues(connection: &Connection, tenant: &str) -> Result<Vec<String>> {
    let mut next = connection.prepare_cached(QUEUE)?;
    let mut queues: Vec<String> = Vec::new();
    loop {
        let after = queues.last().map_or("", String::as_str);
        let queue = next.query_row(params![tenant, after], |row| row.get(0));
        match queue.optional()? {
            Some(queue) => queues.push(queue),
            None => return Ok(queues),
        }
    }
}

pub(super) fn expired(
    connection: &Connection,
    path: &Path,
    now: Timestamp,
    max: usize,
) -> Result<Many<ItemRecord>> {
    let of = params![Number(now)];
    query_around_pages(
        connection,
        path,
        [EXPIRED, EXPIRED_KEYS, BY_KEY_TO_WORK_ON],
        of,
        max,
    )
}

pub(super) fn dead_letters(
    connection: &Connection,
    path: &Path,
    since: Timestamp,
    max: usize,
) -> Result<Many<ItemRecord>> {
    let questions = [DEAD, DEAD_KEYS, BY_KEY];
    query_around_pages(connection, path, questions, &[&Number(since)], max)
}

pub(super) fn claimed_by(
    connection: &Connection,
    path: &Path,
    worker_id: &str,
    request_id: &str,
) -> Result<Many<ItemRecord>> {
    let of = params![worker_id, request_id];
    query(connection, path, BY_REQUEST, of, usize::MAX)
}

pub(super) fn lease_holders(connection: &Connection, path: &Path) -> Result<Many<String>> {
    let mut select = connection.prepare_cached(LEASE_HOLDERS)?;
    let rows = select.query([])?;
    let name = |row: &Row<'_>| {
        (
            None,
            format!("the lease of worker {:?}", many::text(row, 0)),
        )
    };
    many::read(path, rows, usize::MAX, |row| row.get(0), name)
}

/// The first time after `now` at which an item on this queue may be claimed.
pub(super) fn next_claimable(
    connection: &Connection,
    [tenant, queue]: [&str; 2],
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let mut next = None;
    let mut below = PRIORITY_MAX + 1;
    while let Some(priority) = urgency(connection, [tenant, queue], below)? {
        let of = params![tenant, queue, priority, Number(now)];
        let time = time(connection, NEXT_CLAIMABLE, of)?;
        next = next.into_iter().chain(time).min();
        below = priority;
    }
    Ok(next)
}

/// The first end of a lease after `now`.
pub(super) fn next_expiry(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    time(connection, NEXT_EXPIRY, params![Number(now)])
}

fn time(connection: &Connection, sql: &str, of: impl Params) -> Result<Option<Timestamp>> {
    let time = connection
        .prepare_cached(sql)?
        .query_row(of, |row| row.get::<_, Number>(0));
    time.map(|time| time.0).optional()
}
