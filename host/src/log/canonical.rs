//! The canonical bytes of an event: what is stored and hashed.
//!
//! The fields follow one another in the order of the table in `form`. A text
//! is its length in bytes and its UTF-8 bytes, payload text verbatim; numbers,
//! times and lengths are 64 bits, little-endian; a flag, and whether an
//! optional field is there, is a byte, 0 or 1. The kind's name stands before
//! its fields, so that no two events have the same bytes; and the reader
//! accepts exactly the bytes that the writer writes, so that no event has two
//! spellings.

use crate::log::digest::{hex, parse_hex};
use crate::log::field::{Sink, Source};
use crate::log::{Hash, form};
use crate::model::Event;

/// These bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}, field `{field}`: {problem}")]
pub struct CanonicalError {
    /// Where, from 0.
    pub offset: usize,
    /// The field that could not be read.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
}

/// The canonical bytes of an event.
#[must_use]
pub fn write(event: &Event) -> Vec<u8> {
    let mut writer = Writer(Vec::with_capacity(length(event)));
    form::write_place(event, &mut writer);
    form::write_kind(&event.kind, &mut writer);
    writer.0
}

/// How many canonical bytes an event has: as many as [`write()`] writes.
#[must_use]
pub fn length(event: &Event) -> usize {
    let mut counter = Counter(0);
    form::write_place(event, &mut counter);
    form::write_kind(&event.kind, &mut counter);
    counter.0
}

/// The event of these canonical bytes.
///
/// # Errors
///
/// Any bytes that [`write()`] does not write are refused.
pub fn read(bytes: &[u8]) -> Result<Event, CanonicalError> {
    let mut reader = Reader { bytes, offset: 0 };
    let event = form::read_event(&mut reader)?;
    match bytes.len() - reader.offset {
        0 => Ok(event),
        more => Err(reader.error(
            "type",
            format!("{more} bytes too many follow the last field"),
        )),
    }
}

struct Writer(Vec<u8>);

impl Sink for Writer {
    fn text(&mut self, name: &'static str, value: &str) {
        self.number(name, value.len() as u64);
        self.0.extend_from_slice(value.as_bytes());
    }
    fn json(&mut self, name: &'static str, value: &str) {
        self.text(name, value);
    }
    fn digest(&mut self, name: &'static str, value: &Hash) {
        self.text(name, &hex(value));
    }
    fn number(&mut self, _name: &'static str, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn time(&mut self, name: &'static str, value: u64) {
        self.number(name, value);
    }
    fn flag(&mut self, _name: &'static str, value: bool) {
        self.0.push(u8::from(value));
    }
    fn choice(&mut self, name: &'static str, value: &'static str) {
        self.text(name, value);
    }
    fn present(&mut self, name: &'static str, present: bool) {
        self.flag(name, present);
    }
    fn record(&mut self, _name: &'static str, fields: impl FnOnce(&mut Self)) {
        fields(self);
    }
}

/// A writer that only counts.
struct Counter(usize);

/// The length of a digest's text.
const DIGEST_DIGITS: usize = 64;

/// The bytes of a number, and of a text's length.
const WORD_BYTES: usize = 8;

