//! What people and other programs do in a case.

use std::time::Duration;

use super::text::span::span_text;
use crate::live::{Approval, Signal};
use crate::world::Deed;

/// What somebody does, at a time of the simulated clock: after all that happens by itself
/// at that time.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub(super) at: Duration,
    pub(super) deed: Deed,
    pub(super) by: Option<String>,
    pub(super) is_refused: bool,
    /// The node of whose child it is done to, if it is not to the execution itself.
    pub(super) child: Option<String>,
}

impl Act {
    /// A person decides on this node.
    #[must_use]
    pub fn decide(at: Duration, node: impl Into<String>, approval: Approval) -> Self {
        let node = node.into();
        Self::new(at, Deed::Decide { node, approval })
    }

    /// This external event comes.
    #[must_use]
    pub fn signal(at: Duration, signal: Signal) -> Self {
        Self::new(at, Deed::Send(signal))
    }

    /// An operator cancels the execution.
    #[must_use]
    pub fn cancel(at: Duration) -> Self {
        Self::new(at, Deed::Cancel { reason: None })
    }

    /// An operator pauses it.
    #[must_use]
    pub fn pause(at: Duration) -> Self {
        Self::new(at, Deed::Pause { reason: None })
    }

    /// An operator lets it go on.
    #[must_use]
    pub fn unpause(at: Duration) -> Self {
        Self::new(at, Deed::Unpause { reason: None })
    }

    /// An operator has this node tried again.
    #[must_use]
    pub fn retry(at: Duration, node: impl Into<String>) -> Self {
        let node = node.into();
        Self::new(at, Deed::Retry { node, reason: None })
    }

    /// An operator has this node skipped.
    #[must_use]
    pub fn skip(at: Duration, node: impl Into<String>) -> Self {
        let node = node.into();
        Self::new(at, Deed::Skip { node, reason: None })
    }

    /// The same, by this person.
    #[must_use]
    pub fn by(self, who: impl Into<String>) -> Self {
        Self {
            by: Some(who.into()),
            ..self
        }
    }

    /// The same, for this reason. Decisions and external events have none.
    #[must_use]
    pub fn reason(mut self, why: impl Into<String>) -> Self {
        match &mut self.deed {
            Deed::Cancel { reason }
            | Deed::Pause { reason }
            | Deed::Unpause { reason }
            | Deed::Retry { reason, .. }
            | Deed::Skip { reason, .. } => *reason = Some(why.into()),
            Deed::Decide { .. } | Deed::Send(_) => {}
        }
        self
    }

    /// The same, to the child that this node has started last. What names a node names
    /// that of a child by the way to it: `bill/send`.
    #[must_use]
    pub fn of_child(self, node: impl Into<String>) -> Self {
        Self {
            child: Some(node.into()),
            ..self
        }
    }

    /// The same, and it is expected to be refused. Any other act that is refused makes
    /// its case fail.
    #[must_use]
    pub fn is_refused(self) -> Self {
        Self {
            is_refused: true,
            ..self
        }
    }

    fn new(at: Duration, deed: Deed) -> Self {
        Self {
            at,
            deed,
            by: None,
            is_refused: false,
            child: None,
        }
    }

    /// What it is, in words.
    pub(super) fn in_words(&self) -> String {
        let deed = self.deed.in_words();
        let of = self
            .child
            .as_ref()
            .map(|node| format!(" of {node}'s child"));
        format!("{deed}{} at {}", of.unwrap_or_default(), span_text(self.at))
    }
}
