//! The read side of a store: what can be asked of it. The contract stands in the
//! documentation of the parent module.

use crate::id::ExecutionId;
use crate::log::{StoredEvent, Timestamp};
use crate::model::{Label, Snapshot, Status};
use crate::store::{
    ChildRecord, ClockReading, DueWake, ExecutionRecord, ItemRecord, KeptOutput, LabelFilter, Many,
    RawEvent, StoreError, WorkflowRecord,
};

/// The choice of executions to list. By default it is all of them, the oldest first.
#[derive(Clone, Debug)]
pub struct ListFilter {
    /// Only executions of this status.
    pub status: Option<Status>,
    /// Only executions of the workflows of this id, of all its versions.
    pub workflow_id: Option<String>,
    /// Only executions that started at this time or later.
    pub since: Option<Timestamp>,
    /// Only executions with all these labels. Such a list costs what each of them finds,
    /// however many other executions there are.
    pub labels: Vec<LabelFilter>,
    /// Only executions with these ids: from the first to the last of them. Such a list is
    /// quick, and is for a part of an id that a person typed.
    pub ids: Option<(ExecutionId, ExecutionId)>,
    /// Only roots: executions that no other one has asked for.
    pub roots: bool,
    /// Those that started last come first.
    pub newest_first: bool,
    /// Only executions after this one, in the order of the listing.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// At most this many.
    pub max: usize,
}

impl Default for ListFilter {
    fn default() -> Self {
        Self {
            status: None,
            workflow_id: None,
            since: None,
            labels: Vec::new(),
            ids: None,
            roots: false,
            newest_first: false,
            after: None,
            max: usize::MAX,
        }
    }
}

impl ListFilter {
    /// Whether this execution, with these labels, is one of those that are listed, if there
    /// were no bound on their number. Whether it is a root, its record does not say: that is
    /// for the store.
    #[must_use]
    pub fn takes(&self, record: &ExecutionRecord, labels: &[Label]) -> bool {
        let place = (record.started_at, record.id);
        let is_after = |after: (Timestamp, ExecutionId)| match self.newest_first {
            true => place < after,
            false => place > after,
        };
        let is_of_workflow = |id: &String| *id == record.workflow_id;
        self.status.is_none_or(|it| it == record.status)
            && self.workflow_id.as_ref().is_none_or(is_of_workflow)
            && self.since.is_none_or(|since| record.started_at >= since)
            && self
                .ids
                .is_none_or(|(first, last)| (first..=last).contains(&record.id))
            && self.labels.iter().all(|label| label.takes(labels))
            && self.after.is_none_or(is_after)
    }
}

/// The place up to which the logs of a store have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenUpTo(pub(in crate::store) i64);

impl SeenUpTo {
    /// Nothing has been seen yet.
    pub const NOTHING_YET: Self = Self(i64::MAX);
}

/// Questions to a store. The module's documentation has the contract.
///
/// There may be many readers of one store, each on a thread of its own, next to the
/// owner of the write side, which is a reader too.
///
/// A store keeps executions of real time or of simulated time, and never both, because
/// they have no clock in common.
///
/// # Errors
/// Each question fails with [`StoreError::Corrupt`] where what it asks for cannot be read,
/// and with another [`StoreError`] where the store cannot be asked. Nothing has changed
/// then.
pub trait Reader: Send {
    /// The place of the store, for error messages.
    fn place(&self) -> String;

    /// Whether it keeps simulated executions. It never changes.
    fn is_simulated(&self) -> bool;

    /// A further reader of the same data, for another thread.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;

    /// Begins a look: until its end, all answers are of one moment, which is that of
    /// the first question at the latest. Nobody waits for a look, and it waits for
    /// nobody. A look within a look or within a turn is a contradiction.
    ///
    /// What is written meanwhile takes room until the look ends, so a look is short.
    /// [`at_one_moment`] ends it in any case.
    fn begin_reading(&mut self) -> Result<(), StoreError>;

    /// Ends a look, if there is one.
    fn end_reading(&mut self);

    /// One execution.
    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError>;

    /// Executions, ordered by start and then by id: see [`ListFilter`].
    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError>;

    /// The labels of an execution, sorted by name and value; none if it is erased.
    fn labels(&mut self, id: ExecutionId) -> Result<Vec<Label>, StoreError>;

    /// The execution that came into the store last, but for children: the last that was
    /// started or forked.
    fn last_begun(&mut self) -> Result<Option<ExecutionId>, StoreError>;

    /// The executions to whose logs something was appended after `seen`, with all that
    /// are set aside, and the place up to which that is. `None` in place of them if any
    /// may have changed, because nothing has been seen yet or it is another store.
    fn changed_since(
        &mut self,
        seen: SeenUpTo,
    ) -> Result<(Option<Vec<ExecutionId>>, SeenUpTo), StoreError>;

    /// Events from sequence `first` on, as their bytes are found. At most `max` of
    /// them, and fewer only where there are no more. They are in the order of their
    /// sequences, even where these have gaps, because the reader judges that.
    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError>;

