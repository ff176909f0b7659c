//! What comes next, found but not yet put into words.

use crate::contract::CancelReason;
use crate::instance::RunIx;
use crate::state::Ending;
use crate::workflow::plan::NodeIx;

/// What comes next, not yet in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A node is skipped or stopped because an operator asked for it.
    Skip(RunIx),
    /// A node is stopped.
    Stop(RunIx, CancelReason),
    /// A node that a settled join does without is stopped or left out.
    Dismiss(NodeIx),
    /// The execution stalls on a budget.
    StallOnBudget,
    /// The workflow's time is over.
    WorkflowTimesOut,
    /// The time of an attempt, a wait or an approval is over.
    Overdue(RunIx),
    /// A further attempt is ordered.
    Retry(RunIx),
    /// The execution stalls on a failed node.
    StallOn(RunIx),
    /// A node fails for good.
    Exhaust(RunIx),
    /// The guest settles a node itself.
    Settle(NodeIx),
    /// A node is dispatched.
    Dispatch(RunIx),
    /// A node asks for a child.
    Request(RunIx),
    /// A finalizer of another ending is skipped.
    PassOver(NodeIx),
    /// The execution ends.
    End(Ending),
}
