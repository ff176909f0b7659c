//! Laws of executions and their logs.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use std::time::Duration;

use crate::log::{ChainedEvent, Head, StoredEvent, canonical};
use crate::model::Status;
use crate::store::{
    CommitError, Erasure, ExecutionChange, ListFilter, Many, SeenUpTo, StoreError, Tampering,
};

use super::Place;
use super::draft::{Draft, Owner, START, attestation, lease, snapshot, turn};

pub fn an_empty_store_is_empty(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let id = Draft::new(1).id();
    assert_eq!(owner.store.execution(id).unwrap(), None);
    assert_eq!(owner.store.events(id, 1, 10).unwrap(), []);
    assert_eq!(owner.store.items(id).and_then(Many::all).unwrap(), []);
    assert_eq!(
        owner
            .store
            .list(&ListFilter {
                max: 10,
                ..ListFilter::default()
            })
            .and_then(Many::all)
            .unwrap(),
        []
    );
    assert_eq!(owner.store.last_at([0, 0]).unwrap(), 0);
    assert_eq!(owner.store.next_due("default", &[], 0).unwrap(), None);
}

pub fn law1_appends_are_gapless(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    // Event 2 is left out.
    let expected = one.append([]).expected;
    let change = ExecutionChange {
        expected,
        ..one.append([])
    };
    owner.contradicts(&turn([change]));
    let sequences = |owner: &mut Owner| -> Vec<u64> {
        owner
            .store
            .events(Draft::new(1).id(), 0, 10)
            .unwrap()
            .iter()
            .map(|event| event.event.sequence)
            .collect()
    };
    assert_eq!(sequences(&mut owner), [1]);
}

pub fn law1_a_conflict_writes_nothing(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    let mut other = one.clone();
    owner.commit([one.append([])]);
    // Behind: another has appended in the meantime.
    owner.conflicts([other.append([])]);
    // Ahead: events are missing.
    one.append([]);
    owner.conflicts([one.append([])]);
    // Forked: the same sequence, another history.
    let mut forked = Draft::new(1).with(|record| record.last_at += 1);
    forked.append([]);
    forked.append([]);
    owner.conflicts([forked.append([])]);
    assert_eq!(
        owner
            .store
            .execution(one.id())
            .unwrap()
            .unwrap()
            .head
            .sequence,
        2
    );
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap().len(), 2);
}

pub fn law1_a_conflict_names_all_its_executions(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut drafts = [1, 2, 3, 4, 5].map(Draft::new);
    owner.commit(drafts.iter_mut().map(|draft| draft.append([])));
    let [good, stale, without_item, begun, running] = &mut drafts;
    // Another owner has appended in the meantime.
    owner.commit([stale.clone().append([])]);
    let unknown = Draft::new(6);
    let mut conflicting = turn([
        stale.append([]),
        good.append([]),
        without_item.append([lease("a", START)]),
        Draft::new(4).append([]),
    ]);
    conflicting.erasures = vec![Erasure {
        execution: running.id(),
        attestation: attestation(running),
    }];
    conflicting.snapshots = vec![snapshot(&unknown, b"state"), snapshot(stale, b"state")];
    let named = [&*stale, &*without_item, &*begun, &*running, &unknown];
    assert_eq!(owner.conflicting(&conflicting), named.map(Draft::id));
    // Without these it is written.
    conflicting.executions.swap(0, 1);
    conflicting.executions.truncate(1);
    conflicting.erasures.clear();
    conflicting.snapshots.clear();
    owner.put(&conflicting);
    for (draft, sequence) in [(&*good, 2), (&*stale, 2), (&*without_item, 1), (&*begun, 1)] {
        let stored = owner.store.execution(draft.id()).unwrap().unwrap();
        assert_eq!(stored.head.sequence, sequence, "{}", draft.id());
    }
}

pub fn law1_a_new_execution_does_not_replace_one(place: &dyn Place) {
    let mut owner = Owner::new(place);
    owner.commit([Draft::new(1).append([])]);
    owner.conflicts([Draft::new(1).append([])]);
    let mut unknown = Draft::new(2);
    unknown.append([]);
    owner.conflicts([unknown.append([])]);
}