    /// The same, decoded. Bytes that are no event are [`StoreError::Corrupt`],
    /// those of a kind that this program does not know [`StoreError::NewerEvent`],
    /// those of an erased log [`StoreError::Erased`].
    fn events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let raw = self.raw_events(id, first, max)?;
        raw.iter()
            .map(|raw| {
                raw.decode()
                    .map_err(|error| StoreError::undecoded(self.place(), id, error))
            })
            .collect()
    }

    /// What is kept of the output of a node's attempts, behind this place (0: all of it),
    /// in the order of places; nothing if the execution is erased.
    fn output(
        &mut self,
        id: ExecutionId,
        node_id: &str,
        after: u64,
    ) -> Result<Vec<KeptOutput>, StoreError>;

    /// The work items of an execution, sorted by node id.
    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError>;

    /// The work item of one node.
    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError>;

    /// Waiting items of this tenant that may be claimed on its `queue` at `now`, at most
    /// `max`, of executions that run (neither paused, stalled, ended nor set aside). Those of
    /// the greatest priority come first, of these the ones that could be claimed for the
    /// longest time, then those that were ordered first.
    fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError>;

    /// The queues of this tenant on which items wait, now or for a later time, of executions
    /// that run; sorted. The cost grows with their number.
    fn waiting_queues(&mut self, tenant: &str) -> Result<Vec<String>, StoreError>;

    /// Leased items whose lease is over at `now`, the oldest first, at most
    /// `max`; none of an execution that is set aside.
    fn expired(&mut self, now: Timestamp, max: usize) -> Result<Many<ItemRecord>, StoreError>;

    /// Dead letters of all executions since this time or later, at most `max`: the oldest
    /// first, and then those that were ordered first.
    fn dead_letters(
        &mut self,
        since: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError>;

    /// The items that this worker holds by its request of this id, sorted by execution
    /// and node (law 7).
    fn claimed_by(
        &mut self,
        worker_id: &str,
        request_id: &str,
    ) -> Result<Many<ItemRecord>, StoreError>;

    /// The ids of workers that hold leases, each once. The cost grows with the number
    /// of leases.
    fn lease_holders(&mut self) -> Result<Many<String>, StoreError>;

    /// Executions whose wake is due at `now`, at most `max`, the longest due first and
    /// then by their ids. With `after`, only those behind it in this order; it need not
    /// be one of them. Executions that have ended or are set aside are left out. One
    /// that was stalled because its guest failed has no wake.
    fn due(
        &mut self,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError>;

    /// The first time after `now` at which something is due: a wake (that
    /// [`Reader::due`] would name then), the end of a lease (also of an execution that
    /// is set aside), or the not-before time of an item on one of the tenant's `queues` (that
    /// [`Reader::claimable`] would name then).
    fn next_due(
        &mut self,
        tenant: &str,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The greatest time of any event and of any turn's reading in this shard, which the
    /// first two bytes of an execution's id name. A store that keeps several shards
    /// together, as a file keeps all, has one time for them. Real time never goes back
    /// behind it; of simulated executions, each is at a time of its own.
    fn last_at(&mut self, shard: [u8; 2]) -> Result<Timestamp, StoreError>;

    /// The reading that the shard's last turn was written with. Its `at` is
    /// [`Reader::last_at`]. `None` if the last turn was written without one.
    fn last_reading(&mut self, shard: [u8; 2]) -> Result<Option<ClockReading>, StoreError>;

    /// A workflow that is registered for this tenant.
    fn workflow(
        &mut self,
        tenant: &str,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError>;

    /// A component by its digest.
    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// A child.
    fn child(&mut self, child: ExecutionId) -> Result<Option<ChildRecord>, StoreError>;

    /// The children of an execution, those that it asked for first first.
    fn children(&mut self, parent: ExecutionId) -> Result<Vec<ChildRecord>, StoreError>;

    /// The children of which something is owed, at most `max`: sorted by parent, then in
    /// the order in which it asked for them. The cost grows with their number.
    fn owed_children(&mut self, max: usize) -> Result<Many<ChildRecord>, StoreError>;

    /// How many children, and children of these, a root has.
    fn descendants(&mut self, root: ExecutionId) -> Result<u64, StoreError>;

    /// Whether there is any child.
    fn has_children(&mut self) -> Result<bool, StoreError>;

    /// The newest snapshot of an execution. Bytes other than those that were kept are
    /// [`StoreError::Corrupt`], and a further snapshot replaces them.
    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError>;
}

/// Asks a store several questions about one and the same moment.
///
/// # Errors
/// The look cannot begin, or the error of the questions.
pub fn at_one_moment<T, E: From<StoreError>>(
    reader: &mut dyn Reader,
    questions: impl FnOnce(&mut dyn Reader) -> Result<T, E>,
) -> Result<T, E> {
    reader.begin_reading()?;
    let look = Look(reader);
    questions(&mut *look.0)
}

/// A look that has begun. It ends when this is dropped, be it by a panic.
struct Look<'a>(&'a mut dyn Reader);

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.0.end_reading();
    }
}
