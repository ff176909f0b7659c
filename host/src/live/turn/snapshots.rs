//! Snapshots of executions whose logs have grown much.
//!
//! They are caches, so nothing here may stop a turn but the store.
//!
//! The longer the log, the further they are apart: a large state is not written
//! again and again, and what a fresh guest has to read beyond the last one stays
//! a fraction of the log.

use std::num::NonZeroU64;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::log::digest::hex;
use crate::model::Snapshot;
use crate::store::ended;

use super::calls::call;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;

/// Takes snapshots of executions that have grown much since their last one, or
/// whose last one is of no use.
pub(in crate::live) fn take_snapshots(
    transaction: &mut Transaction<'_>,
) -> Result<(), EngineError> {
    let every = transaction.core.settings.events_per_snapshot;
    let due: Vec<_> = transaction
        .staged
        .values()
        .filter(|staged| is_due(staged, every))
        .map(|staged| staged.record.id)
        .collect();
    for id in due {
        // A snapshot that is not taken now is taken when the log has grown further.
        if transaction.budget.is_over() {
            break;
        }
        match call(transaction, id, None, |guest, ports| {
            guest.snapshot(ports, id)
        }) {
            Ok(snapshot) => keep(transaction, id, snapshot)?,
            Err(Failure::Store(error)) if !error.is_of_one() => return Err(error.into()),
            // A snapshot is a cache: the next step shows whether the guest is well.
            Err(failure) => warn(transaction, id, &format!("no snapshot: {failure:?}")),
        }
    }
    Ok(())
}

/// Whether the execution is to have a snapshot taken.
fn is_due(staged: &Staged, every: NonZeroU64) -> bool {
    let last = staged.record.head.sequence;
    let before = last - staged.events().len() as u64;
    let apart = apart(every, last);
    let grown = before / apart < last / apart || staged.bad_snapshot.is_some();
    // The last one is of the former guest, which is of no use to this one.
    let handed_over = staged.is_handed_over() && last >= every.get();
    !staged.held && !ended(staged.record.status) && (grown || handed_over)
}

fn keep(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    mut snapshot: Snapshot,
) -> Result<(), EngineError> {
    let record = &transaction.open(id)?.record;
    if snapshot.sequence != record.head.sequence {
        let last = record.head.sequence;
        let text = format!(
            "a snapshot of event {}, not {last}, is not kept",
            snapshot.sequence
        );
        warn(transaction, id, &text);
        return Ok(());
    }
    snapshot.head = hex(&record.head.hash);
    snapshot.guest_digest = record.guest_digest.to_string();
    transaction.besides.snapshots.push((id, snapshot));
    Ok(())
}

fn warn(transaction: &mut Transaction<'_>, id: ExecutionId, text: &str) {
    let troubles = &mut transaction.core.troubles;
    if let Some(told) = troubles.happens(&format!("snapshot {id}"), text) {
        tracing::warn!(refrain.execution = %id, "{told}");
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
