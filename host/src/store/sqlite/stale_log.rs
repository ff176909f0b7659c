//! A log of changes (`-wal`) that is not of the database next to it.
//!
//! If a backup is copied over a database and the log of the database is left there,
//! SQLite silently works that log into the backup at the next opening. Therefore the
//! row in `clocks`, which every turn writes, says of which database it is
//! and how many turns that has had. The log holds the page of that row, as its first turn
//! left it; the file without its log tells what came before. The log follows on
//! the file if both are of one database, and the file has all turns before the
//! log's first. A log that does not follow on is moved aside; one that cannot be judged is
//! left there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, StatVfsMountFlags, fcntl_lock, statvfs};

use crate::store::StoreError;
use crate::store::sqlite::file::with_suffix;

/// The number of bytes of a log before its first frame, and of a frame before its page.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The database that a state is of, and the number of turns that it has had.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    database: Vec<u8>,
    turns: u64,
}

impl Note {
    /// Whether a log whose first turn left this follows on the file's state.
    fn follows(&self, file: &Self) -> bool {
        self.database == file.database && self.turns <= file.turns.saturating_add(1)
    }
}

/// Where the database stands on a file system that may only be read, and has no log: then
/// nobody works on it here, and it is whole without one. `None` if it does not.
pub(super) fn at_rest(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    let folder = statvfs(path.parent()?).ok()?;
    let has_log = fs::metadata(with_suffix(&path, "-wal")).is_ok_and(|log| log.len() > 0);
    let is_at_rest = folder.f_flag.contains(StatVfsMountFlags::RDONLY) && !has_log;
    is_at_rest.then_some(path)
}

/// Moves the log next to this database aside, if it is not the database's own.
pub(super) fn set_aside(path: &Path) -> Result<(), StoreError> {
    let Ok(path) = fs::canonicalize(path) else {
        return Ok(());
    };
    let log = with_suffix(&path, "-wal");
    // Where nothing can be known, SQLite decides. The log is read first, because a
    // process that works on the database meanwhile only adds to the file.
    let Ok(Some(root)) = root_page(&path) else {
        return Ok(());
    };
    let (Ok(Some(first)), Ok(file)) = (note_of_log(&log, root), note_of_file(&path)) else {
        return Ok(());
    };
    if first.follows(&file) {
        return Ok(());
    }
    let place = path.display().to_string();
    let refused = |detail: String| StoreError::StrayLog {
        place: place.clone(),
        detail,
    };
    // No process works on the database, or the log would be its.
    let _alone = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .and_then(|file| {
            fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
            Ok(file)
        })
        .map_err(|error| refused(format!("the database cannot be had alone ({error})")))?;
    let aside = (1..)
        .map(|number| with_suffix(&log, &format!(".stale-{number}")))
        .find(|aside| fs::symlink_metadata(aside).is_err())
        .unwrap_or_else(|| unreachable!("numbers do not end"));
    fs::rename(&log, &aside)
        .map_err(|error| refused(format!("it cannot be moved aside ({error})")))?;
    tracing::warn!(
        "the log of changes next to {place} was not its own (a backup was copied over a database?): \
         it is kept as {} and not worked in",
        aside.display()
    );
    Ok(())
}

/// The note of the file without its log.
fn note_of_file(path: &Path) -> rusqlite::Result<Note> {
    alone(path)?.query_row(
        "SELECT database_id, turns FROM clocks WHERE shard = 0 AND database_id IS NOT NULL",
        [],
        |row| {
            Ok(Note {
                database: row.get(0)?,
                turns: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            })
        },
    )
}

/// The page of the table that holds the note, if the file has that.
fn root_page(path: &Path) -> rusqlite::Result<Option<u32>> {
    use rusqlite::OptionalExtension;
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'clocks'";
    alone(path)?.query_row(sql, [], |row| row.get(0)).optional()
}

/// Opens the file without its log. SQLite is told that nobody changes the file, so it
/// looks at no other file.
pub(super) fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags)
}

/// The note that the log's first turn left in this page. `None` if there is none.
fn note_of_log(log: &Path, root: u32) -> io::Result<Option<Note>> {
    let mut log = File::open(log)?;
    let mut header = [0; LOG_HEADER];
    log.read_exact(&mut header)?;
    let salts: [u8; 8] = header[16..24].try_into().expect("eight bytes are eight");
    let page_bytes = u64::from(number(&header[8..12]));
    loop {
        let mut frame = [0; FRAME_HEADER];
        match log.read_exact(&mut frame) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        // The rest is left over from before the log began anew.
        if frame[8..16] != salts {
            return Ok(None);
        }
        if number(&frame[0..4]) == root {
            let mut page = Vec::new();
            log.take(page_bytes).read_to_end(&mut page)?;
            return Ok(note_of_page(&page));
        }
        log.seek(SeekFrom::Current(i64::try_from(page_bytes).unwrap_or(0)))?;
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The note in a leaf of SQLite's table `clocks` (see "Database File Format",
/// sections 1.6 and 2.1, in SQLite's documents).
fn note_of_page(page: &[u8]) -> Option<Note> {
    const LEAF_OF_TABLE: u8 = 0x0d;
    const HEADER: usize = 8;
    if *page.first()? != LEAF_OF_TABLE {
        return None;
    }
    let cells = usize::from(u16::from_be_bytes([*page.get(3)?, *page.get(4)?]));
    (0..cells).find_map(|cell| {
        let at = HEADER + 2 * cell;
        let place = u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?]);
        let mut rest = page.get(usize::from(place)..)?;
        let _payload = varint(&mut rest)?;
        let shard = varint(&mut rest)?;
        (shard == 0).then(|| note_of_record(rest)).flatten()
    })
}

/// The columns `database_id` and `turns` of a record.
fn note_of_record(record: &[u8]) -> Option<Note> {
    const DATABASE_ID: usize = 4;
    let mut types = record;
    let header = usize::try_from(varint(&mut types)?).ok()?;
    let mut types = record.get(record.len() - types.len()..header)?;
    let mut values = record.get(header..)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let of = varint(&mut types)?;
        let bytes = match of {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(of).ok()?,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from((of.checked_sub(12)?) / 2).ok()?,
        };
        let value;
        (value, values) = values.split_at_checked(bytes)?;
        columns.push((of, value));
    }
    let (of, database) = *columns.get(DATABASE_ID)?;
    let is_blob = of >= 12 && of % 2 == 0 && !database.is_empty();
    let turns = match *columns.get(DATABASE_ID + 1)? {
        (8, _) => 0,
        (9, _) => 1,
        (1..=6, bytes) => bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        _ => return None,
    };
    is_blob.then(|| Note {
        database: database.to_owned(),
        turns,
    })
}

/// One of SQLite's numbers of one to nine bytes.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}
