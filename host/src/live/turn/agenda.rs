//! What there is to do for the executions that an engine works on.
//!
//! Code that looks for work asks the [`Agenda`], and not the store. Without a
//! scope it hands each question on to the store. With a scope it answers from the
//! records and items of the executions in it: each is read once and then cached
//! until another engine commits, and nothing of the others is read, however many
//! there are.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::id::ExecutionId;
use crate::model::Status;
use crate::store::{
    Damaged, DueWake, ExecutionRecord, ItemRecord, ItemState, Many, Reader, StoreError, Timestamp,
    ended,
};

use super::scope::Scope;
use crate::live::cache::executions::ExecutionCache;
use crate::live::execution::cached::CachedExecution;

/// What there is to do, as it is stored. The questions, and the order of the answers,
/// are those of the [`Reader`].
pub(crate) struct Agenda<'a> {
    pub(in crate::live) scope: &'a mut Scope,
    pub(in crate::live) known: &'a mut ExecutionCache,
    pub(in crate::live) store: &'a mut dyn Reader,
}

impl Agenda<'_> {
    /// As [`Reader::due`].
    pub(crate) fn due(
        &mut self,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        if self.scope.is_everything() {
            return self.store.due(now, after, max);
        }
        let mut due = Vec::new();
        let damaged = self.visit(
            |_| false,
            |record, _| {
                let wake = wake_of(record).filter(|at| *at <= now);
                due.extend(wake.map(|at| DueWake {
                    at,
                    execution: record.id,
                }));
            },
        )?;
        due.sort_unstable();
        due.retain(|wake| after.is_none_or(|after| *wake > after));
        due.truncate(max);
        Ok(Many {
            found: due,
            damaged,
        })
    }

    /// As [`Reader::expired`].
    pub(crate) fn expired(
        &mut self,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        if self.scope.is_everything() {
            return self.store.expired(now, max);
        }
        let mut expired = Vec::new();
        let damaged = self.items(|record, item| {
            let over = item.state.lease().filter(|lease| lease.expires_at <= now);
            if let Some(lease) = over.filter(|_| record.tampering.is_none()) {
                expired.push((lease.expires_at, item.clone()));
            }
        })?;
        Ok(first(expired, max, damaged))
    }

    /// As [`Reader::claimable`]. The answer may leave out items of executions that are
    /// `known` to the turn, which finds their items itself.
    pub(crate) fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
        known: impl Fn(ExecutionId) -> bool,
    ) -> Result<Many<ItemRecord>, StoreError> {
        if self.scope.is_everything() {
            return self.store.claimable(tenant, queue, now, max);
        }
        let mut claimable = Vec::new();
        let damaged = self.items_but(known, |record, item| {
            let at = claimable_at(item).filter(|at| *at <= now);
            if let Some(at) = at.filter(|_| record.claims() && is_on(item, tenant, queue)) {
                claimable.push(((Reverse(item.item.priority), at), item.clone()));
            }
        })?;
        Ok(first(claimable, max, damaged))
    }

    /// As [`Reader::waiting_queues`].
    pub(crate) fn waiting_queues(&mut self, tenant: &str) -> Result<Vec<String>, StoreError> {
        if self.scope.is_everything() {
            return self.store.waiting_queues(tenant);
        }
        let mut queues = BTreeSet::new();
        // Damaged rows are named by the question for what may be claimed.
        let _ = self.items(|record, item| {
            let waits = record.claims() && claimable_at(item).is_some();
            if waits && item.item.tenant == tenant {
                queues.insert(item.item.queue.clone());
            }
        })?;
        Ok(queues.into_iter().collect())
    }

    /// As [`Reader::lease_holders`].
    pub(crate) fn lease_holders(&mut self) -> Result<Many<String>, StoreError> {
        if self.scope.is_everything() {
            return self.store.lease_holders();
        }
        let mut holders = BTreeSet::new();
        let damaged = self.items(|_, item| {
            holders.extend(item.state.lease().map(|lease| lease.worker_id.clone()));
        })?;
        Ok(Many {
            found: holders.into_iter().collect(),
            damaged,
        })
    }

    /// As [`Reader::next_due`].
    pub(crate) fn next_due(
        &mut self,
        tenant: &str,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.scope.is_everything() {
            return self.store.next_due(tenant, queues, now);
        }
        let mut next = None;
        let mut at = |time: Option<Timestamp>| {
            let later = time.filter(|time| *time > now);
            next = next.into_iter().chain(later).min();
        };
        // A damaged row is never due. The question about what is due names it.
        let _ = self.visit(
            |_| false,
            |record, items| {
                at(wake_of(record));
                for item in items {
                    at(item.state.lease().map(|lease| lease.expires_at));
                    let is_on = |queue: &String| is_on(item, tenant, queue);
                    let served = record.claims() && queues.iter().any(is_on);
                    at(claimable_at(item).filter(|_| served));
                }
            },
        )?;
        Ok(next)
    }

    /// Visits the work items of the executions in the scope, and answers those that
    /// cannot be read.
    fn items(
        &mut self,
        seen: impl FnMut(&ExecutionRecord, &ItemRecord),
    ) -> Result<Vec<Damaged>, StoreError> {
        self.items_but(|_| false, seen)
    }

    /// Does the same, without the executions of which `but` is true.
    fn items_but(
        &mut self,
        but: impl Fn(ExecutionId) -> bool,
        mut seen: impl FnMut(&ExecutionRecord, &ItemRecord),
    ) -> Result<Vec<Damaged>, StoreError> {
        self.visit(but, |record, items| {
            items.for_each(|item| seen(record, item));
        })
    }

    /// Visits the executions in the scope, with their work items. Executions that have
    /// ended, or are not there, leave the scope.
    fn visit(
        &mut self,
        but: impl Fn(ExecutionId) -> bool,
        mut seen: impl FnMut(&ExecutionRecord, &mut dyn Iterator<Item = &ItemRecord>),
    ) -> Result<Vec<Damaged>, StoreError> {
        let Scope::Only(executions) = &mut *self.scope else {
            return Ok(Vec::new());
        };
        let (mut damaged, mut gone) = (Vec::new(), Vec::new());
        for id in executions.iter().copied().filter(|id| !but(*id)) {
            if self.known.peek(id).is_none() {
                let record = match self.store.execution(id) {
                    Ok(Some(record)) if !ended(record.status) => record,
                    Ok(_) => {
                        gone.push(id);
                        continue;
                    }
                    Err(error) if error.is_of_one() => {
                        damaged.push(damage(id, self.store.place(), error));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let items = self.store.items(id)?;
                if takes_its_log(&record) || !items.damaged.is_empty() {
                    seen(&record, &mut items.found.iter());
                    damaged.extend(items.damaged);
                    continue;
                }
                self.known.keep_read(known(record, items.found));
            }
            if let Some(known) = self.known.peek(id) {
                let mut items = known.items.values().map(Box::as_ref);
                seen(&known.record, &mut items);
            }
        }
        for id in gone {
            executions.remove(&id);
        }
        Ok(damaged)
    }
}

/// Whether a cache entry needs more than the record and the items: the log says who
/// has stalled an execution.
fn takes_its_log(record: &ExecutionRecord) -> bool {
    record.status == Status::Stalled
}

fn known(record: ExecutionRecord, items: Vec<ItemRecord>) -> CachedExecution {
    let items = items.into_iter();
    CachedExecution {
        record,
        items: items
            .map(|item| (item.item.node_id.clone(), Box::new(item)))
            .collect(),
        held: false,
    }
}

fn damage(id: ExecutionId, place: String, error: StoreError) -> Damaged {
    let (place, detail) = match error {
        StoreError::Corrupt { place, detail } => (place, detail),
        error => (place, error.to_string()),
    };
    Damaged::new(Some(id), place, detail)
}

/// When time alone asks for a step; `None` if it never does.
fn wake_of(record: &ExecutionRecord) -> Option<Timestamp> {
    record.next_wake.filter(|_| record.tampering.is_none())
}

/// Whether it is an item of this queue of the tenant's.
fn is_on(item: &ItemRecord, tenant: &str, queue: &str) -> bool {
    item.item.tenant == tenant && item.item.queue == queue
}

/// The time from which on an item may be claimed; `None` if it does not wait.
fn claimable_at(item: &ItemRecord) -> Option<Timestamp> {
    (item.state == ItemState::Waiting).then(|| item.item.not_before.max(item.enqueued_at))
}

/// The first `max` of these, by what stands before each.
fn first<O: Ord + Copy>(
    mut items: Vec<(O, ItemRecord)>,
    max: usize,
    damaged: Vec<Damaged>,
) -> Many<ItemRecord> {
    items.sort_by_key(|(order, _)| *order);
    items.truncate(max);
    Many {
        found: items.into_iter().map(|(_, item)| item).collect(),
        damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::laws::draft::{Draft, START, turn};
    use crate::store::{MemoryStore, Store};

    const MAX: usize = 100;
    const DEFAULT: &str = "default";

    /// A store with executions of all sorts, and their ids.
    fn stored() -> (MemoryStore, Vec<ExecutionId>) {
        let mut store = MemoryStore::new();
        let sorts: [fn(&mut ExecutionRecord); 4] = [
            |_| {},
            |record| record.next_wake = Some(START + 10),
            |record| record.status = Status::Paused,
            |record| record.status = Status::Completed,
        ];
        let mut ids = Vec::new();
        let changes: Vec<_> = (1_u8..)
            .zip(sorts)
            .map(|(number, sort)| {
                let mut draft = Draft::new(number).with(sort);
                ids.push(draft.id());
                let at = START + u64::from(number);
                let items = match draft.record.status {
                    Status::Completed => Vec::new(),
                    _ => vec![
                        draft.enqueue("a", at),
                        draft.enqueue_leased("b", at + 10),
                        draft.enqueue("c", at + 30),
                    ],
                };
                draft.append(items)
            })
            .collect();
        store.begin().unwrap();
        store.commit(&turn(changes)).unwrap();
        (store, ids)
    }

    /// All answers of an agenda, for all times.
    fn answers(scope: &mut Scope, store: &mut MemoryStore) -> Vec<String> {
        let mut known = ExecutionCache::default();
        let mut agenda = Agenda {
            scope,
            known: &mut known,
            store,
        };
        let mut all = Vec::new();
        let tool = ["tool".to_owned()];
        all.push(format!("{:?}", agenda.lease_holders()));
        all.push(format!("{:?}", agenda.waiting_queues(DEFAULT)));
        for now in START..START + 50 {
            let due = agenda.due(now, None, MAX).unwrap();
            let last = due.found.last().copied();
            all.push(format!("{due:?}"));
            let behind = agenda.due(now, last, MAX);
            all.push(format!("{behind:?}"));
            all.push(format!("{:?}", agenda.expired(now, MAX)));
            all.push(format!("{:?}", agenda.expired(now, 1)));
            for max in [1, MAX] {
                let claimable = agenda.claimable(DEFAULT, "tool", now, max, |_| false);
                all.push(format!("{claimable:?}"));
            }
            all.push(format!("{:?}", agenda.next_due(DEFAULT, &tool, now)));
            all.push(format!("{:?}", agenda.next_due(DEFAULT, &[], now)));
        }
        all
    }

    #[test]
    fn within_a_scope_of_all_the_answers_are_the_stores() {
        let (mut store, ids) = stored();
        let of_the_store = answers(&mut Scope::Everything, &mut store);
        let mut all = Scope::Only(ids.into_iter().collect());
        assert_eq!(answers(&mut all, &mut store), of_the_store);
    }

    #[test]
    fn what_has_ended_or_is_not_there_leaves_and_the_others_are_not_told_of() {
        let (mut store, ids) = stored();
        let nobody = ExecutionId::from_bytes([99; 16]);
        let mut scope = Scope::Only(BTreeSet::from([ids[1], ids[3], nobody]));
        let told = answers(&mut scope, &mut store).concat();
        assert!(matches!(&scope, Scope::Only(left) if *left == BTreeSet::from([ids[1]])));
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(told.contains(&id.to_string()), place == 1, "{place}");
        }
    }

    #[test]
    fn what_begins_joins_and_what_the_turn_knows_is_left_out() {
        let (mut store, ids) = stored();
        let mut scope = Scope::Only(BTreeSet::new());
        let begins = Draft::new(1).append([]);
        assert_eq!(begins.expected.sequence, 0);
        scope.written(&turn([begins]));
        assert!(scope.includes(ids[0]) && !scope.includes(ids[1]));
        let mut known = ExecutionCache::default();
        let mut agenda = Agenda {
            scope: &mut scope,
            known: &mut known,
            store: &mut store,
        };
        let mut found = |id: Option<ExecutionId>| {
            let claimable = agenda.claimable(DEFAULT, "tool", START + 1, MAX, |it| Some(it) == id);
            claimable.unwrap().found.len()
        };
        assert_eq!((found(None), found(Some(ids[0]))), (1, 0));
    }
}
