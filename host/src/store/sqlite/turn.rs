//! The writing of a turn, within the transaction that its owner has begun.

use rusqlite::{Connection, Error};

use crate::id::ExecutionId;
use crate::model::Snapshot;
use crate::store::check::{self, Conflicts};
use crate::store::labels::begun_with;
use crate::store::sqlite::changes::{self, Changes, Owner};
use crate::store::sqlite::execution::{self, Key};
use crate::store::sqlite::failure;
use crate::store::sqlite::grow::{Advance, Append};
use crate::store::sqlite::record_cache::{CachedRecord, RecordCache};
use crate::store::sqlite::{children, clocks, erase, keep, labels, output};
use crate::store::{
    CommitError, ExecutionChange, ExecutionRecord, OutputChange, Turn, WorkflowRecord,
};

/// The room for the places of items that one change orders. A change with more of them
/// takes places of the next one, which does no harm.
const ITEMS_BITS: u32 = 16;

const GONE: &str = "its record is not what it was a moment ago";

/// Why a turn was not written. What was written of it must be rolled back.
pub(super) enum Refusal {
    /// The turn as a whole conflicts.
    Conflict(String),
    /// What is written of this execution conflicts.
    ConflictOf(ExecutionId, String),
    /// The rows of this execution are damaged.
    Damaged(ExecutionId, Error),
    Sqlite(Error),
    /// SQLite failed in a way in which no turn could be written.
    Whole(Error),
    /// A snapshot or output of this execution could not be kept. The turn can be written
    /// without.
    Spare(ExecutionId, Error),
    /// The file is no longer the one that was opened, or COMMIT itself failed.
    Failed(CommitError),
}

impl Refusal {
    /// Whether the transaction has met a damaged page, now or before.
    pub(super) fn is_of_a_page(&self) -> bool {
        match self {
            Self::Damaged(_, error)
            | Self::Sqlite(error)
            | Self::Whole(error)
            | Self::Spare(_, error) => failure::is_of_a_page(error),
            Self::Conflict(_) | Self::ConflictOf(..) | Self::Failed(_) => false,
        }
    }

