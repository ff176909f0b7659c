//! Within a turn: snapshots of executions that have grown much.
//!
//! They are caches, so nothing here may stop a turn but the store.
//!
//! The longer the log, the further they are apart: a large state is not written
//! again and again, and what a fresh guest has to read beyond the last one stays
//! a fraction of the log.

use std::num::NonZeroU64;

use crate::contract::Snapshot;
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::log::digest::hex;
use crate::store::ended;

use super::open_turn::OpenTurn;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;

impl OpenTurn<'_> {
    /// Snapshots of what has grown much since the last one, or whose last one is
    /// of no use.
    pub(crate) fn take_snapshots(&mut self) -> Result<(), EngineError> {
        let every = self.core.settings.events_per_snapshot;
        let grown = |staged: &Staged| {
            let last = staged.record.head.sequence;
            let before = last - staged.events().len() as u64;
            let apart = apart(every, last);
            let grown = before / apart < last / apart || staged.bad_snapshot.is_some();
            !staged.held && !ended(staged.record.status) && grown
        };
        let due: Vec<_> = self
            .staged
            .values()
            .filter(|staged| grown(staged))
            .map(|staged| staged.record.id)
            .collect();
        for id in due {
            // What is not taken now is when the log has grown further.
            if self.budget.is_over() {
                break;
            }
            match self.ask(id, false, |guest, ports| guest.snapshot(ports, id)) {
                Ok(snapshot) => self.keep_snapshot(id, snapshot)?,
                Err(Failure::Store(error)) if !error.is_of_one() => return Err(error.into()),
                // A snapshot is a cache: the next tick shows whether the guest is well.
                Err(failure) => self.without_snapshot(id, &format!("no snapshot: {failure:?}")),
            }
        }
        Ok(())
    }

    fn without_snapshot(&mut self, id: ExecutionId, text: &str) {
        if let Some(told) = self.core.troubles.happens(&format!("snapshot {id}"), text) {
            tracing::warn!(refrain.execution = %id, "{told}");
        }
    }

    fn keep_snapshot(
        &mut self,
        id: ExecutionId,
        mut snapshot: Snapshot,
    ) -> Result<(), EngineError> {
        let record = &self.open(id)?.record;
        if snapshot.sequence != record.head.sequence {
            let last = record.head.sequence;
            let text = format!(
                "a snapshot of event {}, not {last}, is not kept",
                snapshot.sequence
            );
            self.without_snapshot(id, &text);
            return Ok(());
        }
        snapshot.head = hex(&record.head.hash);
        snapshot.guest_digest.clone_from(&record.guest_digest);
        self.snapshots.push((id, snapshot));
        Ok(())
    }
}

/// How many events there are between two snapshots of a log of this length: a
/// power of two times what the engine was built with, and a quarter of the log
/// at most where that is more.
fn apart(every: NonZeroU64, last: u64) -> u64 {
    let quarters = last / every / 4;
    every.get() << quarters.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_a_long_log_are_further_apart() {
        let every = NonZeroU64::new(1_000).expect("it is not zero");
        let table = [
            (0, 1_000),
            (7_999, 1_000),
            (8_000, 2_000),
            (16_000, 4_000),
            (40_000, 8_000),
            (100_000, 16_000),
        ];
        for (last, events) in table {
            assert_eq!(apart(every, last), events, "after {last}");
            assert!(last < 8_000 || apart(every, last) <= last / 4);
        }
        let one = NonZeroU64::MIN;
        assert!(apart(one, u64::MAX) <= u64::MAX / 4);
    }
}
