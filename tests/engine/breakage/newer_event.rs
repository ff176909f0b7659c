//! A log holds an event that only a newer program knows: its execution is set
//! aside as that, nothing of it is changed, and all others go on.

use refrain::log::canonical::Canonical;
use refrain::log::{Hash, Salt, chain, packed};
use rusqlite::{Connection, Row};

use super::ground::{DATABASE, Ground};

/// Give the second event of this execution a kind that nobody knows yet, as a
/// newer program would have written it: chained, with all that comes after it.
fn written_by_a_newer_program(file: &Connection, execution: &str) {
    let key: i64 = file
        .query_row(
            "SELECT key FROM executions WHERE id = ?1",
            [execution],
            |row| row.get(0),
        )
        .expect("it is there");
    let unpacked = |packed: Vec<u8>| packed::unpack(&packed).expect("they are packed");
    let event = |row: &Row<'_>| {
        let bytes = Canonical {
            plain: unpacked(row.get(1)?),
            erasable: unpacked(row.get(2)?),
        };
        Ok((row.get::<_, i64>(0)?, bytes, row.get::<_, Salt>(3)?))
    };
    let sql =
        "SELECT sequence, plain, erasable, salt FROM events WHERE execution = ?1 ORDER BY sequence";
    let mut select = file.prepare(sql).expect("a statement");
    let events = select.query_map([key], event).expect("events");
    let mut head: Hash = chain::START;
    for event in events {
        let (sequence, mut bytes, salt) = event.expect("an event");
        if sequence == 2 {
            let (known, newer) = (b"interrupt_raised", b"interrupt_melted");
            let place = bytes.plain.windows(known.len()).position(|it| it == known);
            let place = place.expect("it waits for somebody from the start");
            bytes.plain[place..place + known.len()].copy_from_slice(newer);
        }
        head = chain::link_of(&head, &bytes, &salt);
        let write =
            "UPDATE events SET plain = ?1, hash = ?2 WHERE execution = ?3 AND sequence = ?4";
        file.execute(write, (packed::pack(&bytes.plain), head, key, sequence))
            .expect("it is written");
    }
    file.execute(
        "UPDATE executions SET last_hash = ?1 WHERE key = ?2",
        (head, key),
    )
    .expect("the record follows");
}

/// All that is stored of an execution's log.
fn log(file: &Connection, execution: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let sql = "SELECT plain, hash FROM events JOIN executions ON execution = key WHERE id = ?1 ORDER BY sequence";
    let mut select = file.prepare(sql).expect("a statement");
    let rows = select.query_map([execution], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("events")
        .collect::<Result<_, _>>()
        .expect("events")
}

#[test]
fn an_event_of_a_newer_program_sets_its_execution_aside_and_nothing_else() {
    let ground = Ground::new();
    let [one, two] = ground.waiting();
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    written_by_a_newer_program(&file, one);
    let before = log(&file, one);
    drop(file);
    let approved = ground.types(&["approve", one, "gate"]);
    assert_eq!(approved.code, Some(2), "{approved:?}");
    assert!(
        approved.err.contains("interrupt_melted")
            && approved.err.contains("newer than this program"),
        "{approved:?}"
    );
    // All others go on.
    let approved = ground.types(&["approve", two, "gate"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let resumed = ground.types(&["resume"]);
    assert!(
        resumed.out.contains(two) && resumed.out.contains("completed"),
        "{resumed:?}"
    );
    assert!(
        resumed.out.contains("newer than this program"),
        "{resumed:?}"
    );
    // It is neither good nor bad, and an audit says so.
    let audit = ground.types(&["audit", one, two]);
    assert_eq!(audit.code, Some(2), "{audit:?}");
    assert!(
        audit.out.contains("newer") && audit.out.contains("clean"),
        "{audit:?}"
    );
    // Not even a mark is made.
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    assert_eq!(log(&file, one), before);
    let marked =
        "SELECT count(*) FROM executions WHERE tampered_sequence IS NOT NULL OR status = 'stalled'";
    let marked: i64 = file
        .query_row(marked, [], |row| row.get(0))
        .expect("a count");
    assert_eq!(marked, 0);
}
