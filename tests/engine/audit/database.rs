//! What is done to a database, and what the audit says.

use refrain::replay::Verdict::{self, Clean, Divergent, Tampered};

use crate::audit::ledger::{Ledger, command_line, concluded};

#[test]
fn what_nobody_touched_is_clean() {
    let ledger = Ledger::new();
    let audit = ledger.audit();
    assert_eq!(concluded(&audit), (Clean, None), "{audit:#?}");
    assert_eq!(audit.events, ledger.len());
    assert!(audit.decisions > 6, "{audit:?}");
}

#[test]
fn law4_every_changed_byte_of_an_event_s_row_is_found() {
    let ledger = Ledger::new();
    let db = ledger.connection();
    let mut store = ledger.store();
    for column in ["plain", "erasable", "salt", "hash"] {
        for sequence in 1..=ledger.len() {
            let read = format!("SELECT {column} FROM events WHERE sequence = ?1");
            let write = format!("UPDATE events SET {column} = ?2 WHERE sequence = ?1");
            let original: Vec<u8> = db
                .query_row(&read, [sequence as i64], |row| row.get(0))
                .expect("it is there");
            for place in 0..original.len() {
                let mut changed = original.clone();
                changed[place] ^= 1 << (place % 8);
                db.execute(&write, (sequence as i64, &changed))
                    .expect("it is changed");
                let audit = ledger.audit_with(&mut store);
                assert_eq!(
                    concluded(&audit),
                    (Tampered, Some(sequence)),
                    "byte {place} of {column}: {audit:#?}"
                );
            }
            db.execute(&write, (sequence as i64, &original))
                .expect("it is put back");
        }
    }
    assert_eq!(concluded(&ledger.audit()), (Clean, None));
}

#[test]
fn law1_law4_rows_that_are_deleted_swapped_or_inserted_are_named() {
    for n in 1..=Ledger::new().len() {
        let delete = format!("DELETE FROM events WHERE sequence = {n}");
        let cut = format!("DELETE FROM events WHERE sequence >= {n}");
        let close_the_gap =
            format!("{delete}; UPDATE events SET sequence = sequence - 1 WHERE sequence > {n}");
        let swap = format!(
            "UPDATE events SET sequence = -1 WHERE sequence = {n};
             UPDATE events SET sequence = {n} WHERE sequence = {n} + 1;
             UPDATE events SET sequence = {n} + 1 WHERE sequence = -1"
        );
        let twice = format!(
            "UPDATE events SET sequence = -sequence - 1 WHERE sequence > {n};
             UPDATE events SET sequence = -sequence WHERE sequence < 0;
             INSERT INTO events SELECT execution, {n} + 1, plain, erasable, salt, hash FROM events WHERE sequence = {n}"
        );
        let away = format!("UPDATE events SET sequence = 1000 + {n} WHERE sequence = {n}");
        for (sql, sequence) in [
            (delete, n),
            (cut, n),
            (close_the_gap, n),
            (swap, n),
            (twice, n + 1),
            (away, n),
        ] {
            let ledger = Ledger::new();
            ledger.sql(&sql);
            let audit = ledger.audit();
            assert_eq!(
                concluded(&audit),
                (Tampered, Some(sequence)),
                "{sql}: {audit:#?}"
            );
        }
    }
}

/// What is done to the store, its verdict and its sequence, and a place that differs, if any.
type Row = (&'static str, (Verdict, u64), &'static str);

/// Each of these is found where it is.
fn are_found(rows: &[Row]) {
    for (sql, (verdict, sequence), place) in rows {
        let ledger = Ledger::new();
        ledger.sql(sql);
        let audit = ledger.audit();
        assert_eq!(
            concluded(&audit),
            (*verdict, Some(*sequence)),
            "{sql}: {audit:#?}"
        );
        let places: Vec<&str> = audit
            .divergence
            .iter()
            .flat_map(|it| &it.difference)
            .map(|it| it.pointer.as_str())
            .collect();
        assert!(
            place.is_empty() || places.contains(place),
            "{sql}: {places:?}"
        );
    }
}

