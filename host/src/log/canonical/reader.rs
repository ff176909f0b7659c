//! Canonical bytes are read. Only those are accepted that the writer writes.

use super::error::{CanonicalError, Part};
use super::writer::WORD_BYTES;
use crate::log::Hash;
use crate::log::field::Source;
use crate::log::form;

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

pub(super) struct Reader<'a> {
    plain: Bytes<'a>,
    erasable: Bytes<'a>,
    part: Part,
    is_erased: bool,
}

impl<'a> Reader<'a> {
    /// The reader of both parts.
    pub(super) fn new(plain: &'a [u8], erasable: &'a [u8]) -> Self {
        Self {
            plain: Bytes::new(Part::Plain, plain),
            erasable: Bytes::new(Part::Erasable, erasable),
            part: Part::Plain,
            is_erased: false,
        }
    }

    /// The reader of the plain part, where blanks stand for what was erased.
    pub(super) fn of_erased(plain: &'a [u8]) -> Self {
        Self {
            is_erased: true,
            ..Self::new(plain, &[])
        }
    }

    /// Nothing may be left of either part.
    pub(super) fn end(self) -> Result<(), CanonicalError> {
        self.plain.end()?;
        self.erasable.end()
    }

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
