//! Pages of the file that are damaged: each is named, and hides only its own rows.

use super::*;
use crate::model::Status;
use crate::store::Damaged;
use crate::store::laws::draft::{Draft, snapshot, turn};

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
            store.claimable("default", "tool", 5000, 99).unwrap(),
            store.expired(5000, 99).unwrap(),
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
        let first = store.claimable("default", "tool", 5000, 1).unwrap();
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
                ..all()
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
            (|store| store.due(9, None, 9).map(drop)) as fn(&mut SqliteStore) -> _,
        ),
        ("items_leased", |store| store.lease_holders().map(drop)),
        ("items_claimable", |store| {
            store.claimable("default", "tool", 9, 9).map(drop)
        }),
        ("clocks", |store| store.last_at([0, 0]).map(drop)),
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
