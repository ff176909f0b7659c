//! One text with expressions in it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::condition::{Expression, Roots, Scope, SyntaxError};
use crate::json::push_escaped;
use crate::limits::PAYLOAD_BYTES_MAX;

/// What an expression in a text begins with.
const OPEN: &str = "${";

/// How values become part of a longer text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// As they are.
    Plain,
    /// In percent, but for letters, digits and `-._~`: nothing of a value can be more
    /// than a part of a URL.
    InUrl,
}

/// Why a text comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// An expression in it comes to null.
    Null,
    /// It would be larger than a payload.
    TooLarge,
}

/// A text with expressions in it.
#[derive(Clone, Debug, PartialEq)]
pub struct TextTemplate {
    parts: Vec<Part>,
    insertion: Insertion,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(Literal),
    Value(Expression),
}

/// What stands beside expressions.
#[derive(Clone, Debug, PartialEq)]
struct Literal {
    text: Box<str>,
    /// The same as a part of a text in JSON.
    escaped: Box<str>,
}

impl Part {
    fn literal(text: &str) -> Self {
        let mut escaped = String::new();
        push_escaped(&mut escaped, text);
        Self::Literal(Literal {
            text: text.into(),
            escaped: escaped.into(),
        })
    }
}

impl TextTemplate {
    /// Read a text; `None` if it stands for itself, because there is no `${` in it.
    ///
    /// # Errors
    /// The first place where an expression in it is none.
    pub fn parse(
        text: &str,
        roots: Roots,
        insertion: Insertion,
    ) -> Result<Option<Self>, SyntaxError> {
        if !text.contains(OPEN) {
            return Ok(None);
        }
        let (mut parts, mut literal, mut from) = (Vec::new(), String::new(), 0);
        while let Some(found) = text[from..].find(OPEN) {
            let (before, inner) = (&text[from..from + found], from + found + OPEN.len());
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str(OPEN);
                from = inner;
                continue;
            }
            literal.push_str(before);
            if !literal.is_empty() {
                parts.push(Part::literal(&literal));
                literal.clear();
            }
            let (expression, length) =
                Expression::parse_braced(&text[inner..], roots).map_err(|error| SyntaxError {
                    offset: inner + error.offset,
                    ..error
                })?;
            parts.push(Part::Value(expression));
            from = inner + length;
        }
        literal.push_str(&text[from..]);
        if !literal.is_empty() {
            parts.push(Part::literal(&literal));
        }
        Ok(Some(Self { parts, insertion }))
    }

    /// Append what the text comes to, as JSON.
    pub(super) fn push_json(&self, scope: &Scope<'_>, json: &mut String) -> Result<(), NoValue> {
        if let [Part::Value(expression)] = &*self.parts {
            return value(expression.push_json(scope, json));
        }
        let start = json.len();
        json.push('"');
        for part in &self.parts {
            match (part, self.insertion) {
                (Part::Literal(literal), _) => json.push_str(&literal.escaped),
                (Part::Value(it), Insertion::InUrl) => {
                    value(it.insert(scope, json, push_percent))?;
                }
                (Part::Value(it), Insertion::Plain) => {
                    value(it.insert(scope, json, push_escaped))?;
                }
            }
            fits(json.len() - start)?;
        }
        json.push('"');
        Ok(())
    }

    /// What the text comes to, as a text even if it is one expression. For texts that
    /// are no URL.
    ///
    /// # Errors
    /// There is null in it, or it is larger than a payload.
    pub fn resolve(&self, scope: &Scope<'_>) -> Result<String, NoValue> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(&literal.text),
                Part::Value(expression) => {
                    value(expression.insert(scope, &mut text, String::push_str))?;
                }
            }
            fits(text.len())?;
        }
        Ok(text)
    }

    /// The text with a letter in the place of each expression: what can be said of it
    /// before anything is known of the values.
    #[must_use]
    pub fn sample(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Literal(literal) => &*literal.text,
            Part::Value(_) => "x",
        });
        parts.collect()
    }

    /// Whether the text begins with an expression.
    #[must_use]
    pub fn begins_with_value(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Value(_)))
    }
}

fn value(is_there: bool) -> Result<(), NoValue> {
    if is_there { Ok(()) } else { Err(NoValue::Null) }
}

/// Asked after each part, so that many small expressions cannot come to much.
fn fits(bytes: usize) -> Result<(), NoValue> {
    if bytes <= PAYLOAD_BYTES_MAX {
        Ok(())
    } else {
        Err(NoValue::TooLarge)
    }
}

/// Append a text as a part of a URL.
fn push_percent(url: &mut String, text: &str) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let [high, low] = [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
            url.extend(['%', char::from(high), char::from(low)]);
        }
    }
}