    /// The error while this execution was written, which says whether the execution is
    /// damaged or the store has failed as a whole.
    fn of(self, id: ExecutionId) -> Self {
        match self {
            Self::Sqlite(error) if failure::is_damage(&error) => Self::Damaged(id, error),
            refusal => refusal,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Writes a turn that has been checked by itself, with its snapshots and output or without.
pub(super) fn write(
    connection: &Connection,
    records: &mut RecordCache,
    turn: &Turn,
    with_spare: bool,
) -> Result<(), Refusal> {
    for workflow in &turn.workflows {
        let WorkflowRecord {
            workflow_id,
            version,
            ..
        } = workflow;
        if !keep::keep_workflow(connection, workflow)? {
            return Err(Refusal::Conflict(format!(
                "workflow {workflow_id} {version} is registered with another text"
            )));
        }
    }
    for component in &turn.components {
        keep::keep_component(connection, component)?;
    }
    let mut executions = Executions::new(connection, records)?;
    // After a conflict all of it is rolled back. It is written to its end all the same,
    // because all that conflict are to be named.
    let mut conflicts = Conflicts::default();
    for change in &turn.executions {
        let id = change.record.id;
        let written = executions.write(change);
        note(&mut conflicts, id, written)?;
    }
    for child in &turn.children {
        children::write(connection, child)?;
    }
    for output in turn.outputs.iter().filter(|_| with_spare) {
        let written = write_output(connection, output);
        note(&mut conflicts, output.execution, written)?;
    }
    for erasure in &turn.erasures {
        let id = erasure.execution;
        let erased = erase::erase(connection, erasure).map_err(Refusal::from);
        let erased = erased.and_then(|refused| match refused {
            Some(detail) => Err(Refusal::ConflictOf(id, detail)),
            None => Ok(()),
        });
        note(&mut conflicts, id, erased)?;
    }
    for (id, snapshot) in turn.snapshots.iter().filter(|_| with_spare) {
        let written = write_snapshot(connection, *id, snapshot);
        note(&mut conflicts, *id, written)?;
    }
    conflicts.none().map_err(Refusal::Failed)?;
    clocks::advance(connection, turn).map_err(Refusal::Whole)
}

/// Notes what came of writing this execution: a conflict is gathered with the others,
/// anything else ends the writing.
fn note(
    conflicts: &mut Conflicts,
    id: ExecutionId,
    written: Result<(), Refusal>,
) -> Result<(), Refusal> {
    let conflict = match written {
        Ok(()) => Ok(()),
        Err(Refusal::ConflictOf(_, detail)) => Err(detail),
        Err(refusal) => return Err(refusal.of(id)),
    };
    conflicts.note(id, conflict);
    Ok(())
}

/// Writes the changes of executions. Keeps the statements at hand that each change
/// takes.
struct Executions<'a> {
    connection: &'a Connection,
    records: &'a mut RecordCache,
    advance: Advance<'a>,
    append: Append<'a>,
    items: Changes<'a>,
}

impl<'a> Executions<'a> {
    fn new(connection: &'a Connection, records: &'a mut RecordCache) -> Result<Self, Refusal> {
        Ok(Self {
            connection,
            records,
            advance: Advance::prepare(connection)?,
            append: Append::prepare(connection)?,
            items: Changes::prepare(connection)?,
        })
    }

    fn write(&mut self, change: &ExecutionChange) -> Result<(), Refusal> {
        let record = &change.record;
        let key = self.record(change)?;
        self.append.append(key, &change.events)?;
        if change.items.is_empty() {
            return Ok(());
        }
        let mut owner = Owner {
            key,
            // Each item is ordered by an event, and events stand in the order in which
            // they came.
            ordered: self.connection.last_insert_rowid() << ITEMS_BITS,
            held: !record.claims(),
        };
        for item in &change.items {
            owner.ordered += 1;
            if let Some(refused) = self.items.make(owner, item)? {
                return conflict(record.id, &refused);
            }
        }
        Ok(())
    }

    /// Writes the execution's record. Answers its key.
    fn record(&mut self, change: &ExecutionChange) -> Result<Key, Refusal> {
        if change.expected.sequence == 0 {
            return self.begin(change);
        }
        let record = &change.record;
        let Some(cached) = self.records.of(self.connection, record.id)? else {
            return self.refuse(change, GONE);
        };
        if cached.head != change.expected || cached.origin != self.records.origin(record) {
            return self.refuse(change, GONE);
        }
        // Mostly the log grows, and nothing else changes.
        let written = if cached.rest == self.records.rest(record) {
            self.records.advance(record.id, record.head);
            self.advance.advance(cached.key, record)?
        } else {
            self.replace(cached, record)?
        };
        if written {
            Ok(cached.key)
        } else {
            self.refuse(change, GONE)
        }
    }

    fn begin(&mut self, change: &ExecutionChange) -> Result<Key, Refusal> {
        let record = &change.record;
        match execution::insert(self.connection, record)? {
            Some(key) => {
                let begun_with = begun_with(&change.events);
                labels::insert(self.connection, (key, &record.tenant), begun_with)?;
                Ok(self.records.keep(key, record).key)
            }
            None => self.refuse(change, GONE),
        }
    }

    /// Writes all that can change of the record.
    fn replace(&mut self, cached: CachedRecord, record: &ExecutionRecord) -> Result<bool, Refusal> {
        // Mostly this does not change, and the items need not be looked at.
        if record.claims() != cached.rest.claims {
            changes::hold(self.connection, cached.key, !record.claims())?;
        }
        self.records.keep(cached.key, record);
        Ok(execution::update(self.connection, cached.key, record)?)
    }

    /// Refuses a change: because it does not follow on what is stored, or else for
    /// this reason.
    fn refuse(&self, change: &ExecutionChange, otherwise: &str) -> Result<Key, Refusal> {
        let id = change.record.id;
        let stored = execution::by_id(self.connection, id)?;
        let follows = check::follows(stored.as_ref(), change);
        follows.map_err(|detail| Refusal::ConflictOf(id, detail))?;
        conflict(id, otherwise)
    }
}

fn write_snapshot(
    connection: &Connection,
    id: ExecutionId,
    snapshot: &Snapshot,
) -> Result<(), Refusal> {
    let Some(key) = execution::key_of(connection, id)? else {
        return conflict(id, "there is no such execution to keep a snapshot of");
    };
    if erase::is_erased(connection, key)? {
        return conflict(id, "it is erased, and no snapshot is kept of it");
    }
    keep::keep_snapshot(connection, key, snapshot).map_err(|error| Refusal::Spare(id, error))
}

fn write_output(connection: &Connection, change: &OutputChange) -> Result<(), Refusal> {
    let id = change.execution;
    let Some(key) = execution::key_of(connection, id)? else {
        return conflict(id, "there is no such execution to keep output of");
    };
    if erase::is_erased(connection, key)? {
        return conflict(id, "it is erased, and output of it is not kept");
    }
    output::keep(connection, key, change).map_err(|error| Refusal::Spare(id, error))
}

fn conflict<T>(id: ExecutionId, detail: &str) -> Result<T, Refusal> {
    Err(Refusal::ConflictOf(id, format!("{id}: {detail}")))
}
