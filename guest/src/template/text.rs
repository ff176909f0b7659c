//! One text with expressions in it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::for_worker;
use crate::condition::{Expression, Root, Roots, Scope, SyntaxError};
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
    /// What the worker puts in, as the payload has it.
    ForWorker(Box<str>),
}

/// Who resolves a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Scheduler,
    /// The worker too, who puts in what only it may know.
    WorkerToo,
}

/// What stands between expressions.
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
        Self::read(text, roots, insertion, By::Scheduler)
    }

    /// Read a text of a payload, into which the worker may put secrets and the
    /// execution's id; `None` as for [`Self::parse`].
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_of_payload(
        text: &str,
        roots: Roots,
        insertion: Insertion,
    ) -> Result<Option<Self>, SyntaxError> {
        Self::read(text, roots, insertion, By::WorkerToo)
    }

    fn read(
        text: &str,
        roots: Roots,
        insertion: Insertion,
        by: By,
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
            let (part, length) = part(&text[inner..], roots, by).map_err(|error| SyntaxError {
                offset: inner + error.offset,
                ..error
            })?;
            parts.push(part);
            from = inner + length;
        }
        literal.push_str(&text[from..]);
        if !literal.is_empty() {
            parts.push(Part::literal(&literal));
        }
        Ok(Some(Self { parts, insertion }))
    }

    /// Whether the worker puts something in: then what this comes to is a template.
    #[must_use]
    pub fn is_for_worker(&self) -> bool {
        let is_for_worker = |part: &Part| matches!(part, Part::ForWorker(_));
        self.parts.iter().any(is_for_worker)
    }

    /// Whether an expression in it reads something that begins with this root.
    #[must_use]
    pub fn reads(&self, root: Root) -> bool {
        let reads = |part: &Part| matches!(part, Part::Value(it) if it.reads(root));
        self.parts.iter().any(reads)
    }

    /// Append what the text comes to, as JSON.
    pub(super) fn push_json(&self, scope: &Scope<'_>, json: &mut String) -> Result<(), NoValue> {
        if self.is_for_worker() {
            return self.push_template(scope, json);
        }
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
                (Part::ForWorker(_), _) => unreachable!("such a text was left to the worker"),
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
                Part::ForWorker(_) => unreachable!("the scheduler itself reads this text"),
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
            Part::Value(_) | Part::ForWorker(_) => "x",
        });
        parts.collect()
    }

    /// Whether the text begins with an expression.
    #[must_use]
    pub fn begins_with_value(&self) -> bool {
        matches!(
            self.parts.first(),
            Some(Part::Value(_) | Part::ForWorker(_))
        )
    }

    /// Append what the text comes to, as a template for the worker. Values and literals
    /// between what the worker puts in are made one text before they are written, so
    /// that together too they cannot be read as something that it puts in.
    fn push_template(&self, scope: &Scope<'_>, json: &mut String) -> Result<(), NoValue> {
        let start = json.len();
        json.push('"');
        let mut between = String::new();
        for part in &self.parts {
            match (part, self.insertion) {
                (Part::Literal(literal), _) => between.push_str(&literal.text),
                (Part::Value(it), Insertion::InUrl) => {
                    value(it.insert(scope, &mut between, push_percent))?;
                }
                (Part::Value(it), Insertion::Plain) => {
                    value(it.insert(scope, &mut between, String::push_str))?;
                }
                (Part::ForWorker(reference), _) => {
                    push_escaped(json, &for_worker::escaped(&between, false));
                    json.push_str(reference);
                    between.clear();
                }
            }
            fits(json.len() - start + between.len())?;
        }
        push_escaped(json, &for_worker::escaped(&between, true));
        json.push('"');
        fits(json.len() - start)
    }
}

/// What stands in a text from behind `${`, and how many bytes it is long.
fn part(text: &str, roots: Roots, by: By) -> Result<(Part, usize), SyntaxError> {
    if by == By::WorkerToo
        && let Some((reference, length)) = for_worker::parse(text)?
    {
        return Ok((Part::ForWorker(reference), length));
    }
    let (expression, length) = Expression::parse_braced(text, roots)?;
    Ok((Part::Value(expression), length))
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
