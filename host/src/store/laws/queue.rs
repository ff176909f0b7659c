//! Laws of the work queue.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::id::ExecutionId;
use crate::model::Status;
use crate::store::{ItemChange, ItemRecord, ItemState, Many};

use super::Place;
use super::draft::{Draft, Owner, START, lease, release, remove, turn};

pub fn items_come_back_as_they_were_ordered(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    let mut item = one.item("b \"quoted\"", 3000);
    item.payload = "{\n \"ü\": 1e3, \"x\": \"\\u0000\" }".into();
    item.attempt = u32::MAX;
    let order = ItemChange::Enqueue {
        item: item.clone(),
        at: 1234,
        lease: None,
    };
    owner.commit([one.append([order, one.enqueue("a", 0)])]);
    let record = ItemRecord::ordered(item, 1234);
    assert_eq!(
        owner.store.item(one.id(), "b \"quoted\"").unwrap().as_ref(),
        Some(&record)
    );
    assert_eq!(owner.store.item(one.id(), "c").unwrap(), None);
    let items = owner.store.items(one.id()).and_then(Many::all).unwrap();
    assert_eq!(
        items
            .iter()
            .map(|item| item.item.node_id.as_str())
            .collect::<Vec<_>>(),
        ["a", "b \"quoted\""]
    );
    assert_eq!(items[1], record);
}

pub fn the_longest_waiting_is_claimable_first(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    let other_queue = {
        let mut item = two.item("q", 0);
        item.queue = "model".into();
        ItemChange::Enqueue {
            item,
            at: START,
            lease: None,
        }
    };
    owner.commit([two.append([
        two.enqueue("late", START + 9),
        two.enqueue("z", 0),
        two.enqueue("a", 0),
        other_queue,
    ])]);
    owner.commit([one.append([one.enqueue("early", START + 1), one.enqueue("b", START)])]);
    // A time before the order counts as the time of the order.
    assert_eq!(
        owner.claimable(START + 9),
        ["2/z", "2/a", "1/b", "1/early", "2/late"]
    );
    let two_of_them = owner
        .store
        .claimable("default", "tool", START + 9, 2)
        .and_then(Many::all)
        .unwrap();
    assert_eq!(
        two_of_them
            .iter()
            .map(|item| item.item.node_id.as_str())
            .collect::<Vec<_>>(),
        ["z", "a"]
    );
    assert_eq!(
        owner
            .store
            .claimable("default", "model", START, 9)
            .and_then(Many::all)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        owner
            .store
            .claimable("default", "no such queue", START, 9)
            .and_then(Many::all)
            .unwrap(),
        []
    );
}

pub fn the_most_urgent_is_claimable_first(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    let order = |one: &Draft, node: &str, priority, not_before| {
        let mut item = one.item(node, not_before);
        item.priority = priority;
        ItemChange::Enqueue {
            item,
            at: START,
            lease: None,
        }
    };
    let orders = [
        ("low", 0, 0),
        ("usual", 5, 0),
        ("high", 9, START + 2),
        ("later", 9, START + 9),
        ("high too", 9, START + 1),
        ("a little", 6, 0),
    ];
    let orders = orders.map(|(node, priority, at)| order(&one, node, priority, at));
    owner.commit([one.append(orders)]);
    // What waits for a later time is no obstacle to what is less urgent.
    assert_eq!(owner.claimable(START), ["1/a little", "1/usual", "1/low"]);
    let all = ["1/high too", "1/high", "1/a little", "1/usual", "1/low"];
    assert_eq!(owner.claimable(START + 2), all);
    let mut first = |max| {
        let found = owner.store.claimable("default", "tool", START + 2, max);
        found.and_then(Many::all).unwrap().len()
    };
    assert_eq!([0, 1, 3, 4, 9].map(&mut first), [0, 1, 3, 4, 5]);
    let tool = ["tool".to_owned()];
    let mut next = |now| owner.store.next_due("default", &tool, now).unwrap();
    let after = [START - 1, START, START + 1, START + 2, START + 9].map(&mut next);
    let expected = [0, 1, 2, 9].map(|span| Some(START + span));
    assert_eq!(after[..4], expected);
    assert_eq!(after[4], None);
    owner.commit([one.append([
        remove("high too"),
        remove("a little"),
        lease("usual", START + 50),
    ])]);
    assert_eq!(owner.claimable(START + 2), ["1/high", "1/low"]);
}

