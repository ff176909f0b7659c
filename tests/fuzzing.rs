//! The bodies of the fuzz targets on every machine: from the same corpus, and
//! from what proptest makes of it. `tests/fuzz` has the targets themselves.

use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use refrain::log::canonical::Canonical;
use refrain::log::digest::digest;
use refrain::log::export::{Component, ExportReader, ExportWriter, Header};
use refrain::log::{
    Attestation, AttestedVerdict, ErasedEvent, KIND_NAMES, KeptEvent, StoredEvent, canonical,
    chain, json,
};
use refrain_tests::cases;
use refrain_tests::component::workspace;
use refrain_tests::fuzzing::{condition, event_decoder, log_file, workflow_json};
use refrain_tests::golden;

/// A target's name and body.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 4] = [
    ("condition", condition::check),
    ("event_decoder", event_decoder::check),
    ("log_file", log_file::check),
    ("workflow_json", workflow_json::check),
];

fn corpus_folder(target: &str) -> PathBuf {
    workspace().join("tests/fuzz/corpus").join(target)
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(corpus_folder(target)).expect("the target's corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

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

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, Index),
    Insert(Index, Vec<u8>),
    Overwrite(Index, u8),
    Repeat(Index, Index),
}

/// What the languages of the four targets are made of.
const TOKENS: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\u0000",
    "\n",
    " ",
    "null",
    "true",
    "-0.0",
    "1e400",
    "18446744073709551616",
    "state.",
    "input.",
    "has(",
    "size(",
    ")",
    "!",
    "&&",
    "||",
    "==",
    "<=",
    "in",
    "\"id\":",
    "\"end\"",
    "\"type\":\"wait\"",
    "\"events\":0",
    "\u{0}",
    "é",
];

fn edit() -> impl Strategy<Value = Edit> {
    let token = prop_oneof![
        select(&TOKENS[..]).prop_map(|token| token.as_bytes().to_vec()),
        vec(any::<u8>(), 1..9),
    ];
    prop_oneof![
        any::<(Index, Index)>().prop_map(|(from, to)| Edit::Cut(from, to)),
        (any::<Index>(), token).prop_map(|(at, token)| Edit::Insert(at, token)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Overwrite(at, byte)),
        any::<(Index, Index)>().prop_map(|(from, to)| Edit::Repeat(from, to)),
    ]
}

fn edited(mut data: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let place = |index: &Index| index.index(data.len() + 1);
        let range = |a: &Index, b: &Index| {
            // Short ones: what is left is worth more.
            let (from, to) = (place(a).min(place(b)), place(a).max(place(b)));
            from..to.min(from + 64)
        };
        match edit {
            Edit::Cut(a, b) => drop(data.drain(range(a, b))),
            Edit::Insert(at, token) => {
                let at = place(at);
                data.splice(at..at, token.iter().copied());
            }
            Edit::Overwrite(at, byte) => {
                let at = place(at);
                if let Some(found) = data.get_mut(at) {
                    *found = *byte;
                }
            }
            Edit::Repeat(a, b) => {
                let range = range(a, b);
                let again = data[range.clone()].to_vec();
                data.splice(range.end..range.end, again);
            }
        }
    }
    data
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

const RENEW: &str =
    "renew the corpus: cargo test --workspace --test fuzzing -- --ignored renew_the_corpus";

/// The header and the events of this log.
fn read(log: &str) -> (Header, Vec<StoredEvent>) {
    let reader = ExportReader::new(log.as_bytes()).expect("a log");
    let header = reader.header().clone();
    let stored = reader.map(|event| match event.expect("an event") {
        KeptEvent::Whole(stored) => stored,
        KeptEvent::Erased(_) => panic!("a golden log is whole"),
    });
    (header, stored.collect())
}

/// The same log, erased.
fn erased(log: &str) -> Vec<u8> {
    let (header, events) = read(log);
    let attestation = Attestation {
        at: events[0].event.at,
        verdict: AttestedVerdict::Clean,
        guest_digest: header.guest_digest.parse().expect("a digest"),
        head: header.head,
        by: "ada".to_owned(),
    };
    let header = Header {
        erased: Some(attestation),
        ..header
    };
    let mut export = ExportWriter::new(Vec::new(), &header).expect("a vector takes it");
    for StoredEvent { event, salt, hash } in &events {
        let bytes = canonical::write(event);
        let erased = ErasedEvent {
            event: canonical::read_erased(&bytes.plain).expect("an event"),
            commitment: chain::commitment(salt, &bytes.erasable),
            hash: *hash,
        };
        export.erased(&erased).expect("a vector takes it");
    }
    export.finish().expect("a vector takes it")
}

