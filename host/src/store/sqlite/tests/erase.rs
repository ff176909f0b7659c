//! What SQLite itself keeps of deleted rows, and what is left of it.

use super::*;
use crate::log::AttestedVerdict;
use crate::model::{Digest, Status};
use crate::store::laws::draft::{Draft, remove, snapshot, turn};
use crate::store::{Attestation, Erasure, SeenUpTo, Turn};

/// Stands in all that is to be erased.
const SECRET: &str = "of Ada, Countess of Lovelace";

fn commit(store: &mut SqliteStore, turn: &Turn) {
    store.begin().unwrap();
    store.commit(turn).unwrap();
}

fn erasing(draft: &Draft) -> Turn {
    let attestation = Attestation {
        at: 1,
        verdict: AttestedVerdict::Clean,
        guest_digest: Digest::of(b"guest"),
        head: draft.record.head,
        by: "somebody".to_owned(),
        signature: None,
    };
    Turn {
        erasures: vec![Erasure {
            execution: draft.id(),
            attestation,
        }],
        ..Turn::default()
    }
}

/// Where in the file and in its log of changes a text stands.
fn found(file: &File, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(file.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let times = bytes
            .windows(text.len())
            .filter(|it| *it == text.as_bytes());
        let times = times.count();
        if times > 0 {
            found.push(format!("{} {times}", path.display()));
        }
    }
    found
}

/// An execution that has ended, whose items, snapshots and key were secret, large and
/// small, and which stands among others.
fn secretive(store: &mut SqliteStore) -> (Draft, Draft) {
    let mut one = Draft::new(1).with(|record| record.key = Some(SECRET.to_owned()));
    let mut other = Draft::new(2);
    for round in 0..20_usize {
        let mut order = one.enqueue("a", 0);
        if let crate::store::ItemChange::Enqueue { item, .. } = &mut order {
            item.payload = format!("\"{}\"", SECRET.repeat(1 + round * 40));
        }
        let mut written = turn([one.append([order]), other.append([])]);
        let state = SECRET.repeat(1 + round * 30);
        written.snapshots.push(snapshot(&one, state.as_bytes()));
        commit(store, &written);
        commit(store, &turn([one.append([remove("a")]), other.append([])]));
    }
    commit(
        store,
        &turn([one.append_as(|it| it.status = Status::Completed)]),
    );
    (one, other)
}

#[test]
fn law4_nothing_of_an_erased_log_is_left_in_the_file_or_its_log_of_changes() {
    let file = File::new();
    let (mut store, mut watches) = (file.store(), file.store());
    let (one, other) = secretive(&mut store);
    assert!(
        !found(&file, SECRET).is_empty(),
        "the secret is there at first"
    );
    let (_, seen) = watches.changed_since(SeenUpTo::NOTHING_YET).unwrap();
    commit(&mut store, &erasing(&one));
    store.purge().unwrap();
    assert_eq!(found(&file, SECRET), Vec::<String>::new());
    // It is all there for the others, and no event has another place.
    assert_eq!(store.events(other.id(), 1, 100).unwrap().len(), 40);
    assert_eq!(watches.changed_since(seen).unwrap(), (Some(vec![]), seen));
    let whole: String = file
        .raw()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn who_reads_an_older_state_keeps_the_log_of_changes_from_being_emptied() {
    let file = File::new();
    let mut store = file.store();
    let (one, _) = secretive(&mut store);
    let reader = file.raw();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM events";
    let _: i64 = reader.query_row(count, [], |row| row.get(0)).unwrap();
    commit(&mut store, &erasing(&one));
    let refused = store.purge().unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    assert!(!found(&file, SECRET).is_empty());
    reader.execute_batch("COMMIT").unwrap();
    store.purge().unwrap();
    assert_eq!(found(&file, SECRET), Vec::<String>::new());
}

#[test]
fn law4_a_log_that_was_changed_after_its_audit_is_not_erased() {
    for edit in [
        "UPDATE events SET erasable = x'00' WHERE sequence = 3",
        "UPDATE events SET salt = x'00' WHERE sequence = 3",
        "UPDATE events SET plain = x'00' WHERE sequence = 3",
        "UPDATE events SET sequence = 99 WHERE sequence = 3",
        "DELETE FROM events WHERE sequence >= 3",
    ] {
        let file = File::new();
        let mut store = file.store();
        let (one, _) = secretive(&mut store);
        assert!(file.raw().execute(edit, []).unwrap() > 0);
        let before = store.raw_events(one.id(), 0, 100).unwrap();
        store.begin().unwrap();
        match store.commit(&erasing(&one)) {
            Err(CommitError::Conflict { detail: said, .. }) => {
                assert!(said.contains("event 3 is not"), "{said}");
            }
            other => panic!("{edit}: {other:?}"),
        }
        assert_eq!(store.raw_events(one.id(), 0, 100).unwrap(), before);
    }
}
