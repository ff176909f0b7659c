//! Laws of erasing: what is left of a log, and what is left of nothing else.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::log::KeptEvent;
use crate::model::Status;
use crate::store::{
    CommitError, Erasure, ExecutionChange, LabelFilter, ListFilter, Many, StoreError, Tampering,
    Turn,
};

use super::Place;
use super::draft::{Draft, Owner, START, attestation, snapshot, turn};

/// A turn that erases the log of this draft, as it is.
fn erasing(draft: &Draft) -> Turn {
    Turn {
        erasures: vec![Erasure {
            execution: draft.id(),
            attestation: attestation(draft),
        }],
        ..Turn::default()
    }
}

/// An execution with a key, a label, a dead letter and a snapshot, which has ended.
fn ended(owner: &mut Owner, n: u8) -> Draft {
    let one = Draft::new(n).with(|record| record.key = Some(format!("key {n}")));
    let mut one = one.labelled(&[("team", "a")]);
    owner.commit([one.append([one.enqueue("a", START)])]);
    let dead = one.dead_letter("a");
    let mut turn = turn([one.append([dead])]);
    turn.snapshots.push(snapshot(&one, b"what it knew"));
    owner.put(&turn);
    owner.commit([one.append_as(|record| record.status = Status::Failed)]);
    one
}

pub fn law4_an_erased_log_has_plain_fields_and_commitments(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (one, other) = (ended(&mut owner, 1), ended(&mut owner, 2));
    let before = owner.store.raw_events(one.id(), 1, 10).unwrap();
    owner.put(&erasing(&one));
    owner.store.purge().unwrap();
    let after = owner.store.raw_events(one.id(), 1, 10).unwrap();
    assert_eq!(after.len(), before.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            (before.sequence, &before.plain, &before.hash),
            (after.sequence, &after.plain, &after.hash)
        );
        assert!(after.erasable.is_empty());
        assert_eq!(
            Some(&after.salt[..]),
            before.commitment().as_ref().map(|it| &it[..])
        );
        assert_eq!(after.commitment(), before.commitment());
        assert!(
            matches!(after.kept(), Ok(KeptEvent::Erased(_))),
            "{after:?}"
        );
    }
    let asked = owner.store.events(one.id(), 1, 10);
    assert!(
        matches!(asked, Err(StoreError::Erased { execution, .. }) if execution == one.id()),
        "{asked:?}"
    );
    // The others are as they were.
    assert_eq!(owner.store.events(other.id(), 1, 10).unwrap().len(), 3);
    assert!(owner.store.snapshot(other.id()).unwrap().is_some());
    assert_eq!(
        owner.store.items(other.id()).unwrap().all().unwrap().len(),
        1
    );
}

pub fn law4_what_is_kept_beside_an_erased_log_is_gone(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = ended(&mut owner, 1);
    let mut marked = ExecutionChange {
        expected: one.record.head,
        events: Vec::new(),
        record: one.record.clone(),
        items: Vec::new(),
    };
    marked.record.tampering = Some(Tampering {
        sequence: 2,
        message: "it was, and is mended".to_owned(),
    });
    one.record = marked.record.clone();
    owner.commit([marked]);
    owner.put(&erasing(&one));
    let record = owner.store.execution(one.id()).unwrap().unwrap();
    let mut expected = one.record.clone();
    expected.tampering = None;
    expected.key = None;
    expected.erased = Some(Box::new(attestation(&one)));
    assert_eq!(record, expected);
    assert_eq!(owner.store.labels(one.id()).unwrap(), []);
    let labels = vec![LabelFilter {
        name: "team".to_owned(),
        value: None,
    }];
    let found = owner.store.list(&ListFilter {
        labels,
        ..ListFilter::default()
    });
    assert_eq!(found.and_then(Many::all).unwrap(), []);
    assert_eq!(owner.store.snapshot(one.id()).unwrap(), None);
    assert_eq!(owner.store.items(one.id()).unwrap().all().unwrap(), []);
    assert_eq!(owner.store.item(one.id(), "a").unwrap(), None);
}

pub fn only_what_has_ended_is_erased_and_once(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut going = Draft::new(1);
    owner.commit([going.append([])]);
    let one = ended(&mut owner, 2);
    let mut another = one.clone();
    another.record.head.hash[0] ^= 1;
    let conflicts = |owner: &mut Owner, turn: &Turn| {
        let outcome = owner.try_commit(turn);
        assert!(
            matches!(outcome, Err(CommitError::Conflict { .. })),
            "{outcome:?}"
        );
    };
    conflicts(&mut owner, &erasing(&going));
    conflicts(&mut owner, &erasing(&Draft::new(3)));
    conflicts(&mut owner, &erasing(&another));
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap().len(), 3);
    owner.put(&erasing(&one));
    let mut again = erasing(&one);
    again.erasures[0].attestation.by = "somebody else".to_owned();
    conflicts(&mut owner, &again);
    let record = owner.store.execution(one.id()).unwrap().unwrap();
    assert_eq!(record.erased.as_deref(), Some(&attestation(&one)));
}

pub fn law3_a_log_is_erased_with_all_of_its_turn_or_not(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let one = ended(&mut owner, 1);
    let mut two = Draft::new(2);
    owner.commit([two.append([])]);
    // The turn builds on another head than there is.
    two.record.head.hash[0] ^= 1;
    let mut erasing_both = erasing(&one);
    erasing_both.executions.push(two.append([]));
    let outcome = owner.try_commit(&erasing_both);
    assert!(
        matches!(outcome, Err(CommitError::Conflict { .. })),
        "{outcome:?}"
    );
    assert_eq!(owner.store.events(one.id(), 1, 10).unwrap().len(), 3);
    assert!(owner.store.snapshot(one.id()).unwrap().is_some());
    let record = owner.store.execution(one.id()).unwrap().unwrap();
    assert_eq!(record, one.record);
}

pub fn nothing_follows_on_an_erased_log(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = ended(&mut owner, 1);
    owner.put(&erasing(&one));
    one.record = owner.store.execution(one.id()).unwrap().unwrap();
    let before = one.clone();
    // Not as what it is, and not as what it was.
    owner.contradicts(&turn([one.append([])]));
    one = before.clone();
    one.record.erased = None;
    owner.conflicts([one.append([])]);
    one = before.clone();
    let mut both = turn([one.append([])]);
    both.erasures = erasing(&before).erasures;
    owner.contradicts(&both);
    let outcome = owner.try_commit(&Turn {
        snapshots: vec![snapshot(&before, b"what it knew")],
        ..Turn::default()
    });
    assert!(
        matches!(outcome, Err(CommitError::Conflict { .. })),
        "{outcome:?}"
    );
    let record = owner.store.execution(one.id()).unwrap().unwrap();
    assert_eq!(record, before.record);
}

pub fn law8_an_erasure_is_seen_by_others_and_stays(place: &dyn Place) {
    let (mut owner, mut other) = (Owner::new(place), place.open());
    let one = ended(&mut owner, 1);
    let before = other.version().unwrap();
    assert!(other.events(one.id(), 1, 10).is_ok());
    owner.put(&erasing(&one));
    assert_ne!(other.version().unwrap(), before);
    owner.store.purge().unwrap();
    owner.store.reopen().unwrap();
    for store in [&mut owner.store, &mut other] {
        let record = store.execution(one.id()).unwrap().unwrap();
        assert_eq!(record.erased.as_deref(), Some(&attestation(&one)));
        assert!(matches!(
            store.events(one.id(), 1, 10),
            Err(StoreError::Erased { .. })
        ));
    }
    // A purge may always be done once more.
    other.purge().unwrap();
}
