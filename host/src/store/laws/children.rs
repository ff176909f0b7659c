//! Laws of children, and of what is owed between them and their parents (law 3).
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::id::ExecutionId;
use crate::model::WorkflowName;
use crate::store::{ChildChange, ChildRecord, ChildState, Turn};

use super::Place;
use super::draft::Owner;

fn record(parent: u8, iteration: u32, state: ChildState) -> ChildRecord {
    let parent = ExecutionId::from_bytes([parent; 16]);
    ChildRecord {
        child: ExecutionId::of_child(parent, "s[1]", 2, iteration),
        parent,
        root: ExecutionId::from_bytes([9; 16]),
        node_id: "s[1]".to_owned(),
        attempt: 2,
        iteration,
        sequence: 40 - u64::from(iteration),
        state,
    }
}

fn requested(named: bool) -> ChildState {
    let name = WorkflowName {
        workflow_id: "child".to_owned(),
        version: "1.0.0".to_owned(),
    };
    ChildState::Requested {
        workflow: named.then_some(name),
        input: "{\"n\":1.0}".to_owned(),
    }
}

fn writing(changes: &[ChildChange]) -> Turn {
    Turn {
        children: changes.to_vec(),
        ..Turn::default()
    }
}

pub fn children_come_back_as_they_were_kept(place: &dyn Place) {
    let mut owner = Owner::new(place);
    assert!(!owner.store.has_children().unwrap());
    let states = [
        requested(true),
        requested(false),
        ChildState::Awaited,
        ChildState::Ended,
        ChildState::Cancelled,
        ChildState::Settled,
    ];
    let all: Vec<ChildRecord> = (0..)
        .zip(states)
        .map(|(n, state)| record(1, n, state))
        .collect();
    let keep: Vec<_> = all.iter().cloned().map(ChildChange::Keep).collect();
    owner.try_commit(&writing(&keep)).unwrap();
    for record in &all {
        let found = owner.store.child(record.child).unwrap();
        assert_eq!(found.as_ref(), Some(record));
    }
    // Another owner sees them too, the first that was asked for first.
    let mut other = place.open();
    let by_sequence: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(other.children(all[0].parent).unwrap(), by_sequence);
    assert_eq!(other.children(all[0].child).unwrap(), []);
    assert_eq!(other.child(all[0].parent).unwrap(), None);
    assert!(other.has_children().unwrap());
    assert_eq!(other.descendants(all[0].root).unwrap(), 6);
    assert_eq!(other.descendants(all[0].parent).unwrap(), 0);
}

pub fn law3_what_is_owed_is_known_until_it_is_carried_out(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let [first, second, third] = [
        record(2, 1, requested(true)),
        record(2, 0, ChildState::Ended),
        record(1, 0, ChildState::Cancelled),
    ];
    let keep = [&first, &second, &third].map(|it| ChildChange::Keep(it.clone()));
    owner.try_commit(&writing(&keep)).unwrap();
    let owed = |owner: &mut Owner, max| owner.store.owed_children(max).unwrap().found;
    assert_eq!(
        owed(&mut owner, 9),
        [third.clone(), first.clone(), second.clone()]
    );
    assert_eq!(owed(&mut owner, 1), std::slice::from_ref(&third));
    let started = ChildRecord {
        state: ChildState::Awaited,
        ..first.clone()
    };
    let settled = ChildRecord {
        state: ChildState::Settled,
        ..second
    };
    let changes = [
        ChildChange::Keep(started.clone()),
        ChildChange::Keep(settled),
        ChildChange::Drop(third.child),
    ];
    owner.try_commit(&writing(&changes)).unwrap();
    assert_eq!(owed(&mut owner, 9), []);
    assert_eq!(owner.store.child(third.child).unwrap(), None);
    assert_eq!(owner.store.child(first.child).unwrap(), Some(started));
    // To drop one that is not there is no change.
    owner
        .try_commit(&writing(&[ChildChange::Drop(third.child)]))
        .unwrap();
}
