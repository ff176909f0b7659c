//! One damaged row does not stop the others.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::id::ExecutionId;
use crate::store::{CommitError, Damaged, ItemRecord, ListFilter, Many, StoreError};

use super::draft::{Draft, Owner, START, turn};
use super::{Damage, Place, Row};

/// Three executions, each with an item that may be claimed, one whose lease is
/// over, and a wake that is due, the first of them before the others. Its row is
/// damaged; `None` where nobody can reach it.
fn damaged(place: &dyn Place, row: Row) -> Option<(Owner, Vec<Draft>)> {
    let mut owner = Owner::new(place);
    // The numbers go on from place to place of one law: no id comes twice.
    let first = match row {
        Row::Items => 1,
        Row::Record => 11,
    };
    let mut drafts: Vec<Draft> = (first..first + 3).map(Draft::new).collect();
    for (at, draft) in (START + u64::from(first)..).zip(&mut drafts) {
        draft.record.next_wake = Some(at);
        let items = [draft.enqueue("a", at), draft.enqueue_leased("b", at)];
        owner.commit([draft.append(items)]);
    }
    match place.damage(row, drafts[0].id()) {
        Damage::Done => Some((owner, drafts)),
        Damage::OutOfReach => None,
    }
}

pub fn one_that_is_damaged_does_not_stop_the_others(place: &dyn Place) {
    // The first of all items is a damaged one.
    for row in [Row::Items, Row::Record] {
        let Some((mut owner, drafts)) = damaged(place, row) else {
            return;
        };
        let (first, others) = (drafts[0].id(), [drafts[1].id(), drafts[2].id()]);
        let found = |of: Vec<ExecutionId>| {
            let of_this: Vec<_> = of.into_iter().filter(|id| others.contains(id)).collect();
            assert_eq!(of_this, others, "{row:?}");
        };
        let (store, now) = (&mut owner.store, START + 999);
        let of = |many: &Many<ItemRecord>| {
            let ids = many.found.iter().map(|it| it.item.execution_id.parse());
            ids.collect::<Result<Vec<_>, _>>().expect("ids")
        };
        let claimable = store.claimable("default", "tool", now, 100).unwrap();
        let expired = store.expired(now, 100).unwrap();
        found(of(&claimable));
        found(of(&expired));
        let due = store.due(now, None, 100).unwrap();
        found(due.found.iter().map(|wake| wake.execution).collect());
        let listed = store.list(&ListFilter {
            max: 100,
            ..ListFilter::default()
        });
        let listed = listed.unwrap();
        found(listed.found.iter().map(|record| record.id).collect());

        // It is named, and nothing of it is given as if it could be read.
        let names = |damaged: &[Damaged]| damaged.iter().any(|it| it.execution == Some(first));
        match row {
            Row::Record => {
                assert!(names(&listed.damaged), "{listed:?}");
                assert!(listed.found.iter().all(|record| record.id != first));
                let one = store.execution(first);
                assert!(matches!(one, Err(StoreError::Corrupt { .. })), "{one:?}");
            }
            Row::Items => {
                for many in [&claimable, &expired, &store.items(first).unwrap()] {
                    assert!(names(&many.damaged), "{many:?}");
                    assert!(!of(many).contains(&first), "{many:?}");
                }
            }
        }
        // A bound counts those that can be read.
        let bounded = [
            store.claimable("default", "tool", now, 1).unwrap(),
            store.expired(now, 1).unwrap(),
        ];
        for many in bounded {
            assert_eq!(many.found.len(), 1, "{many:?}");
            assert!(row == Row::Record || of(&many) == [others[0]], "{many:?}");
        }
    }
}

pub fn a_turn_of_the_others_is_written_beside_one_that_is_damaged(place: &dyn Place) {
    let Some((mut owner, mut drafts)) = damaged(place, Row::Record) else {
        return;
    };
    // With the damaged one, nothing is written, and it is named.
    let (damaged, others) = drafts.split_at_mut(1);
    let heads = [others[0].record.clone(), others[1].record.clone()];
    let mut of_the_others = others.to_vec();
    let with = damaged[0].append([]);
    let changes = of_the_others.iter_mut().map(|draft| draft.append([]));
    let refused = owner.try_commit(&turn(changes.chain([with])));
    let first = damaged[0].id();
    assert!(
        matches!(&refused, Err(CommitError::Damaged { execution, .. }) if *execution == first),
        "{refused:?}"
    );
    for before in &heads {
        assert_eq!(
            owner.store.execution(before.id).unwrap().as_ref(),
            Some(before)
        );
    }
    // Without it, all is.
    owner.commit(others.iter_mut().map(|draft| draft.append([])));
    for draft in others {
        let stored = owner.store.execution(draft.id()).unwrap();
        assert_eq!(stored.as_ref(), Some(&draft.record));
    }
}
