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

use std::fmt;

use crate::log::field::{Sink, Source};
use crate::log::{Hash, form};
use crate::model::{Event, EventKind};

/// The canonical bytes of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Those of the plain fields.
    pub plain: Vec<u8>,
    /// Those of the fields that can be erased.
    pub erasable: Vec<u8>,
}

/// Why these bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// They are none.
    #[error("byte {offset}{part}, field `{field}`: {problem}")]
    Malformed {
        /// In which part.
        part: Part,
        /// Where in it, from 0.
        offset: usize,
        /// The field that could not be read.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A newer program wrote them.
    #[error("its kind {kind:?} is newer than this program; use a newer refrain for it")]
    Newer {
        /// The kind of event, which this program does not know.
        kind: String,
    },
}

/// A part of the canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The plain fields.
    Plain,
    /// The erasable fields.
    Erasable,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "",
            Self::Erasable => " of what can be erased",
        })
    }
}

/// The canonical bytes of an event.
#[must_use]
pub fn write(event: &Event) -> Canonical {
    let length = written(event, Writer::default());
    let bytes = written(
        event,
        Writer {
            plain: Vec::with_capacity(length.plain.0),
            erasable: Vec::with_capacity(length.erasable.0),
            part: Part::Plain,
        },
    );
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
    read_by(Reader {
        plain: Bytes::new(Part::Plain, plain),
        erasable: Bytes::new(Part::Erasable, erasable),
        part: Part::Plain,
        is_erased: false,
    })
}

/// The event of these plain bytes, whose other fields were erased: blanks stand in
/// their place.
///
/// # Errors
///
/// Any bytes that [`write()`] does not write are refused.
pub fn read_erased(plain: &[u8]) -> Result<Event, CanonicalError> {
    read_by(Reader {
        plain: Bytes::new(Part::Plain, plain),
        erasable: Bytes::new(Part::Erasable, &[]),
        part: Part::Plain,
        is_erased: true,
    })
}

fn read_by(mut reader: Reader<'_>) -> Result<Event, CanonicalError> {
    let event = form::read_event(&mut reader)?;
    reader.plain.end()?;
    reader.erasable.end()?;
    Ok(event)
}

/// Where the bytes of a part go.
trait Destination {
    fn put(&mut self, bytes: &[u8]);
}

impl Destination for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Bytes that are only counted.
#[derive(Default)]
struct Count(usize);

impl Destination for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// Both parts, and the one that is being written.
struct Writer<D> {
    plain: D,
    erasable: D,
    part: Part,
}

impl Default for Writer<Count> {
    fn default() -> Self {
        Self {
            plain: Count::default(),
            erasable: Count::default(),
            part: Part::Plain,
        }
    }
}

impl Writer<Count> {
    fn count(&self) -> usize {
        self.plain.0 + self.erasable.0
    }
}

impl<D: Destination> Writer<D> {
    fn put(&mut self, bytes: &[u8]) {
        match self.part {
            Part::Plain => self.plain.put(bytes),
            Part::Erasable => self.erasable.put(bytes),
        }
    }
}

/// The bytes of a number, and of a text's length.
const WORD_BYTES: usize = 8;

impl<D: Destination> Sink for Writer<D> {
    fn text(&mut self, name: &'static str, value: &str) {
        self.number(name, value.len() as u64);
        self.put(value.as_bytes());
    }
    fn json(&mut self, name: &'static str, value: &str) {
        self.text(name, value);
    }
    fn digest(&mut self, _name: &'static str, value: &Hash) {
        self.put(value);
    }
    fn number(&mut self, _name: &'static str, value: u64) {
        self.put(&value.to_le_bytes());
    }
    fn time(&mut self, name: &'static str, value: u64) {
        self.number(name, value);
    }
    fn flag(&mut self, _name: &'static str, value: bool) {
        self.put(&[u8::from(value)]);
    }
    fn choice(&mut self, name: &'static str, value: &'static str) {
        self.text(name, value);
    }
    fn present(&mut self, name: &'static str, present: bool) {
        self.flag(name, present);
    }
    fn late(&mut self, name: &'static str) {
        self.text(name, name);
    }
    fn record(&mut self, _name: &'static str, fields: impl FnOnce(&mut Self)) {
        fields(self);
    }
    fn list<T>(&mut self, name: &'static str, records: &[T], write: impl Fn(&T, &mut Self)) {
        self.number(name, records.len() as u64);
        for record in records {
            write(record, self);
        }
    }
    fn texts(&mut self, name: &'static str, values: &[String]) {
        self.list(name, values, |value, to| to.text(name, value));
    }
    fn erasable(&mut self, fields: impl FnOnce(&mut Self)) {
        self.part = Part::Erasable;
        fields(self);
        self.part = Part::Plain;
    }
}

