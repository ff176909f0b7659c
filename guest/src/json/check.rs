//! The door: is this JSON, does no key stand twice, is it not too deep?

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::keys::Keys;
use super::lexer::{Lexer, Token, Unreadable, decode_text};
use crate::limits::JSON_DEPTH_MAX;

/// Why a text is not taken as JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The innermost value that is affected, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The byte at which reading stopped.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pointer,
            offset,
            message,
        } = self;
        let place = if pointer.is_empty() {
            "the top level"
        } else {
            pointer
        };
        write!(f, "{message} (at {place}, byte {offset})")
    }
}

impl core::error::Error for Malformed {}

/// Check that `text` is one JSON value, that no object in it has a key twice,
/// and that it is nested no deeper than [`JSON_DEPTH_MAX`].
///
/// # Errors
/// The first place where it is not.
pub fn check(text: &str) -> Result<(), Malformed> {
    Check::of(text, |_, _| {}).run()
}

/// Check that `text` is an object, and hand over its members on the way: key
/// and value, each value verbatim. On an error some may have been handed over.
pub(super) fn check_object<'a>(
    text: &'a str,
    member: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), Malformed> {
    Check::of(text, member).run()?;
    if text.trim_ascii_start().starts_with('{') {
        return Ok(());
    }
    Err(Malformed {
        pointer: String::new(),
        offset: 0,
        message: "expected a JSON object".to_string(),
    })
}

/// Append one step to a JSON pointer.
pub(crate) fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    for c in step.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// An object or array that has begun and not ended. The stack of these is the
/// place that errors name, and what stands in for recursion.
enum Open<'a> {
    Object { seen: Keys<'a>, key: Cow<'a, str> },
    Array { index: usize },
}

struct Check<'a, M> {
    text: &'a str,
    lexer: Lexer<'a>,
    open: Vec<Open<'a>>,
    /// Where the value of the outermost object's current key begins.
    value_from: usize,
    /// Whom that object's members are handed to.
    member: M,
}

impl<'a, M: FnMut(Cow<'a, str>, &'a str)> Check<'a, M> {
    fn of(text: &'a str, member: M) -> Self {
        Self {
            text,
            lexer: Lexer::new(text),
            open: Vec::new(),
            value_from: 0,
            member,
        }
    }

    fn run(mut self) -> Result<(), Malformed> {
        loop {
            let first = self.next("a JSON value")?;
            if self.open.len() == 1 {
                self.value_from = first.0;
            }
            let begun = self.begin(first)?;
            if !begun && !self.next_value()? {
                return self.end();
            }
        }
    }

