"""An event of a log, and the log as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .. import times
from .compounds import are_fit, put_fields, read_fields, show_fields
from .fields import Part, put_text
from .kinds import KINDS, ORIGIN
from .line import Line, LineError

#: The name of the format: of what is hashed and how, and of exports.
FORMAT = "refrain-log/2"

#: The version of the encoding that event 1 names.
FORMAT_VERSION = 2

#: The chain hash before event 1.
START = sha256(FORMAT.encode()).hexdigest()


@dataclass(slots=True)
class Event:
    """One numbered entry of an execution's log.

    `fields` are those of its kind, by their names in the contract. JSON of the user's is
    text there; a code with data is a pair of its name and its payload.
    """

    sequence: int
    at: int
    origin: str
    kind: str
    fields: dict[str, Any]

    def get(self, name: str) -> Any:
        """The value of a field. `None` if the kind has no such field."""
        return self.fields.get(name)

    @property
    def is_decision(self) -> bool:
        return self.origin == "decision"

    def is_fit(self) -> bool:
        """Whether its digests are digests: of a guest's event, its types do not say so."""
        return are_fit(KINDS[self.kind], self.fields)

    def show(self) -> dict[str, Any]:
        """The event as a value of JSON, for reports."""
        at = times.written(self.at)
        shown: dict[str, Any] = {
            "sequence": self.sequence,
            "at": self.at if at is None else at,
            "origin": self.origin,
            "type": self.kind,
        }
        show_fields(KINDS[self.kind], self.fields, shown)
        return shown


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a log, and the chain hash up to it."""

    sequence: int = 0
    hash: str = START


@dataclass(slots=True)
class Kept:
    """An event as a log has it: whole, with a salt; or erased, with the commitment to
    what was erased."""

    event: Event
    salt: bytes | None
    commitment: str
    hash: str
    #: How many canonical bytes it has.
    size: int

    @property
    def head(self) -> Head:
        return Head(self.event.sequence, self.hash)


def canonical(event: Event) -> tuple[bytes, bytes]:
    """The bytes that are hashed of an event: those of its plain fields, and those of the
    erasable ones."""
    own: Part = bytearray()
    erasable: Part = bytearray()
    own += event.sequence.to_bytes(8, "little") + event.at.to_bytes(8, "little")
    put_text(event.origin, own)
    put_text(event.kind, own)
    put_fields(KINDS[event.kind], event.fields, own, erasable)
    return bytes(own), bytes(erasable)


def link(previous: str, plain: bytes, commitment: bytes) -> str:
    """The chain hash after an event of these plain bytes, and of this commitment to the
    others."""
    return sha256(bytes.fromhex(previous) + plain + commitment).hexdigest()


def read_event(line: Line) -> Event:
    """The event that stands on a line, salt and hash taken out."""
    sequence = line.number("sequence", 2**64 - 1)
    at = line.time("at")
    origin = line.choice("origin", ORIGIN.names)
    kind = line.kind("type", KINDS)
    fields = read_fields(KINDS[kind], line)
    line.end()
    return Event(sequence, at, origin, kind, fields)


def read_kept(text: str, previous: str) -> tuple[Kept, str]:
    """The event of a line, and the hash that it should have behind the one before it.

    Raises `LineError` if the line is none.
    """
    line = Line(text)
    has_salt, has_commitment = line.has("salt"), line.has("commitment")
    if has_salt and has_commitment:
        raise line.error(
            "commitment",
            "a salt stands next to it; an event is whole and has a salt, or is erased and"
            " has a commitment",
        )
    if has_commitment or (not has_salt and _is_stripped(text)):
        return _read_erased(line, previous)
    salt = line.salt("salt")
    hash_ = line.digest("hash")
    event = read_event(line)
    plain, erasable = canonical(event)
    commitment = sha256(salt + erasable).digest()
    kept = Kept(event, salt, commitment.hex(), hash_, len(plain) + len(erasable))
    return kept, link(previous, plain, commitment)


def _read_erased(line: Line, previous: str) -> tuple[Kept, str]:
    line.is_erased = True
    commitment = line.digest("commitment")
    hash_ = line.digest("hash")
    event = read_event(line)
    plain, _ = canonical(event)
    kept = Kept(event, None, commitment, hash_, len(plain))
    return kept, link(previous, plain, bytes.fromhex(commitment))


def _is_stripped(text: str) -> bool:
    """Whether a line can be read as an erased event only: its kind has fields that can
    be erased, and they are not there."""

    def is_readable(is_erased: bool) -> bool:
        line = Line(text)
        line.is_erased = is_erased
        try:
            line.digest("hash")
            read_event(line)
        except LineError:
            return False
        return True

    return is_readable(True) and not is_readable(False)
