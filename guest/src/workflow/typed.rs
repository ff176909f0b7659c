//! The types that a field of a JSON object can have.

use alloc::borrow::Cow;

use crate::json::{decode_text, member};
use crate::time::Millis;

/// A type that a field can have.
pub(super) trait Read<'a>: Sized {
    /// What is expected, with its article.
    const EXPECTED: &'static str;

    /// Read checked JSON; None if it has another type.
    fn read(json: &'a str) -> Option<Self>;
}

pub(super) const TEXT: &str = "a text";

/// The text of an object.
pub(super) struct Object<'a>(pub(super) &'a str);

/// The text of a list.
pub(super) struct List<'a>(pub(super) &'a str);

/// A span of time, 0 included.
pub(super) struct Span(pub(super) Millis);

impl<'a> Read<'a> for Object<'a> {
    const EXPECTED: &'static str = "an object";

    fn read(json: &'a str) -> Option<Self> {
        json.starts_with('{').then_some(Self(json))
    }
}

impl<'a> Read<'a> for List<'a> {
    const EXPECTED: &'static str = "a list";

    fn read(json: &'a str) -> Option<Self> {
        json.starts_with('[').then_some(Self(json))
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    const EXPECTED: &'static str = TEXT;

    fn read(json: &'a str) -> Option<Self> {
        json.starts_with('"').then(|| decode_text(json))
    }
}

impl Read<'_> for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(json: &str) -> Option<Self> {
        json.parse().ok()
    }
}

impl Read<'_> for u64 {
    const EXPECTED: &'static str = "a whole number, not negative";

    fn read(json: &str) -> Option<Self> {
        json.parse().ok()
    }
}

impl Read<'_> for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";

    fn read(json: &str) -> Option<Self> {
        json.parse().ok()
    }
}

impl Read<'_> for Span {
    const EXPECTED: &'static str = "a whole number of seconds (or {\"secs\", \"nanos\"})";

    fn read(json: &str) -> Option<Self> {
        if let Some(seconds) = u64::read(json) {
            return Some(Self(Millis::from_secs(seconds)));
        }
        let field = |name| member(json, name).map(u64::read);
        let seconds = field("secs")??;
        let nanos = field("nanos").unwrap_or(Some(0))?;
        // Rounded up: a span that is not 0 stays so.
        let Millis(whole) = Millis::from_secs(seconds);
        Some(Self(Millis(
            whole.saturating_add(nanos.div_ceil(1_000_000)),
        )))
    }
}
