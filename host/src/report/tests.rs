//! The file of a report, read as a browser reads it.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde_json::Value;

use super::*;
use crate::erase::Eraser;
use crate::guest::{CallLimits, Library, Sandbox};
use crate::log::export::Component;
use crate::replay::{Auditor, Verdict, from_export};

const MIB: usize = 1024 * 1024;

/// A golden log of the component that is built in.
fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let of_component = folder.join(&library().built_in()[..12]);
    let file = of_component.join(format!("{name}.ndjson"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn log() -> String {
    golden("approved")
}

fn library() -> Library {
    Library::new(Sandbox::new(CallLimits::default()).expect("a sandbox"))
}

/// The log with the component that it names.
fn recording(log: &str) -> Recording {
    let read = from_export(log.as_bytes(), "log.ndjson").expect("it is read");
    let mut recording = read.expect("it is a log");
    let library = library();
    let digest = library.built_in().to_owned();
    let bytes = library.bytes(&digest).expect("it has it").to_vec();
    recording.components = vec![Component { digest, bytes }];
    recording
}

fn page(report: &Report) -> String {
    let page = report.write(Vec::new()).expect("a vector takes it");
    String::from_utf8(page).expect("it is text")
}

fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).expect(start);
    rest.split_once(end).expect(end).0
}

fn block<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!(" id=\"{id}\">"), "</script>")
}

fn unpacked(data: &str) -> String {
    let packed = STANDARD.decode(data).expect("base64");
    String::from_utf8(decompress_to_vec_zlib(&packed).expect("zlib")).expect("text")
}

#[test]
fn the_policy_names_the_one_script_and_the_one_style() {
    let mut report = Report::new(0, Holds::Payloads);
    report.add(&recording(&log()), None).expect("it fits");
    let page = page(&report);
    let said = between(
        &page,
        "http-equiv=\"Content-Security-Policy\" content=\"",
        "\"",
    );
    let style = between(&page, "<style>", "</style>");
    let script = between(&page, "\n<script>", "</script>");
    assert_eq!(said, policy(script, style));
    assert_eq!((script, style), (SCRIPT, STYLE));
    // Nothing but these runs, whatever the browser makes of the rest.
    let tags = page.matches("<script").count();
    assert_eq!(tags - page.matches("<script type=\"").count(), 1);
    for wrong in ["<!--", "</script", "</style"] {
        assert!(!SCRIPT.contains(wrong) && !STYLE.contains(wrong), "{wrong}");
    }
    let markup = page.replace(script, "").replace(style, "");
    for wrong in ["http://", "https://", "src=", "href=\"h", " onclick"] {
        assert!(!markup.contains(wrong), "{wrong}");
    }
}

#[test]
fn a_short_log_takes_less_than_a_megabyte_and_comes_back_to_the_byte() {
    let whole = recording(&log());
    let mut report = Report::new(1_767_225_600_000, Holds::Payloads);
    report.add(&whole, Some("<svg/>")).expect("it fits");
    let page = page(&report);
    assert!(page.len() < MIB, "{}", page.len());
    let contents: Value = serde_json::from_str(block(&page, "refrain-report")).expect("JSON");
    assert_eq!(contents["made_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(contents["holds"], "payloads");
    let listed = &contents["executions"][0];
    let part = |name: &str| block(&page, listed[name].as_str().expect(name));
    assert_eq!(unpacked(part("picture")), "<svg/>");
    let log = unpacked(part("log"));
    let (header, events) = log.split_once('\n').expect("lines");
    let component = block(&page, listed["components"][0].as_str().expect("one"));
    let put_together = format!("{header}\n{component}\n{events}");
    let exported = whole.export(Vec::new()).expect("a vector takes it");
    assert_eq!(put_together.as_bytes(), exported);
}

#[test]
fn executions_share_their_components() {
    let mut report = Report::new(0, Holds::Payloads);
    for log in [log(), golden("retries")] {
        report.add(&recording(&log), None).expect("it fits");
    }
    let page = page(&report);
    // Where a data block begins: the script, too, knows how a component's line begins.
    assert_eq!(page.matches("\">{\"component\":\"").count(), 1);
    assert!(page.contains("<title>2 executions: Refrain report</title>"));
}

#[test]
fn what_would_be_markup_is_text() {
    let id = "</title><script>alert(1)</script>\u{202e}";
    let log = log().replace(
        "\"workflow_id\":\"w\"",
        &format!("\"workflow_id\":\"{id}\""),
    );
    let mut report = Report::new(0, Holds::Payloads);
    report.add(&recording(&log), None).expect("it fits");
    let page = page(&report);
    let title = between(&page, "<title>", "</title>");
    assert!(
        title.starts_with("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e} "),
        "{title}"
    );
    assert!(!page.contains("alert(1)</script>"));
}

/// The log without payloads, as `erase` would have left it.
fn left(recording: &Recording) -> Result<Recording, LeftOutError> {
    let mut library = library();
    let export = recording.export(Vec::new()).expect("a vector takes it");
    let audit = Auditor::new(&mut library).audit_export(&export[..], "log.ndjson");
    let ada = Eraser {
        by: "ada",
        at: 7,
        signer: None,
    };
    without_payloads(recording, &audit.expect("it is audited"), &ada)
}

#[test]
fn law4_without_payloads_the_chain_holds_and_nothing_that_was_said_is_there() {
    let original = log();
    let whole = recording(&original);
    let left = left(&whole).expect("it has ended");
    let mut report = Report::new(0, Holds::Masked);
    assert_eq!(
        report.add(&whole, None),
        Err(ReportError::HoldsPayloads(whole.execution_id))
    );
    report.add(&left, None).expect("it fits");
    report.add_masked(&whole.events);
    let page = page(&report);
    let log = unpacked(block(&page, "log-0"));
    let masked = unpacked(block(&page, "masked-0"));
    for said in ["Größe", "ada\"", "but \\\"shorter", "worker-1", "\"salt\""] {
        assert!(original.contains(said) || said == "ada\"", "{said}");
        let events = log.split_once('\n').expect("lines").1;
        assert!(!events.contains(said) && !masked.contains(said), "{said}");
    }
    assert!(masked.contains(r#"{"fields":{"output":{"title":"***","words":"***"},"#));
    let audit = Auditor::new(&mut library()).audit_export(log.as_bytes(), "log.ndjson");
    let audit = audit.expect("it is audited");
    assert_eq!(audit.verdict, Verdict::Erased, "{:?}", audit.divergence);
    assert_eq!(audit.erased.map(|it| it.by).as_deref(), Some("ada"));
}

#[test]
fn what_has_not_ended_is_not_told_without_payloads() {
    let cut = recording(&log()).until(5).expect("it has five events");
    let error = left(&cut).expect_err("it goes on").to_string();
    assert!(error.contains("has not ended"), "{error}");
}

#[test]
fn what_is_too_much_is_refused_with_its_number() {
    let mut report = Report::new(0, Holds::Payloads);
    report.events = REPORT_EVENTS_MAX;
    let error = report.add(&recording(&log()), None).expect_err("too many");
    assert!(
        error
            .to_string()
            .starts_with("a report holds at most 200000 events, and these are 2000"),
        "{error}"
    );
    let mut report = Report::new(0, Holds::Payloads);
    report.bytes = REPORT_BYTES_MAX;
    let error = report.add(&recording(&log()), None).expect_err("too much");
    assert!(matches!(error, ReportError::Bytes { .. }), "{error}");
}
