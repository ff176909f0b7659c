//! One damaged row does not stop the others.
//!
//! A question about many rows is answered with those that can be read, and with a
//! list of those that cannot. So no caller has to choose between an error that hides
//! the whole rows and a silence that hides the damaged ones.

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::store::StoreError;

/// The answer to a question about many rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "what is damaged must be named"]
pub struct Many<T> {
    /// The rows that can be read, in the order of the question. Only they count
    /// towards its bound, so that damage never hides what is whole.
    pub found: Vec<T>,
    /// The rows that were met on the way and cannot be read.
    pub damaged: Vec<Damaged>,
}

/// A stored row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Damaged {
    /// The execution that it belongs to, if that much can be read.
    pub execution: Option<ExecutionId>,
    /// Where it is: the store, and the place in it.
    pub place: String,
    /// What is wrong with it.
    pub detail: String,
}

/// The event at which an execution's log is no longer what was written, as the last
/// reader found it. The execution is set aside: nothing of it is claimed, woken, or
/// appended, until its log has been checked anew and holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tampering {
    /// The first event that does not hold.
    pub sequence: u64,
    /// What is wrong with it, in a sentence.
    pub message: String,
}

impl<T> Many<T> {
    /// An answer of which all rows could be read.
    pub fn whole(found: Vec<T>) -> Self {
        Self {
            found,
            damaged: Vec::new(),
        }
    }

    /// All rows, for a question about rows that belong together.
    ///
    /// # Errors
    /// The first row that cannot be read, as [`StoreError::Corrupt`].
    pub fn all(self) -> Result<Vec<T>, StoreError> {
        match self.damaged.into_iter().next() {
            Some(damaged) => Err(damaged.into()),
            None => Ok(self.found),
        }
    }
}

impl Damaged {
    /// A row at this place that cannot be read, for this reason. `execution` is the one
    /// that it belongs to, if that much can be read.
    #[must_use]
    pub fn new(
        execution: Option<ExecutionId>,
        place: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            execution,
            place: place.into(),
            detail: detail.into(),
        }
    }
}

impl From<Damaged> for StoreError {
    fn from(damaged: Damaged) -> Self {
        Self::Corrupt {
            place: damaged.place,
            detail: damaged.detail,
        }
    }
}

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        StoreError::from(self.clone()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_is_whole_or_named() {
        let damaged = Damaged::new(None, "x.db, row 7", "it is gone");
        let some = Many {
            found: vec![1, 2],
            damaged: vec![damaged.clone()],
        };
        assert_eq!(Many::whole(vec![1, 2]).all().unwrap(), [1, 2]);
        assert_eq!(some.all().unwrap_err().to_string(), damaged.to_string());
        assert!(damaged.to_string().starts_with("x.db, row 7 is damaged"));
    }
}