/// The same log with something of a few bytes in the place of a component.
fn with_component(log: &str) -> Vec<u8> {
    let (header, events) = read(log);
    let bytes = b"\0asm, and no more of it".to_vec();
    let digest = digest(&bytes);
    let header = Header {
        components: vec![digest.clone()],
        ..header
    };
    let mut export = ExportWriter::new(Vec::new(), &header).expect("a vector takes it");
    let component = Component { digest, bytes };
    export.component(&component).expect("a vector takes it");
    for event in &events {
        export.event(event).expect("a vector takes it");
    }
    export.finish().expect("a vector takes it")
}

/// The corpus is made of the golden logs, and of conditions as rule R8 has them.
#[test]
#[ignore = "writes the corpus anew"]
fn renew_the_corpus() {
    let set = golden::sets()
        .expect("golden logs")
        .pop()
        .expect("a set of them");
    let text = |name: &str| {
        let entry = set.logs.iter().find(|entry| entry.name == name);
        set.text(entry.expect("a golden log")).expect("a file")
    };
    for name in ["timer", "limit_exceeded"] {
        keep("log_file", name, text(name).as_bytes());
    }
    keep("log_file", "erased", &erased(&text("timer")));
    keep("log_file", "component", &with_component(&text("timer")));
    for name in [
        "branches",
        "joins",
        "finalizers",
        "retries",
        "signals",
        "fallback",
        "verbatim",
    ] {
        let text = text(name);
        let reader = ExportReader::new(text.as_bytes()).expect("a log");
        keep("workflow_json", name, reader.header().workflow.as_bytes());
    }
    let mut missing: Vec<&str> = KIND_NAMES.to_vec();
    for entry in &set.logs {
        let text = set.text(entry).expect("a file");
        for event in ExportReader::new(text.as_bytes()).expect("a log").flatten() {
            let line = json::write_event(event.event());
            let kind = |kind: &&str| line.contains(&format!("\"type\":\"{kind}\""));
            if let Some(place) = missing.iter().position(kind) {
                let kind = missing.swap_remove(place);
                let bytes = canonical::write(event.event());
                keep("event_decoder", kind, &joined(&bytes));
            }
        }
    }
    for (kind, rest) in UNWRITTEN {
        let line = format!(
            r#"{{"sequence":2,"at":"2026-01-01T00:00:00.000Z","origin":"fact","type":"{kind}",{rest}}}"#
        );
        let event = json::read_event(&line).expect("an event");
        keep("event_decoder", kind, &joined(&canonical::write(&event)));
        missing.retain(|it| *it != kind);
    }
    assert!(missing.is_empty(), "no golden log has {missing:?}");
    for (number, text) in CONDITIONS.iter().enumerate() {
        keep("condition", &format!("{number:02}"), text.as_bytes());
    }
}

/// Kinds that the format has, and no scheduler writes yet; each with its fields.
const UNWRITTEN: [(&str, &str); 6] = [
    ("map_expanded", r#""node_id":"a","count":2000"#),
    (
        "child_requested",
        r#""node_id":"a[3]","attempt":1,"iteration":0,"workflow":{"workflow_id":"w","version":"1.0.0"}"#,
    ),
    (
        "child_started",
        r#""node_id":"a","attempt":1,"iteration":0,"child_id":"exec_00000000000000000000000000000001","workflow_digest":"0101010101010101010101010101010101010101010101010101010101010101""#,
    ),
    (
        "child_refused",
        r#""node_id":"a","attempt":1,"iteration":0,"code":"too_deep""#,
    ),
    (
        "child_ended",
        r#""node_id":"a","attempt":1,"iteration":0,"child_id":"exec_00000000000000000000000000000001","status":"completed","child_sequence":9,"head":"0202020202020202020202020202020202020202020202020202020202020202","output":{"b":1.50}"#,
    ),
    ("execution_forked", r#""by":"ada""#),
];

/// The data from which the event decoder's target takes these bytes.
fn joined(bytes: &Canonical) -> Vec<u8> {
    let length = (bytes.plain.len() as u64).to_le_bytes();
    [&length[..], &bytes.plain, &bytes.erasable].concat()
}

const CONDITIONS: [&str; 16] = [
    "state.score >= 5",
    "input.n > 4 && !(state.path == \"left\")",
    "state.path != 'left' || state.empty",
    "has(state.deep.list) && size(state.tags) == 2",
    "state.tags[0] in [\"a\", \"b\", 1, null]",
    "input.deep.list[1] == 2.5",
    "input[\"é\"] == \"\\u00fc\"",
    "size(input.deep.list[2]) < 1e3",
    "state.big == 123456789012345678901234567890",
    "-0.0 == 0 && 1e400 > 1",
    "(((state)))",
    "input.deep == {}",
    "!!state.none",
    "[1, [2, []]] == [1, [2, []]]",
    "true && false || null",
    "state.score ==",
];

fn keep(target: &str, name: &str, data: &[u8]) {
    let folder = corpus_folder(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), data).expect("a file");
}
