//! Questions about time and queues cost what they return, not what is stored.

use rusqlite::types::Value;
use rusqlite::{StatementStatus, params_from_iter};

use super::*;
use crate::model::Status;
use crate::store::laws::draft::{Draft, START, lease, turn};

/// A question of every turn.
struct Question {
    sql: String,
    index: &'static str,
    of: Vec<Value>,
}

/// The questions, asked so that there is an answer: the first of all.
fn questions() -> Vec<Question> {
    let question = |sql: &str, index, of: &[Value]| Question {
        sql: sql.to_owned(),
        index,
        of: of.to_vec(),
    };
    let (default, tool) = (
        || Value::Text("default".into()),
        || Value::Text("tool".into()),
    );
    let usual = || Value::Integer(5);
    let (before, after) = (
        || Value::Integer(START as i64 - 1),
        || Value::Integer(START as i64 + 99),
    );
    vec![
        question(
            execution::DUE,
            "executions_by_wake",
            &[after(), Value::Integer(0), Value::Text(String::new())],
        ),
        question(
            execution::DUE,
            "executions_by_wake",
            &[after(), before(), Value::Text("exec_".into())],
        ),
        question(execution::NEXT_WAKE, "executions_by_wake", &[before()]),
        question(
            &queue::select(queue::CLAIMABLE),
            "items_claimable",
            &[default(), tool(), usual(), after()],
        ),
        question(
            queue::URGENCY,
            "items_claimable",
            &[default(), tool(), Value::Integer(10)],
        ),
        question(
            queue::QUEUE,
            "items_claimable",
            &[default(), Value::Text(String::new())],
        ),
        question(&queue::select(queue::EXPIRED), "items_leased", &[after()]),
        question(&queue::select(queue::DEAD), "items_dead", &[before()]),
        question(
            queue::NEXT_CLAIMABLE,
            "items_claimable",
            &[default(), tool(), usual(), before()],
        ),
        question(queue::NEXT_EXPIRY, "items_leased", &[before()]),
    ]
}

#[test]
fn every_question_has_its_index() {
    let file = File::new();
    let store = file.store();
    for Question { sql, index, of } in questions() {
        let mut explain = store
            .reader
            .database
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let rows = explain
            .query_map(params_from_iter(of), |row| row.get("detail"))
            .unwrap();
        let plan: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
        assert!(
            plan[0].starts_with("SEARCH ") && plan[0].contains(&format!("INDEX {index} ")),
            "{sql}: {plan:?}"
        );
        assert!(
            !plan
                .iter()
                .any(|step| step.contains("SCAN") || step.contains("TEMP")),
            "{sql}: {plan:?}"
        );
    }
}

/// An execution with an item that may be claimed, one that is leased, and a
/// wake that is due.
fn busy(n: u32) -> Draft {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Draft::new(1).with(|record| {
        record.id = ExecutionId::from_bytes(bytes);
        record.next_wake = Some(START + 10);
    })
}

fn fill(store: &mut SqliteStore, numbers: std::ops::Range<u32>, status: Status) {
    let changes = numbers.map(|n| {
        let mut draft = busy(n);
        draft.record.status = status;
        draft.append([
            draft.enqueue("a", START + 1),
            draft.enqueue("b", START),
            lease("b", START + 20),
            draft.dead_letter("c"),
        ])
    });
    store.begin().unwrap();
    store.commit(&turn(changes)).unwrap();
}

/// The steps of SQLite's machine that it takes to answer.
fn steps(store: &SqliteStore, Question { sql, of, .. }: Question) -> i32 {
    let mut statement = store.reader.database.connection.prepare(&sql).unwrap();
    let rows = statement
        .query_map(params_from_iter(of), |_| Ok(()))
        .unwrap();
    assert_eq!(rows.take(1).count(), 1, "{sql}");
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_question_costs_the_same_among_thousands() {
    let file = File::new();
    let mut store = file.store();
    fill(&mut store, 0..2, Status::Running);
    let few: Vec<i32> = questions()
        .into_iter()
        .map(|question| steps(&store, question))
        .collect();
    // Those that run come after them in every order, and those that are held
    // or have ended stand before them.
    fill(&mut store, 1000..3000, Status::Running);
    for status in [Status::Paused, Status::Stalled, Status::Completed] {
        let base = 10_000 * (status as u32 + 1);
        fill(&mut store, base..base + 1000, status);
    }
    let many: Vec<i32> = questions()
        .into_iter()
        .map(|question| steps(&store, question))
        .collect();
    assert_eq!(few, many);
    assert!(few.iter().all(|steps| *steps < 100), "{few:?}");
}

/// Turn after turn the same statements, and never a new plan for one.
#[test]
fn no_statement_is_prepared_anew() {
    let file = File::new();
    let store = file.store();
    for Question { sql, of, .. } in questions() {
        let mut statement = store.reader.database.connection.prepare(&sql).unwrap();
        for value in [1, 7, -1] {
            let mut of = of.clone();
            *of.last_mut().unwrap() = Value::Integer(value);
            let rows = statement
                .query_map(params_from_iter(of), |_| Ok(()))
                .unwrap();
            rows.for_each(|row| row.unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
    }
}
