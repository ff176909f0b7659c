//! What nobody knew, and was assumed.

use std::time::Duration;

/// What nobody knew, and was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assumption {
    /// The node, with the way to its execution: of a child, the nodes that started it and a
    /// slash behind each. Empty for what is of the execution itself.
    pub node: String,
    /// What was assumed of it.
    pub what: Assumed,
}

/// What was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assumed {
    /// This attempt was never made: it ends as the last one that was recorded.
    Further(u32),
    /// This attempt was stopped after this span, before its worker had answered: it never
    /// ends.
    Stopped(u32, Duration),
    /// No answer of a worker is recorded: it completes at once with `{}`.
    Never,
    /// The answer to this attempt was not taken, for this reason: the attempt fails.
    Refused(u32, String),
    /// This act was never taken: it is not done.
    NotDone(String),
}
