//! What labels cost: who has none pays nothing, and who asks for them pays for what is found.

use rusqlite::StatementStatus;

use super::*;
use crate::store::sqlite::labels::{HAVE, HAVE_ANY};

/// The rows that a start changes.
fn rows_of_start(labels: &[(&str, &str)]) -> u64 {
    let file = File::new();
    let mut store = file.store();
    let before = store.reader.database.connection.total_changes();
    store.begin().unwrap();
    let mut draft = Draft::new(1).labelled(labels);
    store.commit(&turn([draft.append([])])).unwrap();
    store.reader.database.connection.total_changes() - before
}

#[test]
fn an_execution_without_labels_writes_nothing_for_them() {
    // Its record, its event, and the clock's row.
    assert_eq!(rows_of_start(&[]), 3);
    assert_eq!(rows_of_start(&[("a", "1"), ("b", "2")]), 5);
}

#[test]
fn executions_of_a_label_cost_the_same_among_thousands() {
    let file = File::new();
    let mut store = file.store();
    let fill = |store: &mut SqliteStore, numbers: std::ops::Range<u32>, value: &str| {
        let drafts = numbers.map(|n| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            let draft = Draft::new(1).with(|record| record.id = ExecutionId::from_bytes(bytes));
            draft.labelled(&[("team", value)]).append([])
        });
        store.begin().unwrap();
        store.commit(&turn(drafts)).unwrap();
    };
    let steps = |store: &SqliteStore| {
        let sql = format!("SELECT id FROM executions NOT INDEXED WHERE {HAVE} ORDER BY started_at");
        let mut statement = store.reader.database.connection.prepare(&sql).unwrap();
        let rows = statement.query_map(["team", "a"], |_| Ok(())).unwrap();
        assert_eq!(rows.count(), 3);
        statement.get_status(StatementStatus::VmStep)
    };
    fill(&mut store, 0..3, "a");
    let few = steps(&store);
    fill(&mut store, 10..3000, "b");
    // Where others follow, one step more finds that they are others.
    let many = steps(&store);
    assert!(many < few + 10, "{few} steps became {many}");
    for condition in [HAVE, HAVE_ANY] {
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT id FROM executions NOT INDEXED WHERE {condition}");
        let mut explain = store.reader.database.connection.prepare(&sql).unwrap();
        let of: &[&str] = if condition == HAVE {
            &["team", "a"]
        } else {
            &["team"]
        };
        let rows = explain.query_map(rusqlite::params_from_iter(of), |row| row.get("detail"));
        let plan: Vec<String> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN executions")),
            "{plan:?}"
        );
    }
}
