//! Who is left out of a host's turns, because writes to it conflict: as little as the
//! product may leave out, so that everyone else is judged as ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use refrain::ExecutionId;
use refrain::limits::{CONFLICTS_IN_A_ROW_MAX, STORE_RETRY_PAUSE};

/// The executions that have met conflicts in a host's turns.
#[derive(Debug, Default)]
pub(super) struct LeftOut(BTreeMap<ExecutionId, Met>);

#[derive(Debug, Default)]
struct Met {
    /// How many conflicts there were in a row.
    in_a_row: u32,
    /// The monotonic time until which it rests, if it does.
    rests_until: Option<Duration>,
}

impl LeftOut {
    /// A step is over that began at this monotonic time, in which the writes of these
    /// groups conflicted. Who was left out of it: these, and those that rest. They come
    /// into the next turn, or into the first after their rest.
    pub(super) fn after_step(
        &mut self,
        began: Duration,
        groups: &[BTreeSet<ExecutionId>],
        has_written: bool,
    ) -> BTreeSet<ExecutionId> {
        let mut left_out = self.resting(began);
        for id in groups.iter().flatten() {
            left_out.insert(*id);
            let met = self.0.entry(*id).or_default();
            met.in_a_row += 1;
            if met.in_a_row >= CONFLICTS_IN_A_ROW_MAX {
                met.rests_until = Some(began.saturating_add(STORE_RETRY_PAUSE));
            }
        }
        if has_written {
            self.0.retain(|id, _| left_out.contains(id));
        }
        left_out
    }

    /// Those that rest at this monotonic time.
    pub(super) fn resting(&self, now: Duration) -> BTreeSet<ExecutionId> {
        let rests = |met: &Met| met.rests_until.is_some_and(|until| until > now);
        let all = self.0.iter().filter(|(_, met)| rests(met));
        all.map(|(id, _)| *id).collect()
    }
}
