//! Executions are listed: which, in which order, and around damaged pages.

use std::cell::RefCell;
use std::path::Path;

use rusqlite::{Connection, Result, Row, ToSql, params_from_iter};

use crate::store::sqlite::execution::{BY_KEY, COLUMNS, KEY, Key, ROOTS, name, read};
use crate::store::sqlite::failure;
use crate::store::sqlite::labels;
use crate::store::sqlite::many;
use crate::store::sqlite::row::read_row;
use crate::store::sqlite::value::{Id, StatusName};
use crate::store::{Damaged, ExecutionRecord, LabelFilter, ListFilter, Many, Timestamp};

/// The table, through whichever index fits.
const TABLE: &str = "executions";

/// Where a list of ids is short, however many executions there are.
const BY_ID: &str = "executions INDEXED BY sqlite_autoindex_executions_1";

/// Where executions are named by their labels, and looked up one by one.
const BY_KEYS: &str = "executions NOT INDEXED";

/// Conditions, each with the values of its question marks.
#[derive(Default)]
struct Conditions {
    texts: Vec<&'static str>,
    values: Vec<Box<dyn ToSql>>,
}

pub(super) fn list(
    connection: &Connection,
    path: &Path,
    filter: &ListFilter,
) -> Result<Many<ExecutionRecord>> {
    let conditions = Conditions::of(filter);
    let listed = |table: &str| {
        let sql = conditions.select(COLUMNS, table, filter);
        let mut select = connection.prepare_cached(&sql)?;
        let rows = select.query(params_from_iter(&conditions.values))?;
        many::read(path, rows, filter.max, read, |row| name(row, 0, KEY))
    };
    let table = match filter {
        ListFilter { ids: Some(_), .. } => BY_ID,
        filter if !filter.labels.is_empty() => BY_KEYS,
        _ => TABLE,
    };
    match listed(table) {
        Err(error) if failure::is_of_a_page(&error) => {}
        listed => return listed,
    }
    match list_one_by_one(connection, path, filter) {
        Err(error) if failure::is_of_a_page(&error) => {
            // The index of starts itself is damaged: all rows are read, and put
            // into its order.
            let mut listed = listed("executions NOT INDEXED")?;
            listed.damaged.push(Damaged {
                execution: None,
                place: format!("{}, the index `executions_by_start`", path.display()),
                detail: error.to_string(),
            });
            Ok(listed)
        }
        listed => listed,
    }
}

/// Lists executions where a page of rows is damaged. The index of starts names the
/// rows on it, whatever else is in them.
fn list_one_by_one(
    connection: &Connection,
    path: &Path,
    filter: &ListFilter,
) -> Result<Many<ExecutionRecord>> {
    let conditions = Conditions::of_place(filter);
    let sql = conditions.select(
        "id, key",
        "executions INDEXED BY executions_by_start",
        filter,
    );
    let mut keys = connection.prepare_cached(&sql)?;
    let mut by_key = connection.prepare_cached(BY_KEY)?;
    let keys = keys.query(params_from_iter(&conditions.values))?;
    let by_key = RefCell::new(&mut by_key);
    let record = |key: &Row<'_>| {
        let mut by_key = by_key.borrow_mut();
        let record = by_key.query_row([key.get::<_, Key>(1)?], |row| read_row(row, read))?;
        let labels = match filter.labels.is_empty() {
            true => Vec::new(),
            false => labels::of_execution(connection, record.id)?,
        };
        Ok(Some(record).filter(|record| filter.takes(record, &labels)))
    };
    many::one_by_one(path, keys, filter.max, record, |key| Ok(name(key, 0, 1)))
}

impl Conditions {
    fn of(filter: &ListFilter) -> Self {
        let mut all = Self::of_place(filter);
        if let Some(status) = filter.status {
            all.add("status = ?", [Box::new(StatusName(status)) as _]);
        }
        if let Some(id) = &filter.workflow_id {
            all.add("workflow_id = ?", [Box::new(id.clone()) as _]);
        }
        if let Some((first, last)) = filter.ids {
            all.add(
                "id BETWEEN ? AND ?",
                [Box::new(Id(first)) as _, Box::new(Id(last)) as _],
            );
        }
        for LabelFilter { name, value } in &filter.labels {
            let name = Box::new(name.clone()) as _;
            match value {
                Some(value) => all.add(labels::HAVE, [name, Box::new(value.clone()) as _]),
                None => all.add(labels::HAVE_ANY, [name]),
            }
        }
        all
    }

    /// Those that are known of the id and the place in the order alone.
    fn of_place(filter: &ListFilter) -> Self {
        let mut all = Self::default();
        if let Some((at, id)) = filter.after {
            let text = match filter.newest_first {
                true => "(started_at, id) < (?, ?)",
                false => "(started_at, id) > (?, ?)",
            };
            all.add(text, [Box::new(column_of(at)) as _, Box::new(Id(id)) as _]);
        }
        if let Some(since) = filter.since {
            all.add("started_at >= ?", [Box::new(column_of(since)) as _]);
        }
        if filter.roots {
            all.add(ROOTS, []);
        }
        all
    }

    fn add<const N: usize>(&mut self, text: &'static str, values: [Box<dyn ToSql>; N]) {
        self.texts.push(text);
        self.values.extend(values);
    }

    fn select(&self, columns: &str, table: &str, filter: &ListFilter) -> String {
        let conditions = match self.texts.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.texts.join(" AND ")),
        };
        let order = match filter.newest_first {
            true => "started_at DESC, id DESC",
            false => "started_at, id",
        };
        format!("SELECT {columns} FROM {table} {conditions} ORDER BY {order}")
    }
}

/// A time that is later than all that the column holds is the latest of them.
fn column_of(at: Timestamp) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}
