//! What is done to an export, and what the audit says, with no database at hand.

use std::fs;

use refrain_tests::binary;

use crate::audit::ledger::{Ledger, command_line};

/// The lines of the ledger's export, and the folder that it came from.
fn exported() -> (Ledger, Vec<String>) {
    let ledger = Ledger::new();
    let folder = ledger.path.parent().expect("it is in a folder");
    let export = binary::refrain(folder)
        .args(["export", &ledger.id.to_string()])
        .output()
        .expect("it starts");
    assert_eq!(export.status.code(), Some(0), "{}", binary::stderr(&export));
    let lines = binary::stdout(&export)
        .lines()
        .map(|line| format!("{line}\n"))
        .collect();
    (ledger, lines)
}

/// What the command line says of this text: exit code, verdict, sequence.
fn audit(text: &str) -> (Option<i32>, String, Option<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("log.ndjson"), text).expect("a file");
    let (code, document) = command_line(folder.path(), &["--file", "log.ndjson"]);
    assert!(
        !folder.path().join("refrain.db").exists(),
        "an audit makes no database"
    );
    let audit = &document["executions"][0];
    (
        code,
        audit["verdict"].as_str().unwrap_or_default().to_owned(),
        audit["divergence"]["sequence"].as_u64(),
    )
}

#[test]
fn an_export_audits_clean_and_is_the_same_when_it_is_made_again() {
    let (ledger, lines) = exported();
    assert_eq!(lines.len() as u64, ledger.len() + 1);
    assert_eq!(audit(&lines.concat()), (Some(0), "clean".into(), None));
    assert_eq!(exported().1, lines);
}

fn without(lines: &[String], n: usize) -> String {
    [&lines[..n], &lines[n + 1..]].concat().concat()
}

fn swapped(lines: &[String], n: usize) -> String {
    let mut lines = lines.to_vec();
    lines.swap(n, n + 1);
    lines.concat()
}

fn edited(lines: &[String], n: usize, from: &str, to: &str) -> String {
    assert!(lines[n].contains(from), "{}", lines[n]);
    let mut lines = lines.to_vec();
    lines[n] = lines[n].replacen(from, to, 1);
    lines.concat()
}

fn salted(lines: &[String], n: usize) -> String {
    let place = lines[n].find("\"salt\":\"").expect("it has one") + 8;
    let other = match lines[n][place..].starts_with('0') {
        true => "1",
        false => "0",
    };
    let mut lines = lines.to_vec();
    lines[n].replace_range(place..=place, other);
    lines.concat()
}

/// Each of these texts has this verdict, at this event.
fn are_named(table: Vec<(&str, String, &str, usize)>) {
    for (what, text, verdict, sequence) in table {
        assert_eq!(
            audit(&text),
            (Some(1), verdict.to_owned(), Some(sequence as u64)),
            "{what}"
        );
    }
}

#[test]
fn an_export_that_is_cut_or_reordered_is_named() {
    let (_, lines) = exported();
    let (events, all) = (lines.len() - 1, lines.concat());
    are_named(vec![
        ("a line deleted", without(&lines, 4), "tampered", 4),
        (
            "the last line deleted",
            without(&lines, events),
            "tampered",
            events,
        ),
        ("two lines swapped", swapped(&lines, 5), "tampered", 5),
        (
            "a line twice",
            [&lines[..7], &lines[6..]].concat().concat(),
            "tampered",
            7,
        ),
        (
            "a line more",
            format!("{all}{}", lines[events]),
            "unreadable",
            events + 1,
        ),
        (
            "half a line",
            all[..all.len() - 20].to_owned(),
            "tampered",
            events,
        ),
    ]);
}

#[test]
fn an_event_that_is_edited_in_an_export_is_named() {
    let (_, lines) = exported();
    are_named(vec![
        (
            "an id edited",
            edited(&lines, 2, "\"begin\"", "\"bogin\""),
            "tampered",
            2,
        ),
        (
            "a time edited",
            edited(&lines, 3, "\"at\":\"2", "\"at\":\"3"),
            "tampered",
            3,
        ),
        (
            "an origin edited",
            edited(&lines, 2, "\"decision\"", "\"fact\""),
            "tampered",
            2,
        ),
        (
            "a kind that is none",
            edited(&lines, 2, "node_scheduled", "node scheduled"),
            "unreadable",
            2,
        ),
        ("a salt edited", salted(&lines, 4), "tampered", 4),
        (
            "a salt missing",
            edited(&lines, 4, "\"salt\":", "\"slat\":"),
            "unreadable",
            4,
        ),
        (
            "a field nobody knows",
            edited(&lines, 2, "{", "{\"note\":1,"),
            "unreadable",
            2,
        ),
        ("no JSON", edited(&lines, 6, "{", ""), "unreadable", 6),
    ]);
}

#[test]
fn a_header_that_is_edited_or_missing_is_named() {
    let (_, lines) = exported();
    are_named(vec![
        (
            "the workflow edited",
            edited(&lines, 0, "state.size > 2", "state.size > 1"),
            "tampered",
            1,
        ),
        (
            "a head that is none",
            edited(&lines, 0, "\"head\":\"", "\"head\":\"0000"),
            "unreadable",
            0,
        ),
        (
            "another format",
            edited(&lines, 0, "refrain-log/2", "refrain-log/1"),
            "unreadable",
            0,
        ),
        (
            "no export",
            "{\"type\": \"node_scheduled\"}\n".to_owned(),
            "unreadable",
            0,
        ),
        ("nothing", String::new(), "unreadable", 0),
    ]);
}

/// A newer program wrote it: nothing is said of it, neither good nor bad.
#[test]
fn a_format_or_a_kind_of_event_that_only_a_newer_program_knows_is_told_as_that() {
    let (_, lines) = exported();
    let mut lines = lines;
    let format = lines.concat().replacen("refrain-log/2", "refrain-log/9", 1);
    assert_eq!(audit(&format), (Some(2), "newer".into(), Some(0)));
    lines[2] = lines[2].replacen("node_scheduled", "node_melted", 1);
    assert_eq!(audit(&lines.concat()), (Some(2), "newer".into(), Some(2)));
}

#[test]
fn law10_an_export_names_its_guest_and_no_other_is_taken_for_it() {
    let (_, lines) = exported();
    let mut lines = lines;
    let digest = "\"guest_digest\":\"";
    let place = lines[0].find(digest).expect("the header names it") + digest.len();
    lines[0].replace_range(place..place + 4, "0000");
    assert_eq!(
        audit(&lines.concat()),
        (Some(1), "tampered".into(), Some(1))
    );
}
