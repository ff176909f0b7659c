//! JSON text that belongs to the user, kept verbatim, and the check that it
//! passes at the door: grammar, size, nesting, duplicate keys.
//!
//! It never changes a text. Numbers keep their spelling, because they are
//! never read as numbers here.

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::limits::{JSON_DEPTH_MAX, PAYLOAD_BYTES_MAX};

/// A JSON text, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Json(String);

/// A text is not the JSON that is accepted here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}; {remedy}", place(.pointer))]
pub struct JsonError {
    /// Where, as a JSON pointer (RFC 6901); empty: the whole text.
    pub pointer: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() {
        String::new()
    } else {
        format!("at {pointer}: ")
    }
}

impl Json {
    /// The text, if it is JSON within the limits of a payload.
    ///
    /// # Errors
    /// Says where the text is malformed, too long or too deep, or repeats a key.
    pub fn from_text(text: impl Into<String>) -> Result<Self, JsonError> {
        let text = text.into();
        check(&text, PAYLOAD_BYTES_MAX)?;
        Ok(Self(text))
    }

    /// A text that the house wrote itself, or has checked before.
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }

    /// JSON `null`.
    #[must_use]
    pub fn null() -> Self {
        Self("null".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, given away.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.trim_start().starts_with('{')
    }

    /// The text, read into a type of your own.
    ///
    /// # Errors
    /// When the text does not have the shape of that type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_text(String::from(Box::<str>::from(raw))).map_err(serde::de::Error::custom)
    }
}

/// The byte order mark, which some programs put before a text. It is no part of
/// what the text says.
pub const MARK: char = '\u{feff}';

/// Bytes are not the text that is read here: UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// They are of another Unicode encoding.
    #[error("is in {0}; write it as UTF-8")]
    Encoding(
        /// Its name.
        &'static str,
    ),
    /// They are of no encoding that is known here.
    #[error("is no UTF-8: {0}")]
    Bytes(
        /// Where they are not.
        std::str::Utf8Error,
    ),
}

/// The text that these bytes are, as it is. JSON in UTF-16 is told even where it
/// has no mark: with its zeros it would pass for UTF-8, and for a text that is
/// no JSON.
///
/// # Errors
/// Says what they are instead, as in "the file …".
pub fn text_of(bytes: Vec<u8>) -> Result<String, TextError> {
    match bytes.as_slice() {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(TextError::Encoding("UTF-32")),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(TextError::Encoding("UTF-16")),
        [0, b'{' | b'[' | b'"', ..] | [b'{' | b'[' | b'"', 0, ..] => {
            Err(TextError::Encoding("UTF-16"))
        }
        _ => String::from_utf8(bytes).map_err(|error| TextError::Bytes(error.utf8_error())),
    }
}

/// Is this JSON of at most `bytes_max` bytes and [`JSON_DEPTH_MAX`] levels,
/// without a repeated key?
///
/// The grammar is `serde_json`'s business; what it leaves open is settled by
/// one walk over the text, with a stack of its own instead of recursion.
pub(crate) fn check(text: &str, bytes_max: usize) -> Result<(), JsonError> {
    if text.len() > bytes_max {
        return Err(JsonError {
            pointer: String::new(),
            problem: format!(
                "the JSON text has {} bytes, and {bytes_max} are allowed",
                text.len()
            ),
            remedy: "keep large data elsewhere and pass a reference to it".to_owned(),
        });
    }
    if text.starts_with(MARK) {
        return Err(JsonError {
            pointer: String::new(),
            problem: "the text begins with a byte order mark".to_owned(),
            remedy: "write it without one".to_owned(),
        });
    }
    if let Err(error) = serde_json::from_str::<&RawValue>(text) {
        return Err(JsonError {
            pointer: String::new(),
            problem: format!("the text is not JSON: {error}"),
            remedy: "correct it there".to_owned(),
        });
    }
    Walk {
        text,
        at: 0,
        open: Vec::new(),
    }
    .run()
}

/// A walk over text that is known to be grammatical.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Level>,
}

/// An object or array that is not closed yet.
enum Level {
    Object {
        seen: HashSet<String>,
        key: String,
        expects_key: bool,
    },
    Array {
        index: usize,
    },
}

