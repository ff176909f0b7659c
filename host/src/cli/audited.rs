//! An audit for people.

use refrain::replay::{
    Advice, AnchorCheck, Audit, Divergence, Link, LinkState, SignatureCheck, Verdict,
};

use super::database::Database;
use super::erased;
use super::output::Paint;
use super::text::{Text, counted, text};
use super::time::stamp;

/// An audit for people, of the log in this file, where that is to be said.
pub(super) fn text(audit: &Audit, file: Option<&str>, colours: bool) -> Text {
    let paint = match audit.verdict {
        Verdict::Clean | Verdict::Erased => Paint::Green,
        Verdict::Newer => Paint::Yellow,
        _ => Paint::Red,
    };
    let id = audit
        .execution_id
        .as_deref()
        .unwrap_or("(unknown execution)");
    let owed = match audit.owed_a_step {
        true => text!("; owed a step: a turn ended before it had decided all"),
        false => Text::new(),
    };
    let mut text = text!(
        "{}  {}  {}, {} replayed{}{}\n",
        id,
        paint.on(audit.verdict.word(), colours),
        counted(audit.events, "event"),
        counted(audit.decisions, "decision"),
        owed,
        in_file(file)
    );
    if let Some(link) = &audit.forked_from {
        text.push(&linked(link));
    }
    if let Some(link) = &audit.child_of {
        text.push(&linked_with_parent(link));
    }
    for missing in &audit.missing {
        text.push(&text!("  {}: not compared\n", missing.sentence()));
    }
    for child in &audit.owed_children {
        text.push(&text!(
            "  owed to or by its child {}: the next turn does it\n",
            child
        ));
    }
    if let (Some(attestation), Some(signature)) = (&audit.erased, &audit.signature) {
        let sentence = erased::sentence(attestation);
        text.push(&text!("  {}. {}\n", sentence, erased::vouched(signature)));
    }
    if let Some(anchor) = audit.anchor.as_ref() {
        text.push(&anchored(audit, anchor));
    }
    if let Some(divergence) = &audit.divergence {
        text.push(&diverged(divergence));
    }
    text
}

/// Where the log stands, behind what is said of it; nothing if that is not to be said.
pub(super) fn in_file(file: Option<&str>) -> Text {
    match file {
        Some(file) => text!("; in {}", file),
        None => Text::new(),
    }
}

/// What an anchor says of a log.
fn anchored(audit: &Audit, anchor: &AnchorCheck) -> Text {
    let AnchorCheck {
        place,
        sequence,
        at,
        complete,
        signature,
        ..
    } = anchor;
    if let SignatureCheck::Bad { key } = signature {
        return text!(
            "  {}: the key {} has not signed this anchor: it was changed, or its signature was forged\n",
            place,
            key
        );
    }
    if !audit.verdict.is_good() {
        return Text::new();
    }
    let at = match at {
        Some(at) => text!(" at {}", stamp(*at)),
        None => Text::new(),
    };
    let events = match complete {
        true => text!("event {}, its last", sequence),
        false => text!("event {} of {}", sequence, audit.events),
    };
    match signature {
        SignatureCheck::Trusted { key } if *complete => text!(
            "  signed and complete: the trusted key {} has signed {}{}\n",
            key,
            events,
            at
        ),
        SignatureCheck::Trusted { key } => text!(
            "  signed up to there: the trusted key {} has signed {}{}, and nobody has signed what came later\n",
            key,
            events,
            at
        ),
        SignatureCheck::Untrusted { key } => text!(
            "  whole: the anchor at {}{} is signed with the key {}, which --trust does not name\n",
            events,
            at,
            key
        ),
        SignatureCheck::Unsigned => {
            text!("  whole: the anchor at {}{} is not signed\n", events, at)
        }
        SignatureCheck::NotChecked { algorithm } => text!(
            "  whole: the anchor at {}{} is signed with {}, which this program does not know: signature not checked\n",
            events,
            at,
            algorithm
        ),
        _ => text!(
            "  whole: a newer program knows who has signed the anchor at {}\n",
            events
        ),
    }
}

/// What was found of the log that this one was forked from.
fn linked(link: &Link) -> Text {
    let Link {
        execution_id,
        sequence,
        link,
        ..
    } = link;
    let events = match sequence {
        1 => text!("event 1 is"),
        _ => text!("events 1 to {} are", sequence),
    };
    let said = match link {
        LinkState::Linked => text!("{} the same there", events),
        LinkState::Broken => text!("{} not the same there", events),
        LinkState::Cut => text!("its log is cut, and is the same as far as it goes"),
        LinkState::OriginUnsound => {
            text!("its log is not sound, so {} not compared", events)
        }
        _ => text!("its log is not at hand, so {} not compared", events),
    };
    text!("  forked from {}: {}\n", execution_id, said)
}

/// What was found of the log that asked for this child.
fn linked_with_parent(link: &Link) -> Text {
    let said = match link.link {
        LinkState::Linked => "both logs name each other",
        LinkState::PartlyCompared => {
            "both logs name each other; the input that was ordered for it is not known"
        }
        LinkState::Cut => "one of both logs is cut, and they agree in what is there",
        LinkState::Broken => "the logs do not agree",
        LinkState::OriginUnsound => "its log is not sound, so they are not compared",
        _ => "its log is not at hand, so they are not compared",
    };
    text!(
        "  child of {}, event {}: {}\n",
        link.execution_id,
        link.sequence,
        said
    )
}

/// The one report of a divergence, set in by so many columns.
pub(super) fn report(divergence: &Divergence, columns: usize) -> Text {
    let lines = divergence.report().into_iter().map(|(depth, line)| {
        let indent = Text::of(format_args!("{:1$}", "", columns + 2 * depth));
        text!("{}{}\n", indent, Text::lines(&line))
    });
    lines.collect()
}

/// The same, with what to do next.
pub(super) fn diverged(divergence: &Divergence) -> Text {
    let mut text = report(divergence, 2);
    text.push(&text!("    next: {}\n", next(divergence)));
    text
}

/// What to do next, with the command for it.
fn next(divergence: &Divergence) -> Text {
    let said = text!("{}", divergence.advice.sentence());
    match divergence.advice {
        Advice::RestoreBackup => {
            let command = Database::opened().command("restore", &["BACKUP"]);
            text!("{}: `{}`", said, command)
        }
        _ => said,
    }
}
