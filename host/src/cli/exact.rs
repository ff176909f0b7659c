//! What another scheduler would have decided, exactly: the form in which all commands that
//! ask so answer.

use std::io;

use refrain::replay::{Audit, Outcome, Summary};
use serde::Serialize;

use super::asked::{Asked, Audited, FailedDocument, Question};
use super::log_counts::LogCounts;
use super::output::{self, Paint};
use super::text::Text;

/// The answer for programs.
#[derive(Serialize)]
struct Document<'a> {
    mode: &'static str,
    guest: Option<&'a str>,
    summary: Summary,
    executions: Vec<EachDocument<'a>>,
    failed: Vec<FailedDocument>,
}

#[derive(Serialize)]
struct EachDocument<'a> {
    outcome: Outcome,
    #[serde(flatten)]
    audited: &'a Audited,
}

/// Shows what was answered. Logs of which nothing would be otherwise are named only where
/// `each` is to be.
pub(super) fn show(
    question: &Question,
    asked: &Asked,
    each: bool,
    json: bool,
) -> anyhow::Result<()> {
    let summary = Summary::of(asked.audits());
    if json {
        let executions = asked.audited.iter().map(|audited| EachDocument {
            outcome: Outcome::of(&audited.audit),
            audited,
        });
        return output::document(&Document {
            mode: "exact",
            guest: question.guest.as_deref(),
            summary,
            executions: executions.collect(),
            failed: asked.failed.iter().map(FailedDocument::of).collect(),
        });
    }
    let colours = output::colours(&io::stdout());
    let is_named = |audit: &Audit| each || Outcome::of(audit) != Outcome::Same;
    let mut text = asked.texts(is_named, colours);
    text.push(&summed_up(&summary, colours));
    output::data(&text);
    Ok(())
}

/// How many logs came to what, in a line.
pub(super) fn summed_up(summary: &Summary, colours: bool) -> Text {
    let Summary {
        same,
        diverge,
        unsound,
        erased,
        newer,
        events,
        ..
    } = *summary;
    let paint = match summary.is_good() {
        true => Paint::Green,
        false => Paint::Red,
    };
    let said = match diverge {
        0 => paint.on("exact: no decision would be another", colours),
        1 => paint.on("exact: 1 log would be decided otherwise", colours),
        _ => Text::word(&format!("exact: {diverge} logs would be decided otherwise"))
            .painted(paint, colours),
    };
    let counts = LogCounts {
        all: same + diverge + unsound + erased + newer,
        same,
        unsound,
        erased,
        newer,
        events,
    };
    counts.line(&said, None)
}