#[test]
fn a_head_or_a_workflow_that_is_not_the_logs_is_tampered_with() {
    let last = Ledger::new().len();
    are_found(&[
        (
            "UPDATE executions SET last_sequence = last_sequence + 1",
            (Tampered, last + 1),
            "",
        ),
        (
            "UPDATE executions SET last_sequence = last_sequence - 1",
            (Tampered, last),
            "",
        ),
        (
            "UPDATE executions SET last_hash = zeroblob(32)",
            (Tampered, last),
            "",
        ),
        (
            "UPDATE workflows SET text = replace(text, 'large', 'huge_')",
            (Tampered, 1),
            "",
        ),
        (
            "UPDATE workflows SET digest = printf('%064d', 0)",
            (Tampered, 1),
            "",
        ),
    ]);
}

#[test]
fn what_a_record_says_is_compared_with_the_log() {
    let last = Ledger::new().len();
    are_found(&[
        (
            "UPDATE executions SET status = 'completed'",
            (Divergent, last),
            "/status",
        ),
        (
            "UPDATE executions SET next_wake = 5",
            (Divergent, last),
            "/next_wake",
        ),
        (
            "UPDATE executions SET last_at = last_at + 1",
            (Divergent, last),
            "/last_at",
        ),
        (
            "UPDATE executions SET started_at = 0",
            (Divergent, last),
            "/started_at",
        ),
        (
            "UPDATE executions SET tenant = 'other'",
            (Divergent, last),
            "/tenant",
        ),
        (
            "UPDATE executions SET caller_key = 'k'",
            (Divergent, last),
            "/key",
        ),
        (
            // The file says that it keeps simulated executions.
            "PRAGMA application_id = 0x52465253",
            (Divergent, last),
            "/simulated",
        ),
        (
            "UPDATE executions SET guest_digest = 'x'",
            (Divergent, last),
            "/guest_digest",
        ),
        (
            "INSERT INTO labels SELECT tenant, 'team', 'a', key FROM executions",
            (Divergent, last),
            "/labels/0",
        ),
    ]);
}

#[test]
fn what_the_queue_says_is_compared_with_the_log() {
    let last = Ledger::new().len();
    are_found(&[
        ("DELETE FROM items", (Divergent, last), "/queue/fragile"),
        (
            "UPDATE items SET error = 'never mind'",
            (Divergent, last),
            "/queue/fragile/state/dead/error",
        ),
        (
            "UPDATE items SET attempt = 9",
            (Divergent, last),
            "/queue/fragile/attempt",
        ),
        (
            "UPDATE items SET payload = '{}'",
            (Divergent, last),
            "/queue/fragile/payload",
        ),
        (
            "UPDATE items SET state = 'waiting', error = NULL, dead_since = NULL",
            (Divergent, last),
            "/queue/fragile/state",
        ),
    ]);
}

#[test]
fn what_claims_go_by_is_checked_too() {
    for sql in [
        "UPDATE items SET held = 1 - held",
        "UPDATE items SET claimable_at = claimable_at + 1",
    ] {
        let ledger = Ledger::new();
        ledger.sql(sql);
        let audit = ledger.audit();
        assert_eq!(concluded(&audit).0, Divergent, "{sql}: {audit:#?}");
        let queue = |it: &refrain::replay::Divergence| it.difference[0].pointer == "/queue";
        assert!(audit.divergence.as_ref().is_some_and(queue), "{audit:#?}");
    }
}

#[test]
fn the_command_line_names_the_sequence_and_answers_1() {
    let ledger = Ledger::new();
    let folder = ledger.path.parent().expect("it is in a folder");
    let id = ledger.id.to_string();
    let (code, document) = command_line(folder, &[&id]);
    assert_eq!(
        (code, &document["executions"][0]["verdict"]),
        (Some(0), &"clean".into())
    );
    assert!(
        document["executions"][0]["divergence"].is_null(),
        "{document:#}"
    );
    ledger.sql("UPDATE events SET hash = zeroblob(32) WHERE sequence = 4");
    for which in ["--all", &id] {
        let (code, document) = command_line(folder, &[which]);
        let audit = &document["executions"][0];
        assert_eq!(
            (code, &audit["verdict"], &audit["execution_id"]),
            (Some(1), &"tampered".into(), &id.as_str().into())
        );
        assert_eq!(audit["divergence"]["sequence"], 4, "{document:#}");
    }
}
