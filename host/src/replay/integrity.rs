//! The checks that need no guest: laws 1, 4, 5 and 6, and the authors of events.
//!
//! The chain comes first, because it makes sense only for a log that nobody touched
//! to ask whether it is legal.

use super::divergence::Divergence;
use super::kept_events::UnreadableCause;
use super::source::{Claimed, Recording};
use super::verdict::Verdict;
use crate::log::author::may_author;
use crate::log::chain;
use crate::log::digest::hex;
use crate::model::{Digest, EventKind, FORMAT_VERSION, Origin};
use crate::store::{Hash, Head};

/// A verdict and the divergence that it is based on.
pub(super) type Finding = (Verdict, Box<Divergence>);

/// What is said of a log that could not be read any further.
pub(super) fn verdict_of(cause: UnreadableCause) -> Verdict {
    match cause {
        UnreadableCause::Changed => Verdict::Tampered,
        UnreadableCause::Malformed => Verdict::Unreadable,
        UnreadableCause::Newer => Verdict::Newer,
    }
}

/// The first fault of the log itself.
pub(super) fn check(recording: &Recording) -> Result<(), Finding> {
    let tampered = |found| (Verdict::Tampered, found);
    let end = chained(recording).map_err(tampered)?;
    if let Some(place) = &recording.broken_off {
        return Err((
            verdict_of(place.cause),
            Divergence::plain(place.sequence, place.message.clone()).into(),
        ));
    }
    ends_where_anchored(end, recording.head).map_err(tampered)?;
    bound_by_event_1(recording).map_err(tampered)?;
    attested(recording).map_err(tampered)?;
    lawful(recording).map_err(|found| (Verdict::Illegal, found))
}

/// Checks that a log is erased where it is said to be, and nowhere else: a log that could
/// be erased without a trace could hide what it said.
fn attested(recording: &Recording) -> Result<(), Box<Divergence>> {
    let plain = |message: &str| Err(Divergence::plain(1, message).into());
    match (recording.claimed.attestation(), recording.is_erased()) {
        (None, false) => Ok(()),
        (None, true) => plain(
            "event 1 is erased, and so are the others; but no attestation says by whom, and what their audit said before",
        ),
        (Some(_), false) => {
            plain("an attestation says that the log was erased, and event 1 is not")
        }
        (Some(attestation), true) if attestation.head != recording.head => {
            let head = attestation.head;
            let message = format!(
                "the attestation is of another log, or of another state of this one: it names another event {}",
                head.sequence
            );
            let found = hex_value(&recording.head.hash);
            let named = hex_value(&head.hash);
            Err(Divergence::between(head.sequence, message, Some(named), Some(found)).into())
        }
        (Some(_), true) => Ok(()),
    }
}

/// Checks laws 1 and 4: no event was edited, removed, inserted or moved. Answers the
/// head of the events that were read.
fn chained(recording: &Recording) -> Result<Head, Box<Divergence>> {
    let mut head = Head::default();
    for (place, (_, of_event)) in recording.plain().enumerate() {
        let due = head.sequence + 1;
        if let Some(message) = chain::out_of_order(due, of_event.sequence) {
            return Err(Divergence::plain(due, message).into());
        }
        head = of_event;
        if let Some(link) = recording
            .broken_link
            .as_ref()
            .filter(|it| it.place == place)
        {
            return Err(changed(head, &link.expected));
        }
    }
    Ok(head)
}

fn changed(found: Head, expected: &Hash) -> Box<Divergence> {
    Divergence::between(
        found.sequence,
        chain::changed(found.sequence),
        Some(hex_value(expected)),
        Some(hex_value(&found.hash)),
    )
    .into()
}

/// Checks the end of the log. A cut tail leaves a log that is whole in itself, so only
/// the anchored head shows it.
fn ends_where_anchored(end: Head, anchored: Head) -> Result<(), Box<Divergence>> {
    let (ends, named) = (end.sequence, anchored.sequence);
    if ends < named {
        let message = format!(
            "event {} is missing: the log ends with event {ends}, and its recorded head is event {named}",
            ends + 1
        );
        return Err(Divergence::plain(ends + 1, message).into());
    }
    if ends > named {
        let message = format!(
            "event {} was inserted: the recorded head is event {named}",
            named + 1
        );
        return Err(Divergence::plain(named + 1, message).into());
    }
    if end.hash != anchored.hash {
        return Err(Divergence::between(
            ends,
            chain::other_head(ends),
            Some(hex_value(&anchored.hash)),
            Some(hex_value(&end.hash)),
        )
        .into());
    }
    Ok(())
}

