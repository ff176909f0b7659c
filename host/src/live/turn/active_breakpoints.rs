//! The breakpoints of the executions that an engine works on. They are in memory alone:
//! where its engine ends, an execution goes on without.

use std::collections::HashMap;
use std::sync::Arc;

use crate::id::ExecutionId;
use crate::store::Head;

use crate::live::values::breakpoints::Breakpoints;

/// The breakpoints of executions, by execution.
#[derive(Debug, Default)]
pub(crate) struct ActiveBreakpoints(HashMap<ExecutionId, Active>);

/// The breakpoints of one execution.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    pub(in crate::live) breakpoints: Arc<Breakpoints>,
    /// Who has set them.
    pub(in crate::live) by: Option<String>,
    /// Which of the conditions hold behind this event. `None` if that was not asked.
    pub(in crate::live) judged: Option<(Head, Vec<bool>)>,
}

impl ActiveBreakpoints {
    /// Sets the breakpoints of an execution, in the place of those it has.
    pub(in crate::live) fn set(
        &mut self,
        id: ExecutionId,
        breakpoints: Breakpoints,
        by: Option<String>,
    ) {
        if breakpoints.is_empty() {
            return self.leave(id);
        }
        self.0.insert(
            id,
            Active {
                breakpoints: Arc::new(breakpoints),
                by,
                judged: None,
            },
        );
    }

    /// Sets those of a child that this node of its parent, or this instance of one, starts.
    pub(in crate::live) fn pass_on(&mut self, parent: ExecutionId, run: &str, child: ExecutionId) {
        if let Some(active) = self.0.get(&parent) {
            let (of_child, by) = (active.breakpoints.of_child(run), active.by.clone());
            self.set(child, of_child, by);
        }
    }

    /// Those of an execution. `None` if it has none.
    pub(in crate::live) fn of(&self, id: ExecutionId) -> Option<&Active> {
        self.0.get(&id)
    }

    /// Which conditions hold behind this event of an execution.
    pub(in crate::live) fn judged(&mut self, id: ExecutionId, head: Head, hold: Vec<bool>) {
        if let Some(active) = self.0.get_mut(&id) {
            active.judged = Some((head, hold));
        }
    }

    /// An execution has ended.
    pub(in crate::live) fn leave(&mut self, id: ExecutionId) {
        self.0.remove(&id);
    }
}
