//! Output is for people: where it cannot be kept, all else is written all the same.

use std::sync::Arc;

use super::*;
use crate::store::laws::draft::{Draft, turn};
use crate::store::{OutputChange, OutputPiece, OutputStream};

#[test]
fn damaged_output_stops_no_turn() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    let mut commit = |sql: &str, store: &mut SqliteStore| {
        file.raw().execute_batch(sql).unwrap();
        let mut turn = turn([one.append([])]);
        turn.outputs = vec![OutputChange {
            execution: one.id(),
            node_id: "a".to_owned(),
            attempt: 1,
            pieces: Arc::from([OutputPiece {
                stream: OutputStream::Stderr,
                start: 0,
                bytes: b"said".to_vec(),
            }]),
        }];
        store.begin().unwrap();
        store.commit(&turn).unwrap();
    };
    commit("", &mut store);
    assert_eq!(store.output(one_id(), "a", 0).unwrap().len(), 1);
    commit("UPDATE outputs SET place = -1", &mut store);
    assert_eq!(store.events(one_id(), 1, 9).unwrap().len(), 2);
    commit(
        "UPDATE outputs SET place = 10, stream = 'stdlog'",
        &mut store,
    );
    assert_eq!(store.events(one_id(), 1, 9).unwrap().len(), 3);
    let asked = store.output(one_id(), "a", 0);
    assert!(
        matches!(&asked, Err(StoreError::Corrupt { .. })),
        "{asked:?}"
    );
}

fn one_id() -> ExecutionId {
    Draft::new(1).id()
}
