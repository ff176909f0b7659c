//! Laws of wakes and clocks.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::model::Status;
use crate::store::{ExecutionChange, Many, Tampering};

use crate::store::{ClockReading, DueWake, Turn};

use super::Place;
use super::draft::{Draft, Owner, START, lease, turn};

fn waking(n: u8, next_wake: u64) -> Draft {
    Draft::new(n).with(|record| record.next_wake = Some(next_wake))
}

fn due(owner: &mut Owner, now: u64, max: usize) -> Vec<u8> {
    owner
        .store
        .due(now, None, max)
        .and_then(Many::all)
        .unwrap()
        .iter()
        .map(number)
        .collect()
}

fn number(wake: &DueWake) -> u8 {
    wake.execution.as_bytes()[15]
}

pub fn wakes_are_due_in_order(place: &dyn Place) {
    let mut owner = Owner::new(place);
    for (n, wake) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        owner.commit([waking(n, wake).append([])]);
    }
    owner.commit([Draft::new(5).append([])]);
    assert_eq!(due(&mut owner, 9, 10), [0; 0]);
    assert_eq!(due(&mut owner, 10, 10), [2, 4]);
    assert_eq!(due(&mut owner, 99, 10), [2, 4, 3, 1]);
    assert_eq!(due(&mut owner, 99, 3), [2, 4, 3]);
}

pub fn what_is_due_goes_on_behind_any_place(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut drafts = Vec::new();
    for (n, wake) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        let mut draft = waking(n, wake);
        owner.commit([draft.append([])]);
        drafts.push(draft);
    }
    let mut behind = |after, max| -> Vec<u8> {
        let due = owner.store.due(99, Some(after), max);
        let due = due.and_then(Many::all).unwrap();
        due.iter().map(number).collect()
    };
    let place_of = |at, n| DueWake {
        at,
        execution: Draft::new(n).id(),
    };
    assert_eq!(behind(place_of(10, 2), 9), [4, 3, 1]);
    assert_eq!(behind(place_of(10, 4), 1), [3]);
    assert_eq!(behind(place_of(30, 1), 9), [0; 0]);
    // Places at which nobody is.
    assert_eq!(behind(place_of(10, 3), 9), [4, 3, 1]);
    assert_eq!(behind(place_of(25, 9), 9), [1]);
    assert_eq!(behind(place_of(0, 9), 2), [2, 4]);
    owner.commit([drafts[1].append_as(|record| record.next_wake = Some(40))]);
    let due = owner.store.due(99, Some(place_of(10, 2)), 9);
    let due = due.and_then(Many::all).unwrap();
    let numbers: Vec<u8> = due.iter().map(number).collect();
    assert_eq!(numbers, [4, 3, 1, 2], "it comes again, at its new place");
}

pub fn only_what_has_not_ended_is_due(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = waking(1, 10);
    owner.commit([one.append([])]);
    for (status, expected) in [
        (Status::Stalled, true),
        (Status::Paused, true),
        (Status::Running, true),
        (Status::Completed, false),
        (Status::Failed, false),
        (Status::Cancelled, false),
    ] {
        owner.commit([one.append_as(|record| record.status = status)]);
        assert_eq!(!due(&mut owner, 10, 10).is_empty(), expected, "{status:?}");
        assert_eq!(
            owner.store.next_due("default", &[], 0).unwrap().is_some(),
            expected,
            "{status:?}"
        );
    }
    owner.commit([one.append_as(|record| {
        record.status = Status::Running;
        record.next_wake = None;
    })]);
    assert_eq!(due(&mut owner, 99, 10), [0; 0]);
}

pub fn what_is_set_aside_is_left_alone(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = waking(1, START + 10);
    let items = [one.enqueue("a", 0), one.enqueue_leased("b", START + 20)];
    owner.commit([one.append(items)]);
    let mut set_aside = |owner: &mut Owner, tampering: Option<Tampering>| {
        one.record.tampering = tampering.clone();
        // A record alone: nothing is appended to what is not believed.
        let change = ExecutionChange {
            expected: one.record.head,
            events: Vec::new(),
            record: one.record.clone(),
            items: Vec::new(),
        };
        owner.commit([change]);
        let stored = owner.store.execution(one.id()).unwrap();
        assert_eq!(stored.and_then(|it| it.tampering), tampering);
        (
            owner.claimable(9999).len(),
            owner.expired(9999).len(),
            due(owner, 9999, 9).len(),
        )
    };
    let found = Tampering {
        sequence: 1,
        message: "it was changed".into(),
    };
    assert_eq!(set_aside(&mut owner, Some(found)), (0, 0, 0));
    assert_eq!(set_aside(&mut owner, None), (1, 1, 1));
}

