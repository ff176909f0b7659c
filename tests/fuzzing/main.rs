//! The bodies of the fuzz targets on every machine: from the same corpus, and
//! from what proptest makes of it. `tests/fuzz` has the targets themselves.

mod corpus;
mod edits;
mod renewal;

use std::fs;

use proptest::collection::vec;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use refrain::log::export::ExportReader;
use refrain::log::{KIND_NAMES, canonical, json};
use refrain_tests::cases;
use refrain_tests::component::workspace;
use refrain_tests::fuzzing::{condition, event_decoder, log_file, workflow_json};

use corpus::{RENEW, corpus};
use edits::{edit, edited};

/// A target's name and body.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 4] = [
    ("condition", condition::check),
    ("event_decoder", event_decoder::check),
    ("log_file", log_file::check),
    ("workflow_json", workflow_json::check),
];

#[test]
fn the_targets_are_those_of_cargo_fuzz() {
    let folder = workspace().join("tests/fuzz/fuzz_targets");
    let entries = fs::read_dir(folder).expect("the targets");
    let mut names = entries
        .map(|entry| entry.expect("a file").file_name().into_string())
        .collect::<Result<Vec<_>, _>>()
        .expect("names in UTF-8");
    names.sort();
    let here = TARGETS.map(|(name, _)| format!("{name}.rs"));
    assert_eq!(names, here);
}

/// What the corpus is for: every target gets behind its own door, and the
/// decoder knows each kind of event.
#[test]
fn the_corpus_is_worth_to_start_from() {
    let events: Vec<_> = corpus("event_decoder")
        .iter()
        .map(|it| {
            let (plain, erasable) = event_decoder::parts(it);
            canonical::read(plain, erasable)
        })
        .collect();
    let text = |event| json::write_event(event);
    let events: Vec<String> = events.iter().flatten().map(text).collect();
    for kind in KIND_NAMES {
        let of_kind = format!("\"type\":\"{kind}\"");
        assert!(
            events.iter().any(|it| it.contains(&of_kind)),
            "no {kind}; {RENEW}"
        );
    }
    let read = |data: &Vec<u8>| {
        ExportReader::new(&data[..]).is_ok_and(|mut reader| reader.all(|event| event.is_ok()))
    };
    for sort in ["\"salt\"", "\"commitment\"", "\"zlib\""] {
        let holds = |data: &&Vec<u8>| data.windows(sort.len()).any(|it| it == sort.as_bytes());
        let logs = corpus("log_file");
        assert!(logs.iter().filter(holds).any(read), "no {sort}; {RENEW}");
    }
    let is_valid = |data: &Vec<u8>| {
        std::str::from_utf8(data).is_ok_and(|text| refrain_guest::workflow::parse(text).is_ok())
    };
    assert!(
        corpus("workflow_json")
            .iter()
            .filter(|it| is_valid(it))
            .count()
            > 5,
        "{RENEW}"
    );
}

#[test]
fn the_corpus_holds() {
    for (name, body) in TARGETS {
        corpus(name).iter().for_each(|data| body(data));
    }
}

fn edited_corpus_holds((name, body): Target, base: u32) {
    let seeds = corpus(name);
    let config = Config {
        cases: cases(base),
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (select(seeds), vec(edit(), 0..6));
    let outcome = TestRunner::new(config).run(&strategy, |(seed, edits)| {
        let data = edited(seed, &edits);
        body(&data);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

#[test]
fn whatever_becomes_of_a_condition() {
    edited_corpus_holds(TARGETS[0], 20_000);
}

#[test]
fn whatever_becomes_of_an_event() {
    edited_corpus_holds(TARGETS[1], 20_000);
}

#[test]
fn whatever_becomes_of_a_log_file() {
    edited_corpus_holds(TARGETS[2], 5000);
}

#[test]
fn whatever_becomes_of_a_workflow() {
    edited_corpus_holds(TARGETS[3], 10_000);
}
