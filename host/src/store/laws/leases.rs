//! Laws of claims: leases, their ends, and what is given back.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::model::Status;
use crate::store::{ItemChange, ItemRecord, ItemState, Lease, Many};

use super::Place;
use super::draft::{Draft, Owner, START, lease, release, remove};

pub fn a_leased_item_is_not_claimable(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([
        one.enqueue("a", 0),
        one.enqueue("b", 0),
        lease("a", START + 10),
    ])]);
    assert_eq!(owner.claimable(START), ["1/b"]);
    // Not even when the lease is over: that takes a fact.
    assert_eq!(owner.claimable(START + 11), ["1/b"]);
    let item = owner.store.item(one.id(), "a").unwrap().unwrap();
    let expected = Lease {
        worker_id: "w1".into(),
        fence: 2,
        expires_at: START + 10,
        request_id: None,
    };
    assert_eq!(item.state, ItemState::Leased(expected));
}

pub fn an_item_may_be_leased_from_the_first(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    // One of them in place of a dead letter.
    owner.commit([one.append([one.enqueue("a", 0), one.dead_letter("a")])]);
    owner.commit([one.append(["a", "b"].map(|node| one.enqueue_leased(node, START + 10)))]);
    let claimed_later = {
        let mut two = Draft::new(2);
        owner.commit([two.append([two.enqueue("b", 0), lease("b", START + 10)])]);
        owner.store.item(two.id(), "b").unwrap().unwrap()
    };
    for node in ["a", "b"] {
        let item = owner.store.item(one.id(), node).unwrap().unwrap();
        assert_eq!(item.item, one.item(node, 0));
        assert_eq!(item.state, claimed_later.state);
    }
    assert_eq!(owner.claimable(9999), [""; 0]);
    assert_eq!(owner.expired(START + 10), ["1/a", "1/b", "2/b"]);
    assert_eq!(
        owner.store.lease_holders().and_then(Many::all).unwrap(),
        ["w1"]
    );
    // It is an unsettled item as any other.
    owner.conflicts([one.clone().append([one.enqueue_leased("a", START)])]);
    owner.conflicts([one.clone().append([one.enqueue("a", START)])]);
    owner.commit([one.append([lease("a", START + 20), remove("b")])]);
    assert_eq!(owner.expired(START + 19), ["2/b"]);
}

pub fn a_lease_is_renewed(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([one.enqueue("a", 0), lease("a", START + 10)])]);
    owner.commit([one.append([lease("a", START + 20)])]);
    assert_eq!(owner.expired(START + 19), [""; 0]);
    assert_eq!(owner.expired(START + 20), ["1/a"]);
}

pub fn r25_what_is_given_back_waits_in_its_old_place(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    owner.commit([one.append([
        one.enqueue("a", 0),
        one.enqueue("b", 0),
        lease("a", START + 10),
    ])]);
    owner.commit([one.append([release("a", 1)])]);
    assert_eq!(owner.claimable(START), ["1/a", "1/b"]);
    let item = owner.store.item(one.id(), "a").unwrap().unwrap();
    assert_eq!((item.releases, item.state), (1, ItemState::Waiting));
    // Claimed and given back again, and claimed, in one turn; a claim leaves the number.
    owner.commit([one.append([release("a", 2), lease("a", START + 20)])]);
    assert_eq!(owner.claimable(START), ["1/b"]);
    owner.commit([one.append([lease("a", START + 30)])]);
    let item = owner.store.item(one.id(), "a").unwrap().unwrap();
    assert_eq!((item.releases, item.state.lease().is_some()), (2, true));
    // An order begins anew.
    owner.commit([one.append([remove("a"), one.enqueue("a", 0)])]);
    let item = owner.store.item(one.id(), "a").unwrap().unwrap();
    assert_eq!(item.releases, 0);
}

