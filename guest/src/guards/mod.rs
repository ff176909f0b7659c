//! Pure questions about an execution that both applying and deciding ask: is it
//! held, is it ending, is there room, which deadline runs.
//!
//! One answer serves both sides. What [`crate::decide`] concludes from it is
//! what [`crate::apply`] accepts, so that a decision of our own is never refused.
//! Nothing here changes anything, and nothing here knows an event.

mod status;
mod room;
mod deadlines;
mod maps;
mod texts;
mod ending;
mod budgets;

pub(crate) use budgets::{budget_exceeded, budget_to_stall_on};
pub use deadlines::next_wake;
pub(crate) use deadlines::{deadlines, workflow_deadline};
pub(crate) use ending::{
    due_end, ending, failing_nodes, is_compensating, is_ending, is_time_for_finalizers,
    is_why_undone, must_stop, next_compensation, runs_now, stop_reason,
};
pub(crate) use maps::{
    MapItems, active_runs, element, failing_runs, first_dispatch, is_of_settled_map, map_items,
};
pub(crate) use room::{dispatch_per_tick, has_room, has_window, max_concurrent};
pub use status::{has_to_fork, stalled_by, status};
pub(crate) use status::{is_held, is_stalled, is_stalled_on, may_decide};
pub(crate) use texts::{
    correlation_key, description, fire_at, kept, may_be_unresolved, unresolved_cause,
};