/// Checks that event 1 is this execution's, and binds this workflow's text and guest.
fn bound_by_event_1(recording: &Recording) -> Result<(), Box<Divergence>> {
    let Some(EventKind::WorkflowStarted(started)) =
        recording.plain().next().map(|(event, _)| &event.kind)
    else {
        return Ok(()); // `lawful` refuses such a log.
    };
    if started.format != FORMAT_VERSION {
        let message = "event 1 names another version of the log's encoding";
        let (expected, found) = (FORMAT_VERSION, started.format);
        return Err(
            Divergence::between(1, message, Some(expected.into()), Some(found.into())).into(),
        );
    }
    let asked = recording.execution_id.to_string();
    if started.execution_id != asked {
        let message = format!(
            "the log is that of another execution, {}",
            started.execution_id
        );
        return Err(Divergence::between(
            1,
            message,
            Some(asked.into()),
            Some(started.execution_id.clone().into()),
        )
        .into());
    }
    let found = Digest::of(recording.workflow.as_bytes());
    if started.workflow_digest != found {
        let message = format!(
            "the text of workflow {} {} is not the one that event 1 names",
            started.workflow_id, started.workflow_version
        );
        return Err(Divergence::between(
            1,
            message,
            Some(started.workflow_digest.to_string().into()),
            Some(found.to_string().into()),
        )
        .into());
    }
    match &recording.claimed {
        Claimed::Store {
            workflow_digest, ..
        } if started.workflow_digest != *workflow_digest => {
            let message = "the store keeps the workflow's text under another digest than its own";
            let (expected, found) = (started.workflow_digest.to_string(), workflow_digest.clone());
            Err(Divergence::between(1, message, Some(expected.into()), Some(found.into())).into())
        }
        Claimed::Header { guest_digest, .. } if started.guest_digest != *guest_digest => {
            let message = "the header names another guest than event 1";
            let (expected, found) = (started.guest_digest.to_string(), guest_digest.clone());
            Err(Divergence::between(1, message, Some(expected.into()), Some(found.into())).into())
        }
        _ => Ok(()),
    }
}

/// Checks laws 5 and 6, and the authors of events.
fn lawful(recording: &Recording) -> Result<(), Box<Divergence>> {
    let Some((first, _)) = recording.plain().next() else {
        return Err(Divergence::plain(
            1,
            "the log has no events: it should begin with workflow_started",
        )
        .into());
    };
    let mut at = first.at;
    let mut terminal = None;
    for (event, _) in recording.plain() {
        let sequence = event.sequence;
        let refused = |message: String| Err(Divergence::plain(sequence, message).into());
        if (sequence == 1) != matches!(event.kind, EventKind::WorkflowStarted(_)) {
            return refused(format!(
                "event {sequence}: event 1, and no other, is workflow_started"
            ));
        }
        if !may_author(event.origin, &event.kind) {
            return refused(format!(
                "event {sequence}: a {} cannot be of this kind",
                origin_name(event.origin)
            ));
        }
        if event.at < at {
            return refused(format!(
                "event {sequence} is stamped {} ms before the event before it",
                at - event.at
            ));
        }
        if let Some(end) = terminal {
            return refused(format!(
                "event {sequence} comes after event {end}, which ended the execution"
            ));
        }
        at = event.at;
        terminal = event.kind.is_terminal().then_some(sequence);
    }
    if recording.is_erased() && terminal.is_none() {
        let end = recording.head.sequence;
        let message =
            format!("event {end} does not end the execution, and only what has ended is erased");
        return Err(Divergence::plain(end, message).into());
    }
    Ok(())
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Fact => "fact",
        Origin::Decision => "decision",
    }
}

fn hex_value(hash: &Hash) -> serde_json::Value {
    hex(hash).into()
}