/// A part that is read.
struct Bytes<'a> {
    part: Part,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Bytes<'a> {
    fn new(part: Part, bytes: &'a [u8]) -> Self {
        Self {
            part,
            bytes,
            offset: 0,
        }
    }

    fn error(&self, field: &'static str, problem: impl Into<String>) -> CanonicalError {
        self.error_at(self.offset, field, problem)
    }

    fn error_at(
        &self,
        offset: usize,
        field: &'static str,
        problem: impl Into<String>,
    ) -> CanonicalError {
        CanonicalError::Malformed {
            part: self.part,
            offset,
            field,
            problem: problem.into(),
        }
    }

    fn take(&mut self, field: &'static str, len: u64) -> Result<&'a [u8], CanonicalError> {
        let left = &self.bytes[self.offset..];
        match usize::try_from(len).ok().and_then(|len| left.get(..len)) {
            Some(taken) => {
                self.offset += taken.len();
                Ok(taken)
            }
            None => Err(self.error(
                field,
                format!("{len} bytes should follow, and {} do", left.len()),
            )),
        }
    }

    fn number(&mut self, field: &'static str, max: u64) -> Result<u64, CanonicalError> {
        let mut word = [0; WORD_BYTES];
        word.copy_from_slice(self.take(field, WORD_BYTES as u64)?);
        match u64::from_le_bytes(word) {
            number if number <= max => Ok(number),
            number => Err(self.error(field, format!("{number} is more than {max}"))),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, CanonicalError> {
        let start = self.offset;
        let len = self.number(field, u64::MAX)?;
        let taken = self.take(field, len)?;
        std::str::from_utf8(taken)
            .map_err(|utf8| self.error_at(start, field, format!("it is no UTF-8 text: {utf8}")))
    }

    fn none_of(
        &self,
        start: usize,
        name: &'static str,
        found: &str,
        names: &[&'static str],
    ) -> CanonicalError {
        let excerpt: String = found.chars().take(40).collect();
        self.error_at(
            start,
            name,
            format!("{excerpt:?} is none of {}", names.join(", ")),
        )
    }

    /// Whether a field that is written only where it is there follows. If it does,
    /// its name is read.
    fn late(&mut self, name: &'static str) -> bool {
        let rest = &self.bytes[self.offset..];
        let follows = rest
            .strip_prefix(&(name.len() as u64).to_le_bytes())
            .is_some_and(|rest| rest.starts_with(name.as_bytes()));
        if follows {
            self.offset += WORD_BYTES + name.len();
        }
        follows
    }

    fn end(&self) -> Result<(), CanonicalError> {
        match self.bytes.len() - self.offset {
            0 => Ok(()),
            more => Err(self.error(
                "type",
                format!("{more} bytes too many follow the last field"),
            )),
        }
    }
}

struct Reader<'a> {
    plain: Bytes<'a>,
    erasable: Bytes<'a>,
    part: Part,
    is_erased: bool,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self) -> &mut Bytes<'a> {
        match self.part {
            Part::Plain => &mut self.plain,
            Part::Erasable => &mut self.erasable,
        }
    }
}

