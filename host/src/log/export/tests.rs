//! What is written comes back, and what is no export is named.

use super::*;
use crate::log::digest::digest;
use crate::log::{Attestation, AttestedVerdict, KeptEvent, StoredEvent, chain, samples};
use crate::model::Digest;

fn header() -> Header {
    Header {
        execution_id: "exec_00000000000000000000000000000001".into(),
        workflow: "{ \"id\": \"claims\",\n  \"version\": \"1.0.0\" }\n".into(),
        guest_digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
        head: samples::log()
            .last()
            .map(StoredEvent::head)
            .unwrap_or_default(),
        owed_a_step: false,
        erased: None,
        components: Vec::new(),
    }
}

fn attestation() -> Attestation {
    Attestation {
        at: 1_767_225_600_000,
        verdict: AttestedVerdict::Clean,
        guest_digest: Digest([1; 32]),
        head: header().head,
        by: "ada".to_owned(),
        signature: None,
    }
}

fn export() -> String {
    let mut writer = ExportWriter::new(Vec::new(), &header()).unwrap();
    for event in samples::log() {
        writer.event(&event).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn read(text: impl AsRef<[u8]>) -> Result<(Header, Vec<KeptEvent>), ExportError> {
    let reader = ExportReader::new(text.as_ref())?;
    let header = reader.header().clone();
    Ok((header, reader.collect::<Result<_, _>>()?))
}

fn whole() -> Vec<KeptEvent> {
    samples::log().into_iter().map(KeptEvent::Whole).collect()
}

#[test]
fn an_export_comes_back() {
    let text = export();
    assert_eq!(text.lines().count(), samples::log().len() + 1);
    assert_eq!(read(&text).unwrap(), (header(), whole()));
}

#[test]
fn law4_an_export_of_an_erased_log_comes_back() {
    let header = Header {
        erased: Some(attestation()),
        ..header()
    };
    let log: Vec<_> = samples::log().iter().map(chain::erased).collect();
    let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
    for event in &log {
        writer.erased(event).unwrap();
    }
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let log = log.into_iter().map(KeptEvent::Erased).collect();
    assert_eq!(read(&text).unwrap(), (header, log));
    assert!(!text.contains("salt"), "{text}");
}

#[test]
fn an_export_brings_its_components() {
    let component = |bytes: &[u8]| Component {
        digest: digest(bytes),
        bytes: bytes.to_vec(),
    };
    let components = [component(b"\0asm one"), component(b"\0asm two")];
    let header = Header {
        components: components.iter().map(|it| it.digest.clone()).collect(),
        ..header()
    };
    let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
    for component in &components {
        writer.component(component).unwrap();
    }
    for event in samples::log() {
        writer.event(&event).unwrap();
    }
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(read(&text).unwrap(), (header, whole()));
    let mut reader = ExportReader::new(text.as_bytes()).unwrap();
    assert_eq!(reader.take_components(), components);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let swapped = [&lines[..1], &[lines[2], lines[1]], &lines[3..]].concat();
    for (text, expected) in [
        (
            swapped.concat(),
            "line 2 is no component, export the log again: field `component`: the header names",
        ),
        (
            lines[..2].concat(),
            "line 3 is no component, export the log again: field `the whole line`",
        ),
        (
            lines[..5].concat(),
            "the file is cut: line 6 should be event 3 of",
        ),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn what_is_no_export_is_named() {
    let lines: Vec<String> = export().lines().map(|line| format!("{line}\n")).collect();
    let (all, events) = (lines.concat(), samples::log().len());
    let half = &all[..all.len() - lines[events].len() / 2];
    for (text, expected) in [
        (String::new(), "this is no exported log of the format refrain-log/2: line 1: it is empty".to_owned()),
        ("SQLite format 3\0".into(), "this is no exported log of the format refrain-log/2: line 1: field `the whole line`: it should be one JSON object".into()),
        (all.replacen("log/2", "log/3", 1), "line 1 cannot be read: the format refrain-log/3 is newer than this program, which reads refrain-log/2; use a newer Refrain for it".into()),
        (all.replacen("log/2", "log/1", 1), "this is no exported log of the format refrain-log/2: line 1: the format is \"refrain-log/1\"".into()),
        (all.replacen("refrain-log/2", "refrain-logs/3", 1), "this is no exported log of the format refrain-log/2: line 1: the format is \"refrain-logs/3\"".into()),
        (lines[1..].concat(), "this is no exported log of the format refrain-log/2: line 1: field `format`: 2 should be a string".into()),
        (lines[..7].concat(), format!("the file is cut: line 8 should be event 7 of {events}, and nothing follows")),
        (half.to_owned(), format!("the file is cut: line {} should be event {events} of {events}, and only a part of it does", events + 1)),
        (all.replacen("\"node_started\"", "\"node strated\"", 1), "line 5 is no event, export the log again: field `type`: node strated should be one of".into()),
        (all.replacen("\"node_started\"", "\"node_melted\"", 1), "line 5 cannot be read: field `type`: node_melted is newer than this program".into()),
        (all.replacen("\"salt\":\"04", "\"slat\":\"04", 1), "line 5 is no event, export the log again: field `salt`: it is missing".into()),
        (format!("{all}{}", lines[3]), format!("line {} is one too many: the header says that there are {events} events", events + 2)),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.starts_with(&expected), "{error}");
    }
}

/// Lines of other bytes must not come to the same event, and so to the same chain (law 4): a
/// replacement character is a character that a payload can have.
#[test]
fn law4_a_line_that_is_no_utf8_is_named() {
    let whole = export().replacen("\"node_started\"", "\"node_\u{fffd}\"", 1);
    let damaged = |text: &str| {
        let at = text.find('\u{fffd}').expect("it is there");
        [&text.as_bytes()[..at], b"\xff", &text.as_bytes()[at + 3..]].concat()
    };
    let error = read(damaged(&whole)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 5 is no text in UTF-8, export the log again"
    );
    assert_eq!(error.line(), 5);
    let header = export().replacen("claims", "\u{fffd}", 1);
    assert_eq!(
        read(damaged(&header)).unwrap_err().to_string(),
        "this is no exported log of the format refrain-log/2: line 1: it is no text in UTF-8"
    );
    // A line without its end is cut, perhaps within a character.
    let end = whole.find('\u{fffd}').expect("it is there");
    let cut = read(&whole.as_bytes()[..=end]).unwrap_err().to_string();
    assert!(
        cut.starts_with("the file is cut: line 5 should be event 4"),
        "{cut}"
    );
}
