//! What a store says of one execution, read in one go.

use std::collections::BTreeSet;

use refrain::log::{StoredEvent, canonical, chain};
use refrain::model::{Event, EventKind, ForkOrigin, ParentOrigin, Snapshot};
use refrain::store::{
    ExecutionRecord, ItemRecord, ListFilter, RawEvent, Reader, StoreError, WorkflowRecord,
};

use super::deadlines::Deadlines;
use super::fold::Fold;
use super::told::Told;

/// How much is read at once.
const PAGE: u32 = 1000;

/// One execution.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its record.
    pub record: ExecutionRecord,
    /// Its log, as its bytes are found.
    pub raw: Vec<RawEvent>,
    /// Its log, up to the first event that does not decode. Of an erased log it is
    /// what is known of it from before, up to the first event of which something else
    /// is left than should be.
    pub events: Vec<StoredEvent>,
    /// The first event that does not decode, and why.
    pub unreadable: Option<(u64, String)>,
    /// Its work items.
    pub items: Vec<ItemRecord>,
    /// Its workflow.
    pub workflow: Option<WorkflowRecord>,
    /// Its newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// What its log comes to.
    pub fold: Fold,
}

impl Account {
    /// The events, in order.
    pub fn log(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|stored| &stored.event)
    }

    /// The last event that it has in common with the execution that it was forked
    /// from; 0 if it is no fork. What stands up to it happened to the other one.
    #[must_use]
    pub fn common(&self) -> u64 {
        self.origin().map_or(0, |origin| origin.sequence)
    }

    /// The parent that its event 1 names, if it is a child. A fork is none, whatever its
    /// origin was.
    #[must_use]
    pub fn parent(&self) -> Option<&ParentOrigin> {
        match self.log().next().map(|event| &event.kind) {
            Some(EventKind::WorkflowStarted(started)) => started.parent.as_ref(),
            _ => None,
        }
    }

    /// Where it was forked, if it was.
    #[must_use]
    pub fn origin(&self) -> Option<&ForkOrigin> {
        match self.log().next().map(|event| &event.kind) {
            Some(EventKind::WorkflowStarted(started)) => started.forked_from.as_ref(),
            _ => None,
        }
    }
}

/// All executions of a store.
pub(super) fn read_all(store: &mut dyn Reader, told: &Told) -> Result<Vec<Account>, StoreError> {
    let mut accounts = Vec::new();
    let mut filter = ListFilter {
        max: PAGE as usize,
        ..ListFilter::default()
    };
    let mut seen = BTreeSet::new();
    loop {
        let page = store.list(&filter)?.all()?;
        let Some(last) = page.last() else {
            return Ok(accounts);
        };
        filter.after = Some((last.started_at, last.id));
        for record in page {
            if seen.insert(record.id) {
                accounts.push(read(store, told, record)?);
            }
        }
    }
}

fn read(
    store: &mut dyn Reader,
    told: &Told,
    record: ExecutionRecord,
) -> Result<Account, StoreError> {
    let id = record.id;
    let raw = read_log(store, &record)?;
    let (events, unreadable) = match record.erased {
        None => whole(&raw),
        Some(_) => erased(&raw, told.erased.get(&id)),
    };
    let workflow = store.workflow(
        &record.tenant,
        &record.workflow_id,
        &record.workflow_version,
    )?;
    let text = workflow.as_ref().map_or("", |workflow| &workflow.text);
    let fold = Fold::of(
        &Deadlines::of_workflow(text),
        events.iter().map(|stored| &stored.event),
    );
    Ok(Account {
        raw,
        events,
        unreadable,
        items: store.items(id)?.all()?,
        workflow,
        snapshot: store.snapshot(id)?,
        fold,
        record,
    })
}

/// The events, and the first that does not decode, and why.
type Decoded = (Vec<StoredEvent>, Option<(u64, String)>);

fn whole(raw: &[RawEvent]) -> Decoded {
    let mut events = Vec::with_capacity(raw.len());
    for raw in raw {
        match raw.decode() {
            Ok(event) => events.push(event),
            Err(why) => return (events, Some((raw.sequence, why.to_string()))),
        }
    }
    (events, None)
}

/// The events as they were before they were erased. What is left of each must be its
/// plain bytes, its hash and its commitment, and nothing else.
fn erased(raw: &[RawEvent], before: Option<&Vec<StoredEvent>>) -> Decoded {
    let Some(before) = before else {
        return (
            Vec::new(),
            Some((1, "it is erased, and nobody asked for that".to_owned())),
        );
    };
    let mut events = Vec::with_capacity(raw.len());
    for (raw, stored) in raw.iter().zip(before) {
        let bytes = canonical::write(&stored.event);
        let left = RawEvent {
            sequence: stored.event.sequence,
            salt: chain::commitment(&stored.salt, &bytes.erasable).to_vec(),
            plain: bytes.plain,
            erasable: Vec::new(),
            hash: stored.hash.to_vec(),
        };
        if *raw != left {
            let why = "what is left of it is not what should be left of an erased event";
            return (events, Some((raw.sequence, why.to_owned())));
        }
        events.push(stored.clone());
    }
    (events, None)
}

fn read_log(store: &mut dyn Reader, record: &ExecutionRecord) -> Result<Vec<RawEvent>, StoreError> {
    let mut raw: Vec<RawEvent> = Vec::new();
    loop {
        let first = raw.last().map_or(0, |last| last.sequence.saturating_add(1));
        let page = store.raw_events(record.id, first, PAGE)?;
        if page.is_empty() {
            return Ok(raw);
        }
        raw.extend(page);
    }
}
