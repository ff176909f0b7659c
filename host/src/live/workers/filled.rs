//! Fields of a kind that are texts, and that expressions may have filled (rule R29).
//!
//! A text that was one expression is whatever this came to, a number perhaps. Where only a
//! text can be, it is taken as its JSON text. What no program and no request can be given
//! ends the attempt for good.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::WorkError;

/// The class of errors about a value that cannot be handed on.
const UNUSABLE: &str = "unusable_value";

/// A text, or another value as its JSON text; not null.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filled(pub(super) String);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        match json.get() {
            "null" => Err(D::Error::custom("a text is null")),
            text if text.starts_with('"') => serde_json::from_str(text)
                .map(Self)
                .map_err(D::Error::custom),
            other => Ok(Self(other.to_owned())),
        }
    }
}

/// Refuses a text with a character that cannot be handed on from this field: its place
/// in the node is a JSON pointer. The error does not repeat the text, which may hold a
/// secret.
pub(super) fn refuse(
    text: &str,
    is_odd: impl Fn(char) -> bool,
    pointer: &str,
    taker: &str,
) -> Result<(), WorkError> {
    let Some(odd) = text.chars().find(|it| is_odd(*it)) else {
        return Ok(());
    };
    let said = format!(
        "the value at {pointer} holds the character U+{:04X}, which no {taker} can be given",
        u32::from(odd)
    );
    Err(unusable(said))
}

/// The failure of an attempt whose value cannot be handed on.
pub(super) fn unusable(said: String) -> WorkError {
    WorkError::permanent(said).class(UNUSABLE)
}

/// A step of a JSON pointer (RFC 6901).
pub(super) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r29_what_is_no_text_is_taken_as_its_json() {
        for (json, text) in [
            (r#""a\u0062""#, "ab"),
            ("1.50", "1.50"),
            ("true", "true"),
            (r#"[1, "a"]"#, r#"[1, "a"]"#),
        ] {
            let filled: Filled = serde_json::from_str(json).expect("it can be a text");
            assert_eq!(filled.0, text);
        }
        assert!(serde_json::from_str::<Filled>("null").is_err());
    }

    #[test]
    fn r29_what_cannot_be_handed_on_is_named_by_its_place() {
        assert_eq!(
            refuse("a\tb", |it| it == '\0', "/kind/argv/1", "program"),
            Ok(())
        );
        let error = refuse("a\0b", |it| it == '\0', "/kind/argv/1", "program")
            .expect_err("no program can be given it");
        assert_eq!(
            error.message,
            "the value at /kind/argv/1 holds the character U+0000, which no program can be given"
        );
        assert_eq!(
            (error.retryable, error.class.as_deref()),
            (false, Some("unusable_value"))
        );
        assert_eq!(step("a/b~c"), "a~1b~0c");
    }
}
