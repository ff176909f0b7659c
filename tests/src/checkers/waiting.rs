//! Nothing waits that need not: where a host rests, no item that may be claimed
//! waits next to a free worker of its, and no execution that is to be woken; of
//! those that it works on.
//!
//! A host that rests says until when. So this needs no clock: whatever could be
//! claimed or woken before that is claimed and woken, or it would be forgotten.

use std::collections::BTreeSet;

use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::store::{
    ExecutionRecord, ItemRecord, ItemState, Reader, StoreError, Timestamp, ended,
    is_stalled_by_host,
};
use refrain::store::{ListFilter, Many};
use refrain::{Next, Steps};

use super::{Evidence, Law, Telling, Violation};

/// More than there is of anything.
const ALL: usize = 100_000;

/// What a host said when it came to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Until when, unless somebody asks it; none: for ever.
    pub until: Option<Timestamp>,
    /// The queues on which a worker of its is free.
    pub free: Vec<String>,
    /// The executions that it works on; none: all.
    pub works_on: Option<BTreeSet<ExecutionId>>,
    /// The executions that rest, because writes to them conflict again and again.
    pub left_out: BTreeSet<ExecutionId>,
}

impl Rest {
    /// What a host says that was just stepped; none: it does not rest.
    #[must_use]
    pub fn of(next: Next, steps: &Steps) -> Option<Self> {
        let until = match next {
            Next::At(at) => Some(at),
            Next::WhenAsked => None,
            Next::Now | Next::Ended => return None,
        };
        Some(Self {
            until,
            free: steps.free_queues(),
            works_on: steps.works_on(),
            left_out: BTreeSet::new(),
        })
    }

    /// Whether this execution is left to others, or left for a while: it is worked on
    /// after that, so the host does not rest for ever.
    fn leaves(&self, id: ExecutionId) -> bool {
        let works_on = self.works_on.as_ref();
        works_on.is_some_and(|works_on| !works_on.contains(&id))
            || self.left_out.contains(&id) && self.until.is_some()
    }

    /// Whether it sleeps at this time.
    fn sleeps_at(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// Where a host rests and nobody has written since, nothing waits that it could
/// go on with.
///
/// # Errors
/// The first thing that waits.
pub fn nothing_waits(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    let said = evidence.told.tellings.iter().rev();
    let rests = said.take_while(|telling| !matches!(telling, Telling::Written(_)));
    for telling in rests {
        let Telling::Rested(rest) = telling else {
            continue;
        };
        for account in &evidence.accounts {
            waits_beside(rest, &account.record, &account.items)?;
        }
        let owed = owed_beside(rest, evidence.store);
        owed.map_err(|message| Violation::general(Law::NothingWaits, message))?;
    }
    Ok(())
}

/// The same, of a host that has just come to rest: asked of the store alone, so
/// that it can be asked after each step.
///
/// # Errors
/// The first thing that waits; or why the store cannot be read.
pub fn nothing_waits_now(store: &mut dyn Reader, rest: &Rest) -> Result<(), String> {
    let in_words = |error: StoreError| error.to_string();
    let all = ListFilter {
        max: ALL,
        ..ListFilter::default()
    };
    let records = store.list(&all).and_then(Many::all).map_err(in_words)?;
    for record in records.iter().filter(|record| !ended(record.status)) {
        let items = store
            .items(record.id)
            .and_then(Many::all)
            .map_err(in_words)?;
        waits_beside(rest, record, &items).map_err(|violation| violation.to_string())?;
    }
    owed_beside(rest, store)
}

/// What one execution is owed by another is carried out at once by a host that works on one
/// of both, unless one of them cannot be told anything now.
fn owed_beside(rest: &Rest, store: &mut dyn Reader) -> Result<(), String> {
    let in_words = |error: StoreError| error.to_string();
    for owed in store.owed_children(ALL).map_err(in_words)?.found {
        let mut is_left_alone = rest.leaves(owed.parent) && rest.leaves(owed.child);
        for id in [owed.parent, owed.child] {
            let is_left_out = rest.left_out.contains(&id);
            let record = store.execution(id).map_err(in_words)?;
            let Some(record) = record.filter(|record| !ended(record.status)) else {
                is_left_alone |= is_left_out;
                continue;
            };
            let stands = record.status == Status::Stalled
                && is_stalled_by_host(store, id, record.head).map_err(in_words)?;
            is_left_alone |= is_left_out || stands || record.tampering.is_some();
        }
        if !is_left_alone {
            return Err(format!("it is owed, and its host rests: {owed:?}"));
        }
    }
    Ok(())
}

fn waits_beside(
    rest: &Rest,
    record: &ExecutionRecord,
    items: &[ItemRecord],
) -> Result<(), Violation> {
    if ended(record.status) || record.tampering.is_some() {
        return Ok(());
    }
    if rest.leaves(record.id) {
        return Ok(());
    }
    let waits = |message| Err(Violation::of(Law::NothingWaits, record.id, message));
    if let Some(wake) = record.next_wake.filter(|wake| rest.sleeps_at(*wake)) {
        return waits(format!("it is to wake at {wake}, and its host rests"));
    }
    if record.status != Status::Running {
        return Ok(());
    }
    let waiting = items.iter().find(|item| {
        item.state == ItemState::Waiting
            && rest.free.contains(&item.item.queue)
            && rest.sleeps_at(item.item.not_before.max(item.enqueued_at))
    });
    match waiting {
        None => Ok(()),
        Some(item) => waits(format!(
            "node {:?} waits for a worker of the queue {:?}, and a host rests that has a free one",
            item.item.node_id, item.item.queue
        )),
    }
}