    /// Take the first token of a value. True if it began an object or array in
    /// which a value is due now.
    fn begin(&mut self, (offset, token): (usize, Token<'a>)) -> Result<bool, Malformed> {
        match token {
            Token::Text(_) | Token::Number(_) | Token::True | Token::False | Token::Null => {
                Ok(false)
            }
            Token::BeginObject => {
                self.check_depth(offset)?;
                if self.lexer.takes(b'}') {
                    return Ok(false);
                }
                self.open.push(Open::Object {
                    seen: Keys::default(),
                    key: Cow::Borrowed(""),
                });
                let key = self.next("a key or `}`")?;
                self.key(key).map(|()| true)
            }
            Token::BeginArray => {
                self.check_depth(offset)?;
                if self.lexer.takes(b']') {
                    return Ok(false);
                }
                self.open.push(Open::Array { index: 0 });
                Ok(true)
            }
            Token::EndObject | Token::EndArray | Token::Comma | Token::Colon => {
                Err(self.malformed(offset, "expected a JSON value"))
            }
        }
    }

    /// After a value: close what ends here. True if another value is due.
    fn next_value(&mut self) -> Result<bool, Malformed> {
        loop {
            if let [Open::Object { key, .. }] = self.open.as_slice() {
                let value = &self.text[self.value_from..self.lexer.offset()];
                (self.member)(key.clone(), value);
            }
            let expected = match self.open.last() {
                None => return Ok(false),
                Some(Open::Object { .. }) => "`,` or `}`",
                Some(Open::Array { .. }) => "`,` or `]`",
            };
            let (offset, token) = self.next(expected)?;
            match (self.open.last_mut(), token) {
                (Some(Open::Object { .. }), Token::EndObject)
                | (Some(Open::Array { .. }), Token::EndArray) => {
                    self.open.pop();
                }
                (Some(Open::Object { .. }), Token::Comma) => {
                    let key = self.next("a key")?;
                    return self.key(key).map(|()| true);
                }
                (Some(Open::Array { index }), Token::Comma) => {
                    *index += 1;
                    return Ok(true);
                }
                _ => return Err(self.malformed(offset, format!("expected {expected}"))),
            }
        }
    }

    /// Take a key and its colon.
    fn key(&mut self, (offset, token): (usize, Token<'a>)) -> Result<(), Malformed> {
        let (Token::Text(raw), Some(Open::Object { seen, key })) = (token, self.open.last_mut())
        else {
            return Err(self.malformed(offset, "expected a key in double quotes"));
        };
        let name = decode_text(raw);
        *key = name.clone();
        if !seen.insert(name.clone()) {
            return Err(self.malformed(
                offset,
                format!("the key `{name}` stands twice in one object"),
            ));
        }
        match self.next("`:`")? {
            (_, Token::Colon) => Ok(()),
            (offset, _) => Err(self.malformed(offset, "expected `:`")),
        }
    }

    /// Whether one more object or array may begin.
    fn check_depth(&self, offset: usize) -> Result<(), Malformed> {
        if self.open.len() >= JSON_DEPTH_MAX {
            return Err(self.malformed(
                offset,
                format!("nested deeper than {JSON_DEPTH_MAX} levels"),
            ));
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), Malformed> {
        match self.lexer.next_token() {
            Ok(None) => Ok(()),
            Ok(Some((offset, _))) => Err(self.malformed(offset, "expected the end of the text")),
            Err(Unreadable { offset, .. }) => {
                Err(self.malformed(offset, "expected the end of the text"))
            }
        }
    }

    fn next(&mut self, expected: &str) -> Result<(usize, Token<'a>), Malformed> {
        match self.lexer.next_token() {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Err(self.malformed(
                self.lexer.offset(),
                format!("expected {expected}, found the end of the text"),
            )),
            Err(Unreadable { offset, message }) => Err(self.malformed(offset, message)),
        }
    }

    fn malformed(&self, offset: usize, message: impl Into<String>) -> Malformed {
        let mut pointer = String::new();
        for open in &self.open {
            match open {
                // The first key of this object has not been read yet.
                Open::Object { seen, .. } if seen.is_empty() => {}
                Open::Object { key, .. } => push_pointer(&mut pointer, key),
                Open::Array { index } => push_pointer(&mut pointer, &index.to_string()),
            }
        }
        Malformed {
            pointer,
            offset,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_json() {
        for text in [
            "null",
            " true ",
            "-0",
            "1e999",
            "12345678901234567890123.500",
            r#""\u00e9\n\ud83d\ude00""#,
            "[]",
            "[1, [2, []], {}]",
            r#"{"a": {"b": [1, {"a": 2}]}, "b": {"a": null}}"#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn names_the_place() {
        #[rustfmt::skip]
        let rows = [
            ("",                             "",          0,  "expected a JSON value, found the end of the text"),
            ("nul",                          "",          0,  "expected a JSON value"),
            ("1 2",                          "",          2,  "expected the end of the text"),
            ("1 x",                          "",          2,  "expected the end of the text"),
            ("01",                           "",          1,  "a number may not begin with 0"),
            ("1.",                           "",          2,  "expected a digit"),
            ("-",                            "",          1,  "expected a digit"),
            ("[1,]",                         "/1",        3,  "expected a JSON value"),
            ("[1",                           "/0",        2,  "expected `,` or `]`, found the end of the text"),
            ("[1}",                          "/0",        2,  "expected `,` or `]`"),
            ("{1:2}",                        "",          1,  "expected a key in double quotes"),
            (r#"{"a" 1}"#,                   "/a",        5,  "expected `:`"),
            (r#"{"a":1,}"#,                  "/a",        7,  "expected a key in double quotes"),
            (r#"{"a":"#,                     "/a",        5,  "expected a JSON value, found the end of the text"),
            (r#"{"a":[0,"x]}"#,              "/a/1",      12, "a text has no closing quote"),
            (r#"{"a":"\q"}"#,                "/a",        7,  "unknown escape in a text"),
            (r#"["\ud800"]"#,                "/0",        8,  "half of a surrogate pair is no character"),
            (r#"["\udc00"]"#,                "/0",        8,  "half of a surrogate pair is no character"),
            (r#"["\u12"]"#,                  "/0",        4,  "expected four hexadecimal digits"),
            ("[\"\n\"]",                     "/0",        2,  "a control character in a text must be escaped"),
            (r#"{"a":1,"a":2}"#,             "/a",        7,  "the key `a` stands twice in one object"),
            (r#"{"a":1,"\u0061":2}"#,        "/a",        7,  "the key `a` stands twice in one object"),
            (r#"{"x":[{"~/":{"k":1,"k":2}}]}"#, "/x/0/~0~1/k", 19, "the key `k` stands twice in one object"),
        ];
        for (text, pointer, offset, message) in rows {
            let expected = Malformed {
                pointer: pointer.into(),
                offset,
                message: message.into(),
            };
            assert_eq!(check(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn depth_is_limited_without_recursion() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(JSON_DEPTH_MAX)), Ok(()));
        let refused = check(&nested(JSON_DEPTH_MAX + 1)).unwrap_err();
        assert_eq!(refused.message, "nested deeper than 100 levels");
        assert_eq!(refused.offset, JSON_DEPTH_MAX);
        assert!(check(&"[".repeat(1_000_000)).is_err());
    }
}
