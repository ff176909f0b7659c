//! The tables of fields: what the objects of a workflow may hold, and of which
//! types. The parser reads these tables, and so do the reference of the format
//! and its schema.

use alloc::borrow::Cow;
use alloc::format;

use super::fault::quoted;
use super::fields::{AllowedField, Effect, Fields, check_id, value};
use super::typed::{List, Object, Read, Span};
use crate::json::{elements, members};
use crate::template::Insertion;
use crate::time::Millis;

/// A field that an object may have.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) required: bool,
    pub(super) effect: Effect,
    /// How values are inserted where its texts may hold expressions (rule R29); `None`
    /// where a text stands for itself.
    pub(super) expressions: Option<Insertion>,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    /// A text that is not empty.
    Name,
    /// A text that is short and names something: see [`check_id`].
    Id,
    /// A text with an expression (rule R8).
    Expression,
    /// One of these words.
    Word(&'static [&'static str]),
    Whole,
    /// A whole number from the first to the second of these.
    Range(u64, u64),
    /// A whole number of seconds, no more than a span may have.
    Seconds,
    /// Seconds, or `{secs, nanos}`; not 0.
    Span,
    /// The same, 0 included.
    Delay,
    Flag,
    AnyList,
    Texts,
    /// A list of texts that is not empty.
    SomeTexts,
    AnyObject,
    TextMap,
    /// Any JSON; or what code checks that the table cannot say.
    Any,
}

/// The words for the endings that a finalizer runs on.
pub(super) const RUN_ON: &[&str] = &["success", "failure", "always"];

pub(super) const fn must(name: &'static str, of: Type) -> Field {
    Field {
        name,
        of,
        required: true,
        effect: Effect::Some,
        expressions: None,
    }
}

pub(super) const fn may(name: &'static str, of: Type) -> Field {
    Field {
        name,
        of,
        required: false,
        effect: Effect::Some,
        expressions: None,
    }
}

/// JamJet writes it, and nothing comes of it.
pub(super) const fn no_effect(name: &'static str) -> Field {
    Field {
        effect: Effect::None,
        ..may(name, Type::Any)
    }
}

/// Check an object that may have the fields of this table and no others.
pub(super) fn check_object(object: &Fields<'_, '_>, table: &[Field]) {
    object.check_names(table.iter().map(Field::allowed));
    for field in table {
        check(object, field);
    }
}

impl Field {
    /// Its texts, however deep, may hold expressions.
    pub(super) const fn with_expressions(self) -> Self {
        Self {
            expressions: Some(Insertion::Plain),
            ..self
        }
    }

    /// It is a URL, which may hold expressions.
    pub(super) const fn with_expressions_in_url(self) -> Self {
        Self {
            expressions: Some(Insertion::InUrl),
            ..self
        }
    }

    /// The field, as [`Fields::check_names`] asks for it.
    pub(super) fn allowed(&self) -> AllowedField<'static> {
        AllowedField {
            name: self.name,
            effect: self.effect,
        }
    }
}

/// Check that a field is there if it must be, and that its value is of its type.
pub(super) fn check(object: &Fields<'_, '_>, field: &Field) {
    let name = field.name;
    match field.of {
        Type::Text => present::<Cow<'_, str>>(object, field, |_| {}),
        Type::Name => present(object, field, |text: Cow<'_, str>| {
            if text.is_empty() {
                object.fault(
                    name,
                    format!("`{name}` may not be empty"),
                    "write a text here",
                );
            }
        }),
        Type::Id => present(object, field, |text: Cow<'_, str>| {
            check_id(&object.place.key(name), &text, object.faults);
        }),
        Type::Word(words) => present(object, field, |text: Cow<'_, str>| {
            if !words.contains(&&*text) {
                object.fault(
                    name,
                    format!("{} is no `{name}`", quoted(&text)),
                    format!("write one of {}", words.join(", ")),
                );
            }
        }),
        Type::Whole => present::<u64>(object, field, |_| {}),
        Type::Range(min, max) => present(object, field, |number: u64| {
            if !(min..=max).contains(&number) {
                object.fault(
                    name,
                    format!("`{name}` cannot be {number}"),
                    format!("write a whole number from {min} to {max}"),
                );
            }
        }),
        Type::Seconds => present(object, field, |seconds| {
            object.check_span(name, Millis::from_secs(seconds));
        }),
        Type::Span => present(object, field, |Span(span)| {
            object.check_span(name, span);
            if span == Millis(0) {
                object.fault(
                    name,
                    "0 seconds would be over at once",
                    "give it at least 1 second, or leave it out",
                );
            }
        }),
        Type::Delay => present(object, field, |Span(span)| object.check_span(name, span)),
        Type::Flag => present::<bool>(object, field, |_| {}),
        Type::AnyList => present::<List<'_>>(object, field, |_| {}),
        Type::Texts => present(object, field, |List(json)| check_texts(object, field, json)),
        Type::SomeTexts => present(object, field, |List(json)| {
            check_texts(object, field, json);
            if elements(json).next().is_none() {
                object.fault(
                    name,
                    format!("`{name}` may not be empty"),
                    "write at least one text",
                );
            }
        }),
        Type::AnyObject => present::<Object<'_>>(object, field, |_| {}),
        Type::TextMap => present(object, field, |Object(json)| {
            let place = object.place.key(name);
            for (key, json) in members(json) {
                value::<Cow<'_, str>>(&place.key(&key), json, object.faults);
            }
        }),
        // Who reads an expression parses it, and says what is wrong with it.
        Type::Expression | Type::Any => {
            if field.required && object.raw(name).is_none() {
                let message = format!("the field `{name}` is missing");
                object
                    .faults
                    .report(object.place, message, format!("add `{name}`"));
            }
        }
    }
}

fn present<'a, T: Read<'a>>(object: &Fields<'a, '_>, field: &Field, check: impl FnOnce(T)) {
    let value = if field.required {
        object.required(field.name)
    } else {
        object.optional(field.name)
    };
    if let Some(value) = value {
        check(value);
    }
}

fn check_texts(object: &Fields<'_, '_>, field: &Field, json: &str) {
    let place = object.place.key(field.name);
    for (index, json) in elements(json).enumerate() {
        value::<Cow<'_, str>>(&place.index(index), json, object.faults);
    }
}
