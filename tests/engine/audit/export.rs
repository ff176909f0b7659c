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

#[test]
fn an_export_that_is_cut_edited_or_reordered_is_named() {
    let (_, lines) = exported();
    let events = lines.len() - 1;
    let all = lines.concat();
    let salted = |n: usize| {
        let place = lines[n].find("\"salt\":\"").expect("it has one") + 8;
        let other = if lines[n][place..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        let mut line = lines[n].clone();
        line.replace_range(place..=place, other);
        [&lines[..n], &[line], &lines[n + 1..]].concat().concat()
    };
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().concat();
    let swapped = |n: usize| {
        [
            &lines[..n],
            &[lines[n + 1].clone(), lines[n].clone()],
            &lines[n + 2..],
        ]
        .concat()
        .concat()
    };
    let edited = |n: usize, from: &str, to: &str| {
        assert!(lines[n].contains(from), "{}", lines[n]);
        let mut lines = lines.clone();
        lines[n] = lines[n].replacen(from, to, 1);
        lines.concat()
    };
    for (what, text, verdict, sequence) in [
        ("a line deleted", without(4), "tampered", 4),
        ("the last line deleted", without(events), "tampered", events),
        ("two lines swapped", swapped(5), "tampered", 5),
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
        (
            "an id edited",
            edited(2, "\"begin\"", "\"bogin\""),
            "tampered",
            2,
        ),
        (
            "a time edited",
            edited(3, "\"at\":\"2", "\"at\":\"3"),
            "tampered",
            3,
        ),
        (
            "an origin edited",
            edited(2, "\"decision\"", "\"fact\""),
            "tampered",
            2,
        ),
        (
            "a kind that is none",
            edited(2, "node_scheduled", "node scheduled"),
            "unreadable",
            2,
        ),
        ("a salt edited", salted(4), "tampered", 4),
        (
            "a salt missing",
            edited(4, "\"salt\":", "\"slat\":"),
            "unreadable",
            4,
        ),
        (
            "a field nobody knows",
            edited(2, "{", "{\"note\":1,"),
            "unreadable",
            2,
        ),
        ("no JSON", edited(6, "{", ""), "unreadable", 6),
        (
            "the workflow edited",
            edited(0, "state.size > 2", "state.size > 1"),
            "tampered",
            1,
        ),
        (
            "a head that is none",
            edited(0, "\"head\":\"", "\"head\":\"0000"),
            "unreadable",
            0,
        ),
        (
            "another format",
            edited(0, "refrain-log/2", "refrain-log/1"),
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
    ] {
        assert_eq!(
            audit(&text),
            (Some(1), verdict.to_owned(), Some(sequence as u64)),
            "{what}"
        );
    }
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
