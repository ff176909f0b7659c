//! Files that a command writes: each replaces only what it may.
//!
//! A file comes to its place whole or not at all: it is written in the same folder
//! under a name that is free, and renamed. That would turn a device or a
//! pipe into a file, so these are written into; and it would take the place
//! of a database, so that is refused.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{Access, access};

use super::coded::refuse;
use super::output;

/// Write a file at `path`; `-` is stdout. `database` is what the command reads.
pub(super) fn write(
    path: &Path,
    database: Option<&Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let place = path.display();
    let destination = Destination::of(path, database)?;
    let written = match destination {
        Destination::Stdout => {
            output::remember(output::stdout().and_then(|out| through(out, content).map(drop)));
            return Ok(());
        }
        Destination::Stream => {
            let opened = OpenOptions::new().write(true).open(path);
            opened.and_then(|out| through(out, content).map(drop))
        }
        Destination::File { former } => replace(path, former.as_ref(), content),
    };
    written.with_context(|| format!("cannot write {place}"))
}

/// How stdout is named where a file may be.
pub(super) const STDOUT: &str = "-";

/// Refuses stdout, for a file of a command that says something else there.
pub(super) fn not_stdout(path: &Path) -> anyhow::Result<()> {
    if path == STDOUT {
        refuse!(
            "usage",
            "`-` would be stdout, where the answer goes; name a file"
        );
    }
    Ok(())
}

/// What stands at a path.
enum Destination {
    /// It is a name of this program's stdout, such as `-` or `/dev/stdout`.
    Stdout,
    /// A device, a pipe.
    Stream,
    /// A file, or nothing yet.
    File { former: Option<Metadata> },
}

impl Destination {
    fn of(path: &Path, database: Option<&Path>) -> anyhow::Result<Self> {
        if path == STDOUT {
            return Ok(Self::Stdout);
        }
        let place = path.display();
        let found = match fs::metadata(path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot write {place}")),
        };
        if let Some(found) = &found {
            let kind = found.file_type();
            if output::stdout()
                .and_then(|out| out.metadata())
                .is_ok_and(|out| is_same(&out, found))
            {
                return Ok(Self::Stdout);
            }
            if kind.is_char_device() || kind.is_fifo() {
                return Ok(Self::Stream);
            }
            if kind.is_dir() {
                refuse!(
                    "not_written",
                    "cannot write {place}: it is a folder; name a file"
                );
            }
            if !kind.is_file() {
                refuse!(
                    "not_written",
                    "cannot write {place}: it is neither a file nor a pipe; name a file"
                );
            }
            refuse_database(path, found, database)?;
        }
        if let Some(database) = owner_by_name(path) {
            let owner = database.display();
            refuse!(
                "not_written",
                "cannot write {place}: by its name it belongs to the database {owner}; name another file"
            );
        }
        // Also one that leads nowhere.
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            refuse!(
                "not_written",
                "cannot write {place}: it is a link to another file; name that file, or remove the link"
            );
        }
        if found.is_some() {
            // A rename would not ask.
            access(path, Access::WRITE_OK)
                .map_err(io::Error::from)
                .with_context(|| format!("cannot replace {place}, which may not be written"))?;
        }
        Ok(Self::File { former: found })
    }
}

/// Databases are not replaced: neither the one that is read, under whatever
/// name, nor what belongs to it, nor any other.
fn refuse_database(path: &Path, found: &Metadata, database: Option<&Path>) -> anyhow::Result<()> {
    let place = path.display();
    for part in database.into_iter().flat_map(parts_of_database) {
        if fs::metadata(&part).is_ok_and(|it| is_same(&it, found)) {
            refuse!(
                "not_written",
                "cannot write {place}: it belongs to the database; name another file"
            );
        }
    }
    if is_database(path) {
        refuse!(
            "not_written",
            "cannot write {place}: it is a database; name another file, or remove it first"
        );
    }
    Ok(())
}