impl<'a> Walk<'a> {
    fn run(mut self) -> Result<(), JsonError> {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'{' => self.enter(Level::Object {
                    seen: HashSet::new(),
                    key: String::new(),
                    expects_key: true,
                })?,
                b'[' => self.enter(Level::Array { index: 0 })?,
                b'}' | b']' => {
                    self.open.pop();
                    self.at += 1;
                }
                b',' => self.next_member(),
                b'"' => self.string()?,
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn enter(&mut self, level: Level) -> Result<(), JsonError> {
        if self.open.len() == JSON_DEPTH_MAX {
            return Err(JsonError {
                pointer: self.pointer(),
                problem: format!("the JSON is nested deeper than {JSON_DEPTH_MAX} levels"),
                remedy: "flatten it".to_owned(),
            });
        }
        self.open.push(level);
        self.at += 1;
        Ok(())
    }

    fn next_member(&mut self) {
        match self.open.last_mut() {
            Some(Level::Object { expects_key, .. }) => *expects_key = true,
            Some(Level::Array { index }) => *index += 1,
            None => {}
        }
        self.at += 1;
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let token = self.string_token();
        self.at += token.len();
        let is_key = matches!(
            self.open.last(),
            Some(Level::Object {
                expects_key: true,
                ..
            })
        );
        // Only an escape can make grammatical text unreadable (half a
        // surrogate pair), so plain strings need no decoding.
        if !is_key && !token.contains("\\u") {
            return Ok(());
        }
        let decoded = serde_json::from_str::<String>(token).map_err(|error| JsonError {
            pointer: self.pointer(),
            problem: format!("a string cannot be read: {error}"),
            remedy: "write both halves of the character's escape, or the character itself"
                .to_owned(),
        })?;
        let repeated = match self.open.last_mut() {
            Some(Level::Object {
                seen,
                key,
                expects_key,
            }) if *expects_key => {
                *expects_key = false;
                key.clone_from(&decoded);
                !seen.insert(decoded)
            }
            _ => false,
        };
        if repeated {
            return Err(JsonError {
                pointer: self.pointer(),
                problem: "the key appears twice in its object".to_owned(),
                remedy: "leave one of the two".to_owned(),
            });
        }
        Ok(())
    }

    /// The string that begins here, with its quotes.
    fn string_token(&self) -> &'a str {
        let rest: &'a str = &self.text[self.at..];
        let mut escaped = false;
        for (offset, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return &rest[..=offset],
                _ => {}
            }
        }
        rest
    }

    /// Where the walk is, as a JSON pointer.
    fn pointer(&self) -> String {
        self.open
            .iter()
            .map(|level| match level {
                Level::Object { key, .. } => {
                    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
                }
                Level::Array { index } => format!("/{index}"),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn door_takes_what_is_json() {
        let deep = format!(
            "{}{}",
            "[".repeat(JSON_DEPTH_MAX),
            "]".repeat(JSON_DEPTH_MAX)
        );
        for text in [
            "null",
            " 1e999 ",
            r#"{"a":{"a":1},"b":[{"a":"{\"a\":[,"}]}"#,
            r#""\ud83d\ude00""#,
            "{}",
            "[]",
            &deep,
        ] {
            assert_eq!(check(text, 1000), Ok(()), "{text}");
        }
    }

    #[test]
    fn door_names_the_place() {
        let deep = format!(
            "{}{}",
            "[".repeat(JSON_DEPTH_MAX + 1),
            "]".repeat(JSON_DEPTH_MAX + 1)
        );
        let bottom = "/0".repeat(JSON_DEPTH_MAX);
        for (text, pointer, problem) in [
            ("", "", "not JSON"),
            ("{\"a\":1", "", "not JSON"),
            ("[1,]", "", "not JSON"),
            ("1 2", "", "not JSON"),
            (r#"{"a":1,"a":2}"#, "/a", "twice"),
            (r#"{"a":1,"\u0061":2}"#, "/a", "twice"),
            (r#"{"x/y":[0,{"k~":1,"k~":2}]}"#, "/x~1y/1/k~0", "twice"),
            (r#"[0,"\ud800"]"#, "/1", "cannot be read"),
            (&deep, &bottom, "nested deeper"),
            (&" ".repeat(1001), "", "1001 bytes"),
        ] {
            let error = check(text, 1000).expect_err(text);
            assert_eq!(error.pointer, pointer, "{text}");
            assert!(error.problem.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn text_stays_as_it_came() {
        let text = r#" {"n": 1.50e2} "#;
        assert_eq!(
            Json::from_text(text).map(Json::into_string),
            Ok(text.to_owned())
        );
    }
}
