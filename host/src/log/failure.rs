//! What went wrong, where an event implies it without a text of its own.

use crate::contract::NodeTimedOut;

impl NodeTimedOut {
    /// The error of the attempt, as its dead letter has it and people read it.
    #[must_use]
    pub fn error(&self) -> String {
        format!(
            "attempt {} ran longer than the node's timeout",
            self.attempt
        )
    }
}
