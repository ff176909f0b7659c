//! From SQLite's errors to ours: each becomes the [`StoreError`] that names the file
//! and the remedy.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};
use rustix::fs::{Access, access};

use crate::store::sqlite::row;
use crate::store::{CommitError, StoreError};

/// The error of a statement.
pub(super) fn store_error(path: &Path, error: &Error) -> StoreError {
    let place = path.display().to_string();
    let detail = row::detail(error);
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                StoreError::Locked { place, detail }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                StoreError::ReadOnly { place, detail }
            }
            ErrorCode::DiskFull => StoreError::Full { place, detail },
            // A turn is checked to fit before it is written, so a row stands where
            // none should.
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation => StoreError::Corrupt { place, detail },
            // No address is free for the memory that processes share next to the database.
            ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMMAP => {
                let detail =
                    format!("{detail}: there is too little address space; see `ulimit -v`");
                StoreError::Io { place, detail }
            }
            ErrorCode::OutOfMemory => {
                let detail = format!("{detail}: there is too little memory; see `ulimit -v`");
                StoreError::Io { place, detail }
            }
            ErrorCode::CannotOpen => cannot_open(path, place, detail),
            // The file that processes share next to the database cannot grow.
            ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                StoreError::Full { place, detail }
            }
            _ => StoreError::Io { place, detail },
        },
        // The statements are ours: so a table or a column is not what we made.
        Error::SqlInputError { msg, .. } => StoreError::Malformed {
            place,
            detail: format!("its tables are not those that it was made with: {msg}"),
        },
        error if is_of_a_row(error) => StoreError::Corrupt { place, detail },
        _ => StoreError::Io { place, detail },
    }
}

/// The error of a question about many executions, or about the whole store. Where
/// pages are damaged that such a question needs, no execution can be named.
pub(super) fn whole_error(path: &Path, error: &Error) -> StoreError {
    match store_error(path, error) {
        StoreError::Corrupt { place, detail } => StoreError::Malformed { place, detail },
        other => other,
    }
}

/// Whether a page is damaged.
pub(super) fn is_of_a_page(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Whether a row holds a value that does not belong into its column: another program
/// wrote it. The other rows can still be read.
pub(super) fn is_of_a_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

/// Whether something stored is damaged, be it a row or the page that it is on.
pub(super) fn is_damage(error: &Error) -> bool {
    is_of_a_row(error)
        || is_of_a_page(error)
        || error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// The error of opening. A file that is no database at all is not a damaged one.
pub(super) fn open_error(path: &Path, error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign {
            place: path.display().to_string(),
            detail: "it is no SQLite database, or its first bytes are damaged".to_owned(),
        },
        _ => store_error(path, error),
    }
}

/// The error of COMMIT itself. After an I/O error the turn may be in the file all the
/// same: its last bytes may have been written, and only the sync may have failed. A
/// full disk is no such error, because the bytes that make a turn valid come last and
/// did not fit.
pub(super) fn commit_error(path: &Path, error: &Error) -> CommitError {
    let failure = store_error(path, error);
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => CommitError::Unknown(failure),
        _ => CommitError::Failed(failure),
    }
}

/// The reason why a file could not be opened, which the system knows and SQLite does
/// not tell.
fn cannot_open(path: &Path, place: String, detail: String) -> StoreError {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return StoreError::Io {
            place,
            detail: "it is a folder; name a file in it".to_owned(),
        };
    }
    // Not by opening it: to close a file gives up all locks that the process has on it.
    let error = match access(path, Access::READ_OK | Access::WRITE_OK) {
        // The folder must be writable too: SQLite keeps files next to the database.
        Ok(()) => return StoreError::ReadOnly { place, detail },
        Err(error) => io::Error::from(error),
    };
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            let detail = error.to_string();
            StoreError::ReadOnly { place, detail }
        }
        ErrorKind::NotFound if is_link => {
            let detail = "it is a link, and what it leads to cannot be created; create its folder"
                .to_owned();
            StoreError::Io { place, detail }
        }
        ErrorKind::NotFound if folder.is_dir() => StoreError::ReadOnly { place, detail },
        ErrorKind::NotFound => {
            let detail = format!("its folder {} does not exist; create it", folder.display());
            StoreError::Io { place, detail }
        }
        // Too many open files, links in a circle, a file where a folder should be …
        _ => StoreError::Io {
            place,
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(extended_code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(extended_code), None)
    }

    #[test]
    fn each_error_has_its_remedy() {
        let path = Path::new("./x.db");
        for (code, expected) in [
            (ffi::SQLITE_BUSY, "./x.db is locked by another process"),
            (
                ffi::SQLITE_BUSY_RECOVERY,
                "./x.db is locked by another process",
            ),
            (ffi::SQLITE_READONLY, "./x.db cannot be written"),
            (ffi::SQLITE_READONLY_DIRECTORY, "./x.db cannot be written"),
            (ffi::SQLITE_PERM, "./x.db cannot be written"),
            (
                ffi::SQLITE_CANTOPEN,
                "./x.db cannot be written; check its permissions and those of its folder",
            ),
            (ffi::SQLITE_FULL, "no room is left on the disk of ./x.db"),
            (
                ffi::SQLITE_IOERR_SHMSIZE,
                "no room is left on the disk of ./x.db",
            ),
            (ffi::SQLITE_CORRUPT, "./x.db is damaged"),
            (ffi::SQLITE_NOTADB, "./x.db is damaged"),
            (ffi::SQLITE_IOERR_READ, "./x.db could not be used"),
        ] {
            let error = store_error(path, &failure(code)).to_string();
            assert!(error.starts_with(expected), "{code}: {error}");
        }
        let error = open_error(path, &failure(ffi::SQLITE_NOTADB)).to_string();
        assert!(
            error.starts_with("./x.db is not a Refrain database"),
            "{error}"
        );
        let error =
            store_error(Path::new("./no/such/x.db"), &failure(ffi::SQLITE_CANTOPEN)).to_string();
        assert!(
            error.ends_with("its folder ./no/such does not exist; create it"),
            "{error}"
        );
    }

    #[test]
    fn only_an_io_error_of_commit_leaves_the_outcome_unknown() {
        let path = Path::new("./x.db");
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE] {
            assert!(matches!(
                commit_error(path, &failure(code)),
                CommitError::Unknown(StoreError::Io { .. })
            ));
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
            assert!(matches!(
                commit_error(path, &failure(code)),
                CommitError::Failed(_)
            ));
        }
    }
}
