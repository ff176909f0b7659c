//! What an execution can come to.

use serde::{Deserialize, Serialize};

/// What an execution can come to. The graver one wins (rule R17), and is the
/// greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ending {
    /// No node failed.
    Completed,
    /// A node failed for good.
    Failed,
    /// The workflow's time ran out.
    TimedOut,
    /// Someone asked for it.
    Cancelled,
}

impl Ending {
    /// Its name in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "failed, timed out",
            Self::Cancelled => "cancelled",
        }
    }
}