pub fn law3_a_turn_is_written_whole_or_not(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two, three) = (Draft::new(1), Draft::new(2), Draft::new(3));
    owner.commit([two.append([])]);
    let first = one.append([one.enqueue("a", 0)]);
    let good = two.clone().append_as(|record| record.next_wake = Some(5));
    // The last change of the turn is the one that does not fit.
    let mut stale = three;
    stale.append([]);
    owner.conflicts([first, good, stale.append([])]);
    assert_eq!(owner.store.execution(one.id()).unwrap(), None);
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap(), []);
    assert_eq!(owner.store.items(one.id()).and_then(Many::all).unwrap(), []);
    assert_eq!(owner.store.execution(two.id()).unwrap(), Some(two.record));
    assert_eq!(owner.claimable(9999), [""; 0]);
}

pub fn law4_an_event_of_another_chain_is_refused(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let one = Draft::new(1);
    // Another event stands before it than the one that is expected.
    let mut before = Draft::new(1);
    before.record.last_at += 1;
    let expected = before.append([]).record.head;
    let mut change = one.clone();
    change.append([]);
    let change = ExecutionChange {
        expected,
        ..change.append([])
    };
    owner.contradicts(&turn([change]));
    let mut change = Draft::new(1).append([]);
    change.record.head = Head::default();
    owner.contradicts(&turn([change]));
    let change = Draft::new(1).append([]);
    owner.contradicts(&turn([change.clone(), change]));
    assert_eq!(owner.store.execution(one.id()).unwrap(), None);
}

pub fn law4_raw_events_are_the_canonical_bytes(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    let change = one.append([]);
    let written = stored(&change);
    owner.commit([change]);
    let raw = owner.store.raw_events(one.id(), 1, 10).unwrap();
    assert_eq!(raw.len(), 1);
    let bytes = canonical::write(&written[0].event);
    assert_eq!(
        (&raw[0].plain, &raw[0].erasable),
        (&bytes.plain, &bytes.erasable)
    );
    assert_eq!(raw[0].salt, written[0].salt);
    assert_eq!(raw[0].hash, written[0].hash);
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap(), written);
}

pub fn events_come_in_pages(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    for _ in 0..5 {
        owner.commit([one.append([])]);
    }
    let mut page = |first, max| -> Vec<u64> {
        let events = owner.store.events(Draft::new(1).id(), first, max).unwrap();
        events.iter().map(|event| event.event.sequence).collect()
    };
    assert_eq!(page(1, 3), [1, 2, 3]);
    assert_eq!(page(4, 3), [4, 5]);
    assert_eq!(page(6, 3), [0; 0]);
    assert_eq!(page(1, 0), [0; 0]);
    assert_eq!(page(u64::MAX, u32::MAX), [0; 0]);
}

pub fn a_turn_must_be_begun_once(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let change = Draft::new(1).append([]);
    let outcome = owner.store.commit(&turn([change]));
    assert!(
        matches!(
            outcome,
            Err(CommitError::Failed(StoreError::Contradiction { .. }))
        ),
        "{outcome:?}"
    );
    owner.store.begin().unwrap();
    let outcome = owner.store.begin();
    assert!(
        matches!(outcome, Err(StoreError::Contradiction { .. })),
        "{outcome:?}"
    );
    owner.store.rollback();
    // The lock is free again.
    owner.commit([Draft::new(1).append([])]);
}

pub fn a_rollback_writes_nothing(place: &dyn Place) {
    let mut owner = Owner::new(place);
    owner.store.begin().unwrap();
    owner.store.rollback();
    // Without a turn there is nothing to do.
    owner.store.rollback();
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    assert_eq!(owner.store.execution(one.id()).unwrap(), Some(one.record));
}

pub fn what_it_was_started_with_never_changes(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    for edit in [
        |draft: Draft| draft.with(|record| record.workflow_id.push('x')),
        |draft: Draft| draft.with(|record| record.workflow_version.push('1')),
        |draft: Draft| draft.with(|record| record.tenant.push('x')),
        |draft: Draft| draft.with(|record| record.key = Some("k".into())),
        |draft: Draft| draft.with(|record| record.started_at += 1),
    ] {
        owner.conflicts([edit(one.clone()).append([])]);
    }
    assert_eq!(owner.store.execution(one.id()).unwrap(), Some(one.record));
}

