//! Locks, full disks, damage: each is named, and nothing is lost.

use std::time::Instant;

use super::*;
use crate::store::laws::draft::{Draft, snapshot, turn};
use crate::store::{ItemChange, check};

#[test]
fn a_lock_is_waited_for_but_not_for_ever() {
    let file = File::new();
    let (mut store, mut other) = (file.store(), file.store());
    store.begin().unwrap();
    let begun = Instant::now();
    let error = other.begin().unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(
        begun.elapsed() >= Duration::from_millis(50) && begun.elapsed() < Duration::from_secs(3)
    );
    // Reading needs no lock.
    assert_eq!(other.last_at([0, 0]).unwrap(), 0);
    store.rollback();
    other.begin().unwrap();
}

#[test]
fn law3_an_owner_that_dies_within_a_turn_leaves_nothing() {
    let (file, mut one) = file_of_three();
    let mut store = file.store();
    store.begin().unwrap();
    let change = one.clone().append([]);
    check::turn(&turn([change.clone()]), "", false).unwrap();
    assert!(
        turn::write(
            &store.reader.database.connection,
            &mut store.records,
            &turn([change]),
            true
        )
        .is_ok()
    );
    drop(store);
    let mut store = file.store();
    assert_eq!(store.raw_events(one.id(), 1, 10).unwrap().len(), 3);
    store.begin().unwrap();
    store.commit(&turn([one.append([])])).unwrap();
}

#[test]
fn a_full_disk_loses_nothing() {
    let (file, mut one) = file_of_three();
    let mut store = file.store();
    let pages: i64 = store
        .reader
        .database
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store
            .reader
            .database
            .connection
            .query_row(&sql, [], |_| Ok(()))
            .unwrap();
    };
    limit(&store, pages);
    let mut item = one.item("big", 0);
    item.payload = "7".repeat(1 << 20);
    let change = one.append([ItemChange::Enqueue {
        item,
        at: 0,
        lease: None,
    }]);
    store.begin().unwrap();
    let error = store.commit(&turn([change.clone()])).unwrap_err();
    assert!(
        matches!(error, CommitError::Failed(StoreError::Full { .. })),
        "{error}"
    );
    assert_eq!(store.raw_events(one.id(), 1, 10).unwrap().len(), 3);
    // And with room it goes on.
    limit(&store, 1 << 20);
    store.begin().unwrap();
    store.commit(&turn([change])).unwrap();
    assert_eq!(store.raw_events(one.id(), 1, 10).unwrap().len(), 4);
}

#[test]
fn law4_a_changed_row_is_shown_as_it_is() {
    type Seen = &'static [(u64, usize)];
    let cases: [(&str, Seen, &str); 8] = [
        (
            "UPDATE events SET plain = x'00ff' WHERE sequence = 2",
            &[(1, 32), (2, 32), (3, 32)],
            "event 2: byte 0, field `sequence`: 8 bytes should follow, and 2 do",
        ),
        (
            "UPDATE events SET hash = x'00' WHERE sequence = 3",
            &[(1, 32), (2, 32), (3, 1)],
            "event 3: the length of its hash is 1, not 32",
        ),
        (
            "UPDATE events SET salt = x'0000' WHERE sequence = 3",
            &[(1, 32), (2, 32), (3, 32)],
            "event 3: the length of its salt is 2, not 16",
        ),
        (
            "UPDATE events SET erasable = x'07' WHERE sequence = 3",
            &[(1, 32), (2, 32), (3, 32)],
            "event 3: ",
        ),
        (
            "UPDATE events SET plain = (SELECT plain FROM events WHERE sequence = 3) WHERE sequence = 2",
            &[(1, 32), (2, 32), (3, 32)],
            "event 2: it says of itself that it is event 3",
        ),
        (
            "DELETE FROM events WHERE sequence = 2",
            &[(1, 32), (3, 32)],
            "",
        ),
        (
            "UPDATE events SET sequence = 9 WHERE sequence = 1",
            &[(2, 32), (3, 32), (9, 32)],
            "event 9: it says of itself that it is event 1",
        ),
        (
            "UPDATE events SET plain = CAST('text' AS BLOB) WHERE sequence = 1",
            &[(1, 32), (2, 32), (3, 32)],
            "event 1: byte 0",
        ),
    ];
    for (edit, expected, error) in cases {
        let (file, one) = file_of_three();
        assert!(file.raw().execute(edit, []).unwrap() > 0);
        let mut store = file.store();
        let raw = store.raw_events(one.id(), 0, 10).unwrap();
        let seen: Vec<(u64, usize)> = raw
            .iter()
            .map(|raw| (raw.sequence, raw.hash.len()))
            .collect();
        assert_eq!(seen, expected, "{edit}");
        match store.events(one.id(), 0, 10) {
            Ok(events) => assert!(error.is_empty() && events.len() == expected.len(), "{edit}"),
            Err(StoreError::Corrupt { place, detail }) => {
                assert!(
                    !error.is_empty() && detail.starts_with(error),
                    "{edit}: {detail}"
                );
                assert!(place.ends_with(&one.id().to_string()), "{place}");
            }
            Err(other) => panic!("{edit}: {other}"),
        }
    }
}

