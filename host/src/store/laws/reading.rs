//! Laws of readers: what they see next to the owner of the write side.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::thread;

use crate::id::ExecutionId;
use crate::store::{Many, Reader, StoreError, at_one_moment};

use super::Place;
use super::draft::{Draft, Owner};

/// The threads that read at once.
const READERS: usize = 4;

/// The head that the record names, and the numbers of events and of items that are
/// there: 0, if there is no such execution.
type Seen = (u64, usize, usize);

fn seen(reader: &mut dyn Reader, id: ExecutionId) -> Result<Seen, StoreError> {
    let record = reader.execution(id)?;
    let events = reader.events(id, 1, 100)?.len();
    let items = reader.items(id).and_then(Many::all)?.len();
    let head = record.map_or(0, |record| record.head.sequence);
    Ok((head, events, items))
}

fn look(reader: &mut dyn Reader, id: ExecutionId) -> Seen {
    at_one_moment(reader, |reader| seen(reader, id)).expect("the store answers")
}

pub fn a_reader_sees_a_commit_at_its_next_look(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut reader = owner.store.reader().expect("there may be a reader");
    let mut further = reader.reader().expect("there may be another");
    let mut one = Draft::new(1);
    assert_eq!(look(reader.as_mut(), one.id()), (0, 0, 0));
    for sequence in 1..4 {
        owner.commit([one.append([])]);
        let expected = (sequence, usize::try_from(sequence).expect("it is small"), 0);
        assert_eq!(look(reader.as_mut(), one.id()), expected);
        // Not only in a look.
        assert_eq!(seen(further.as_mut(), one.id()).unwrap(), expected);
    }
}

pub fn law3_a_reader_sees_no_half_turn(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut reader = owner.store.reader().expect("there may be a reader");
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    // It waits for no turn, and sees nothing of one.
    owner.store.begin().expect("the turn begins");
    assert_eq!(look(reader.as_mut(), one.id()), (1, 1, 0));
    let refused = super::draft::turn([one.clone().append([one.enqueue("a", 0)]), {
        let mut stale = Draft::new(2);
        stale.append([]);
        stale.append([])
    }]);
    owner.store.commit(&refused).expect_err("it has a gap");
    assert_eq!(look(reader.as_mut(), one.id()), (1, 1, 0));
    owner.commit([one.append([one.enqueue("a", 0)])]);
    assert_eq!(look(reader.as_mut(), one.id()), (2, 2, 1));
}

pub fn a_look_is_of_one_moment(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut reader = owner.store.reader().expect("there may be a reader");
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    owner.commit([one.append([one.enqueue("a", 0)])]);
    let looked = at_one_moment(reader.as_mut(), |reader| {
        let before = reader.execution(one.id())?;
        // The owner does not wait for the look.
        owner.commit([one.append([super::draft::remove("a")]), two.append([])]);
        owner.commit([one.append([])]);
        assert_eq!(reader.execution(one.id())?, before);
        assert_eq!(seen(reader, two.id())?, (0, 0, 0));
        seen(reader, one.id())
    });
    assert_eq!(looked.expect("the store answers"), (1, 1, 1));
    assert_eq!(look(reader.as_mut(), one.id()), (3, 3, 0));
    assert_eq!(look(reader.as_mut(), two.id()), (1, 1, 0));
}

pub fn readers_look_at_moments_of_their_own(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    let mut readers: Vec<Box<dyn Reader>> = Vec::new();
    for sequence in 1..=3 {
        owner.commit([one.append([])]);
        let mut reader = owner.store.reader().expect("there may be a reader");
        reader.begin_reading().expect("the look begins");
        assert_eq!(seen(reader.as_mut(), one.id()).unwrap().0, sequence);
        readers.push(reader);
    }
    for (reader, sequence) in readers.iter_mut().zip(1..) {
        assert_eq!(seen(reader.as_mut(), one.id()).unwrap().0, sequence);
        reader.end_reading();
        assert_eq!(seen(reader.as_mut(), one.id()).unwrap().0, 3);
    }
}

pub fn readers_look_from_many_threads(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([])]);
    let (id, begin) = (one.id(), Arc::new(Barrier::new(READERS + 1)));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut reader = owner.store.reader().expect("there may be a reader");
            let begin = Arc::clone(&begin);
            thread::spawn(move || {
                begin.wait();
                let mut last = 0;
                while last < 20 {
                    let (head, events, items) = look(reader.as_mut(), id);
                    assert_eq!(head, events as u64, "one moment");
                    assert_eq!(items, events - 1, "one moment");
                    assert!(head >= last, "time does not go back");
                    last = head;
                }
            })
        })
        .collect();
    begin.wait();
    for sequence in 2..=20 {
        let item = one.enqueue(&format!("n{sequence}"), 0);
        owner.commit([one.append([item])]);
    }
    for reader in readers {
        reader.join().expect("each look is of one moment");
    }
}

pub fn a_look_and_a_turn_are_begun_once(place: &dyn Place) {
    let contradicts = |begun: Result<(), StoreError>| {
        assert!(
            matches!(begun, Err(StoreError::Contradiction { .. })),
            "{begun:?}"
        );
    };
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.store.begin_reading().expect("the look begins");
    contradicts(owner.store.begin_reading());
    contradicts(owner.store.begin());
    owner.store.end_reading();
    owner.store.end_reading();
    owner.store.begin().expect("the turn begins");
    contradicts(owner.store.begin_reading());
    // None of that has ended the turn.
    owner.store.end_reading();
    let turn = super::draft::turn([one.append([])]);
    owner.store.commit(&turn).expect("the turn is committed");
    // Nor is a look a turn that could be committed.
    owner.store.begin_reading().expect("the look begins");
    let turn = super::draft::turn([one.append([])]);
    owner.store.commit(&turn).expect_err("no turn was begun");
    owner.store.end_reading();
    assert_eq!(look(owner.store.as_mut(), one.id()), (1, 1, 0));
}

pub fn a_look_ends_when_its_questions_panic(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut reader = owner.store.reader().expect("there may be a reader");
    let mut one = Draft::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        at_one_moment::<(), StoreError>(reader.as_mut(), |reader| {
            seen(reader, Draft::new(1).id())?;
            std::panic::resume_unwind(Box::new("a question panics"))
        })
    }));
    panicked.expect_err("it panicked");
    owner.commit([one.append([])]);
    assert_eq!(look(reader.as_mut(), one.id()), (1, 1, 0));
}
