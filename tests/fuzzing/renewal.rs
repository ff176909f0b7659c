//! The corpus is made of the golden logs, and of conditions as rule R8 has them.

use refrain::log::canonical::Canonical;
use refrain::log::digest::digest;
use refrain::log::export::{Component, ExportReader, ExportWriter, Header};
use refrain::log::{
    Attestation, AttestedVerdict, ErasedEvent, KIND_NAMES, KeptEvent, StoredEvent, canonical,
    chain, json,
};
use refrain_tests::golden;

use super::corpus::keep;

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
        signature: None,
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