#[test]
fn a_value_that_cannot_be_is_damage() {
    for (edit, expected) in [
        (
            "UPDATE executions SET status = 'melted'",
            "`status` cannot be right: \"melted\" is not",
        ),
        (
            "UPDATE executions SET last_hash = x'00'",
            "`last_hash` cannot be right: ",
        ),
        (
            "UPDATE executions SET last_at = -1",
            "`last_at` cannot be right: -1 is out of range",
        ),
        (
            "UPDATE executions SET workflow_id = CAST(x'ff' AS TEXT)",
            "`workflow_id` cannot be right: invalid utf-8",
        ),
        (
            "UPDATE executions SET id = 'exec_1'",
            "`id` cannot be right: ",
        ),
    ] {
        let (file, _) = file_of_three();
        file.raw().execute(edit, []).unwrap();
        let listed = file.store().list(&all()).unwrap();
        assert_eq!((listed.found.len(), listed.damaged.len()), (0, 1), "{edit}");
        let error = listed.all().unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { place, detail }
                if place.contains("row 1 of `executions`") && detail.contains(expected)),
            "{edit}: {error}"
        );
    }
}

/// Four executions, each with an item that may be claimed, one that is leased,
/// and a wake that is due; the first is damaged, and is asked for one at a time.
#[test]
fn a_damaged_row_takes_nobodys_place() {
    for (edit, questions) in [
        ("UPDATE items SET attempt = -1 WHERE execution = 1", "items"),
        (
            "UPDATE items SET payload = CAST(x'ff' AS TEXT) WHERE execution = 1",
            "items",
        ),
        ("UPDATE executions SET id = 'exec_1' WHERE key = 1", "all"),
        (
            "UPDATE executions SET status = 'melted' WHERE key = 1",
            "list",
        ),
        (
            "UPDATE executions SET started_at = -7 WHERE key = 1",
            "list",
        ),
    ] {
        let file = File::new();
        let mut store = file.store();
        let mut drafts: Vec<Draft> = (1..=4).map(Draft::new).collect();
        for (n, draft) in drafts.iter_mut().enumerate() {
            draft.record.next_wake = Some(10 + n as u64);
            let change = draft.append([
                draft.enqueue("a", n as u64),
                draft.enqueue_leased("b", 20 + n as u64),
            ]);
            store.begin().unwrap();
            store.commit(&turn([change])).unwrap();
        }
        assert!(file.raw().execute(edit, []).unwrap() > 0);
        let mut named = 0;
        let mut second = |found: Vec<ExecutionId>, damaged: usize| {
            if damaged > 0 {
                assert_eq!(found, [drafts[1].id()], "{edit}");
                named += 1;
            }
        };
        let of = |item: &ItemRecord| item.item.execution_id.parse().unwrap();
        let found = store.claimable("default", "tool", 5000, 1).unwrap();
        second(found.found.iter().map(of).collect(), found.damaged.len());
        let found = store.expired(5000, 1).unwrap();
        second(found.found.iter().map(of).collect(), found.damaged.len());
        let found = store.due(5000, None, 1).unwrap();
        second(
            found.found.iter().map(|wake| wake.execution).collect(),
            found.damaged.len(),
        );
        let one = ListFilter { max: 1, ..all() };
        let found = store.list(&one).unwrap();
        second(
            found.found.iter().map(|it| it.id).collect(),
            found.damaged.len(),
        );
        let expected = match questions {
            "items" => 2,
            "list" => 1,
            _ => 3,
        };
        assert_eq!(named, expected, "{edit}");
        assert_eq!(
            store.list(&all()).unwrap().found.len() + named.min(1),
            4 + usize::from(questions == "items")
        );
    }
}

#[test]
fn a_turn_that_meets_damage_names_its_execution() {
    for edit in [
        "UPDATE executions SET last_at = -1 WHERE key = 1",
        // An event stands where the next one belongs.
        "INSERT INTO events SELECT 1, 4, plain, erasable, salt, hash FROM events WHERE sequence = 3",
    ] {
        let (file, mut one) = file_of_three();
        let mut store = file.store();
        assert!(file.raw().execute(edit, []).unwrap() > 0);
        store.begin().unwrap();
        let mut two = Draft::new(2);
        let error = store
            .commit(&turn([two.append([]), one.append([])]))
            .unwrap_err();
        assert!(
            matches!(&error, CommitError::Damaged { execution, .. } if *execution == one.id()),
            "{edit}: {error}"
        );
        assert_eq!(store.execution(two.id()).unwrap(), None);
    }
}

#[test]
fn a_record_that_is_gone_leaves_nothing_to_the_next() {
    let (file, _) = file_of_three();
    file.raw()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM executions")
        .unwrap();
    let mut store = file.store();
    let mut two = Draft::new(2);
    store.begin().unwrap();
    store
        .commit(&turn([two.append([two.enqueue("a", 0)])]))
        .unwrap();
    assert_eq!(store.raw_events(two.id(), 1, 10).unwrap().len(), 1);
    let waiting = store.claimable("default", "tool", 5000, 9).unwrap();
    assert_eq!(waiting.all().unwrap().len(), 1);
}

#[test]
fn law10_a_snapshot_that_was_changed_is_not_given() {
    for edit in [
        "UPDATE snapshots SET state = x'00'",
        "UPDATE snapshots SET sequence = sequence - 1",
        "UPDATE snapshots SET head = lower(head) || '0'",
        "UPDATE snapshots SET digest = x''",
    ] {
        let (file, mut one) = file_of_three();
        let mut store = file.store();
        let mut with = turn([one.append([])]);
        with.snapshots.push(snapshot(&one, b"state"));
        store.begin().unwrap();
        store.commit(&with).unwrap();
        assert!(store.snapshot(one.id()).unwrap().is_some());
        assert!(file.raw().execute(edit, []).unwrap() > 0);
        let error = store.snapshot(one.id()).unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { .. }),
            "{edit}: {error}"
        );
    }
}
