//! The canonical bytes of an event: what is stored and hashed.
//!
//! They come in two parts, the plain fields and the erasable ones (law 4). In
//! each the fields follow one another in the order of the table in `form`. A
//! text is its length in bytes and its UTF-8 bytes, payload text verbatim;
//! numbers, times and lengths are 64 bits, little-endian; a digest is its 32
//! bytes; a flag, and whether an optional field is there, is a byte, 0 or 1; some
//! records are their number and each of them. A field that is seldom there, or that
//! came later, stands last in its part: as its name and its value if it is there,
//! else not at all.
//! The kind's name stands before its fields, so that no two events have the same
//! bytes; and the reader accepts exactly the bytes that the writer writes, so
//! that no event has two spellings.

mod error;
mod writer;
mod reader;

use self::reader::Reader;
use self::writer::{Destination, Writer};
use crate::log::form;
use crate::model::{Event, EventKind};

pub use self::error::{CanonicalError, Part};

/// The canonical bytes of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Those of the plain fields.
    pub plain: Vec<u8>,
    /// Those of the fields that can be erased.
    pub erasable: Vec<u8>,
}

/// The canonical bytes of an event.
#[must_use]
pub fn write(event: &Event) -> Canonical {
    let bytes = written(event, Writer::new());
    Canonical {
        plain: bytes.plain,
        erasable: bytes.erasable,
    }
}

/// How many canonical bytes an event has: as many as [`write()`] writes.
#[must_use]
pub fn length(event: &Event) -> usize {
    written(event, Writer::default()).count()
}

/// How many of its canonical bytes are the event's kind, with all its fields.
#[must_use]
pub fn kind_length(kind: &EventKind) -> usize {
    let mut counter = Writer::default();
    form::write_kind(kind, &mut counter);
    counter.count()
}

/// The whole event, written to where this writer's parts go.
fn written<D: Destination>(event: &Event, mut to: Writer<D>) -> Writer<D> {
    form::write_place(event, &mut to);
    form::write_kind(&event.kind, &mut to);
    to
}

/// The event of these canonical bytes.
///
/// # Errors
///
/// Any bytes that [`write()`] does not write are refused.
pub fn read(plain: &[u8], erasable: &[u8]) -> Result<Event, CanonicalError> {
    read_by(Reader::new(plain, erasable))
}

/// The event of these plain bytes, whose other fields were erased: blanks stand in
/// their place.
///
/// # Errors
///
/// Any bytes that [`write()`] does not write are refused.
pub fn read_erased(plain: &[u8]) -> Result<Event, CanonicalError> {
    read_by(Reader::of_erased(plain))
}

fn read_by(mut reader: Reader<'_>) -> Result<Event, CanonicalError> {
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(event)
}

#[cfg(test)]
mod tests;
