//! Instants and spans in milliseconds, with arithmetic that saturates.

mod rfc3339;

use core::fmt;

/// An instant: milliseconds since the Unix epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Timestamp(pub u64);

/// A span of time in milliseconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Millis(pub u64);

impl Timestamp {
    /// Read a time as RFC 3339 writes it: `2030-01-31T09:30:00.250+02:00`. What is
    /// less than a millisecond is rounded up.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_rfc3339(text: &str) -> Result<Self, &'static str> {
        rfc3339::read(text).map(Self)
    }

    /// The instant `span` later, or the last one there is.
    #[must_use]
    pub fn after(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The span since `earlier`, or none at all if that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Millis {
    /// So many seconds, or the longest span there is.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }
}

/// In seconds where it is whole ones: `30 s`, else `1500 ms`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            span if span.is_multiple_of(1000) => write!(f, "{} s", span / 1000),
            span => write!(f, "{span} ms"),
        }
    }
}
