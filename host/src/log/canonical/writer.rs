//! Canonical bytes are written, or only counted.

use super::error::Part;
use crate::log::Hash;
use crate::log::field::Sink;

/// Where the bytes of a part go.
pub(super) trait Destination {
    fn put(&mut self, bytes: &[u8]);
}

impl Destination for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Bytes that are only counted.
#[derive(Default)]
pub(super) struct Count(usize);

impl Destination for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// Both parts, and the one that is being written.
pub(super) struct Writer<D> {
    pub(super) plain: D,
    pub(super) erasable: D,
    part: Part,
}

/// Room for the plain fields of nearly all events, so that the buffer seldom grows.
const PLAIN_BYTES_USUAL: usize = 192;

/// Room for the erasable fields of an event without a large payload.
const ERASABLE_BYTES_USUAL: usize = 128;

impl Writer<Vec<u8>> {
    pub(super) fn new() -> Self {
        Self {
            plain: Vec::with_capacity(PLAIN_BYTES_USUAL),
            erasable: Vec::with_capacity(ERASABLE_BYTES_USUAL),
            part: Part::Plain,
        }
    }
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
    pub(super) fn count(&self) -> usize {
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
pub(super) const WORD_BYTES: usize = 8;

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