pub fn queues_on_which_items_wait_are_known(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let order = |draft: &Draft, node: &str, queue: &str, not_before| {
        let mut item = draft.item(node, not_before);
        item.queue = queue.into();
        ItemChange::Enqueue {
            item,
            at: START,
            lease: None,
        }
    };
    let mut one = Draft::new(1);
    let mut held = Draft::new(2).with(|record| record.status = Status::Paused);
    let mut other = Draft::new(3).with(|record| record.tenant = "other".into());
    let orders = [
        order(&one, "a", "tool", 0),
        order(&one, "b", "tool", 0),
        order(&one, "c", "gpu", START + 99),
        order(&one, "d", "mail", 0),
        lease("d", START + 9),
    ];
    owner.commit([one.append(orders)]);
    owner.commit([held.append([order(&held, "a", "held", 0)])]);
    owner.commit([other.append([order(&other, "a", "others", 0)])]);
    let mut queues = |tenant| owner.store.waiting_queues(tenant).unwrap();
    assert_eq!(queues("default"), ["gpu", "tool"]);
    assert_eq!(queues("other"), ["others"]);
    assert_eq!(queues("nobody"), [""; 0]);
}

pub fn nothing_is_claimable_before_its_time(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", START + 10)])]);
    assert_eq!(owner.claimable(START + 9), [""; 0]);
    assert_eq!(owner.claimable(START + 10), ["1/a"]);
}

pub fn each_tenant_has_queues_of_its_own(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let of = |n, tenant: &str| Draft::new(n).with(|record| record.tenant = tenant.into());
    for (mut draft, not_before) in [(of(1, "a"), 30), (of(2, "b"), 20), (of(3, "a"), 10)] {
        owner.commit([draft.append([draft.enqueue("n", START + not_before)])]);
    }
    let mut claimable = |tenant| -> Vec<u8> {
        let found = owner.store.claimable(tenant, "tool", START + 30, 9);
        let found = found.and_then(Many::all).unwrap();
        let ids = found.iter().map(|it| it.item.execution_id.parse().unwrap());
        ids.map(|id: ExecutionId| id.as_bytes()[15]).collect()
    };
    assert_eq!(claimable("a"), [3, 1]);
    assert_eq!(claimable("b"), [2]);
    assert_eq!(claimable("default"), [0; 0]);
    let tool = ["tool".to_owned()];
    for (tenant, next) in [("a", Some(10)), ("b", Some(20)), ("default", None)] {
        let due = owner.store.next_due(tenant, &tool, START).unwrap();
        assert_eq!(due, next.map(|next| START + next), "{tenant}");
    }
}

pub fn only_running_executions_items_are_claimable(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0)])]);
    for held in [
        Status::Paused,
        Status::Stalled,
        Status::Completed,
        Status::Failed,
        Status::Cancelled,
    ] {
        owner.commit([one.append_as(|record| record.status = held)]);
        assert_eq!(owner.claimable(START), [""; 0], "{held:?}");
        owner.commit([one.append_as(|record| record.status = Status::Running)]);
        assert_eq!(owner.claimable(START), ["1/a"], "{held:?}");
    }
    // Ordered in the same turn in which the execution is held, or released.
    one.record.status = Status::Paused;
    owner.commit([one.append([one.enqueue("b", 0)])]);
    assert_eq!(owner.claimable(START), [""; 0]);
    one.record.status = Status::Running;
    owner.commit([one.append([one.enqueue("c", 0)])]);
    assert_eq!(owner.claimable(START), ["1/a", "1/b", "1/c"]);
}

pub fn a_removed_item_is_gone(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0), one.enqueue("b", 0), lease("b", 10)])]);
    owner.commit([one.append([remove("a"), remove("b")])]);
    assert_eq!(owner.store.items(one.id()).and_then(Many::all).unwrap(), []);
    assert_eq!(owner.claimable(9999), [""; 0]);
    assert_eq!(owner.expired(9999), [""; 0]);
    // Settled and ordered again within one turn, as a retry is.
    owner.commit([one.append([one.enqueue("a", 0), remove("a"), one.enqueue("a", 50)])]);
    assert_eq!(
        owner
            .store
            .item(one.id(), "a")
            .unwrap()
            .unwrap()
            .item
            .not_before,
        50
    );
}

