//! A reader of a database file: each question of the contract, led to the module that
//! knows it.

use crate::id::ExecutionId;
use crate::log::Timestamp;
use crate::model::{Label, Snapshot};
use crate::store::sqlite::database::Database;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::{
    children, clocks, execution, keep, labels, listing, log, news, output, queue,
};
use crate::store::{
    ChildRecord, ClockReading, DueWake, ExecutionRecord, ItemRecord, KeptOutput, ListFilter, Many,
    RawEvent, Reader, SeenUpTo, StoreError, WorkflowRecord,
};

/// A reader of a database file.
#[derive(Debug)]
pub(super) struct SqliteReader {
    pub(super) database: Database,
}

impl SqliteReader {
    /// Events, as [`Reader::raw_events`] answers them, of the execution that has this
    /// key, if that is known.
    pub(super) fn events_of(
        &self,
        id: ExecutionId,
        known: Option<Key>,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.database.ask_of(id, |connection| {
            let key = match known {
                Some(key) => Some(key),
                None => execution::key_of(connection, id)?,
            };
            key.map_or_else(
                || Ok(Vec::new()),
                |key| log::read(connection, key, first, max),
            )
        })
    }
}

impl Reader for SqliteReader {
    fn place(&self) -> String {
        self.database.place()
    }

    fn is_simulated(&self) -> bool {
        self.database.simulated
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let database = self.database.for_reading()?;
        Ok(Box::new(Self { database }))
    }

    fn begin_reading(&mut self) -> Result<(), StoreError> {
        self.database.begin_reading()
    }

    fn end_reading(&mut self) {
        self.database.end_reading();
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        self.database
            .ask_of(id, |connection| execution::by_id(connection, id))
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| listing::list(connection, path, filter))
    }

    fn labels(&mut self, id: ExecutionId) -> Result<Vec<Label>, StoreError> {
        self.database
            .ask_of(id, |connection| labels::of_execution(connection, id))
    }

    fn child(&mut self, child: ExecutionId) -> Result<Option<ChildRecord>, StoreError> {
        self.database
            .ask_of(child, |connection| children::by_id(connection, child))
    }

    fn children(&mut self, parent: ExecutionId) -> Result<Vec<ChildRecord>, StoreError> {
        self.database
            .ask_of(parent, |connection| children::of_parent(connection, parent))
    }

    fn owed_children(&mut self, max: usize) -> Result<Many<ChildRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| children::owed(connection, path, max))
    }

    fn descendants(&mut self, root: ExecutionId) -> Result<u64, StoreError> {
        self.database
            .ask_of(root, |connection| children::of_root(connection, root))
    }

    fn has_children(&mut self) -> Result<bool, StoreError> {
        self.database.ask(children::any)
    }

    fn last_begun(&mut self) -> Result<Option<ExecutionId>, StoreError> {
        self.database.ask(execution::last_begun)
    }

    fn changed_since(
        &mut self,
        seen: SeenUpTo,
    ) -> Result<(Option<Vec<ExecutionId>>, SeenUpTo), StoreError> {
        self.database
            .ask(|connection| news::changed_since(connection, seen))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.events_of(id, None, first, max)
    }

    fn output(
        &mut self,
        id: ExecutionId,
        node_id: &str,
        after: u64,
    ) -> Result<Vec<KeptOutput>, StoreError> {
        self.database.ask_of(id, |connection| {
            output::of_node(connection, (id, node_id), after)
        })
    }

    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask_of(id, |connection| queue::of_execution(connection, path, id))
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        self.database
            .ask_of(id, |connection| queue::of_node(connection, id, node_id))
    }

    fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::claimable(connection, path, [tenant, queue], now, max))
    }

    fn waiting_queues(&mut self, tenant: &str) -> Result<Vec<String>, StoreError> {
        self.database
            .ask(|connection| queue::waiting_queues(connection, tenant))
    }

    fn expired(&mut self, now: Timestamp, max: usize) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::expired(connection, path, now, max))
    }

    fn dead_letters(
        &mut self,
        since: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::dead_letters(connection, path, since, max))
    }

    fn claimed_by(
        &mut self,
        worker_id: &str,
        request_id: &str,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::claimed_by(connection, path, worker_id, request_id))
    }

    fn lease_holders(&mut self) -> Result<Many<String>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::lease_holders(connection, path))
    }

    fn due(
        &mut self,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| execution::due(connection, path, now, after, max))
    }

    fn next_due(
        &mut self,
        tenant: &str,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.database.ask(|connection| {
            let mut times = vec![
                execution::next_wake(connection, now)?,
                queue::next_expiry(connection, now)?,
            ];
            for queue in queues {
                times.push(queue::next_claimable(connection, [tenant, queue], now)?);
            }
            Ok(times.into_iter().flatten().min())
        })
    }

    fn last_at(&mut self, _shard: [u8; 2]) -> Result<Timestamp, StoreError> {
        self.database.ask(clocks::last_at)
    }

    fn last_reading(&mut self, _shard: [u8; 2]) -> Result<Option<ClockReading>, StoreError> {
        self.database.ask(clocks::last_reading)
    }

    fn workflow(
        &mut self,
        tenant: &str,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        self.database
            .ask_one(|connection| keep::workflow(connection, [tenant, workflow_id, version]))
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .ask_one(|connection| keep::component(connection, digest))
    }

    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        self.database
            .ask_of(id, |connection| keep::snapshot(connection, id))
    }
}
