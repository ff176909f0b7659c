//! What is done to an erased log, or to its export, and what the audit says.

use refrain::ExecutionId;
use refrain::replay::{Auditor, Verdict};
use refrain::store::Store;
use refrain_tests::engines::Place;
use rusqlite::Connection;

use super::{audit, ended, erase_one, export, library};

/// An erased execution on file, and its database as another program sees it.
async fn erased() -> (Place, ExecutionId, Connection) {
    let place = Place::file();
    let Place::File(folder) = &place else {
        panic!("it is a file");
    };
    let id = ended(&place).await;
    let db = Connection::open(folder.path().join("refrain.db")).expect("a database");
    db.execute_batch("CREATE TABLE before AS SELECT * FROM events")
        .expect("a copy");
    erase_one(place.store().as_mut(), id).expect("it has ended");
    db.execute_batch(
        "CREATE TABLE erased_events AS SELECT * FROM events;
         CREATE TABLE erased_executions AS SELECT * FROM executions",
    )
    .expect("a copy");
    (place, id, db)
}

/// Puts the erased log back.
const AS_IT_WAS: &str = "
    DELETE FROM events; INSERT INTO events SELECT * FROM erased_events;
    DELETE FROM executions; INSERT INTO executions SELECT * FROM erased_executions";

/// Events that are as they were before.
fn whole(which: &str) -> String {
    format!(
        "UPDATE events SET (erasable, salt) =
            (SELECT erasable, salt FROM before WHERE before.sequence = events.sequence) WHERE {which}"
    )
}

/// What is done, in words and to the store; the verdict, its sequence, and what is said.
type Row = (&'static str, String, Verdict, u64, &'static str);

/// Each of these is found, one after the other.
fn are_found(store: &mut dyn Store, id: ExecutionId, db: &Connection, rows: Vec<Row>) {
    for (what, sql, verdict, sequence, said) in rows {
        db.execute_batch(&sql)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let audited = audit(store, id);
        let divergence = audited.divergence.as_ref();
        let found = divergence.unwrap_or_else(|| panic!("{what}: {audited:?}"));
        assert_eq!(
            (audited.verdict, found.sequence),
            (verdict, sequence),
            "{what}: {found:?}"
        );
        assert!(found.message.contains(said), "{what}: {}", found.message);
        db.execute_batch(AS_IT_WAS).expect("it is as it was");
        assert_eq!(audit(store, id).verdict, Verdict::Erased, "{what}");
    }
}

#[tokio::test]
async fn law4_an_event_of_an_erased_log_that_is_changed_is_found() {
    let (place, id, db) = erased().await;
    let rows = vec![
        (
            "one event whole again",
            whole("sequence = 3"),
            Verdict::Tampered,
            3,
            "is not erased, and those before it are",
        ),
        (
            "all but one whole again",
            whole("sequence <> 4"),
            Verdict::Tampered,
            4,
            "is erased, and those before it are not",
        ),
        (
            "all whole again",
            whole("1"),
            Verdict::Tampered,
            1,
            "an attestation says that the log was erased",
        ),
        (
            "a commitment changed",
            "UPDATE events SET salt = zeroblob(32) WHERE sequence = 3".to_owned(),
            Verdict::Tampered,
            3,
            "event 3 was changed",
        ),
        (
            "a commitment missing",
            "UPDATE events SET salt = x'' WHERE sequence = 3".to_owned(),
            Verdict::Tampered,
            3,
            "",
        ),
        (
            "plain bytes changed",
            "UPDATE events SET plain = zeroblob(length(plain)) WHERE sequence = 3".to_owned(),
            Verdict::Tampered,
            3,
            "",
        ),
        (
            "an event removed",
            "DELETE FROM events WHERE sequence = 3".to_owned(),
            Verdict::Tampered,
            3,
            "event 3 is missing",
        ),
    ];
    are_found(place.store().as_mut(), id, &db, rows);
}

