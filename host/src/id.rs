//! Execution ids: `exec_` and 32 hexadecimal digits.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The name of an execution: `exec_` and the 32 hexadecimal digits of a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExecutionId(Uuid);

/// How many bytes an id has as a text.
const TEXT_BYTES: usize = PREFIX.len() + 32;

const PREFIX: &str = "exec_";

/// An id as a text, in place.
#[derive(Clone, Copy)]
pub(crate) struct IdText([u8; TEXT_BYTES]);

/// The text is no execution id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not an execution id: it should be \"exec_\" and 32 hexadecimal digits")]
pub struct ExecutionIdError {
    text: String,
}

impl ExecutionId {
    /// A new, random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id made of these sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The id as a text, without an allocation.
    pub(crate) fn text(&self) -> IdText {
        let mut text = [0; TEXT_BYTES];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        self.0.simple().encode_lower(digits);
        IdText(text)
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl IdText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a prefix and digits are ASCII")
    }
}

/// By their bytes, and so by their texts. Maps that are sorted by execution are
/// searched several times a step, and one number is quicker than sixteen bytes.
impl Ord for ExecutionId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_u128().cmp(&other.0.as_u128())
    }
}

impl PartialOrd for ExecutionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl FromStr for ExecutionId {
    type Err = ExecutionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ExecutionIdError {
            text: text.to_owned(),
        };
        let digits = text.strip_prefix(PREFIX).ok_or_else(refused)?;
        // `Uuid` also parses hyphens and braces; an id has one spelling only.
        if digits.len() != 32
            || !digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(refused());
        }
        Uuid::try_parse(digits).map(Self).map_err(|_| refused())
    }
}
