//! Within a turn: snapshots of executions that have grown much.
//!
//! They are caches, so nothing here may stop a turn but the store.

use crate::contract::Snapshot;
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::log::digest::hex;
use crate::store::ended;

use super::guests::Failure;
use super::staged::Staged;
use super::turn::OpenTurn;

impl OpenTurn<'_> {
    /// Snapshots of what has grown much since the last one.
    pub(crate) fn take_snapshots(&mut self) -> Result<(), EngineError> {
        let every = self.core.settings.events_per_snapshot;
        let grown = |staged: &Staged| {
            let last = staged.record.head.sequence;
            let before = last - staged.events().len() as u64;
            !staged.held && !ended(staged.record.status) && before / every < last / every
        };
        let due: Vec<_> = self
            .staged
            .values()
            .filter(|staged| grown(staged))
            .map(|staged| staged.record.id)
            .collect();
        for id in due {
            match self.ask(id, false, |guest, ports| guest.snapshot(ports, id)) {
                Ok(snapshot) => self.keep_snapshot(id, snapshot)?,
                Err(Failure::Store(error)) => return Err(error.into()),
                // A snapshot is a cache: the next tick shows whether the guest is well.
                Err(failure) => tracing::warn!(refrain.execution = %id, "no snapshot: {failure:?}"),
            }
        }
        Ok(())
    }

    fn keep_snapshot(
        &mut self,
        id: ExecutionId,
        mut snapshot: Snapshot,
    ) -> Result<(), EngineError> {
        let record = &self.open(id)?.record;
        if snapshot.sequence != record.head.sequence {
            tracing::warn!(refrain.execution = %id, "a snapshot of event {}, not {}, is not kept", snapshot.sequence, record.head.sequence);
            return Ok(());
        }
        snapshot.head = hex(&record.head.hash);
        snapshot.guest_digest.clone_from(&record.guest_digest);
        self.snapshots.push((id, snapshot));
        Ok(())
    }
}