pub fn leases_expire_in_order(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    owner.commit([one.append([
        one.enqueue("a", 0),
        one.enqueue("b", 0),
        lease("a", 30),
        lease("b", 10),
    ])]);
    owner.commit([two.append([two.enqueue("c", 0), two.enqueue("d", 0), lease("c", 20)])]);
    assert_eq!(owner.expired(9), [""; 0]);
    assert_eq!(owner.expired(10), ["1/b"]);
    assert_eq!(owner.expired(30), ["1/b", "2/c", "1/a"]);
    assert_eq!(
        owner
            .store
            .expired(30, 1)
            .and_then(Many::all)
            .unwrap()
            .len(),
        1
    );
    // A pause holds back claims, not the end of leases.
    owner.commit([two.append_as(|record| record.status = Status::Paused)]);
    assert_eq!(owner.expired(20), ["1/b", "2/c"]);
}

pub fn holders_of_leases_are_named_once(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    assert_eq!(
        owner.store.lease_holders().and_then(Many::all).unwrap(),
        [""; 0]
    );
    let items = ["a", "b", "c", "d"].map(|node| one.enqueue(node, 0));
    owner.commit([one.append(items)]);
    assert_eq!(
        owner.store.lease_holders().and_then(Many::all).unwrap(),
        [""; 0]
    );
    let by_another = ItemChange::Lease {
        node_id: "c".into(),
        lease: Lease {
            worker_id: "w0".into(),
            fence: 2,
            expires_at: 10,
            request_id: None,
        },
    };
    owner.commit([one.append([lease("a", 30), lease("b", 20), by_another])]);
    assert_eq!(
        owner.store.lease_holders().and_then(Many::all).unwrap(),
        ["w0", "w1"]
    );
    owner.commit([one.append([remove("c"), one.dead_letter("a")])]);
    assert_eq!(
        owner.store.lease_holders().and_then(Many::all).unwrap(),
        ["w1"]
    );
}

pub fn law7_a_request_finds_what_it_has_claimed(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    let by = |node: &str, worker_id: &str, request_id: Option<&str>| ItemChange::Lease {
        node_id: node.into(),
        lease: Lease {
            worker_id: worker_id.into(),
            fence: 2,
            expires_at: START + 10,
            request_id: request_id.map(Into::into),
        },
    };
    let claimed_by = |owner: &mut Owner, worker_id: &str, request_id: &str| -> Vec<String> {
        let found = owner.store.claimed_by(worker_id, request_id);
        let found = found.and_then(Many::all).expect("the store answers");
        let lease = |record: &ItemRecord| record.state.lease().cloned();
        for lease in found.iter().filter_map(lease) {
            assert_eq!(lease.request_id.as_deref(), Some(request_id));
        }
        found.into_iter().map(|it| it.item.node_id).collect()
    };
    let nodes = ["d", "c", "b", "a"];
    owner.commit([one.append(nodes.map(|node| one.enqueue(node, 0)))]);
    owner.commit([
        one.append([
            by("d", "w1", Some("r1")),
            by("c", "w2", Some("r1")),
            by("b", "w1", Some("r2")),
            by("a", "w1", None),
        ]),
        two.append([ItemChange::Enqueue {
            item: two.item("e", 0),
            at: START,
            lease: Some(Lease {
                worker_id: "w1".into(),
                fence: 2,
                expires_at: START + 10,
                request_id: Some("r1".into()),
            }),
        }]),
    ]);
    assert_eq!(claimed_by(&mut owner, "w1", "r1"), ["d", "e"]);
    assert_eq!(claimed_by(&mut owner, "w2", "r1"), ["c"]);
    assert_eq!(claimed_by(&mut owner, "w1", "r2"), ["b"]);
    assert_eq!(claimed_by(&mut owner, "w2", "r2"), [""; 0]);
    // Settled, claimed anew, and failed for good.
    let dead = one.dead_letter("b");
    owner.commit([one.append([remove("d"), by("c", "w1", Some("r3")), dead])]);
    assert_eq!(claimed_by(&mut owner, "w1", "r1"), ["e"]);
    assert_eq!(claimed_by(&mut owner, "w2", "r1"), [""; 0]);
    assert_eq!(claimed_by(&mut owner, "w1", "r2"), [""; 0]);
    assert_eq!(claimed_by(&mut owner, "w1", "r3"), ["c"]);
}