impl Sink for Counter {
    fn text(&mut self, _name: &'static str, value: &str) {
        self.0 += WORD_BYTES + value.len();
    }
    fn json(&mut self, name: &'static str, value: &str) {
        self.text(name, value);
    }
    fn digest(&mut self, _name: &'static str, _value: &Hash) {
        self.0 += WORD_BYTES + DIGEST_DIGITS;
    }
    fn number(&mut self, _name: &'static str, _value: u64) {
        self.0 += WORD_BYTES;
    }
    fn time(&mut self, name: &'static str, value: u64) {
        self.number(name, value);
    }
    fn flag(&mut self, _name: &'static str, _value: bool) {
        self.0 += 1;
    }
    fn choice(&mut self, name: &'static str, value: &'static str) {
        self.text(name, value);
    }
    fn present(&mut self, name: &'static str, present: bool) {
        self.flag(name, present);
    }
    fn record(&mut self, _name: &'static str, fields: impl FnOnce(&mut Self)) {
        fields(self);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, field: &'static str, problem: impl Into<String>) -> CanonicalError {
        error(self.offset, field, problem)
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

    fn borrow(&mut self, field: &'static str) -> Result<&'a str, CanonicalError> {
        let start = self.offset;
        let len = self.number(field, u64::MAX)?;
        let taken = self.take(field, len)?;
        std::str::from_utf8(taken)
            .map_err(|utf8| error(start, field, format!("it is no UTF-8 text: {utf8}")))
    }
}

fn error(offset: usize, field: &'static str, problem: impl Into<String>) -> CanonicalError {
    CanonicalError {
        offset,
        field,
        problem: problem.into(),
    }
}

impl Source for Reader<'_> {
    type Error = CanonicalError;

    fn text(&mut self, name: &'static str) -> Result<String, CanonicalError> {
        self.borrow(name).map(str::to_owned)
    }
    fn json(&mut self, name: &'static str) -> Result<String, CanonicalError> {
        self.text(name)
    }
    fn digest(&mut self, name: &'static str) -> Result<Hash, CanonicalError> {
        let start = self.offset;
        let text = self.borrow(name)?;
        parse_hex(text).ok_or_else(|| error(start, name, format!("{text:?} is no digest")))
    }
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, CanonicalError> {
        let mut word = [0; WORD_BYTES];
        word.copy_from_slice(self.take(name, WORD_BYTES as u64)?);
        match u64::from_le_bytes(word) {
            number if number <= max => Ok(number),
            number => Err(self.error(name, format!("{number} is more than {max}"))),
        }
    }
    fn time(&mut self, name: &'static str) -> Result<u64, CanonicalError> {
        self.number(name, u64::MAX)
    }
    fn flag(&mut self, name: &'static str) -> Result<bool, CanonicalError> {
        match self.take(name, 1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => Err(self.error(name, format!("{other:?} should be 0 or 1"))),
        }
    }
    fn choice(
        &mut self,
        name: &'static str,
        names: &[&'static str],
    ) -> Result<usize, CanonicalError> {
        let start = self.offset;
        let found = self.borrow(name)?;
        names
            .iter()
            .position(|known| *known == found)
            .ok_or_else(|| {
                let excerpt: String = found.chars().take(40).collect();
                error(
                    start,
                    name,
                    format!("{excerpt:?} is none of {}", names.join(", ")),
                )
            })
    }
    fn present(&mut self, name: &'static str) -> Result<bool, CanonicalError> {
        self.flag(name)
    }
    fn record<T>(
        &mut self,
        _name: &'static str,
        fields: impl FnOnce(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<T, CanonicalError> {
        fields(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::samples;

    #[test]
    fn law4_every_kind_comes_back() {
        for event in samples::events() {
            let bytes = write(&event);
            assert_eq!(length(&event), bytes.len(), "{event:?}");
            assert_eq!(read(&bytes), Ok(event));
        }
    }

    #[test]
    fn law4_the_bytes_are_as_documented() {
        let event = Event {
            sequence: 2,
            at: 258,
            origin: crate::model::Origin::Fact,
            kind: crate::model::EventKind::CancelRequested(crate::model::CancelRequested {
                reason: Some("é".into()),
            }),
        };
        let bytes = b"\x02\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0\x04\0\0\0\0\0\0\0fact\
            \x10\0\0\0\0\0\0\0cancel_requested\x01\x02\0\0\0\0\0\0\0\xc3\xa9";
        assert_eq!(write(&event), bytes);
    }

    #[test]
    fn law4_any_other_bytes_are_refused_or_another_event() {
        for event in samples::events() {
            let bytes = write(&event);
            for cut in 0..bytes.len() {
                assert!(read(&bytes[..cut]).is_err(), "{event:?} cut at {cut}");
            }
            assert!(
                read(&[&bytes[..], &[0]].concat()).is_err(),
                "{event:?} with a byte more"
            );
            for at in 0..bytes.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut edited = bytes.clone();
                    edited[at] ^= flip;
                    if let Ok(other) = read(&edited) {
                        assert_ne!(other, event, "two spellings, at byte {at}");
                        assert_eq!(write(&other), edited);
                    }
                }
            }
        }
    }

    #[test]
    fn any_byte_soup_is_refused() {
        // Numbers from one multiplication each (MMIX): the same every time.
        let mut seed: u64 = 1;
        let mut next = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        let whole = write(&samples::events()[1]);
        for _ in 0..20_000 {
            // A sound beginning leads deeper into the reader.
            let sound = usize::from(next()) % whole.len();
            let soup: Vec<u8> = whole[..sound]
                .iter()
                .copied()
                .chain((0..next()).map(|_| next()))
                .collect();
            assert!(read(&soup).is_err(), "{soup:?}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        let mut bytes = write(&samples::events()[0]);
        bytes[24] = b'p';
        let error = read(&bytes).unwrap_err().to_string();
        assert_eq!(
            error,
            "byte 16, field `origin`: \"pact\" is none of fact, decision"
        );
        bytes[20] = 1;
        let error = read(&bytes).unwrap_err().to_string();
        assert!(
            error.starts_with("byte 24, field `origin`: 4294967300 bytes should follow, and "),
            "{error}"
        );
    }
}
