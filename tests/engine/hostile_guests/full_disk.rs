//! Ports for guests that are about to fail.

use refrain::guest::Ports;
use refrain::model::{
    Digest, Event, EventKind, OperatorNote, Origin, Snapshot, StorageError, WorkOrder,
};
use refrain::store::StoreError;

/// A long log of nothing much, on a full disk.
pub(super) struct FullDisk;

impl Ports for FullDisk {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Err(StoreError::Full {
            place: "refrain.db".to_owned(),
            detail: "no space left".to_owned(),
        })
    }
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let note = OperatorNote::default();
        let event = |sequence| Event {
            sequence,
            at: 0,
            origin: Origin::Fact,
            kind: EventKind::ExecutionPaused(note.clone()),
        };
        let last = (first + u64::from(max)).min(101);
        Ok((first..last).map(event).collect())
    }
    fn append_events(
        &mut self,
        _: u64,
        _: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        Ok(Ok(()))
    }
    fn now(&mut self) -> u64 {
        0
    }
    fn order(&mut self, _: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        Ok(Ok(Vec::new()))
    }
}
