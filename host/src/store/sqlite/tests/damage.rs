//! Locks, full disks, damage: each is named, and nothing is lost.

use std::time::Instant;

use super::*;
use crate::model::Status;
use crate::store::laws::draft::{Draft, snapshot, turn};
use crate::store::{Damaged, ItemChange, check};

/// A file with one execution of three events and one item.
fn file_of_three() -> (File, Draft) {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    for items in [vec![one.enqueue("a", 0)], vec![], vec![]] {
        store.begin().unwrap();
        store.commit(&turn([one.append(items)])).unwrap();
    }
    drop(store);
    (file, one)
}

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
    assert_eq!(other.last_at(false).unwrap(), 0);
    store.rollback();
    other.begin().unwrap();
}

#[test]
fn law3_an_owner_that_dies_within_a_turn_leaves_nothing() {
    let (file, mut one) = file_of_three();
    let mut store = file.store();
    store.begin().unwrap();
    let change = one.clone().append([]);
    let bytes = check::turn(&turn([change.clone()]), "").unwrap();
    assert!(
        turn::write(
            &store.connection,
            &mut store.records,
            &turn([change]),
            &bytes,
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
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.connection.query_row(&sql, [], |_| Ok(())).unwrap();
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
    let cases: [(&str, Seen, &str); 6] = [
        (
            "UPDATE events SET bytes = x'00ff' WHERE sequence = 2",
            &[(1, 32), (2, 32), (3, 32)],
            "event 2: byte 0, field `sequence`: 8 bytes should follow, and 2 do",
        ),
        (
            "UPDATE events SET hash = x'00' WHERE sequence = 3",
            &[(1, 32), (2, 32), (3, 1)],
            "event 3: the length of its hash is 1, not 32",
        ),
        (
            "UPDATE events SET bytes = (SELECT bytes FROM events WHERE sequence = 3) WHERE sequence = 2",
            &[(1, 32), (2, 32), (3, 32)],
            "event 2 says of itself that it is event 3",
        ),
        (
            "DELETE FROM events WHERE sequence = 2",
            &[(1, 32), (3, 32)],
            "",
        ),
        (
            "UPDATE events SET sequence = 9 WHERE sequence = 1",
            &[(2, 32), (3, 32), (9, 32)],
            "event 9 says of itself that it is event 1",
        ),
        (
            "UPDATE events SET bytes = CAST('text' AS BLOB) WHERE sequence = 1",
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
    for edit in [
        "UPDATE executions SET status = 'melted'",
        "UPDATE executions SET last_hash = x'00'",
        "UPDATE executions SET last_at = -1",
        "UPDATE executions SET id = 'exec_1'",
    ] {
        let (file, _) = file_of_three();
        file.raw().execute(edit, []).unwrap();
        let listed = file.store().list(&all()).unwrap();
        assert_eq!((listed.found.len(), listed.damaged.len()), (0, 1), "{edit}");
        let error = listed.all().unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { place, .. } if place.contains("row 1 of `executions`")),
            "{edit}: {error}"
        );
    }
}

fn all() -> ListFilter {
    ListFilter {
        max: 9,
        ..ListFilter::default()
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
        let found = store.claimable(false, "tool", 5000, 1).unwrap();
        second(found.found.iter().map(of).collect(), found.damaged.len());
        let found = store.expired(false, 5000, 1).unwrap();
        second(found.found.iter().map(of).collect(), found.damaged.len());
        let found = store.due(false, 5000, None, 1).unwrap();
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
        "INSERT INTO events SELECT 1, 4, bytes, hash FROM events WHERE sequence = 3",
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
    let waiting = store.claimable(false, "tool", 5000, 9).unwrap();
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

#[test]
fn a_damaged_page_is_named() {
    let (file, one) = file_of_three();
    let number = |sql: &str| {
        let number: u32 = file.raw().query_row(sql, [], |row| row.get(0)).unwrap();
        number as usize
    };
    let root = number("SELECT rootpage FROM sqlite_schema WHERE name = 'events'");
    let size = number("PRAGMA page_size");
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[(root - 1) * size..root * size].fill(0xee);
    std::fs::write(file.path(), bytes).unwrap();
    let error = file.store().raw_events(one.id(), 1, 10).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    // The rest can still be read.
    assert_eq!(file.store().execution(one.id()).unwrap(), Some(one.record));
}

/// The file, with all pages of this table overwritten that hold rows; how many.
fn overwrite_leaves(file: &File, table: &str, which: std::ops::Range<usize>) -> usize {
    let pages: Vec<u32> = {
        let raw = file.raw();
        let sql = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
        let mut select = raw.prepare(sql).unwrap();
        let rows = select.query_map([table], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    };
    let mut bytes = std::fs::read(file.path()).unwrap();
    let pages = &pages[which.start..which.end.min(pages.len())];
    for page in pages.iter().map(|page| *page as usize) {
        bytes[(page - 1) * 4096..page * 4096].fill(0xee);
    }
    std::fs::write(file.path(), bytes).unwrap();
    pages.len()
}

/// So many executions that their records and items fill several pages, each with
/// an item that may be claimed and one that is leased.
fn file_of_many() -> (File, Vec<Draft>) {
    let file = File::new();
    let mut store = file.store();
    let mut drafts: Vec<Draft> = (1..=60).map(Draft::new).collect();
    for (n, draft) in drafts.iter_mut().enumerate() {
        let change = draft.append([
            draft.enqueue("a", n as u64),
            draft.enqueue_leased("b", 20 + n as u64),
        ]);
        store.begin().unwrap();
        store.commit(&turn([change])).unwrap();
    }
    (file, drafts)
}

#[test]
fn a_damaged_page_hides_only_its_own_rows() {
    for table in ["executions", "items"] {
        let (file, drafts) = file_of_many();
        assert_eq!(overwrite_leaves(&file, table, 0..1), 1);
        let mut store = file.store();
        let named = |damaged: &[Damaged]| {
            let ids: Vec<_> = damaged.iter().filter_map(|it| it.execution).collect();
            assert_eq!(
                ids.len(),
                damaged.len(),
                "{table}: all can be named: {damaged:?}"
            );
            ids
        };
        let of = |item: &ItemRecord| item.item.execution_id.parse::<ExecutionId>().unwrap();
        let questions = [
            store.claimable(false, "tool", 5000, 99).unwrap(),
            store.expired(false, 5000, 99).unwrap(),
        ];
        for many in &questions {
            let mut ids = named(&many.damaged);
            assert!(
                !ids.is_empty() && !many.found.is_empty(),
                "{table}: {many:?}"
            );
            ids.extend(many.found.iter().map(of));
            ids.sort_unstable();
            let all: Vec<_> = drafts.iter().map(Draft::id).collect();
            assert_eq!(ids, all, "{table}: each is found or named");
        }
        // The bound counts what can be read.
        let first = store.claimable(false, "tool", 5000, 1).unwrap();
        assert_eq!(first.found.len(), 1, "{table}");
        let listed = store.list(&ListFilter { max: 99, ..all() }).unwrap();
        assert_eq!(listed.found.len() + named(&listed.damaged).len(), 60);
        assert_eq!(listed.damaged.is_empty(), table == "items");
        // In pages, too, each comes once.
        let after = listed.found.get(3).map(|it| (it.started_at, it.id));
        let rest = store
            .list(&ListFilter {
                max: 99,
                after,
                status: None,
            })
            .unwrap();
        assert_eq!(rest.found, listed.found[4..]);
    }
}

/// SQLite writes nothing more in a transaction that has read a damaged page.
#[test]
fn a_damaged_page_that_was_read_within_a_turn_is_not_laid_to_others() {
    let (file, mut drafts) = file_of_many();
    assert_eq!(overwrite_leaves(&file, "items", 0..1), 1);
    let mut store = file.store();
    let first = drafts[0].id();
    let last = drafts.last_mut().unwrap();
    store.begin().unwrap();
    assert!(store.items(first).is_err());
    store.commit(&turn([last.append([])])).unwrap();
    assert_eq!(
        store.execution(last.id()).unwrap(),
        Some(last.record.clone())
    );
    // A snapshot that has no place is no reason either.
    store.begin().unwrap();
    store.commit(&turn([last.append([])])).unwrap();
    assert_eq!(overwrite_leaves(&file, "snapshots", 0..1), 1);
    let mut store = file.store();
    let mut with = turn([last.append([])]);
    with.snapshots.push(snapshot(last, b"state"));
    store.begin().unwrap();
    store.commit(&with).unwrap();
    assert_eq!(
        store.execution(last.id()).unwrap(),
        Some(last.record.clone())
    );
}

#[test]
fn what_all_questions_go_through_is_named_as_the_whole() {
    for (tree, ask) in [
        (
            "executions_by_wake",
            (|store| store.due(false, 9, None, 9).map(drop)) as fn(&mut SqliteStore) -> _,
        ),
        ("items_leased", |store| store.lease_holders(false).map(drop)),
        ("items_claimable", |store| {
            store.claimable(false, "tool", 9, 9).map(drop)
        }),
        ("clocks", |store| store.last_at(false).map(drop)),
    ] {
        let (file, _) = file_of_many();
        assert!(overwrite_leaves(&file, tree, 0..9) > 0);
        let error = ask(&mut file.store()).unwrap_err();
        assert!(
            matches!(error, StoreError::Malformed { .. }),
            "{tree}: {error}"
        );
        assert!(!error.is_of_one(), "{tree}");
    }
}

/// The rows that it leads to are there all the same.
#[test]
fn a_list_without_its_index_is_in_order_and_says_so() {
    let (file, drafts) = file_of_many();
    let listed = |of: ListFilter| {
        let listed = file.store().list(&of).unwrap();
        let ids: Vec<_> = listed.found.iter().map(|it| it.id).collect();
        (ids, listed.found, listed.damaged)
    };
    let every = ListFilter { max: 99, ..all() };
    let (ids, found, _) = listed(every.clone());
    assert_eq!(ids.len(), drafts.len());
    assert!(overwrite_leaves(&file, "executions_by_start", 0..9) > 0);
    let (anew, _, damaged) = listed(every.clone());
    assert_eq!(anew, ids);
    let [damaged] = &damaged[..] else {
        panic!("{damaged:?}");
    };
    assert!(
        damaged
            .to_string()
            .contains("`executions_by_start` is damaged")
    );
    // In pages, too.
    let third = &found[2];
    let after = ListFilter {
        after: Some((third.started_at, third.id)),
        max: 5,
        ..every.clone()
    };
    assert_eq!(listed(after).0, ids[3..8]);
    let none = ListFilter {
        status: Some(Status::Failed),
        ..every
    };
    assert!(listed(none).0.is_empty());
}