impl Source for Reader<'_> {
    type Error = CanonicalError;

    fn text(&mut self, name: &'static str) -> Result<String, CanonicalError> {
        self.bytes().text(name).map(str::to_owned)
    }
    fn json(&mut self, name: &'static str) -> Result<String, CanonicalError> {
        self.text(name)
    }
    fn digest(&mut self, name: &'static str) -> Result<Hash, CanonicalError> {
        let mut digest = Hash::default();
        let bytes = digest.len() as u64;
        digest.copy_from_slice(self.bytes().take(name, bytes)?);
        Ok(digest)
    }
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, CanonicalError> {
        self.bytes().number(name, max)
    }
    fn time(&mut self, name: &'static str) -> Result<u64, CanonicalError> {
        self.number(name, u64::MAX)
    }
    fn flag(&mut self, name: &'static str) -> Result<bool, CanonicalError> {
        match self.bytes().take(name, 1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => {
                let problem = format!("{other:?} should be 0 or 1");
                Err(self.bytes().error(name, problem))
            }
        }
    }
    fn kind(
        &mut self,
        name: &'static str,
        names: &[&'static str],
    ) -> Result<usize, CanonicalError> {
        let start = self.bytes().offset;
        let found = self.bytes().text(name)?;
        match form::position(found, names) {
            Ok(kind) => Ok(kind),
            Err(form::Unknown::Newer) => Err(CanonicalError::Newer {
                kind: found.to_owned(),
            }),
            Err(form::Unknown::None) => Err(self.bytes().none_of(start, name, found, names)),
        }
    }
    fn choice(
        &mut self,
        name: &'static str,
        names: &[&'static str],
    ) -> Result<usize, CanonicalError> {
        let start = self.bytes().offset;
        let found = self.bytes().text(name)?;
        let known = names.iter().position(|known| *known == found);
        known.ok_or_else(|| self.bytes().none_of(start, name, found, names))
    }
    fn present(&mut self, name: &'static str) -> Result<bool, CanonicalError> {
        self.flag(name)
    }
    fn late(&mut self, name: &'static str) -> Result<bool, CanonicalError> {
        Ok(self.bytes().late(name))
    }
    fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Vec<T>, CanonicalError> {
        // Each record takes bytes, so that a wrong number soon finds none.
        let records = self.bytes().number(name, u64::MAX)?;
        (0..records).map(|_| read(self)).collect()
    }
    fn record<T>(
        &mut self,
        _name: &'static str,
        fields: impl FnOnce(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<T, CanonicalError> {
        fields(self)
    }
    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, CanonicalError> {
        self.list(name, |from| from.text(name))
    }
    fn erasable<T>(
        &mut self,
        fields: impl FnOnce(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<T, CanonicalError> {
        self.part = Part::Erasable;
        let read = fields(self);
        self.part = Part::Plain;
        read
    }
    fn is_erased(&self) -> bool {
        self.is_erased
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::samples;
    use crate::model::{CancelRequested, Digest, EventKind, GuestChanged, Origin};

    #[test]
    fn law4_every_kind_comes_back() {
        for event in samples::events() {
            let Canonical { plain, erasable } = write(&event);
            assert_eq!(length(&event), plain.len() + erasable.len(), "{event:?}");
            assert_eq!(read(&plain, &erasable), Ok(event));
        }
    }

    /// Each sample differs from its erased form in nothing but what can be erased.
    #[test]
    fn law4_every_kind_is_read_without_what_was_erased() {
        for event in samples::events() {
            let Canonical { plain, erasable } = write(&event);
            let erased = read_erased(&plain).expect("the plain bytes are enough");
            let again = write(&erased);
            assert_eq!(again.plain, plain, "{event:?}");
            let place = |event: &Event| (event.sequence, event.at, event.origin);
            assert_eq!(place(&erased), place(&event));
            assert_eq!(erasable.is_empty(), again.erasable.is_empty(), "{event:?}");
        }
    }

    #[test]
    fn law4_the_bytes_are_as_documented() {
        let event = |kind| Event {
            sequence: 2,
            at: 258,
            origin: Origin::Fact,
            kind,
        };
        let cancelled = event(EventKind::CancelRequested(CancelRequested::new(Some(
            "é".into(),
        ))));
        let place = b"\x02\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0\x04\0\0\0\0\0\0\0fact";
        let plain = [&place[..], b"\x10\0\0\0\0\0\0\0cancel_requested"].concat();
        let erasable = b"\x01\x02\0\0\0\0\0\0\0\xc3\xa9\0".to_vec();
        assert_eq!(write(&cancelled), Canonical { plain, erasable });
        let digest = Digest([7; 32]);
        let changed = event(EventKind::GuestChanged(GuestChanged::new(digest)));
        let plain = [&place[..], b"\x0d\0\0\0\0\0\0\0guest_changed", &[7; 32]].concat();
        let erasable = b"\0".to_vec();
        assert_eq!(write(&changed), Canonical { plain, erasable });
    }

    #[test]
    fn law4_any_other_bytes_are_refused_or_another_event() {
        for event in samples::events() {
            let Canonical { plain, erasable } = write(&event);
            let one_more = |bytes: &[u8]| [bytes, &[0]].concat();
            assert!(read(&one_more(&plain), &erasable).is_err(), "{event:?}");
            assert!(read(&plain, &one_more(&erasable)).is_err(), "{event:?}");
            let is_another = |plain: &[u8], erasable: &[u8]| {
                // It ends before a field that need not be there.
                let other = read(plain, erasable).map(|other| write(&other));
                other.is_ok_and(|other| other.plain == plain && other.erasable == erasable)
            };
            let cuts = (0..plain.len()).map(|cut| (cut, erasable.len()));
            let cuts = cuts.chain((0..erasable.len()).map(|cut| (plain.len(), cut)));
            let mut others = 0;
            for (plain_cut, erasable_cut) in cuts {
                let (plain, erasable) = (&plain[..plain_cut], &erasable[..erasable_cut]);
                if read(plain, erasable).is_ok() {
                    assert!(is_another(plain, erasable), "{event:?} at {plain_cut}");
                    others += 1;
                }
            }
            assert!(others <= 1, "{event:?}");
            for at in 0..plain.len() + erasable.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut edited = write(&event);
                    match at.checked_sub(plain.len()) {
                        None => edited.plain[at] ^= flip,
                        Some(at) => edited.erasable[at] ^= flip,
                    }
                    if let Ok(other) = read(&edited.plain, &edited.erasable) {
                        assert_ne!(other, event, "two spellings, at byte {at}");
                        assert_eq!(write(&other), edited);
                    }
                }
            }
        }
    }

    #[test]
    fn any_byte_soup_is_refused_or_another_event() {
        // Numbers from one multiplication each (MMIX): the same every time.
        let mut seed: u64 = 1;
        let mut next = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        let Canonical { plain, erasable } = write(&samples::events()[1]);
        for round in 0..20_000 {
            let whole = if round % 2 == 0 { &plain } else { &erasable };
            // A sound beginning leads deeper into the reader.
            let sound = usize::from(next()) % whole.len();
            let soup: Vec<u8> = whole[..sound]
                .iter()
                .copied()
                .chain((0..next()).map(|_| next()))
                .collect();
            let mut edited = Canonical {
                plain: plain.clone(),
                erasable: erasable.clone(),
            };
            match round % 2 {
                0 => edited.plain = soup,
                _ => edited.erasable = soup,
            }
            // Numbers and digests at the end may be any bytes.
            if let Ok(other) = read(&edited.plain, &edited.erasable) {
                assert_eq!(write(&other), edited, "two spellings");
                assert!(sound + 80 > whole.len(), "{other:?}");
            }
        }
    }

    #[test]
    fn errors_name_the_place() {
        let Canonical { plain, erasable } = write(&samples::events()[0]);
        let mut bytes = plain.clone();
        bytes[24] = b'p';
        let error = read(&bytes, &erasable).unwrap_err().to_string();
        assert_eq!(
            error,
            "byte 16, field `origin`: \"pact\" is none of fact, decision"
        );
        bytes[20] = 1;
        let error = read(&bytes, &erasable).unwrap_err().to_string();
        assert!(
            error.starts_with("byte 24, field `origin`: 4294967300 bytes should follow, and "),
            "{error}"
        );
        let error = read(&plain, &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "byte 0 of what can be erased, field `initial_input`: 8 bytes should follow, and 0 do"
        );
    }

    #[test]
    fn a_kind_of_a_newer_program_is_told_as_that() {
        let Canonical { plain, erasable } = write(&samples::events()[9]);
        let known = b"node_timed_out";
        let place = plain.windows(known.len()).position(|it| it == known);
        let place = place.unwrap();
        let with = |kind: &str| {
            let mut bytes = plain.clone();
            bytes[place..place + known.len()].copy_from_slice(kind.as_bytes());
            read(&bytes, &erasable).unwrap_err()
        };
        let kind = "node_melted_in".to_owned();
        assert_eq!(with(&kind), CanonicalError::Newer { kind });
        assert!(matches!(
            with("node_Melted in"),
            CanonicalError::Malformed { .. }
        ));
    }
}