pub fn next_due_is_the_earliest_of_all(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (waking(1, START + 50), Draft::new(2));
    let items = [
        two.enqueue("a", START + 40),
        two.enqueue("b", 0),
        lease("b", START + 30),
        two.enqueue("c", 0),
    ];
    owner.commit([one.append([]), two.append(items)]);
    let tool = ["other".to_owned(), "tool".to_owned()];
    let mut next = |queues: &[String], now| owner.store.next_due("default", queues, now).unwrap();
    assert_eq!(next(&tool, START), Some(START + 30));
    assert_eq!(next(&tool, START + 30), Some(START + 40));
    assert_eq!(next(&[], START + 30), Some(START + 50));
    assert_eq!(next(&tool[..1], START + 30), Some(START + 50));
    assert_eq!(next(&tool, START + 50), None);
    owner.commit([two.append_as(|record| record.status = Status::Paused)]);
    assert_eq!(
        owner.store.next_due("default", &tool, START + 30).unwrap(),
        Some(START + 50)
    );
}

pub fn last_at_is_the_greatest(place: &dyn Place) {
    let mut owner = Owner::new(place);
    owner.commit([Draft::new(1)
        .with(|record| record.last_at = 2000)
        .append([])]);
    owner.commit([Draft::new(2)
        .with(|record| record.last_at = 1500)
        .append([])]);
    for n in [1, 2] {
        let shard = Draft::new(n).id().shard();
        assert_eq!(owner.store.last_at(shard).unwrap(), 2000);
    }
    // Whatever a record says to which nothing is appended: it may be damaged.
    let mut record = owner.store.execution(Draft::new(2).id()).unwrap().unwrap();
    record.last_at = 3000;
    owner.commit([ExecutionChange {
        expected: record.head,
        events: Vec::new(),
        record,
        items: Vec::new(),
    }]);
    assert_eq!(owner.store.last_at([0, 0]).unwrap(), 2000);
}

pub fn the_last_reading_comes_back(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let last = |owner: &mut Owner| owner.store.last_reading([0, 0]).unwrap();
    assert_eq!(last(&mut owner), None);
    let reading = |at| ClockReading {
        at,
        machine: Some("here".to_owned()),
        since_boot_ns: 7,
    };
    let mut one = Draft::new(1).with(|record| record.last_at = 2000);
    owner.put(&Turn {
        reading: Some(reading(2500)),
        ..turn([one.append([])])
    });
    assert_eq!(last(&mut owner), Some(reading(2500)));
    assert_eq!(owner.store.last_at([0, 0]).unwrap(), 2500);
    // A turn that only renews a lease says what time it is, too.
    owner.put(&Turn {
        reading: Some(ClockReading {
            machine: None,
            ..reading(2600)
        }),
        ..Turn::default()
    });
    assert_eq!(last(&mut owner).unwrap().machine, None);
    assert_eq!(last(&mut owner).unwrap().at, 2600);
    // Written without a reading: the former one says nothing of this time.
    owner.commit([one.append_as(|record| record.last_at = 3000)]);
    assert_eq!(last(&mut owner), None);
    assert_eq!(owner.store.last_at([0, 0]).unwrap(), 3000);
}

pub fn a_store_keeps_one_kind_of_time(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let simulated = owner.store.is_simulated();
    owner.contradicts(&turn([Draft::new(1).begun(!simulated)]));
    assert_eq!(owner.store.execution(Draft::new(1).id()).unwrap(), None);
    owner.commit([Draft::new(2).begun(simulated)]);
    // Every owner and reader of the same data says the same.
    owner.store.reopen().unwrap();
    let others = [
        owner.store.is_simulated(),
        owner.store.reader().unwrap().is_simulated(),
        place.open().is_simulated(),
    ];
    assert_eq!(others, [simulated; 3]);
}

pub fn times_without_end_are_refused(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let last = crate::store::check::TIME_MAX;
    let mut one = Draft::new(1);
    owner.contradicts(&turn([waking(1, last + 1).append([])]));
    owner.contradicts(&turn([one.clone().append([one.enqueue("a", u64::MAX)])]));
    owner.contradicts(&turn([one
        .clone()
        .append([one.enqueue("a", 0), lease("a", last + 1)])]));
    owner.contradicts(&turn([one
        .clone()
        .append([one.enqueue_leased("a", last + 1)])]));
    owner.commit([one.append([one.enqueue("a", last)])]);
    assert_eq!(owner.claimable(u64::MAX), ["1/a"]);
    assert_eq!(
        owner
            .store
            .next_due("default", &["tool".into()], START)
            .unwrap(),
        Some(last)
    );
}
