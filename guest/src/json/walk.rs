//! Steps into checked JSON text, without decoding what is not on the way.
//!
//! All of this reads text that [`check`](super::check()) accepted.

use alloc::borrow::Cow;

use super::lexer::{Lexer, Token, decode_text};

/// The text of an object's member; None if it is no object or has no such key.
pub(crate) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    members(object)
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

/// The text of an array's element; None if it is no array or is shorter.
pub(crate) fn element(array: &str, index: usize) -> Option<&str> {
    elements(array).nth(index)
}

/// How many members or elements it has; None if it is neither object nor array.
pub(crate) fn length(text: &str) -> Option<usize> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => Some(members(text).count()),
        Some(b'[') => Some(elements(text).count()),
        _ => None,
    }
}

/// How many objects and arrays stand in one another at most; 0 for all other values.
pub(crate) fn depth(text: &str) -> usize {
    if !text.starts_with(['{', '[']) {
        return 0;
    }
    let (mut lexer, mut depth, mut deepest) = (Lexer::new(text), 0_usize, 0);
    while let Ok(Some((_, token))) = lexer.next_token() {
        match token {
            Token::BeginArray | Token::BeginObject => depth += 1,
            Token::EndArray | Token::EndObject => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The elements' texts; none if it is no array.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut children = Children::of(array, Token::BeginArray);
    core::iter::from_fn(move || {
        let first = children.next_first()?;
        Some(children.value(first))
    })
}

/// The members' keys and the texts of their values; none if it is no object.
pub(crate) fn members(object: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut children = Children::of(object, Token::BeginObject);
    core::iter::from_fn(move || {
        let (_, Token::Text(key)) = children.next_first()? else {
            unreachable!("a checked object's member begins with its key");
        };
        let (_, Token::Colon) = children.token() else {
            unreachable!("a checked object's key is followed by a colon");
        };
        let first = children.token();
        Some((decode_text(key), children.value(first)))
    })
}

struct Children<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    done: bool,
}

impl<'a> Children<'a> {
    fn of(text: &'a str, begin: Token<'_>) -> Self {
        let mut children = Self {
            text,
            lexer: Lexer::new(text),
            done: false,
        };
        children.done = children.token().1 != begin;
        children
    }

    /// The first token of the next child, if there is one.
    fn next_first(&mut self) -> Option<(usize, Token<'a>)> {
        if self.done {
            return None;
        }
        let mut first = self.token();
        if first.1 == Token::Comma {
            first = self.token();
        }
        self.done = matches!(first.1, Token::EndArray | Token::EndObject);
        (!self.done).then_some(first)
    }

    /// The text of the value that begins with `first`.
    fn value(&mut self, first: (usize, Token<'a>)) -> &'a str {
        let (start, mut token) = first;
        let mut depth = 0_usize;
        loop {
            match token {
                Token::BeginArray | Token::BeginObject => depth += 1,
                Token::EndArray | Token::EndObject => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return &self.text[start..self.lexer.offset()];
            }
            token = self.token().1;
        }
    }

    fn token(&mut self) -> (usize, Token<'a>) {
        match self.lexer.next_token() {
            Ok(Some(token)) => token,
            Ok(None) | Err(_) => panic!(
                "JSON is checked at the door, and this was not: {:.80}",
                self.text
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let text = r#" { "a" : [ 1.0 , {"b":[]} , "x,]" ] , "k\u0031": { } , "": null } "#;
        assert_eq!(length(text), Some(3));
        assert_eq!(member(text, "k1"), Some("{ }"));
        assert_eq!(member(text, ""), Some("null"));
        assert_eq!(member(text, "b"), None);
        let list = member(text, "a").unwrap();
        assert_eq!(
            elements(list).collect::<alloc::vec::Vec<_>>(),
            ["1.0", r#"{"b":[]}"#, r#""x,]""#]
        );
        assert_eq!(element(list, 1), Some(r#"{"b":[]}"#));
        assert_eq!(element(list, 3), None);
        assert_eq!(
            [text.trim(), "[]", "[1, [{}], 2]", "7", r#""[[""#].map(depth),
            [4, 1, 3, 0, 0]
        );
        for scalar in ["1", r#""[1]""#, "null"] {
            assert_eq!(
                (length(scalar), element(scalar, 0), member(scalar, "a")),
                (None, None, None),
                "{scalar}"
            );
        }
        assert_eq!(
            (element("{}", 0), member("[]", "a"), length("[ ]")),
            (None, None, Some(0))
        );
    }
}