#[tokio::test]
async fn law4_what_is_said_of_an_erased_log_is_compared_with_it() {
    let (place, id, db) = erased().await;
    let mut store = place.store();
    let last = store.execution(id).expect("a store").expect("it is there");
    let last = last.head.sequence;
    let rows = vec![
        (
            "no attestation",
            "UPDATE executions SET erased = NULL".to_owned(),
            Verdict::Tampered,
            1,
            "no attestation",
        ),
        (
            "an attestation of another head",
            format!("UPDATE executions SET erased = replace(erased, '\"events\":{last}', '\"events\":{}')", last - 1),
            Verdict::Tampered,
            last - 1,
            "the attestation is of another log",
        ),
        (
            "another status",
            "UPDATE executions SET status = 'failed'".to_owned(),
            Verdict::Divergent,
            last,
            "what the store says besides the log",
        ),
        (
            "a key again",
            "UPDATE executions SET caller_key = 'k'".to_owned(),
            Verdict::Divergent,
            last,
            "what the store says besides the log",
        ),
        (
            "an end that is none",
            format!("DELETE FROM events WHERE sequence = {last};
                UPDATE executions SET last_sequence = {last} - 1,
                    last_hash = (SELECT hash FROM events WHERE sequence = {last} - 1),
                    erased = replace(replace(erased, '\"events\":{last}', '\"events\":' || ({last} - 1)),
                        '\"head\":\"' || (SELECT lower(hex(hash)) FROM before WHERE sequence = {last}),
                        '\"head\":\"' || (SELECT lower(hex(hash)) FROM events WHERE sequence = {last} - 1))"),
            Verdict::Illegal,
            last - 1,
            "only what has ended is erased",
        ),
    ];
    are_found(store.as_mut(), id, &db, rows);
}

#[tokio::test]
async fn what_is_no_export_of_an_erased_log_is_told_with_its_place() {
    let (place, id, _) = erased().await;
    let export = export(place.store().as_mut(), id);
    let lines: Vec<String> = export.split_inclusive('\n').map(str::to_owned).collect();
    let other = Place::memory();
    let whole = ended(&other).await;
    let whole = super::export(other.store().as_mut(), whole);
    let whole: Vec<&str> = whole.split_inclusive('\n').collect();
    let edited = |n: usize, from: &str, to: &str| {
        assert!(lines[n].contains(from), "{}", lines[n]);
        let mut lines = lines.clone();
        lines[n] = lines[n].replacen(from, to, 1);
        lines.concat()
    };
    let attestation = lines[0].find(",\"erased\":{").expect("an attestation");
    let attestation = lines[0][attestation..].trim_end_matches("}\n").to_owned();
    let mut mixed = lines.clone();
    mixed[4] = whole[4].to_owned();
    for (what, text, verdict, said) in [
        ("nothing", lines.concat(), Verdict::Erased, ""),
        (
            "a commitment missing",
            edited(4, "\"commitment\":", "\"commandment\":"),
            Verdict::Unreadable,
            "line 5 is no event, export the log again: field `salt`: it is missing",
        ),
        (
            "a commitment that is none",
            edited(4, "\"commitment\":\"", "\"commitment\":\"0"),
            Verdict::Unreadable,
            "line 5 is no event, export the log again: field `commitment`: ",
        ),
        (
            "a salt next to it",
            edited(
                4,
                "\"commitment\"",
                "\"salt\":\"00000000000000000000000000000000\",\"commitment\"",
            ),
            Verdict::Unreadable,
            "line 5 is no event, export the log again: field `commitment`: a salt stands next to it",
        ),
        (
            "a field that was erased",
            edited(1, "\"type\"", "\"initial_input\":{},\"type\""),
            Verdict::Unreadable,
            "line 2 is no event, export the log again: field `initial_input`: an erased event has no such field",
        ),
        (
            "a whole event next to erased ones",
            mixed.concat(),
            Verdict::Tampered,
            "event 4 is not erased, and those before it are: a log is erased as a whole",
        ),
        (
            "no attestation",
            edited(0, &attestation, ""),
            Verdict::Tampered,
            "no attestation says by whom",
        ),
        (
            "an attestation of something else",
            edited(0, "\"verdict\":\"clean\"", "\"verdict\":\"splendid\""),
            Verdict::Unreadable,
            "line 1: field `erased.verdict`: splendid should be one of clean, divergent, illegal",
        ),
        (
            "another format",
            edited(0, "refrain-log/2", "refrain-log/1"),
            Verdict::Unreadable,
            "line 1: the format is \"refrain-log/1",
        ),
        (
            "a newer format",
            edited(0, "refrain-log/2", "refrain-log/12"),
            Verdict::Newer,
            "line 1 cannot be read: the format refrain-log/12 is newer than this program",
        ),
    ] {
        let mut library = library();
        let audited = Auditor::new(&mut library).audit_export(text.as_bytes(), "the export");
        let audited = audited.expect("it can be audited");
        let message = audited.divergence.as_ref().map_or("", |it| &it.message);
        assert_eq!(audited.verdict, verdict, "{what}: {message}");
        assert!(message.contains(said), "{what}: {message}");
    }
}

#[tokio::test]
async fn a_wrong_commitment_in_an_export_is_named() {
    let (place, id, _) = erased().await;
    let export = export(place.store().as_mut(), id);
    for (line, text) in export.lines().enumerate().skip(1) {
        let at = text.find("\"commitment\":\"").expect("it is erased") + 14;
        let digit = if text[at..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        let mut edited = text.to_owned();
        edited.replace_range(at..=at, digit);
        let edited = export.replacen(text, &edited, 1);
        let mut library = library();
        let audited = Auditor::new(&mut library).audit_export(edited.as_bytes(), "the export");
        let audited = audited.expect("it can be audited");
        let found = audited.divergence.map(|it| it.sequence);
        assert_eq!(
            (audited.verdict, found),
            (Verdict::Tampered, Some(line as u64))
        );
    }
}
