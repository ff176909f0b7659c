//! What a store says of one execution, read in one go.

use std::collections::BTreeSet;

use refrain::log::StoredEvent;
use refrain::model::{Event, Snapshot};
use refrain::store::{
    ExecutionRecord, ItemRecord, ListFilter, RawEvent, Store, StoreError, WorkflowRecord,
};

use super::fold::{Deadlines, Fold};

/// How much is read at once.
const PAGE: u32 = 1000;

/// One execution.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its record.
    pub record: ExecutionRecord,
    /// Its log, as its bytes are found.
    pub raw: Vec<RawEvent>,
    /// Its log, up to the first event that does not decode.
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
}

/// All executions of a store.
pub(super) fn read_all(store: &mut dyn Store) -> Result<Vec<Account>, StoreError> {
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
                accounts.push(read(store, record)?);
            }
        }
    }
}

fn read(store: &mut dyn Store, record: ExecutionRecord) -> Result<Account, StoreError> {
    let id = record.id;
    let raw = read_log(store, &record)?;
    let mut events = Vec::with_capacity(raw.len());
    let mut unreadable = None;
    for raw in &raw {
        match raw.decode() {
            Ok(event) => events.push(event),
            Err(why) => {
                unreadable = Some((raw.sequence, why.to_string()));
                break;
            }
        }
    }
    let workflow = store.workflow(&record.workflow_id, &record.workflow_version)?;
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

fn read_log(store: &mut dyn Store, record: &ExecutionRecord) -> Result<Vec<RawEvent>, StoreError> {
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
