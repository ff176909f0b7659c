//! What the shell finds an execution by: its id, read once.
//!
//! Ids begin alike and are compared often. As four words they differ at the
//! first, and no text is looked at twice.

use alloc::format;

use crate::contract::{IllegalEvent, RefusalCode, SchedulerError};

/// An execution's id: the 32 digits after `exec_`, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExecutionKey([u64; 4]);

impl ExecutionKey {
    /// The key of this id.
    ///
    /// # Errors
    /// It is no execution id, so that no log is that of such an execution.
    pub(crate) fn of(execution_id: &str) -> Result<Self, SchedulerError> {
        let digits = execution_id.strip_prefix("exec_").map(str::as_bytes);
        let (words, rest) = digits.unwrap_or_default().as_chunks::<8>();
        match (words, rest) {
            ([a, b, c, d], []) => Ok(Self([*a, *b, *c, *d].map(u64::from_le_bytes))),
            _ => Err(SchedulerError::Illegal(IllegalEvent {
                sequence: 0,
                code: RefusalCode::Malformed,
                reason: format!(
                    "`{execution_id}` is no execution id, which is `exec_` and 32 hexadecimal digits"
                ),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn ids_that_differ_have_keys_that_differ() {
        let id = "exec_0123456789abcdef0123456789abcdef";
        let key = ExecutionKey::of(id).expect("an id");
        assert_eq!(ExecutionKey::of(id), Ok(key));
        for place in 5..id.len() {
            let mut other = id.to_owned();
            other.replace_range(place..=place, "x");
            assert_ne!(ExecutionKey::of(&other), Ok(key), "{other}");
        }
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in [
            "",
            "exec_",
            "0123456789abcdef0123456789abcdef",
            "exec_0123456789abcdef0123456789abcde",
            "exec_0123456789abcdef0123456789abcdef0",
            "exec_0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(ExecutionKey::of(text).is_err(), "{text}");
        }
    }
}
