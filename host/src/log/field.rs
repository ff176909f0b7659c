//! What fields an event can have: the vocabulary of the table in `form`.
//!
//! A written form implements [`Sink`] and [`Source`], one small method for
//! each sort of field. The types below them are named in the table.

use std::marker::PhantomData;

use crate::log::Hash;
use crate::model::Digest;

/// Takes an event's fields, in order.
pub(super) trait Sink {
    fn text(&mut self, name: &'static str, value: &str);
    /// JSON text of the user's, to be kept verbatim.
    fn json(&mut self, name: &'static str, value: &str);
    fn digest(&mut self, name: &'static str, value: &Hash);
    fn number(&mut self, name: &'static str, value: u64);
    fn time(&mut self, name: &'static str, value: u64);
    fn flag(&mut self, name: &'static str, value: bool);
    /// One of a few names.
    fn choice(&mut self, name: &'static str, value: &'static str);
    /// Whether the optional field that may follow is there.
    fn present(&mut self, name: &'static str, present: bool);
    /// A field that is written only where it is there, the last of its part.
    fn late(&mut self, name: &'static str);
    fn record(&mut self, name: &'static str, fields: impl FnOnce(&mut Self));
    /// Some records, each written by `write`.
    fn list<T>(&mut self, name: &'static str, records: &[T], write: impl Fn(&T, &mut Self));
    /// Some texts.
    fn texts(&mut self, name: &'static str, values: &[String]);
    /// Fields that can be erased.
    fn erasable(&mut self, fields: impl FnOnce(&mut Self)) {
        fields(self);
    }
}

/// Gives an event's fields back, in order.
pub(super) trait Source {
    type Error;
    fn text(&mut self, name: &'static str) -> Result<String, Self::Error>;
    fn json(&mut self, name: &'static str) -> Result<String, Self::Error>;
    fn digest(&mut self, name: &'static str) -> Result<Hash, Self::Error>;
    /// A number that is at most `max`.
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, Self::Error>;
    fn time(&mut self, name: &'static str) -> Result<u64, Self::Error>;
    fn flag(&mut self, name: &'static str) -> Result<bool, Self::Error>;
    /// The index of the event's kind among `names`: of all names this is the one
    /// that a newer program may have more of.
    fn kind(&mut self, name: &'static str, names: &[&'static str]) -> Result<usize, Self::Error>;
    /// The index of the name among `names`.
    fn choice(&mut self, name: &'static str, names: &[&'static str]) -> Result<usize, Self::Error>;
    fn present(&mut self, name: &'static str) -> Result<bool, Self::Error>;
    /// Whether the field that is written only where it is there follows.
    fn late(&mut self, name: &'static str) -> Result<bool, Self::Error>;
    /// Some records, each read by `read`.
    fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, Self::Error>,
    ) -> Result<Vec<T>, Self::Error>;
    fn record<T>(
        &mut self,
        name: &'static str,
        fields: impl FnOnce(&mut Self) -> Result<T, Self::Error>,
    ) -> Result<T, Self::Error>;
    /// Some texts.
    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Self::Error>;
    /// Fields that can be erased.
    fn erasable<T>(
        &mut self,
        fields: impl FnOnce(&mut Self) -> Result<T, Self::Error>,
    ) -> Result<T, Self::Error> {
        fields(self)
    }
    /// Whether the event is erased: the fields that can be erased are not there,
    /// and blanks stand in their place.
    fn is_erased(&self) -> bool {
        false
    }
}

/// How a field of one type is written and read.
pub(super) trait Codec {
    type Value;
    fn write(name: &'static str, value: &Self::Value, sink: &mut impl Sink);
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Self::Value, S::Error>;
}

/// A field that can be erased.
pub(super) trait Blank: Codec {
    /// The value that stands in the place of an erased one, so that the event
    /// keeps its shape. It must never be taken for what was written.
    fn blank() -> Self::Value;
}

/// A text.
pub(super) struct Text;
/// JSON text of the user's.
pub(super) struct Json;

macro_rules! text_codecs {
    ($( $codec:ident = $method:ident, )*) => { $(
        impl Codec for $codec {
            type Value = String;
            fn write(name: &'static str, value: &String, sink: &mut impl Sink) {
                sink.$method(name, value);
            }
            fn read<S: Source>(name: &'static str, source: &mut S) -> Result<String, S::Error> {
                source.$method(name)
            }
        }
    )* };
}

text_codecs! { Text = text, Json = json, }

impl Blank for Text {
    fn blank() -> String {
        String::new()
    }
}

impl Blank for Json {
    fn blank() -> String {
        "null".to_owned()
    }
}

/// A SHA-256.
pub(super) struct Sha;

impl Codec for Sha {
    type Value = Digest;
    fn write(name: &'static str, value: &Digest, sink: &mut impl Sink) {
        sink.digest(name, &value.0);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Digest, S::Error> {
        source.digest(name).map(Digest)
    }
}

impl Blank for Sha {
    fn blank() -> Digest {
        Digest([0; 32])
    }
}

/// A 64-bit number.
pub(super) struct Number;

impl Codec for Number {
    type Value = u64;
    fn write(name: &'static str, value: &u64, sink: &mut impl Sink) {
        sink.number(name, *value);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<u64, S::Error> {
        source.number(name, u64::MAX)
    }
}

/// A 32-bit number.
pub(super) struct Count;

impl Codec for Count {
    type Value = u32;
    fn write(name: &'static str, value: &u32, sink: &mut impl Sink) {
        sink.number(name, u64::from(*value));
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<u32, S::Error> {
        // Lossless: the source refuses what is greater.
        source
            .number(name, u64::from(u32::MAX))
            .map(|number| number as u32)
    }
}

/// A point in time.
pub(super) struct Time;

impl Codec for Time {
    type Value = u64;
    fn write(name: &'static str, value: &u64, sink: &mut impl Sink) {
        sink.time(name, *value);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<u64, S::Error> {
        source.time(name)
    }
}

/// Yes or no.
pub(super) struct Flag;

impl Codec for Flag {
    type Value = bool;
    fn write(name: &'static str, value: &bool, sink: &mut impl Sink) {
        sink.flag(name, *value);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<bool, S::Error> {
        source.flag(name)
    }
}

/// One of the values of `T`.
pub(super) struct Choice<T>(PhantomData<T>);

/// A type with a few named values.
pub(super) trait Named: Copy + 'static {
    const VALUES: &'static [Self];
    /// The names of [`Self::VALUES`], in the same order.
    const NAMES: &'static [&'static str];
    fn name(self) -> &'static str;
}

impl<T: Named> Codec for Choice<T> {
    type Value = T;
    fn write(name: &'static str, value: &T, sink: &mut impl Sink) {
        sink.choice(name, value.name());
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<T, S::Error> {
        source.choice(name, T::NAMES).map(|index| T::VALUES[index])
    }
}

/// A field that may be missing.
pub(super) struct Maybe<C>(PhantomData<C>);

impl<C: Codec> Codec for Maybe<C> {
    type Value = Option<C::Value>;
    fn write(name: &'static str, value: &Self::Value, sink: &mut impl Sink) {
        sink.present(name, value.is_some());
        if let Some(value) = value {
            C::write(name, value, sink);
        }
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Self::Value, S::Error> {
        if source.present(name)? {
            C::read(name, source).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<C: Codec> Blank for Maybe<C> {
    fn blank() -> Self::Value {
        None
    }
}

/// A field that may be missing, and leaves no byte then: one that is seldom there,
/// or that came later. Such fields stand last.
pub(super) struct Late<C>(PhantomData<C>);

impl<C: Codec> Codec for Late<C> {
    type Value = Option<C::Value>;
    fn write(name: &'static str, value: &Self::Value, sink: &mut impl Sink) {
        if let Some(value) = value {
            sink.late(name);
            C::write(name, value, sink);
        }
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Self::Value, S::Error> {
        if source.late(name)? {
            C::read(name, source).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<C: Codec> Blank for Late<C> {
    fn blank() -> Self::Value {
        None
    }
}

/// Some records, in their order.
pub(super) struct List<T>(PhantomData<T>);

impl<T: Fields> Codec for List<T> {
    type Value = Vec<T>;
    fn write(name: &'static str, value: &Vec<T>, sink: &mut impl Sink) {
        sink.list(name, value, |record, sink| record.write(sink));
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Vec<T>, S::Error> {
        source.list(name, T::read)
    }
}

impl<T: Fields> Blank for List<T> {
    fn blank() -> Self::Value {
        Vec::new()
    }
}

/// Some texts, in their order.
pub(super) struct Texts;

impl Codec for Texts {
    type Value = Vec<String>;
    fn write(name: &'static str, value: &Vec<String>, sink: &mut impl Sink) {
        sink.texts(name, value);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Vec<String>, S::Error> {
        source.texts(name)
    }
}

/// A code with its data, which stand among the fields of the event itself.
pub(super) struct Variant<T>(PhantomData<T>);

/// A type of codes that hold data.
pub(super) trait Coded: Sized {
    /// The names of the codes.
    const NAMES: &'static [&'static str];
    /// Write the code into the field of this name, and its data next to it.
    fn write(&self, name: &'static str, sink: &mut impl Sink);
    /// Read the data of the code of this name.
    fn read<S: Source>(name: &str, source: &mut S) -> Result<Self, S::Error>;
}

impl<T: Coded> Codec for Variant<T> {
    type Value = T;
    fn write(name: &'static str, value: &T, sink: &mut impl Sink) {
        value.write(name, sink);
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<T, S::Error> {
        let code = source.choice(name, T::NAMES)?;
        T::read(T::NAMES[code], source)
    }
}

/// A field that can be erased, because it may be personal: it is hashed with a
/// salt, apart from the plain fields (law 4).
pub(super) struct Erasable<C>(PhantomData<C>);

impl<C: Blank> Codec for Erasable<C> {
    type Value = C::Value;
    fn write(name: &'static str, value: &Self::Value, sink: &mut impl Sink) {
        sink.erasable(|sink| C::write(name, value, sink));
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<Self::Value, S::Error> {
        if source.is_erased() {
            return Ok(C::blank());
        }
        source.erasable(|source| C::read(name, source))
    }
}

/// A record in a field of its own.
pub(super) struct Record<T>(PhantomData<T>);

/// What a record inside an event consists of.
pub(super) trait Fields: Sized {
    fn write(&self, sink: &mut impl Sink);
    fn read<S: Source>(source: &mut S) -> Result<Self, S::Error>;
}

impl<T: Fields> Codec for Record<T> {
    type Value = T;
    fn write(name: &'static str, value: &T, sink: &mut impl Sink) {
        sink.record(name, |sink| value.write(sink));
    }
    fn read<S: Source>(name: &'static str, source: &mut S) -> Result<T, S::Error> {
        source.record(name, T::read)
    }
}

/// An optional record of optional fields that stand among those of the event
/// itself. A record without any is the same as none, and reads as none.
pub(super) struct Flattened<T>(PhantomData<T>);

impl<T: Fields + Default + PartialEq> Codec for Flattened<T> {
    type Value = Option<Box<T>>;
    fn write(_name: &'static str, value: &Self::Value, sink: &mut impl Sink) {
        match value {
            Some(record) => record.write(sink),
            None => T::default().write(sink),
        }
    }
    fn read<S: Source>(_name: &'static str, source: &mut S) -> Result<Self::Value, S::Error> {
        T::read(source).map(|record| (record != T::default()).then(|| record.into()))
    }
}

impl<T: Fields + Default + PartialEq> Blank for Flattened<T> {
    fn blank() -> Self::Value {
        None
    }
}
