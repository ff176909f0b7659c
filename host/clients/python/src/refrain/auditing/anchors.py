"""Heads that were noted elsewhere (law 4), and what they say of a log.

A log whose tail was cut off together with the record of its head is whole in itself. Only
a head that was noted somewhere else shows that something is missing.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from .. import ids, json_text
from ..log.attestation import read_ed25519
from ..log.event import Head
from ..log.export import Recording
from ..log.fields import Part, put_text
from ..log.line import Line, LineError
from ..signing import ALGORITHM, Signature, fingerprint
from .divergence import Divergence, between
from .integrity import Finding
from .verdict import AnchorCheck, SignatureCheck

#: The form of an anchor, and what its signed bytes begin with.
ANCHOR_FORMAT = "refrain-anchor/1"
_FAMILY = "refrain-anchor/"
_DIGEST = re.compile(r"[0-9a-f]{64}")

#: One that does not hold is told before all others.
_TRUST = ("unsigned", "not_checked", "untrusted", "trusted", "bad")

_LINE_REMEDY = (
    "where a write was cut off there, remove the line and note the heads anew; else take the"
    " file from where it was kept"
)


class AnchorFault(Exception):
    """A text holds no heads, or a line of it is damaged."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a log at a time, and who vouches for it."""

    #: The document, and the line in it.
    place: str
    execution_id: str
    head: Head
    #: When it was noted. `None` where the document does not say.
    at: int | None
    signature: Signature | None = None
    #: The algorithm of a signature that is none of Ed25519.
    other_algorithm: str | None = None

    def holds(self) -> bool | None:
        """Whether its signature is that of its key. `None` if that cannot be said."""
        signature = self.signature
        return None if signature is None else signature.holds(self._signed(signature.key))

    def _signed(self, key: str) -> bytes:
        signed: Part = bytearray()
        put_text(ANCHOR_FORMAT, signed)
        put_text(self.execution_id, signed)
        signed += self.head.sequence.to_bytes(8, "little")
        signed += bytes.fromhex(self.head.hash)
        signed += (self.at or 0).to_bytes(8, "little")
        put_text(fingerprint(key), signed)
        return bytes(signed)


class Anchors:
    """Heads by their executions, in the order in which they were noted."""

    def __init__(self, noted: list[Anchor] | None = None) -> None:
        self._noted: dict[str, list[Anchor]] = {}
        for anchor in noted or []:
            self._noted.setdefault(anchor.execution_id, []).append(anchor)

    @classmethod
    def read(cls, text: str, place: str) -> Anchors:
        """The heads in a document: a file of anchors, one a line; a list of executions in
        JSON, or one of them; or the header of an export, whatever follows it. `place`
        names it.

        Raises `AnchorFault` if the text is something else.
        """
        return cls(_read(text, place))

    def check(self, recording: Recording) -> None:
        """Checks that the log, which is whole in itself, still has its noted heads. A head
        under a signature that does not hold is nobody's word, and is left aside."""
        for anchor in self._noted.get(recording.execution_id, []):
            if anchor.holds() is not False:
                _check(anchor.head, recording)

    def told_of(self, recording: Recording, trusted: Set[str]) -> AnchorCheck | None:
        """What the anchors of this log say of it: the first signature that does not hold,
        else the best of them."""
        noted = self._noted.get(recording.execution_id, [])
        told = [
            AnchorCheck(
                anchor.place,
                anchor.head.sequence,
                anchor.at,
                anchor.head.sequence == len(recording.events),
                _signature_of(anchor, trusted),
            )
            for anchor in noted
        ]
        # Of several that are equally good, the last one.
        told.reverse()
        return max(
            told,
            key=lambda it: (_TRUST.index(it.signature.result), it.sequence),
            default=None,
        )


def _check(noted: Head, recording: Recording) -> None:
    events = recording.events
    if noted.sequence > len(events):
        ends = len(events)
        ends_with = f"the log ends with event {ends}" if ends else "the log has no events"
        message = (
            f"event {ends + 1} is missing: {ends_with}, and its anchored head is event"
            f" {noted.sequence}"
        )
        raise Finding("tampered", Divergence(ends + 1, message))
    held = events[noted.sequence - 1].hash if noted.sequence else Head().hash
    if held != noted.hash:
        message = f"event {noted.sequence} is another than the anchored head names"
        raise Finding("tampered", between(noted.sequence, message, noted.hash, held))


