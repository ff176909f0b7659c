//! The commit of a turn, which works around damaged pages of the file.

use crate::store::check;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::record_cache::RecordCache;
use crate::store::sqlite::turn::{self, Refusal};
use crate::store::sqlite::{erase, failure};
use crate::store::{CommitError, Turn};

/// Writes a turn and commits it.
///
/// SQLite writes nothing more in a transaction that has met a damaged page, be it
/// only by reading. A turn that fails for that is therefore written once more in
/// another transaction, upon the same state. That shows whose page it is, which is
/// mostly that of an execution which the turn does not write.
pub(super) fn write(
    database: &mut Database,
    records: &mut RecordCache,
    turn: &Turn,
) -> Result<(), CommitError> {
    if !database.in_turn() {
        return Err(CommitError::Failed(
            database.contradiction("a turn was committed that was never begun"),
        ));
    }
    check::turn(turn, &database.place(), database.simulated).map_err(CommitError::Failed)?;
    let (mut with_spare, mut is_second) = (true, false);
    loop {
        let written = try_write(database, records, turn, with_spare);
        if !turn.erasures.is_empty()
            && let Err(error) = erase::overwrite_deleted(&database.connection, false)
        {
            // Other turns only cost more then.
            tracing::debug!(refrain.store = %database.path.display(), %error, "deleted rows are still overwritten");
        }
        let refusal = match written {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        match &refusal {
            // A snapshot is only a cache, and output is for people.
            Refusal::Spare(id, error) if failure::is_damage(error) => {
                tracing::warn!(refrain.execution = %id, "no snapshot and no output is kept, because their place in the file is damaged: {error}");
                with_spare = false;
            }
            _ if refusal.is_of_a_page() && !is_second => is_second = true,
            _ => return Err(commit_error(database, refusal)),
        }
        begin_again(database, records)?;
    }
}

fn try_write(
    database: &mut Database,
    records: &mut RecordCache,
    turn: &Turn,
    with_spare: bool,
) -> Result<(), Refusal> {
    let connection = &database.connection;
    if !turn.erasures.is_empty() {
        erase::overwrite_deleted(connection, true)?;
    }
    turn::write(connection, records, turn, with_spare)?;
    // Callers are told of what is stored, so the file must still be in its place
    // (law 8).
    let failed = |error| Refusal::Failed(CommitError::Failed(error));
    database.file.check().map_err(failed)?;
    database
        .execute("COMMIT")
        .map_err(|error| Refusal::Failed(failure::commit_error(&database.path, &error)))?;
    database.has_just_committed = true;
    Ok(())
}

fn commit_error(database: &Database, refusal: Refusal) -> CommitError {
    let path = &database.path;
    match refusal {
        Refusal::Conflict(detail) => CommitError::Conflict {
            executions: Vec::new(),
            detail,
        },
        // It is gathered with the others before.
        Refusal::ConflictOf(execution, detail) => CommitError::Conflict {
            executions: vec![execution],
            detail,
        },
        Refusal::Damaged(execution, error) | Refusal::Spare(execution, error) => {
            CommitError::Damaged {
                execution,
                error: database.error_of(execution, &error),
            }
        }
        Refusal::Sqlite(error) => CommitError::Failed(failure::store_error(path, &error)),
        Refusal::Whole(error) => CommitError::Failed(failure::whole_error(path, &error)),
        Refusal::Failed(error) => error,
    }
}

/// Begins the turn once more, upon the same state as before.
fn begin_again(database: &mut Database, records: &mut RecordCache) -> Result<(), CommitError> {
    let version = records.version();
    records.forget();
    database.rollback();
    records.are_of(database.begin().map_err(CommitError::Failed)?);
    if records.version() == version {
        return Ok(());
    }
    let detail = "others have written while it was begun once more".to_owned();
    Err(CommitError::Conflict {
        executions: Vec::new(),
        detail,
    })
}
