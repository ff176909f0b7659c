//! What another scheduler would have decided, as a JUnit file, which most programs for
//! continuous integration read.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use refrain::replay::{Audit, Outcome};

use super::asked::Asked;
use super::{failure, placed};

/// Writes the file.
pub(super) fn write(path: &Path, asked: &Asked) -> anyhow::Result<()> {
    let text = suite(asked);
    placed::write(path, None, |out| io::Write::write_all(out, text.as_bytes()))
}

/// A suite with a case for each log.
fn suite(asked: &Asked) -> String {
    let of = |it: &Audit| Outcome::of(it);
    let count =
        |which: &dyn Fn(Outcome) -> bool| asked.audits().filter(|audit| which(of(audit))).count();
    let failures = count(&|it| matches!(it, Outcome::Diverges | Outcome::Unsound));
    let skipped = count(&|it| matches!(it, Outcome::Erased | Outcome::Newer));
    let (errors, all) = (asked.failed.len(), asked.audited.len() + asked.failed.len());
    let mut cases = String::new();
    for audit in asked.audits() {
        case(&mut cases, audit);
    }
    for (id, error) in &asked.failed {
        let text = escaped(failure::text(error).as_str());
        open(&mut cases, id);
        put(
            &mut cases,
            format_args!(">\n    <error>{text}</error>\n  </testcase>\n"),
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"refrain whatif\" tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}</testsuite>\n"
    )
}

fn case(cases: &mut String, audit: &Audit) {
    open(
        cases,
        audit
            .execution_id
            .as_deref()
            .unwrap_or("(unknown execution)"),
    );
    let verdict = audit.verdict.word();
    match (Outcome::of(audit), &audit.divergence) {
        (Outcome::Same, _) => put(cases, format_args!("/>\n")),
        (Outcome::Diverges | Outcome::Unsound, Some(divergence)) => {
            let (message, text) = (
                escaped(&divergence.message),
                escaped(&divergence.to_string()),
            );
            put(
                cases,
                format_args!(
                    ">\n    <failure type=\"{verdict}\" message=\"{message}\">{text}</failure>\n  </testcase>\n"
                ),
            );
        }
        _ => put(
            cases,
            format_args!(">\n    <skipped message=\"{verdict}\"/>\n  </testcase>\n"),
        ),
    }
}

fn open(cases: &mut String, name: &str) {
    let name = escaped(name);
    put(
        cases,
        format_args!("  <testcase classname=\"exact\" name=\"{name}\""),
    );
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("a string takes everything");
}

/// The text as XML has it. What XML has no place for stands as a replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