pub fn a_dead_letter_is_kept_for_people(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0), one.enqueue("b", 0), lease("a", 10)])]);
    // One that is still there, and one that has left already.
    owner.commit([one.append([one.dead_letter("a"), remove("b"), one.dead_letter("b")])]);
    for node in ["a", "b"] {
        let letter = owner.store.item(one.id(), node).unwrap().unwrap();
        assert_eq!(letter.item, one.item(node, 0));
        assert_eq!(letter.enqueued_at, START);
        assert_eq!(
            letter.state,
            ItemState::Dead {
                error: "boom".into(),
                since: START + 5
            }
        );
    }
    assert_eq!(owner.claimable(9999), [""; 0]);
    assert_eq!(owner.expired(9999), [""; 0]);
    assert_eq!(
        owner
            .store
            .next_due("default", &["tool".into()], 0)
            .unwrap(),
        None
    );
}

pub fn dead_letters_of_all_are_found_the_oldest_first(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let dead = |of: &Draft, node: &str, since: u64| match of.dead_letter(node) {
        ItemChange::DeadLetter {
            node_id,
            item,
            enqueued_at,
            error,
            ..
        } => ItemChange::DeadLetter {
            node_id,
            item,
            enqueued_at,
            error,
            at: since,
        },
        other => other,
    };
    let mut one = Draft::new(1);
    let mut two = Draft::new(2).with(|record| record.tenant = "other".into());
    owner.commit([
        one.append([
            dead(&one, "late", START + 30),
            dead(&one, "early", START + 10),
            one.enqueue("waits", START),
            dead(&one, "mended", START + 5),
        ]),
        two.append([dead(&two, "a", START + 20), two.enqueue_leased("b", START)]),
    ]);
    owner.commit([one.append([remove("mended"), one.enqueue("mended", START)])]);
    let letters = |owner: &mut Owner, since, max| -> Vec<String> {
        let letters = owner.store.dead_letters(since, max);
        let letters = letters.and_then(Many::all).unwrap().into_iter();
        letters.map(|letter| letter.item.node_id).collect()
    };
    assert_eq!(letters(&mut owner, 0, 9), ["early", "a", "late"]);
    assert_eq!(letters(&mut owner, 0, 2), ["early", "a"]);
    assert_eq!(letters(&mut owner, START + 20, 9), ["a", "late"]);
    assert_eq!(letters(&mut owner, START + 31, 9), [""; 0]);
    // They are kept for people, also of what has ended.
    owner.commit([two.append_as(|record| record.status = Status::Failed)]);
    owner.commit([one.append([one.enqueue("early", START)])]);
    assert_eq!(letters(&mut owner, 0, 9), ["a", "late"]);
}

pub fn a_dead_letter_makes_room_for_a_retry(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0), one.dead_letter("a")])]);
    owner.conflicts([one.clone().append([lease("a", 10)])]);
    owner.commit([one.append([one.enqueue("a", 0)])]);
    assert_eq!(
        owner.store.item(one.id(), "a").unwrap().unwrap().state,
        ItemState::Waiting
    );
    owner.commit([one.append([one.dead_letter("a")])]);
    owner.commit([one.append([remove("a")])]);
    assert_eq!(owner.store.items(one.id()).and_then(Many::all).unwrap(), []);
}

pub fn a_change_without_an_item_is_a_conflict(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0)])]);
    for items in [
        vec![lease("b", 10)],
        vec![remove("b")],
        vec![release("b", 1)],
        vec![remove("a"), release("a", 1)],
        vec![remove("a"), remove("a")],
        vec![remove("a"), lease("a", 10)],
        vec![one.enqueue("a", 5)],
        vec![one.enqueue("b", 5), one.enqueue("b", 6)],
    ] {
        owner.conflicts([one.clone().append(items)]);
    }
    assert_eq!(
        owner
            .store
            .execution(one.id())
            .unwrap()
            .unwrap()
            .head
            .sequence,
        1
    );
    assert_eq!(owner.claimable(START), ["1/a"]);
}

pub fn an_order_without_an_event_is_refused(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0)])]);
    let without_event = |items: Vec<ItemChange>| {
        let mut change = one.clone().append(items);
        change.events.clear();
        change.record = one.record.clone();
        change
    };
    owner.contradicts(&turn([without_event(vec![one.enqueue("b", 0)])]));
    owner.contradicts(&turn([without_event(vec![one.dead_letter("a")])]));
    // A claim may be renewed without one.
    owner.commit([without_event(vec![lease("a", START + 10)])]);
    assert_eq!(owner.expired(START + 10), ["1/a"]);
}

pub fn an_item_of_another_execution_is_refused(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, two) = (Draft::new(1), Draft::new(2));
    owner.contradicts(&turn([one.clone().append([two.enqueue("a", 0)])]));
    owner.contradicts(&turn([one.append([two.dead_letter("a")])]));
    assert_eq!(owner.store.execution(one.id()).unwrap(), None);
}
