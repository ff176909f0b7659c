//! Whether a store has a row for each child that an execution waits for: without it, nobody
//! would tell the execution of the child's end.

use std::collections::BTreeMap;

use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::order_rules::{Awaited, OrderRules, SaidOfChild};
use crate::store::{
    ChildRecord, ChildState, ExecutionRecord, Store, StoreError, StoredEvent, ended,
};

/// What is wrong with these rows of an execution's children, as its log has it. The whole log
/// is read. `None` if nothing is wrong.
pub(super) fn fault(
    store: &mut dyn Store,
    record: &ExecutionRecord,
    rows: &[ChildRecord],
) -> Result<Option<String>, StoreError> {
    if ended(record.status) || record.tampering.is_some() {
        return Ok(None);
    }
    let rows: BTreeMap<ExecutionId, &ChildState> =
        rows.iter().map(|row| (row.child, &row.state)).collect();
    for (node_id, child) in awaited(store, record)? {
        let said = match rows.get(&child) {
            Some(ChildState::Requested { .. }) => continue,
            Some(ChildState::Awaited | ChildState::Ended) if store.execution(child)?.is_some() => {
                continue;
            }
            Some(ChildState::Awaited | ChildState::Ended) => "the store does not have it",
            Some(ChildState::Cancelled | ChildState::Settled) => {
                "its row says that nobody waits for it"
            }
            None => "it has no row",
        };
        return Ok(Some(format!(
            "node {node_id:?} of {} waits for the child {child}, and {said}",
            record.id
        )));
    }
    Ok(None)
}

/// The nodes that wait for children, and these, as the store's log has them.
fn awaited(
    store: &mut dyn Store,
    record: &ExecutionRecord,
) -> Result<Vec<(String, ExecutionId)>, StoreError> {
    let (id, version) = (&record.workflow_id, &record.workflow_version);
    let Some(workflow) = store.workflow(&record.tenant, id, version)? else {
        return Ok(Vec::new()); // Whoever steps it is told so.
    };
    let rules = OrderRules::of(&workflow.text);
    awaited_by(record.id, &rules, |first| {
        store.events(record.id, first, EVENTS_PAGE_MAX)
    })
}

/// The nodes of a log that wait for children, and these. `page` gives its events from one on,
/// and the whole log is read.
pub(super) fn awaited_by<E>(
    parent: ExecutionId,
    rules: &OrderRules,
    mut page: impl FnMut(u64) -> Result<Vec<StoredEvent>, E>,
) -> Result<Vec<(String, ExecutionId)>, E> {
    let mut awaited = Awaited::default();
    let mut first = 1;
    loop {
        let page = page(first)?;
        for stored in &page {
            if let Some(said) = SaidOfChild::by(&stored.event.kind, rules) {
                awaited.follow(said);
            }
        }
        match page.last() {
            Some(last) => first = last.event.sequence + 1,
            None => break,
        }
    }
    let names = awaited.names().map(|(node_id, attempt, iteration)| {
        let child = ExecutionId::of_child(parent, node_id, attempt, iteration);
        (node_id.to_owned(), child)
    });
    Ok(names.collect())
}
