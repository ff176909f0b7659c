//! What came of a fork.

use super::execution::Execution;

/// A fork that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Forked {
    /// The new execution.
    pub execution: Execution,
    /// The last event that it has in common with its origin.
    pub common: u64,
}
