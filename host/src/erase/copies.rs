//! Executions that hold copies of what another one says: its forks and its children, and
//! the one that it is a fork or a child of.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ExecutionId;
use crate::log::{KeptEvent, Timestamp};
use crate::model::{EventKind, WorkflowStarted};
use crate::store::{Damaged, ExecutionRecord, ListFilter, Many, Reader, StoreError};

/// Executions that are read from the store at once.
const PAGE: usize = 1000;

/// An execution that holds copies of what others say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Its record.
    pub record: ExecutionRecord,
    /// The one through which it is linked with those that were asked for.
    pub of: ExecutionId,
}

/// The other executions that hold copies of what these say: forks and children of them,
/// those that they are forks or children of, and so on. They are found by event 1 of all
/// logs, so this costs something for each execution that is stored. What cannot be read
/// is named next to
/// them.
///
/// # Errors
/// [`StoreError`] if the store as a whole cannot be read.
pub fn copies(
    store: &mut dyn Reader,
    executions: &[ExecutionId],
) -> Result<Many<Copied>, StoreError> {
    let Links {
        records,
        linked,
        damaged,
    } = Links::read(store)?;
    let mut seen: BTreeSet<ExecutionId> = executions.iter().copied().collect();
    let mut next: Vec<ExecutionId> = seen.iter().copied().collect();
    let mut found = Vec::new();
    while let Some(of) = next.pop() {
        for id in linked.get(&of).into_iter().flatten() {
            if let Some(record) = records.get(id)
                && seen.insert(*id)
            {
                next.push(*id);
                found.push(Copied {
                    record: record.clone(),
                    of,
                });
            }
        }
    }
    found.sort_by_key(|copied| (copied.record.started_at, copied.record.id));
    Ok(Many { found, damaged })
}

/// Which executions hold what others said, each way.
#[derive(Default)]
struct Links {
    records: BTreeMap<ExecutionId, ExecutionRecord>,
    linked: BTreeMap<ExecutionId, BTreeSet<ExecutionId>>,
    damaged: Vec<Damaged>,
}

impl Links {
    fn read(store: &mut dyn Reader) -> Result<Self, StoreError> {
        let mut links = Self::default();
        let mut after: Option<(Timestamp, ExecutionId)> = None;
        loop {
            let page = store.list(&ListFilter {
                after,
                max: PAGE,
                ..ListFilter::default()
            })?;
            links.damaged.extend(page.damaged);
            let Some(last) = page.found.last() else {
                return Ok(links);
            };
            after = Some((last.started_at, last.id));
            for record in page.found {
                links.take(store, record)?;
            }
        }
    }

    fn take(&mut self, store: &mut dyn Reader, record: ExecutionRecord) -> Result<(), StoreError> {
        let id = record.id;
        match started(store, id) {
            Ok(Some(started)) => {
                for other in others(&started) {
                    self.linked.entry(id).or_default().insert(other);
                    self.linked.entry(other).or_default().insert(id);
                }
            }
            Ok(None) => {}
            Err(error) if error.is_of_one() => self.damaged.push(Damaged {
                execution: Some(id),
                place: format!("{}, {id}", store.place()),
                detail: error.to_string(),
            }),
            Err(error) => return Err(error),
        }
        self.records.insert(id, record);
        Ok(())
    }
}

/// The executions that event 1 of a log names, and that share texts with it.
fn others(started: &WorkflowStarted) -> Vec<ExecutionId> {
    let origin = started.forked_from.as_ref().map(|it| &it.execution_id);
    let parent = started.parent.as_ref().map(|it| &it.execution_id);
    let named = origin.into_iter().chain(parent);
    named.filter_map(|id| id.parse().ok()).collect()
}

/// Event 1 of a log, erased or not: what it names is plain.
fn started(store: &mut dyn Reader, id: ExecutionId) -> Result<Option<WorkflowStarted>, StoreError> {
    let page = store.raw_events(id, 1, 1)?;
    let Some(raw) = page.first() else {
        return Ok(None);
    };
    let kept = raw
        .kept()
        .map_err(|error| StoreError::undecoded(store.place(), id, error))?;
    let event = match kept {
        KeptEvent::Whole(stored) => stored.event,
        KeptEvent::Erased(erased) => erased.event,
    };
    match event.kind {
        EventKind::WorkflowStarted(started) => Ok(Some(*started)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{ChainedEvent, Head};
    use crate::model::{Digest, ForkOrigin, Status};
    use crate::store::laws::draft::{Draft, turn};
    use crate::store::{MemoryStore, Store, Turn};

    /// Keeps the execution `n`, which has ended, as a fork of `origin`.
    fn keep(store: &mut MemoryStore, n: u8, origin: Option<u8>) -> ExecutionId {
        let mut one = Draft::new(n);
        let mut change = one.append_as(|record| record.status = Status::Completed);
        let mut event = change.events.remove(0).into_stored().event;
        if let EventKind::WorkflowStarted(started) = &mut event.kind {
            started.forked_from = origin.map(|origin| ForkOrigin {
                execution_id: Draft::new(origin).id().to_string(),
                sequence: 1,
                head: Digest([1; 32]),
            });
        }
        let chained = ChainedEvent::new(&Head::default(), event, [1; 16]);
        change.record.head = chained.head();
        change.events.push(chained);
        let written: Turn = turn([change]);
        store.begin().unwrap();
        store.commit(&written).unwrap();
        one.id()
    }

    #[test]
    fn forks_and_origins_are_found_however_far_they_are() {
        let mut store = MemoryStore::new();
        // 2 and 3 are forks of 1, 4 is one of 3; 5 stands alone; of 6 the origin is gone.
        let ids: Vec<_> = [
            (1, None),
            (2, Some(1)),
            (3, Some(1)),
            (4, Some(3)),
            (5, None),
            (6, Some(9)),
        ]
        .map(|(n, origin)| keep(&mut store, n, origin))
        .into();
        for (of, expected) in [
            (vec![0], vec![(1, 0), (2, 0), (3, 2)]),
            (vec![3], vec![(0, 2), (1, 0), (2, 3)]),
            (vec![0, 2], vec![(1, 0), (3, 2)]),
            (vec![4], vec![]),
            (vec![5], vec![]),
        ] {
            let of: Vec<_> = of.into_iter().map(|n: usize| ids[n]).collect();
            let found = copies(&mut store, &of).unwrap().all().unwrap();
            let found: Vec<_> = found.iter().map(|it| (it.record.id, it.of)).collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(n, of)| (ids[n], ids[of]))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
