//! One text with expressions in it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::condition::{Expression, Roots, Scope, SyntaxError};
use crate::json::push_quoted;

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

/// A text with expressions in it.
#[derive(Clone, Debug, PartialEq)]
pub struct TextTemplate {
    parts: Vec<Part>,
    insertion: Insertion,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Value(Expression),
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
                parts.push(Part::Literal(core::mem::take(&mut literal)));
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
            parts.push(Part::Literal(literal));
        }
        Ok(Some(Self { parts, insertion }))
    }

    /// Append what the text comes to, as JSON. `None` if there is null in it.
    pub(super) fn push_json(&self, scope: &Scope<'_>, json: &mut String) -> Option<()> {
        if let [Part::Value(expression)] = &*self.parts {
            let value = expression.value(scope);
            json.push_str(&value);
            return (value != "null").then_some(());
        }
        push_quoted(json, &self.resolve(scope)?);
        Some(())
    }

    /// What the text comes to, as a text even if it is one expression. `None` if there
    /// is null in it.
    #[must_use]
    pub fn resolve(&self, scope: &Scope<'_>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match (part, self.insertion) {
                (Part::Literal(literal), _) => text.push_str(literal),
                (Part::Value(expression), Insertion::InUrl) if self.parts.len() > 1 => {
                    let mut value = String::new();
                    expression.push_plain(scope, &mut value).then_some(())?;
                    push_percent(&value, &mut text);
                }
                (Part::Value(expression), _) => {
                    expression.push_plain(scope, &mut text).then_some(())?;
                }
            }
        }
        Some(text)
    }

    /// The text with a letter in the place of each expression: what can be said of it
    /// before anything is known of the values.
    #[must_use]
    pub fn sample(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Literal(literal) => literal.as_str(),
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

/// Append a text as a part of a URL.
fn push_percent(text: &str, url: &mut String) {
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
