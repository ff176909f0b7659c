//! The database as a file: the name under which SQLite opens it, and whether the file
//! that was opened still stands at its path.
//!
//! SQLite keeps its log of changes by name, next to the database. So a file that
//! was removed, renamed or replaced under a living connection takes what is
//! written with it (law 8), and a file with a second name has a second log, of
//! which the first knows nothing. Both are errors.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::store::StoreError;

/// The longest full name of a database that SQLite takes: 512 bytes, less what
/// it adds to it.
const FULL_NAME_BYTES_MAX: usize = 512 - 8;

/// The identity of a file, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// A database file that is open.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    /// The path as it was given, for messages.
    place: String,
    /// The full path, which holds in whichever folder the process works.
    path: PathBuf,
    identity: Identity,
    /// The path of SQLite's log of changes, which stands next to the file that links
    /// lead to.
    log: PathBuf,
    /// The identity of that log, once there is one.
    log_identity: Option<Identity>,
}

impl DatabaseFile {
    /// The file that was just opened by this path.
    pub(super) fn opened(path: &Path) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let failed = |error: io::Error| StoreError::Io {
            place: place.clone(),
            detail: format!("it was opened, and cannot be found: {error}"),
        };
        let metadata = fs::metadata(path).map_err(failed)?;
        let log = with_suffix(&fs::canonicalize(path).map_err(failed)?, "-wal");
        let log_identity = fs::metadata(&log).ok().as_ref().map(Identity::from);
        Ok(Self {
            path: std::path::absolute(path).map_err(failed)?,
            identity: Identity::from(&metadata),
            log,
            log_identity,
            place,
        })
    }

    /// The full path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// SQLite's log of changes.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Whether this is the same file.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    /// Checks that the file is still the one at its path, and so is its log of
    /// changes, into which a commit writes.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        self.check_database()?;
        let found = fs::metadata(&self.log).ok().as_ref().map(Identity::from);
        if self.log_identity.is_none() {
            self.log_identity = found;
        }
        if self.log_identity == found {
            Ok(())
        } else {
            Err(self.gone("its log of changes (-wal) was removed, renamed or replaced"))
        }
    }

    fn check_database(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::from(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(self.gone("another file stands in its place")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.gone("it was removed or renamed"))
            }
            Err(error) => Err(self.gone(&error.to_string())),
        }
    }

    /// The error of a file that is gone, for this reason.
    pub(super) fn gone(&self, detail: &str) -> StoreError {
        StoreError::Gone {
            place: self.place.clone(),
            detail: detail.to_owned(),
        }
    }
}

/// The path as SQLite gets it. Some names (`:memory:`, `file:…`, the empty one) mean no
/// files to SQLite; with a folder before them they do.
pub(super) fn name_for_sqlite(path: &Path) -> PathBuf {
    match path.components().next() {
        Some(Component::Normal(_)) => Path::new(".").join(path),
        _ => path.to_owned(),
    }
}

/// The reason why a file cannot be opened at all, as far as it can be known before
/// SQLite tries.
pub(super) fn check_path(path: &Path) -> Result<(), StoreError> {
    let refused = |detail: String| {
        Err(StoreError::Io {
            place: path.display().to_string(),
            detail,
        })
    };
    if path.as_os_str().is_empty() {
        return refused("the path is empty; name a file".to_owned());
    }
    let full_bytes = full_name(path).as_os_str().as_bytes().len();
    if full_bytes > FULL_NAME_BYTES_MAX {
        return refused(format!(
            "its full name has {full_bytes} bytes, and SQLite takes {FULL_NAME_BYTES_MAX}; \
             keep it in a folder nearer to the root"
        ));
    }
    check_kind(path)?;
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.nlink() > 1 => refused(format!(
            "it has {} names (hard links), and SQLite keeps its log of changes by name: what is \
             written under one of them would be lost to the others; remove the other names, or work on a copy",
            metadata.nlink()
        )),
        _ => Ok(()),
    }
}

/// Only files are opened: opening a pipe would block.
pub(super) fn check_kind(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        // SQLite has an error of its own for folders.
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Err(StoreError::Io {
            place: path.display().to_string(),
            detail: "it is a device, a pipe or a socket; name a file".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The path without links, as far as it is there.
fn full_name(path: &Path) -> PathBuf {
    if let Ok(full) = fs::canonicalize(path) {
        return full;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// The file next to this one.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_file_s() {
        for (path, name) in [
            ("refrain.db", "./refrain.db"),
            (":memory:", "./:memory:"),
            ("file:x?mode=memory", "./file:x?mode=memory"),
            ("./a.db", "./a.db"),
            ("../a.db", "../a.db"),
            ("/a/b.db", "/a/b.db"),
            ("a/b.db", "./a/b.db"),
        ] {
            assert_eq!(name_for_sqlite(Path::new(path)), Path::new(name));
        }
    }
}
