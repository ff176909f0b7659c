//! Exports that bring the scheduler component that their log names.

use refrain::guest::Library;
use refrain::replay::{Audit, AuditError, Auditor, Verdict, from_store};
use refrain::{Engine, ExecutionId};
use refrain_tests::engines::Place;

use super::{begin, end, erase_one, library, work};

/// The built-in component with a note in it: another digest, and the same decisions.
fn noted(library: &Library) -> Vec<u8> {
    let built_in = library.bytes(library.built_in()).expect("it is there");
    // A custom section: its id, its length, a name and its length.
    [built_in, b"\x00\x05\x04note"].concat()
}

/// An execution of a component that no other program has.
async fn of_its_own(place: &Place) -> ExecutionId {
    let engine = Engine::builder()
        .boxed_store(place.store())
        .guest(noted(&library()))
        .start()
        .await
        .expect("the engine starts");
    assert_ne!(engine.guest_digest(), library().built_in());
    work(&engine);
    let execution = begin(&engine).await;
    end(&execution).await;
    engine.shutdown().await;
    execution.id()
}

/// Its export, with its component or without.
fn export(place: &Place, id: ExecutionId, with_components: bool) -> String {
    let mut store = place.store();
    let recording = from_store(store.as_mut(), id).expect("the store answers");
    let mut recording = recording.expect("it is there").expect("it is readable");
    if with_components {
        let missing = recording.fetch_components(store.as_mut());
        assert_eq!(missing.expect("the store answers"), Vec::<String>::new());
    }
    let export = recording.export(Vec::new()).expect("a vector takes it");
    String::from_utf8(export).expect("it is text")
}

fn audit(text: &str) -> Result<Audit, AuditError> {
    Auditor::new(&mut library()).audit_export(text.as_bytes(), "the export")
}

#[tokio::test]
async fn an_export_with_its_component_is_all_that_an_audit_needs() {
    let place = Place::memory();
    let id = of_its_own(&place).await;
    let without = audit(&export(&place, id, false)).expect_err("the component is not at hand");
    assert!(matches!(without, AuditError::Guest(_)), "{without}");
    let with = export(&place, id, true);
    let audited = audit(&with).expect("the component is at hand");
    assert_eq!(audited.verdict, Verdict::Clean, "{:?}", audited.divergence);
    assert!(audited.decisions > 4, "{audited:?}");
    // It is compact.
    let (bytes, line) = (
        noted(&library()).len(),
        with.lines().nth(1).expect("a line"),
    );
    assert!(line.len() < bytes * 2 / 3, "{} of {bytes}", line.len());
}

#[tokio::test]
async fn a_component_that_is_another_than_it_says_is_refused() {
    let place = Place::memory();
    let id = of_its_own(&place).await;
    let text = export(&place, id, true);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // The built-in component in its place.
    let other = Place::memory();
    let built_in = super::ended(&other).await;
    let built_in = export(&other, built_in, true);
    let built_in = built_in.lines().nth(1).expect("a line");
    let body = &built_in[built_in.find(",\"bytes\"").expect("a length")..];
    let named = &lines[1][..lines[1].find(",\"bytes\"").expect("a length")];
    for (what, line, said) in [
        (
            "another component",
            format!("{named}{body}\n"),
            "line 2 is no component, export the log again: field `zlib`: these bytes are another component",
        ),
        (
            "another digest",
            format!("{built_in}\n"),
            "line 2 is no component, export the log again: field `component`: the header names",
        ),
        (
            "a part of it",
            format!("{}\n", &lines[1][..lines[1].len() / 2]),
            "line 2 is no component, export the log again: field `the whole line`",
        ),
        ("none", String::new(), "line 2 is no component"),
        (
            "more than it may be",
            lines[1].replacen("\"bytes\":", "\"bytes\":9999", 1),
            "field `bytes`: 9999",
        ),
    ] {
        let text = [&lines[..1], &[line.as_str()], &lines[2..]]
            .concat()
            .concat();
        let audited = audit(&text).expect("that is the log's fault");
        let message = audited.divergence.map(|it| it.message).unwrap_or_default();
        assert_eq!(audited.verdict, Verdict::Unreadable, "{what}: {message}");
        assert!(message.contains(said), "{what}: {message}");
    }
}

#[tokio::test]
async fn an_erased_log_asks_for_no_component() {
    let place = Place::memory();
    let id = of_its_own(&place).await;
    erase_one(place.store().as_mut(), id).expect("it has ended");
    for with_components in [false, true] {
        let audited = audit(&export(&place, id, with_components)).expect("nobody is asked");
        assert_eq!(audited.verdict, Verdict::Erased);
    }
}
