//! Which rows a turn changes, whatever the tables are.
//!
//! The turns are written once more, off the clock, to a database in which
//! triggers note every row that is inserted, updated or deleted. What remains
//! of a turn is the least that leads from the tables before it to the tables
//! after it: each row at most once, of an update only what has changed.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, ensure};
use refrain::store::{Durability, SqliteStore, Store, Turn};
use rusqlite::Connection;
use rusqlite::types::Value;

/// A statement, and what each row binds to it.
pub(super) type Shape = usize;

/// What one turn does to the tables.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<(Shape, Vec<Value>)>,
}

/// Learns the rows of turns.
pub(super) struct Scribe {
    store: SqliteStore,
    connection: Connection,
    tables: HashMap<String, Table>,
    /// The last note that was read.
    read: i64,
    /// The rows that there are, by their hash: which insertion replaces one?
    there: HashSet<u64>,
    /// The statements so far, and where each stands.
    pub(super) statements: Vec<String>,
    shapes: HashMap<String, Shape>,
}

/// A table of the store's.
struct Table {
    name: String,
    columns: Vec<String>,
    /// Which of the columns tell a row from all others.
    key: Vec<usize>,
}

/// What happened to a row in a turn.
struct Change {
    table: String,
    before: Option<Vec<Value>>,
    after: Option<Vec<Value>>,
}

impl Scribe {
    /// With a database of its own in this folder.
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("rows.db");
        let store = SqliteStore::options()
            .durability(Durability::Normal)
            .open(&path)?;
        let connection = Connection::open(&path).context("cannot open the noted rows")?;
        let tables = tables(&connection)?;
        let widest = tables.iter().map(|table| table.columns.len()).max();
        let columns: Vec<String> = (0..2 * widest.unwrap_or(0))
            .map(|column| format!("v{column}"))
            .collect();
        connection.execute_batch(&format!(
            "CREATE TABLE noted (n INTEGER PRIMARY KEY, name TEXT, had INTEGER, has INTEGER, {});",
            columns.join(", ")
        ))?;
        for table in &tables {
            connection.execute_batch(&table.triggers())?;
        }
        Ok(Self {
            store,
            connection,
            tables: tables
                .into_iter()
                .map(|table| (table.name.clone(), table))
                .collect(),
            read: 0,
            there: HashSet::new(),
            statements: Vec::new(),
            shapes: HashMap::new(),
        })
    }

    /// What these turns do to the tables, turn by turn. They follow on those
    /// before.
    pub(super) fn batches(&mut self, turns: &[Turn]) -> anyhow::Result<Vec<Batch>> {
        turns.iter().map(|turn| self.batch(turn)).collect()
    }

    fn batch(&mut self, turn: &Turn) -> anyhow::Result<Batch> {
        self.store.begin()?;
        self.store.commit(turn)?;
        let mut batch = Batch::default();
        for change in self.changes()? {
            let table = &self.tables[&change.table];
            let row = table.row(&change)?;
            let was_there = self.keep_count(row, change.after.is_some());
            let table = &self.tables[&change.table];
            if let Some((sql, values)) = table.statement(change, was_there) {
                let next = self.statements.len();
                let shape = *self.shapes.entry(sql).or_insert_with_key(|sql| {
                    self.statements.push(sql.clone());
                    next
                });
                batch.rows.push((shape, values));
            }
        }
        Ok(batch)
    }

    /// Note that a row is there from now on, or not. Whether it was.
    fn keep_count(&mut self, row: String, is_there: bool) -> bool {
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        let row = hasher.finish();
        if is_there {
            !self.there.insert(row)
        } else {
            self.there.remove(&row)
        }
    }

    /// What has changed since this was last asked, each row once.
    fn changes(&mut self) -> anyhow::Result<Vec<Change>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT * FROM noted WHERE n > ?1 ORDER BY n")?;
        let mut notes = select.query([self.read])?;
        let mut changes: Vec<Change> = Vec::new();
        let mut last_of_row: HashMap<String, usize> = HashMap::new();
        while let Some(note) = notes.next()? {
            self.read = note.get(0)?;
            let name: String = note.get(1)?;
            let table = self.tables.get(&name);
            let table = table.with_context(|| format!("there is no table {name}"))?;
            let width = table.columns.len();
            let half = |noted: bool, from: usize| -> rusqlite::Result<Option<Vec<Value>>> {
                let values = (from..from + width).map(|column| note.get(column));
                noted.then(|| values.collect()).transpose()
            };
            let change = Change {
                table: name,
                before: half(note.get(2)?, 4)?,
                after: half(note.get(3)?, 4 + width)?,
            };
            let row = table.row(&change)?;
            match last_of_row.get(&row) {
                Some(&place) => changes[place].after = change.after,
                None => {
                    last_of_row.insert(row, changes.len());
                    changes.push(change);
                }
            }
        }
        Ok(changes)
    }
}