fn is_database(path: &Path) -> bool {
    let mut head = [0; SQLITE_HEAD.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *SQLITE_HEAD
}

/// The database that would take what stands at this path for a part of it.
fn owner_by_name(path: &Path) -> Option<PathBuf> {
    let name = path.as_os_str().as_bytes();
    let ends = SQLITE_SUFFIXES.iter();
    let mut owners = ends.filter_map(|end| name.strip_suffix(end.as_bytes()));
    let owner = PathBuf::from(OsStr::from_bytes(owners.next()?));
    (owner.is_file() && is_database(&owner)).then_some(owner)
}

/// How an SQLite file begins.
const SQLITE_HEAD: &[u8; 16] = b"SQLite format 3\0";

/// The endings of the files that SQLite keeps next to a database.
const SQLITE_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The files of a database.
fn parts_of_database(path: &Path) -> impl Iterator<Item = PathBuf> {
    [""].into_iter().chain(SQLITE_SUFFIXES).map(move |end| {
        let mut name = OsString::from(path);
        name.push(end);
        PathBuf::from(name)
    })
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Write it through a buffer.
fn through(file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
    let mut out = BufWriter::new(file);
    content(&mut out)?;
    Ok(out.into_inner()?)
}

/// Through a file in the same folder, so that there is never half of it.
fn replace(
    path: &Path,
    former: Option<&Metadata>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Short, whatever the name is that it will have.
    let part = folder.join(format!(".refrain-{}.part", uuid::Uuid::new_v4().simple()));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        // Until it is known who may read it.
        .mode(if former.is_some() { 0o600 } else { 0o666 })
        .open(&part)?;
    let placed = through(file, content)
        .and_then(|file| {
            keep_permissions(&file, former)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if placed.is_err() {
        // It may be renamed already.
        let _ = fs::remove_file(&part);
    }
    placed
}

/// Users that could read and write the former file can do so with the new one.
fn keep_permissions(file: &File, former: Option<&Metadata>) -> io::Result<()> {
    let Some(former) = former else {
        return Ok(());
    };
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (former.uid(), former.gid()) {
        // Only root may give a file away; else it is whose it would be if it
        // were new.
        let _ = std::os::unix::fs::fchown(file, Some(former.uid()), Some(former.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(former.mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(path: &Path, database: Option<&Path>) -> Result<(), String> {
        write(path, database, |out| out.write_all(b"new")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        put(&path, None).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let kept = folder.path().join("kept");
        fs::hard_link(&path, &kept).unwrap();
        fs::write(&kept, "old").unwrap();
        fs::write(folder.path().join("log.part"), "mine").unwrap();
        put(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        for (name, content) in [("log", "new"), ("kept", "old"), ("log.part", "mine")] {
            assert_eq!(
                fs::read_to_string(folder.path().join(name)).unwrap(),
                content
            );
        }
        // Nothing is left behind, also if writing fails.
        let failed = write(&path, None, |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn what_may_not_be_replaced_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, content) in [
            ("it.db", &b"no database yet"[..]),
            ("it.db-wal", b"its log"),
            ("other.db-shm", b"shared"),
            ("other.db", b"SQLite format 3\0..."),
            ("others", b"theirs"),
            ("read-only", b"kept"),
        ] {
            fs::write(at(name), content).unwrap();
        }
        fs::create_dir(at("folder")).unwrap();
        fs::hard_link(at("it.db"), at("same.db")).unwrap();
        symlink(at("it.db"), at("link.db")).unwrap();
        symlink(at("others"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        let database = at("it.db");
        for (name, why) in [
            ("it.db", "belongs to the database"),
            ("same.db", "belongs to the database"),
            ("link.db", "belongs to the database"),
            ("it.db-wal", "belongs to the database"),
            ("other.db", "it is a database"),
            ("other.db-shm", "belongs to the database"),
            ("other.db-wal", "belongs to the database"),
            ("link", "it is a link"),
            ("dangling", "it is a link"),
            ("folder", "it is a folder"),
            ("none/there", "No such file"),
        ] {
            let refused = put(&at(name), Some(&database)).unwrap_err();
            assert!(refused.contains(why), "{name}: {refused}");
        }
        assert_eq!(fs::read(at("it.db")).unwrap(), b"no database yet");
        assert_eq!(fs::read(at("others")).unwrap(), b"theirs");
        assert!(!at("nowhere").exists());
    }

    #[test]
    fn a_device_is_written_into_also_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        symlink("/dev/null", &link).unwrap();
        put(&link, None).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let full = folder.path().join("full");
        symlink("/dev/full", &full).unwrap();
        assert!(put(&full, None).unwrap_err().contains("No space left"));
    }
}