pub fn a_record_comes_back_as_it_was_written(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1).with(|record| {
        record.key = Some("a \"key\" \u{1F600}".into());
        record.tenant = "müller".into();
        record.started_at = 900;
    });
    for status in [
        Status::Running,
        Status::Paused,
        Status::Stalled,
        Status::Completed,
        Status::Failed,
        Status::Cancelled,
    ] {
        owner.commit([one.append_as(|record| {
            record.status = status;
            record.last_at += 10;
            record.next_wake = (status == Status::Paused).then_some(77);
            let reversed: String = record.guest_digest.chars().rev().collect();
            record.guest_digest = reversed.into();
        })]);
        assert_eq!(
            owner.store.execution(one.id()).unwrap().as_ref(),
            Some(&one.record)
        );
    }
    // A change without an event: only the record, and items.
    let mut change = one.append([]);
    change.events.clear();
    change.record.head = change.expected;
    change.record.next_wake = Some(99);
    owner.commit([change.clone()]);
    assert_eq!(
        owner.store.execution(one.id()).unwrap(),
        Some(change.record)
    );
}

pub fn law8_what_was_committed_is_there_after_reopening(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    let change = one.append([one.enqueue("a", 0)]);
    let written = stored(&change);
    owner.commit([change]);
    // An open turn is given up.
    owner.store.begin().unwrap();
    owner.store.reopen().unwrap();
    assert_eq!(
        owner.store.execution(one.id()).unwrap().as_ref(),
        Some(&one.record)
    );
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap(), written);
    assert_eq!(owner.claimable(START), ["1/a"]);
    owner.commit([one.append([])]);
}

pub fn turns_of_two_owners_wait_for_one_another(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut other = Owner::new(place);
    let mut one = Draft::new(1);
    owner.store.begin().unwrap();
    let waiting = std::thread::spawn(move || {
        other.store.begin().unwrap();
        let seen = other.store.execution(Draft::new(1).id()).unwrap();
        other.store.rollback();
        seen
    });
    std::thread::sleep(Duration::from_millis(30));
    owner.store.commit(&turn([one.append([])])).unwrap();
    // It began after the commit, and therefore sees it.
    assert_eq!(waiting.join().unwrap(), Some(one.record));
}

pub fn other_owners_commits_are_seen(place: &dyn Place) {
    let (mut owner, mut other) = (Owner::new(place), Owner::new(place));
    let mut one = Draft::new(1);
    let before = other.store.version().unwrap();
    assert_eq!(other.store.version().unwrap(), before);
    owner.commit([one.append([one.enqueue("a", 0)])]);
    assert_ne!(other.store.version().unwrap(), before);
    assert_eq!(
        other.store.execution(one.id()).unwrap().as_ref(),
        Some(&one.record)
    );
    assert_eq!(other.claimable(START), ["1/a"]);
    // One's own commits are no news.
    let before = other.store.version().unwrap();
    other.store.begin().unwrap();
    other.store.commit(&turn([one.append([])])).unwrap();
    assert_eq!(other.store.version().unwrap(), before);
    // And the first owner's draft is stale now.
    assert_eq!(
        owner
            .store
            .execution(one.id())
            .unwrap()
            .unwrap()
            .head
            .sequence,
        2
    );
}

pub fn changes_since_a_place_are_named(place: &dyn Place) {
    let (mut owner, mut other) = (Owner::new(place), Owner::new(place));
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    owner.commit([one.append([]), two.append([])]);
    let (all, seen) = other.store.changed_since(SeenUpTo::NOTHING_YET).unwrap();
    assert_eq!(all, None, "any may have changed");
    let mut changed = |seen| other.store.changed_since(seen).unwrap();
    assert_eq!(changed(seen), (Some(Vec::new()), seen));
    owner.commit([one.append([])]);
    owner.commit([one.append([])]);
    let (ids, later) = changed(seen);
    assert_eq!(ids, Some(vec![one.id()]));
    owner.commit([two.append([])]);
    assert_eq!(changed(later).0, Some(vec![two.id()]));
    assert_eq!(changed(seen).0, Some(vec![one.id(), two.id()]));
    // One that is set aside is always named, because nothing is appended to it.
    let last = changed(later).1;
    let mut marked = one.append_as(|_| {});
    marked.events.clear();
    marked.record.head = marked.expected;
    marked.record.tampering = Some(Tampering {
        sequence: 1,
        message: "it was changed".into(),
    });
    owner.commit([marked]);
    assert_eq!(changed(last), (Some(vec![one.id()]), last));
}

fn stored(change: &ExecutionChange) -> Vec<StoredEvent> {
    let events = change.events.iter().cloned();
    events.map(ChainedEvent::into_stored).collect()
}
