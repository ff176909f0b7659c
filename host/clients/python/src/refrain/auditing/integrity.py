"""The checks that need no guest: laws 1, 4, 5 and 6, and the authors of events.

The chain comes first, because it makes sense only for a log that nobody touched to ask
whether it is legal.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NoReturn

from ..log.event import FORMAT_VERSION, Head
from ..log.export import Cause, Recording
from ..log.kinds import DECISIONS, TERMINAL
from .divergence import Divergence, between
from .verdict import Verdict


class Finding(Exception):
    """What an audit has found: a verdict, and what it is based on."""

    def __init__(self, verdict: Verdict, divergence: Divergence) -> None:
        super().__init__(divergence.message)
        self.verdict: Verdict = verdict
        self.divergence = divergence


VERDICT_OF_CAUSE: dict[Cause, Verdict] = {
    "changed": "tampered",
    "malformed": "unreadable",
    "newer": "newer",
}


def check(recording: Recording) -> None:
    """Raises the first fault of the log itself, as a `Finding`."""
    end = _chained(recording)
    broken_off = recording.broken_off
    if broken_off is not None:
        divergence = Divergence(broken_off.sequence, broken_off.message)
        raise Finding(VERDICT_OF_CAUSE[broken_off.cause], divergence)
    _ends_where_anchored(end, recording.head)
    _bound_by_event_1(recording)
    _attested(recording)
    _lawful(recording)


def _tampered(divergence: Divergence) -> NoReturn:
    raise Finding("tampered", divergence)


def _chained(recording: Recording) -> Head:
    """Checks laws 1 and 4: no event was edited, removed, inserted or moved. Answers the
    head of the events that were read."""
    last = 0
    for place, kept in enumerate(recording.events):
        found = kept.event.sequence
        if found > last + 1:
            message = f"event {last + 1} is missing: the log goes on with event {found}"
            _tampered(Divergence(last + 1, message))
        if found < last + 1:
            stands = (
                f"a second event {found}"
                if found
                else "an event with the number 0, which none has"
            )
            message = f"where event {last + 1} should be stands {stands}"
            _tampered(Divergence(last + 1, message))
        last = found
        if recording.broken_link is not None and recording.broken_link[0] == place:
            message = (
                f"event {found} was changed: its hash is not that of its content and of what"
                " comes before it"
            )
            _tampered(between(found, message, recording.broken_link[1], kept.hash))
    return recording.events[-1].head if recording.events else Head()


def _ends_where_anchored(end: Head, anchored: Head) -> None:
    """Checks the end of the log. A cut tail leaves a log that is whole in itself, so only
    the recorded head shows it."""
    ends, named = end.sequence, anchored.sequence
    if ends < named:
        message = (
            f"event {ends + 1} is missing: the log ends with event {ends}, and its recorded"
            f" head is event {named}"
        )
        _tampered(Divergence(ends + 1, message))
    if end.hash != anchored.hash:
        message = f"the recorded head names another event {ends}"
        _tampered(between(ends, message, anchored.hash, end.hash))


def _bound_by_event_1(recording: Recording) -> None:
    """Checks that event 1 is this execution's, and binds this workflow's text and
    guest."""
    started = recording.started
    if started is None:
        return  # `_lawful` refuses such a log.
    fields = started.fields
    if fields["format"] != FORMAT_VERSION:
        message = "event 1 names another version of the log's encoding"
        _tampered(between(1, message, FORMAT_VERSION, fields["format"]))
    if fields["execution_id"] != recording.execution_id:
        message = f"the log is that of another execution, {fields['execution_id']}"
        _tampered(between(1, message, recording.execution_id, fields["execution_id"]))
    found = sha256(recording.workflow.encode()).hexdigest()
    if fields["workflow_digest"] != found:
        message = (
            f"the text of workflow {fields['workflow_id']} {fields['workflow_version']} is"
            " not the one that event 1 names"
        )
        _tampered(between(1, message, fields["workflow_digest"], found))
    if fields["guest_digest"] != recording.guest_digest:
        message = "the header names another guest than event 1"
        _tampered(between(1, message, fields["guest_digest"], recording.guest_digest))


def _attested(recording: Recording) -> None:
    """Checks that a log is erased where it is said to be, and nowhere else: a log that
    could be erased without a trace could hide what it said."""
    attestation = recording.attestation
    if attestation is None and recording.is_erased:
        message = (
            "event 1 is erased, and so are the others; but no attestation says by whom, and"
            " what their audit said before"
        )
        _tampered(Divergence(1, message))
    if attestation is None:
        return
    if not recording.is_erased:
        message = "an attestation says that the log was erased, and event 1 is not"
        _tampered(Divergence(1, message))
    named = attestation.head
    if named != recording.head:
        message = (
            "the attestation is of another log, or of another state of this one: it names"
            f" another event {named.sequence}"
        )
        _tampered(between(named.sequence, message, named.hash, recording.head.hash))


def _lawful(recording: Recording) -> None:
    """Checks laws 5 and 6, and the authors of events."""

    def illegal(sequence: int, message: str) -> NoReturn:
        raise Finding("illegal", Divergence(sequence, message))

    if not recording.events:
        illegal(1, "the log has no events: it should begin with workflow_started")
    at = recording.events[0].event.at
    terminal = 0
    for kept in recording.events:
        event = kept.event
        sequence = event.sequence
        if (sequence == 1) != (event.kind == "workflow_started"):
            illegal(
                sequence,
                f"event {sequence}: event 1, and no other, is workflow_started",
            )
        if event.is_decision != (event.kind in DECISIONS):
            illegal(sequence, f"event {sequence}: a {event.origin} cannot be of this kind")
        if event.at < at:
            illegal(
                sequence,
                f"event {sequence} is stamped {at - event.at} ms before the event before it",
            )
        if terminal:
            illegal(
                sequence,
                f"event {sequence} comes after event {terminal}, which ended the execution",
            )
        at = event.at
        if event.kind in TERMINAL:
            terminal = sequence
    if recording.is_erased and not terminal:
        end = recording.head.sequence
        illegal(
            end,
            f"event {end} does not end the execution, and only what has ended is erased",
        )
