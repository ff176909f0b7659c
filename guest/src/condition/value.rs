//! What an expression comes to, decoded no further than somebody asks.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::number::Number;
use crate::json::{Lexer, Token, decode_text, elements, length, member};
use crate::limits::TREE_COST;

/// The brackets of a list.
pub(super) const LIST_BYTES: usize = 2;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// A JSON number as it is written.
    Number(Cow<'a, str>),
    /// Decoded.
    Text(Cow<'a, str>),
    /// A list that the expression made.
    List(Vec<Value<'a>>),
    /// The text of a list or an object.
    Json(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// The value of checked JSON text.
    pub(super) fn read(json: &'a str) -> Self {
        let json = json.trim();
        match json.as_bytes().first() {
            Some(b'{' | b'[') => Self::Json(Cow::Borrowed(json)),
            Some(b'"') => Self::Text(decode_text(json)),
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            _ => Self::Number(Cow::Borrowed(json)),
        }
    }

    /// The value of checked JSON text that was made.
    pub(super) fn made(json: String) -> Value<'static> {
        match Value::read(&json) {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(text) => Value::Number(Cow::Owned(text.into_owned())),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(_) | Value::Json(_) => Value::Json(Cow::Owned(json)),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(text) => !Number::read(text).is_zero(),
            Self::Text(text) => !text.is_empty(),
            Self::List(values) => !values.is_empty(),
            Self::Json(json) => {
                let json = json.trim();
                !json[1..json.len() - 1].trim_ascii().is_empty()
            }
        }
    }

    /// Code points, elements or members; what has no size has size 0.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::Text(text) => text.chars().count(),
            Self::List(values) => values.len(),
            Self::Json(json) => length(json).unwrap_or(0),
        }
    }

    pub(super) fn is_list(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Json(json) => json.starts_with('['),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Json(_))
    }

    /// How many bytes it has as JSON text, not counting the escapes of texts.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(true) => 4,
            Self::Bool(false) => 5,
            Self::Number(text) | Self::Json(text) => text.len(),
            Self::Text(text) => text.len() + 2,
            Self::List(values) => {
                let commas = values.len().saturating_sub(1);
                LIST_BYTES + commas + values.iter().map(Self::bytes).sum::<usize>()
            }
        }
    }

    /// Whether it is an element of the list, or a key of the object.
    pub(super) fn is_in(&self, container: &Self) -> bool {
        match container {
            Self::List(values) => values.iter().any(|value| self == value),
            Self::Json(json) if json.starts_with('[') => match self {
                Self::List(_) | Self::Json(_) => {
                    let wanted = Tree::of(self);
                    elements(json).any(|element| wanted == Tree::read(element))
                }
                _ => elements(json).any(|element| *self == Value::read(element)),
            },
            Self::Json(json) => match self {
                Self::Text(key) => member(json, key).is_some(),
                _ => false,
            },
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// Append it as JSON.
    pub(super) fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(true) => json.push_str("true"),
            Self::Bool(false) => json.push_str("false"),
            Self::Number(text) | Self::Json(text) => json.push_str(text),
            Self::Text(text) => {
                let text = serde_json::to_string(text).expect("a text can be written");
                json.push_str(&text);
            }
            Self::List(values) => {
                json.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    value.write(json);
                }
                json.push(']');
            }
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => Number::read(a) == Number::read(b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (a, b) if a.is_container() && b.is_container() => {
                a.is_list() == b.is_list() && Tree::of(a) == Tree::of(b)
            }
            _ => false,
        }
    }
}

impl PartialOrd for Value<'_> {
    /// None for unlike types, and for those without an order.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Number::read(a).partial_cmp(&Number::read(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// How many bytes are read where these are compared, or one is looked for in the other.
pub(super) fn comparison_bytes(left: &Value<'_>, right: &Value<'_>, is_in: bool) -> usize {
    let (wanted, bytes) = (left.bytes(), right.bytes());
    let is_decoded = left.is_container() || matches!(left, Value::Number(_));
    match right {
        // Each of them is held against it.
        Value::List(values) if is_in => {
            let wanted = wanted.saturating_mul(values.len());
            TREE_COST.saturating_mul(wanted.saturating_add(bytes))
        }
        // Another type is neither equal nor comparable.
        _ if !is_in && left.is_container() != right.is_container() => 0,
        _ if is_decoded => TREE_COST.saturating_mul(wanted.saturating_add(bytes)),
        _ if is_in => bytes,
        _ => wanted.min(bytes),
    }
}

/// A value decoded to its leaves, so that two can be equal or not.
#[derive(Debug, PartialEq)]
enum Tree<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Object(BTreeMap<Cow<'a, str>, Tree<'a>>),
}

impl<'a> Tree<'a> {
    fn of(value: &'a Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(text) => Self::Number(Number::read(text)),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::List(values) => Self::List(values.iter().map(Self::of).collect()),
            Value::Json(json) => Self::read(json),
        }
    }

    fn read(json: &'a str) -> Self {
        let mut lexer = Lexer::new(json);
        let first = next(&mut lexer);
        Self::read_from(first, &mut lexer)
    }

    /// Recurses as deep as the text is nested, which the door has limited to
    /// [`crate::limits::JSON_DEPTH_MAX`].
    fn read_from(first: Token<'a>, lexer: &mut Lexer<'a>) -> Self {
        match first {
            Token::Null => Self::Null,
            Token::True => Self::Bool(true),
            Token::False => Self::Bool(false),
            Token::Number(text) => Self::Number(Number::read(text)),
            Token::Text(text) => Self::Text(decode_text(text)),
            Token::BeginArray => Self::List(Self::read_list(lexer)),
            Token::BeginObject => Self::Object(Self::read_object(lexer)),
            Token::EndArray | Token::EndObject | Token::Comma | Token::Colon => {
                unreachable!("checked JSON has a value here")
            }
        }
    }

    fn read_list(lexer: &mut Lexer<'a>) -> Vec<Self> {
        let mut list = Vec::new();
        loop {
            match next(lexer) {
                Token::EndArray => return list,
                Token::Comma => {}
                first => list.push(Self::read_from(first, lexer)),
            }
        }
    }

    fn read_object(lexer: &mut Lexer<'a>) -> BTreeMap<Cow<'a, str>, Self> {
        let mut object = BTreeMap::new();
        loop {
            match next(lexer) {
                Token::EndObject => return object,
                Token::Text(key) => {
                    let _colon = next(lexer);
                    let first = next(lexer);
                    object.insert(decode_text(key), Self::read_from(first, lexer));
                }
                _comma => {}
            }
        }
    }
}

fn next<'a>(lexer: &mut Lexer<'a>) -> Token<'a> {
    match lexer.next_token() {
        Ok(Some((_, token))) => token,
        Ok(None) | Err(_) => panic!("JSON is checked at the door, and this was not"),
    }
}
