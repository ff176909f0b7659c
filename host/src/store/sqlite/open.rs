//! The opening of a database file. Nothing is written to it before it is known that it
//! is ours, that it may be written, and that it is of our version.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;
use crate::store::sqlite::durability::{Access, Durability, Opening};
use crate::store::sqlite::failure::open_error;
use crate::store::sqlite::file::{self, DatabaseFile};
use crate::store::sqlite::lock::when_free;
use crate::store::sqlite::schema::{self, Identity, OLDEST, VERSION};
use crate::store::sqlite::stale_log;

/// The number of statements that are kept prepared: more than this store has.
const STATEMENTS_MAX: usize = 64;

/// The number of pages (16 MiB) at which SQLite works the log of changes into the
/// database. Pages that change again and again are written fewer times than with
/// SQLite's own 1000. The price is this much disk, and after a crash the time to read
/// it.
const CHECKPOINT_PAGES: u32 = 4096;

/// The memory for pages, in KiB: most of what thousands of executions work on.
const CACHE_KIB: i32 = 16384;

/// A connection, and what it leads to.
pub(super) struct Connected {
    pub(super) connection: Connection,
    pub(super) file: DatabaseFile,
    /// Whether the file keeps simulated executions.
    pub(super) simulated: bool,
}

pub(super) fn connect(path: &Path, opening: Opening) -> Result<Connected, StoreError> {
    let Opening {
        access,
        durability,
        lock_wait,
        simulated,
    } = opening;
    if access == Access::Read && !path.exists() {
        return Err(StoreError::Missing { place: place(path) });
    }
    if path.is_dir() {
        // SQLite says that its disk fails.
        return Err(StoreError::Foreign {
            place: place(path),
            detail: "it is a folder; name a file in it".to_owned(),
        });
    }
    file::check_path(path)?;
    stale_log::set_aside(path)?;
    let failed = |error: rusqlite::Error| open_error(path, &error);
    let name = file::name_for_sqlite(path);
    let mut connection = Connection::open_with_flags(name, flags(access)).map_err(failed)?;
    // SQLite keeps files next to a database, for readers too. Where it cannot, and nobody
    // can write to it, none are needed.
    if access == Access::Read
        && schema::identity(&connection).is_err()
        && let Some(path) = stale_log::at_rest(path)
    {
        connection = stale_log::alone(&path).map_err(failed)?;
    }
    connection.busy_timeout(lock_wait).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A statement's plan does not depend on what is bound to it: otherwise SQLite
    // plans it anew, again and again, because partial indexes might now fit.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failed)?;
    let mut identity = schema::identity(&connection).map_err(failed)?;
    check_identity(path, access, &identity)?;
    if access == Access::Write {
        check_writable(path, &connection)?;
        write_ahead(path, &connection, lock_wait)?;
        set_up(&connection, durability).map_err(failed)?;
        schema::migrate(&mut connection, simulated).map_err(failed)?;
        identity = schema::identity(&connection).map_err(failed)?;
    }
    Ok(Connected {
        connection,
        file: DatabaseFile::opened(path)?,
        simulated: identity.is_simulated(),
    })
}

fn flags(access: Access) -> OpenFlags {
    // One owner, one thread at a time: SQLite's own mutexes are not needed.
    let common = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    match access {
        Access::Read => common | OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => common | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    }
}

fn check_identity(path: &Path, access: Access, identity: &Identity) -> Result<(), StoreError> {
    let place = place(path);
    let Identity {
        application_id,
        version,
        objects,
    } = *identity;
    // An empty file becomes ours by the first step.
    let fresh = application_id == 0 && version == 0 && objects == 0;
    if fresh && access == Access::Read {
        return Err(StoreError::Empty { place });
    }
    if !fresh && !identity.is_ours() {
        let detail =
            format!("it is a SQLite database of another program (application id {application_id})");
        return Err(StoreError::Foreign { place, detail });
    }
    if version > VERSION {
        return Err(StoreError::Newer {
            place,
            found: version,
            known: VERSION,
        });
    }
    if (1..OLDEST).contains(&version) {
        return Err(StoreError::Older {
            place,
            found: version,
            known: OLDEST,
        });
    }
    if version < VERSION && access == Access::Read {
        return Err(StoreError::Outdated {
            place,
            found: version,
            known: VERSION,
        });
    }
    Ok(())
}

/// SQLite opens a file that may not be written for reading, and says so only
/// when asked.
fn check_writable(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    match connection
        .is_readonly("main")
        .map_err(|error| open_error(path, &error))?
    {
        false => Ok(()),
        true => Err(StoreError::ReadOnly {
            place: place(path),
            detail: "the file may only be read".to_owned(),
        }),
    }
}

/// Readers and the writer must not wait for one another. SQLite does not wait
/// for the lock that the change of the journal takes, so we do.
fn write_ahead(
    path: &Path,
    connection: &Connection,
    lock_wait: Duration,
) -> Result<(), StoreError> {
    let changed = when_free(lock_wait, || {
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })
    });
    match changed.map_err(|error| open_error(path, &error))?.as_str() {
        "wal" => Ok(()),
        mode => Err(StoreError::Io {
            place: place(path),
            detail: format!(
                "its file system knows no write-ahead log (journal mode {mode}); keep it on a local disk"
            ),
        }),
    }
}

fn set_up(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", durability.name())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.query_row(
        &format!("PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}"),
        [],
        |_| Ok(()),
    )?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // After a large turn the file next to the database shrinks again.
    connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))
}

fn place(path: &Path) -> String {
    path.display().to_string()
}
