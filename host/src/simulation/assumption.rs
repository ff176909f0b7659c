//! What nobody knew, and was assumed; and why a simulation has no end.

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
    /// No answer to this attempt is recorded, which was stopped after this span or went on
    /// then: it never ends.
    Stopped(u32, Duration),
    /// No answer of a worker is recorded: it completes at once with `{}`.
    Never,
    /// The log of its child is not at hand.
    NoLog,
    /// The answer to this attempt was not taken, for this reason: the attempt fails.
    Refused(u32, String),
    /// This act is not done: its time does not come, or it is never taken.
    NotDone(String),
}

/// Why a simulation has not come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unended {
    /// It has far more events than were recorded.
    TooManyEvents,
    /// It would have gone on for more than a year.
    TooLong,
    /// Nothing more happens in it: somebody who is waited for never comes, a worker never
    /// answers, or the execution is stalled or paused.
    NothingFollows,
}