def _signature_of(anchor: Anchor, trusted: Set[str]) -> SignatureCheck:
    if anchor.other_algorithm is not None:
        return SignatureCheck("not_checked", algorithm=anchor.other_algorithm)
    return checked(anchor.signature, anchor.holds(), trusted)


def checked(
    signature: Signature | None, holds: bool | None, trusted: Set[str]
) -> SignatureCheck:
    """Who vouches for what is signed so."""
    if signature is None:
        return SignatureCheck("unsigned")
    if holds is None:
        return SignatureCheck("not_checked", algorithm=ALGORITHM)
    key = fingerprint(signature.key)
    if not holds:
        return SignatureCheck("bad", key)
    return SignatureCheck("trusted" if signature.key in trusted else "untrusted", key)


# ---- documents ------------------------------------------------------------------------


def _read(text: str, place: str) -> list[Anchor]:
    # One whose first line was cut has that for a beginning still.
    if text.startswith(f'{{"format":"{_FAMILY}'):
        return _lines(text, place)
    end = json_text.first_value_end(text, 0)
    if end is None:
        raise _no_heads("it is no JSON" if text else "it is empty")
    try:
        document = json_text.members(text[:end])
        if (json_text.string(document.get("format", "")) or "").startswith(_FAMILY):
            return _lines(text, place)
        if "executions" in document:
            entries = json_text.elements(document["executions"])
        else:
            entries = [text[:end]]
        return [_entry(json_text.members(it), place) for it in entries]
    except json_text.JsonError as error:
        raise _no_heads(str(error)) from None


def _no_heads(problem: str) -> AnchorFault:
    return AnchorFault(
        "it holds no heads; give a file of anchors, a list of executions in JSON, one of them,"
        f" or an exported log: {problem}"
    )


def _entry(members: dict[str, str], place: str) -> Anchor:
    """A head, as it stands in our documents among other fields."""
    for name in ("execution_id", "events", "head"):
        if name not in members:
            raise json_text.JsonError(f"missing field `{name}`")
    execution_id = json_text.string(members["execution_id"]) or ""
    if not ids.is_execution_id(execution_id):
        raise json_text.JsonError(ids.no_execution_id(execution_id))
    hash_ = json_text.string(members["head"]) or ""
    if _DIGEST.fullmatch(hash_) is None:
        raise json_text.JsonError(f"the head of {execution_id} is not 64 hexadecimal digits")
    sequence = members["events"]
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) <= 19):
        raise json_text.JsonError(f"the events of {execution_id} are no number")
    return Anchor(place, execution_id, Head(int(sequence), hash_), None)


def _lines(text: str, place: str) -> list[Anchor]:
    """One anchor a line."""
    noted: list[Anchor] = []
    *lines, rest = text.split("\n")
    for number, line in enumerate(lines, 1):
        try:
            noted.append(_anchor(Line(line), f"{place}, line {number}"))
        except LineError as error:
            raise AnchorFault(f"line {number} is no anchor: {error}; {_LINE_REMEDY}") from None
    if rest:
        number = len(lines) + 1
        raise AnchorFault(f"line {number} is no anchor: it has no end; {_LINE_REMEDY}")
    return noted


def _anchor(line: Line, place: str) -> Anchor:
    line.choice("format", (ANCHOR_FORMAT,))
    execution_id = line.text("execution_id")
    if not ids.is_execution_id(execution_id):
        raise line.error("execution_id", ids.no_execution_id(execution_id))
    sequence = line.number("sequence", 2**64 - 1)
    head = Head(sequence, line.digest("head"))
    at = line.time("at")
    signature, algorithm = _signature(line)
    if sequence == 0:
        raise line.error("sequence", "it should be 1 or more: no log is empty")
    line.end()
    return Anchor(place, execution_id, head, at, signature, algorithm)


def _signature(line: Line) -> tuple[Signature | None, str | None]:
    """The signature of an anchor, or the name of an algorithm that is not known here."""
    if not line.present("key_id") and not line.present("signature"):
        return None, None
    key_id = line.text("key_id")
    inner = line.record("signature")
    algorithm = inner.text("algorithm")
    if algorithm != ALGORITHM:
        inner.leave_rest()
        return None, algorithm
    signature = read_ed25519(inner)
    inner.end()
    own = fingerprint(signature.key)
    if own != key_id:
        raise line.error("key_id", f"it should be {own}, the id of the key in `signature`")
    return signature, None
