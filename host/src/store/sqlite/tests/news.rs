//! What is new is told once, to each who asks, and nothing else is.

use super::*;
use crate::store::SeenUpTo;
use crate::store::laws::draft::{Draft, turn};

#[test]
fn only_logs_that_have_grown_are_named() {
    let (file, mut one, mut two) = (File::new(), Draft::new(1), Draft::new(2));
    let (mut store, mut watches) = (file.store(), file.store());
    let mut commit = |changes: Vec<_>| {
        store.begin().unwrap();
        store.commit(&turn(changes)).unwrap();
    };
    let (all, seen) = watches.changed_since(SeenUpTo::NOTHING_YET).unwrap();
    assert_eq!(all, None, "before the first look everything is new");
    assert_eq!(watches.changed_since(seen).unwrap().0, Some(Vec::new()));
    commit(vec![one.append([])]);
    commit(vec![one.append([]), two.append([])]);
    let (mut appended, seen) = watches.changed_since(seen).unwrap();
    appended.as_mut().unwrap().sort();
    assert_eq!(appended, Some(vec![one.id(), two.id()]), "each once");
    assert_eq!(
        watches.changed_since(seen).unwrap(),
        (Some(Vec::new()), seen)
    );
    commit(vec![two.append([])]);
    assert_eq!(watches.changed_since(seen).unwrap().0, Some(vec![two.id()]));
}

#[test]
fn a_file_that_holds_less_than_was_seen_may_be_new_as_a_whole() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    store.begin().unwrap();
    store.commit(&turn([one.append([])])).unwrap();
    let (_, seen) = store.changed_since(SeenUpTo::NOTHING_YET).unwrap();
    file.raw().execute("DELETE FROM events", []).unwrap();
    let (appended, seen) = store.changed_since(seen).unwrap();
    assert_eq!(appended, None);
    assert_eq!(store.changed_since(seen).unwrap().0, Some(Vec::new()));
}

#[test]
fn one_that_is_set_aside_is_named_though_nothing_was_appended() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    store.begin().unwrap();
    store.commit(&turn([one.append([])])).unwrap();
    let (_, seen) = store.changed_since(SeenUpTo::NOTHING_YET).unwrap();
    assert_eq!(store.changed_since(seen).unwrap().0, Some(Vec::new()));
    let set_aside =
        "UPDATE executions SET tampered_sequence = 1, tampered_message = 'it does not hold'";
    file.raw().execute(set_aside, []).unwrap();
    assert_eq!(store.changed_since(seen).unwrap().0, Some(vec![one.id()]));
    let plan = format!("EXPLAIN QUERY PLAN {}", super::super::news::SET_ASIDE);
    let plan: String = file.raw().query_row(&plan, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("executions_set_aside"), "{plan}");
}
