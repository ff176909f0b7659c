//! What an owner remembers of records is never taken for what is stored.

use super::*;
use crate::model::Status;
use crate::store::laws::draft::{Draft, START, turn};

fn commit(store: &mut SqliteStore, change: crate::store::ExecutionChange) {
    store.begin().unwrap();
    store.commit(&turn([change])).unwrap();
}

#[test]
fn what_another_owner_wrote_beside_the_log_is_seen() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let (mut store, mut other) = (file.store(), file.store());
    commit(&mut store, one.append([one.enqueue("a", 0)]));
    commit(&mut store, one.append([]));
    // The log is as it was, but the rest is not.
    let mut change = one.append([]);
    let mut there = one.clone();
    there.record.head = change.expected;
    there.record.next_wake = Some(START);
    there.record.status = Status::Paused;
    change.record = there.record;
    let events = std::mem::take(&mut change.events);
    commit(&mut other, change.clone());
    let due = store.due(START, None, 9);
    let due = due.and_then(Many::all).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].execution, one.id());
    assert_eq!(
        store
            .claimable("default", "tool", START, 9)
            .and_then(Many::all)
            .unwrap(),
        []
    );
    // And now it grows again, as the first owner would have it.
    change.events = events;
    change.record = one.record.clone();
    commit(&mut store, change);
    assert_eq!(store.execution(one.id()).unwrap(), Some(one.record.clone()));
    assert_eq!(store.due(START, None, 9).and_then(Many::all).unwrap(), []);
    assert_eq!(
        store
            .claimable("default", "tool", START, 9)
            .and_then(Many::all)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_was_not_written_is_not_remembered() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    commit(&mut store, one.append([]));
    // Refused only when the record is written already.
    let refused = one
        .clone()
        .append(["a", "a"].map(|node| one.enqueue(node, 0)));
    store.begin().unwrap();
    let error = store.commit(&turn([refused])).unwrap_err();
    assert!(matches!(error, CommitError::Conflict { .. }), "{error}");
    commit(&mut store, one.append([]));
    assert_eq!(store.execution(one.id()).unwrap(), Some(one.record));
}
