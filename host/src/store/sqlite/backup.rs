//! Copies of a database: a live database is copied as it is at one moment, and a copy
//! is put in the place of a database.
//!
//! The file alone is not the whole database: the last commits stand in the log of
//! changes next to it (`-wal`). A copy of the file alone loses them, and a copy that is
//! put next to another database's log gets that log worked into it by SQLite.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::store::StoreError;
use crate::store::sqlite::failure::{open_error, store_error};
use crate::store::sqlite::file::{check_kind, name_for_sqlite, with_suffix};
use crate::store::sqlite::schema;

/// The endings of the files that SQLite keeps next to a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Copies the database at `from`, which others may be writing, to `to`, which must
/// not be there. The copy is whole when it appears there.
pub(super) fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(refused(
            to,
            "it is there already, and a backup replaces nothing; name another file",
        ));
    }
    if let Some(database) = owner_by_name(to) {
        let detail = format!(
            "by its name it belongs to the database {}; name another file",
            database.display()
        );
        return Err(refused(to, &detail));
    }
    let partial = Partial::next_to(to, from)?;
    copy(from, &partial.path)?;
    partial.put(to)
}

/// Puts a copy of the database at `from` in the place of the one at `to`, which
/// nobody may have open. What stood there is moved aside, with its log of
/// changes: the answer says where to.
pub(super) fn restore(from: &Path, to: &Path) -> Result<Option<PathBuf>, StoreError> {
    if let (Ok(from), Ok(to)) = (fs::canonicalize(from), fs::canonicalize(to))
        && from == to
    {
        return Err(refused(&to, "it would be restored from itself"));
    }
    // Links lead to the file that is replaced.
    let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_owned());
    let partial = Partial::next_to(&to, if to.exists() { &to } else { from })?;
    copy(from, &partial.path)?;
    // The lock is held until the end, so that nobody opens the former database
    // meanwhile.
    let _lock = lock(&to)?;
    let aside = move_aside(&to)?;
    partial.put(&to)?;
    Ok(aside)
}

/// Copies page by page, as the database is at one moment, and checks that the copy is
/// whole.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.exists() {
        let place = from.display().to_string();
        return Err(StoreError::Missing { place });
    }
    check_kind(from)?;
    let failed = |error: rusqlite::Error| open_error(from, &error);
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let source = Connection::open_with_flags(
        name_for_sqlite(from),
        flags | OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .map_err(failed)?;
    if !schema::identity(&source).map_err(failed)?.is_ours() {
        return Err(StoreError::Foreign {
            place: from.display().to_string(),
            detail: "its first page says so".to_owned(),
        });
    }
    let failed = |error: rusqlite::Error| store_error(to, &error);
    let mut target = Connection::open_with_flags(
        name_for_sqlite(to),
        flags | OpenFlags::SQLITE_OPEN_READ_WRITE,
    )
    .map_err(failed)?;
    let copied = Backup::new(&source, &mut target)
        .and_then(|backup| backup.step(-1))
        .map_err(|error| store_error(from, &error))?;
    if copied != StepResult::Done {
        return Err(StoreError::Locked {
            place: from.display().to_string(),
            detail: "it cannot be read just now".to_owned(),
        });
    }
    let verdict: String = target
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| store_error(from, &error))?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt {
            place: from.display().to_string(),
            detail: verdict.lines().collect::<Vec<_>>().join(" "),
        });
    }
    // The copy is one file, without others next to it.
    let mode: String = target
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .map_err(failed)?;
    debug_assert_eq!(mode, "delete");
    target.close().map_err(|(_, error)| failed(error))
}

/// A file that is being written. It is deleted unless it is put in its place.
struct Partial {
    path: PathBuf,
}

impl Partial {
    /// Those may read and write it who may do so with the file `like`.
    fn next_to(to: &Path, like: &Path) -> Result<Self, StoreError> {
        let path = with_suffix(to, &format!(".partial-{}", std::process::id()));
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let failed = |error: io::Error| not_written(&path, &error);
        let file = created.map_err(failed)?;
        let partial = Self { path: path.clone() };
        let like = match fs::metadata(like) {
            Ok(like) => like,
            // The caller tells of what it could not copy.
            Err(_) => return Ok(partial),
        };
        // Only root may give a file away; otherwise its owner stays.
        let _ = fchown(&file, Some(like.uid()), Some(like.gid()));
        let permissions = fs::Permissions::from_mode(like.mode() & 0o777);
        file.set_permissions(permissions).map_err(failed)?;
        Ok(partial)
    }

    /// Puts the file there, where no file may be.
    fn put(self, to: &Path) -> Result<(), StoreError> {
        let put = File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| rename_to_nothing(&self.path, to))
            .and_then(|()| File::open(folder_of(to))?.sync_all());
        put.map_err(|error| not_written(to, &error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for path in COMPANIONS.map(|suffix| with_suffix(&self.path, suffix)) {
            let _ = fs::remove_file(path);
        }
        // The file has moved, or is of no use.
        let _ = fs::remove_file(&self.path);
    }
}

/// Renames a file, unless there is one of the new name.
fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // The file system has no links.
        Err(_) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// SQLite's own locks are parts of this one: a process that has the database open
/// holds a part of it, so a process that holds all of it is alone.
fn lock(path: &Path) -> Result<Option<File>, StoreError> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(not_written(path, &error)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(error) => Err(StoreError::Locked {
            place: path.display().to_string(),
            detail: error.to_string(),
        }),
    }
}

/// Moves a database aside, and before it the files that SQLite keeps next to it: between
/// the two moves the database lacks its last turns, but never gets another one's.
fn move_aside(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
    let parts = || [""].into_iter().chain(COMPANIONS);
    if !parts().any(|part| is_there(&with_suffix(path, part))) {
        return Ok(None);
    }
    let names = (1..).map(|number| match number {
        1 => with_suffix(path, ".replaced"),
        _ => with_suffix(path, &format!(".replaced-{number}")),
    });
    let free = |name: &PathBuf| !parts().any(|part| is_there(&with_suffix(name, part)));
    let Some(aside) = { names }.find(free) else {
        unreachable!("numbers do not end");
    };
    for part in COMPANIONS.into_iter().chain([""]) {
        let (from, to) = (with_suffix(path, part), with_suffix(&aside, part));
        match fs::rename(&from, to) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(not_written(&from, &error)),
        }
    }
    Ok(Some(aside))
}

/// The database whose log of changes, or the like, would have this name.
fn owner_by_name(path: &Path) -> Option<PathBuf> {
    let name = path.as_os_str().as_bytes();
    let ends = COMPANIONS.iter();
    let mut owners = ends.filter_map(|end| name.strip_suffix(end.as_bytes()));
    let owner = PathBuf::from(OsStr::from_bytes(owners.next()?));
    owner.is_file().then_some(owner)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn not_written(path: &Path, error: &io::Error) -> StoreError {
    let (place, detail) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { place, detail }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { place, detail },
        _ => StoreError::Io { place, detail },
    }
}

fn refused(path: &Path, detail: &str) -> StoreError {
    StoreError::Io {
        place: path.display().to_string(),
        detail: detail.to_owned(),
    }
}
