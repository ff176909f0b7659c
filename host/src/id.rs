//! Execution ids: `exec_` and 32 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The name of an execution: `exec_` and the 32 hexadecimal digits of a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(Uuid);

/// The text is no execution id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is not an execution id: it should be \"exec_\" and 32 hexadecimal digits; `refrain list` shows those there are"
)]
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

    /// The sixteen bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exec_{}", self.0.simple())
    }
}

impl FromStr for ExecutionId {
    type Err = ExecutionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ExecutionIdError {
            text: text.to_owned(),
        };
        let digits = text.strip_prefix("exec_").ok_or_else(refused)?;
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
