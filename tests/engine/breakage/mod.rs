//! The real thing breaks: disk, permissions, locks, pages, schema, write-ahead
//! log. Each time the documented error with its remedy, the data intact, and,
//! the trouble taken away, everything goes on.
//!
//! ```text
//! disk        no room is left, at every point of a run
//! read_only   the file, or its folder, may only be read
//! lock        another process holds the lock
//! pages       a page is damaged: of the log, of an index, the first one
//! identity    another schema, another program's file, no database at all
//! older       files of older schemas are brought up to date
//! gone        the file is no longer the one at its path
//! names       what a path means: URIs, links, long names, causes
//! backup      live copies, restoring, and what a plain copy is opened with
//! wal         the write-ahead log lost its end
//! ground      a database that something happens to, and the proof that it goes on
//! namespace   mounts that only the test sees
//! ```

mod backup;
mod disk;
mod gone;
mod ground;
mod identity;
mod lock;
mod names;
mod namespace;
mod newer_event;
mod older;
mod pages;
mod read_only;
mod rows;
mod wal;