impl Table {
    /// Triggers that note what happens to its rows: first all columns as they
    /// were, then as they are.
    fn triggers(&self) -> String {
        let Self { name, columns, .. } = self;
        let of = |row: &str| -> String {
            let each = columns.iter().map(|column| format!("{row}.{column}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let nothing = vec!["NULL"; columns.len()].join(", ");
        let places: Vec<String> = (0..2 * columns.len()).map(|n| format!("v{n}")).collect();
        let trigger = |event: &str, had: bool, has: bool, values: String| {
            format!(
                "CREATE TRIGGER noted_{event}_{name} AFTER {event} ON {name} BEGIN
                     INSERT INTO noted (name, had, has, {}) VALUES ('{name}', {had}, {has}, {values});
                 END;",
                places.join(", ")
            )
        };
        [
            trigger("INSERT", false, true, format!("{nothing}, {}", of("NEW"))),
            trigger(
                "UPDATE",
                true,
                true,
                format!("{}, {}", of("OLD"), of("NEW")),
            ),
            trigger("DELETE", true, false, format!("{}, {nothing}", of("OLD"))),
        ]
        .concat()
    }

    /// What tells this change's row from all others.
    fn row(&self, change: &Change) -> anyhow::Result<String> {
        let values = change.before.as_ref().or(change.after.as_ref());
        let values = values.context("a note of no row")?;
        let key: Vec<&Value> = self.key.iter().map(|column| &values[*column]).collect();
        Ok(format!("{} {key:?}", self.name))
    }

    /// The statement of a change, and what it binds. None: nothing has changed.
    fn statement(&self, change: Change, was_there: bool) -> Option<(String, Vec<Value>)> {
        match (change.before, change.after) {
            (None, None) => None,
            // What an insertion replaces, a snapshot say, no trigger tells.
            (None, Some(after)) if was_there => Some((self.insert("INSERT OR REPLACE"), after)),
            (None, Some(after)) => Some((self.insert("INSERT"), after)),
            (Some(before), None) => Some((self.delete(), self.key_of(&before))),
            (Some(before), Some(after)) => self.update(&before, after),
        }
    }

    fn insert(&self, insert: &str) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|n| format!("?{n}")).collect();
        format!(
            "{insert} INTO {} ({}) VALUES ({})",
            self.name,
            self.columns.join(", "),
            places.join(", ")
        )
    }

    fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.name, self.is_the_row(1))
    }

    fn update(&self, before: &[Value], after: Vec<Value>) -> Option<(String, Vec<Value>)> {
        let mut values = Vec::new();
        let mut sets = Vec::new();
        for (column, (was, is)) in before.iter().zip(after).enumerate() {
            if *was != is {
                values.push(is);
                sets.push(format!("{} = ?{}", self.columns[column], values.len()));
            }
        }
        if sets.is_empty() {
            return None;
        }
        let row = self.is_the_row(values.len() + 1);
        values.extend(self.key_of(before));
        let sql = format!("UPDATE {} SET {} WHERE {row}", self.name, sets.join(", "));
        Some((sql, values))
    }

    fn key_of(&self, values: &[Value]) -> Vec<Value> {
        self.key
            .iter()
            .map(|column| values[*column].clone())
            .collect()
    }

    /// The condition that names a row, its first value bound at this place.
    fn is_the_row(&self, first: usize) -> String {
        let each = self.key.iter().enumerate();
        let each = each.map(|(n, column)| format!("{} = ?{}", self.columns[*column], first + n));
        each.collect::<Vec<_>>().join(" AND ")
    }
}

/// The tables that there are.
fn tables(connection: &Connection) -> anyhow::Result<Vec<Table>> {
    let mut select = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let names = select.query_map([], |row| row.get(0))?;
    names.map(|name| table(connection, name?)).collect()
}

fn table(connection: &Connection, name: String) -> anyhow::Result<Table> {
    let mut select =
        connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = select.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let columns = columns.collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
    let key: Vec<usize> = (0..columns.len()).filter(|n| columns[*n].1).collect();
    ensure!(!key.is_empty(), "the table {name} has no primary key");
    Ok(Table {
        columns: columns.into_iter().map(|(column, _)| column).collect(),
        name,
        key,
    })
}
