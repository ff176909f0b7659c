"""The export of a log, as it is read: a header, components, and one event a line.

What is wrong with a line ends the reading, and is a finding about the log. The header
is believed only as far as event 1 binds it.
"""

from __future__ import annotations

import base64
import binascii
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from os import PathLike
from typing import Literal, Union

from .. import ids
from ..limits import COMPONENT_BYTES_MAX, EXPORT_COMPONENTS_BYTES_MAX, EXPORT_LINE_BYTES_MAX
from ..words import quoted
from .attestation import Attestation, read_attestation
from .event import FORMAT, Event, Head, Kept, read_kept
from .line import Line, LineError

#: A log: the path of an export, its bytes, a file that is read as bytes, or its lines.
Source = Union[str, "PathLike[str]", bytes, bytearray, io.BufferedIOBase, Iterable[str | bytes]]

Cause = Literal["changed", "malformed", "newer"]


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """The place where reading had to stop."""

    #: The first event that cannot be read; 0 if it is the part before the events.
    sequence: int
    cause: Cause
    message: str


class UnreadableLog(Exception):
    """Not even the header of a log can be read."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause: Cause = cause
        self.message = message


@dataclass(slots=True)
class Recording:
    """A log, and all that its replay needs besides."""

    execution_id: str
    #: The head that the header names.
    head: Head
    workflow: str
    #: The guest that the header names.
    guest_digest: str
    owed_a_step: bool
    attestation: Attestation | None
    #: Components that the export brings, by their digests.
    components: dict[str, bytes]
    events: list[Kept] = field(default_factory=list)
    #: The place, from 0, of the first event whose hash is not what it should be, and what
    #: it should be.
    broken_link: tuple[int, str] | None = None
    broken_off: BrokenOff | None = None

    @property
    def is_erased(self) -> bool:
        return bool(self.events) and self.events[0].salt is None

    @property
    def started(self) -> Event | None:
        """Event 1, if it is what it has to be."""
        first = self.events[0].event if self.events else None
        return first if first is not None and first.kind == "workflow_started" else None

    def event(self, sequence: int) -> Event | None:
        """The event of this sequence, of a log that is whole."""
        if self.is_erased or not 1 <= sequence <= len(self.events):
            return None
        return self.events[sequence - 1].event

    def guests(self) -> Iterator[str]:
        """The digests of the guests that the log names, in its order."""
        for kept in self.events:
            if kept.event.kind in ("workflow_started", "guest_changed"):
                yield kept.event.fields["guest_digest"]

    def push(self, kept: Kept, expected: str) -> bool:
        """Takes the next event, which should have this hash. An event that is erased
        among others that are not, or the other way round, ends the reading: false."""
        if self.events and (kept.salt is None) != self.is_erased:
            sequence = self.events[-1].event.sequence + 1
            said = (
                "is erased, and those before it are not"
                if kept.salt is None
                else "is not erased, and those before it are"
            )
            message = f"event {sequence} {said}: a log is erased as a whole"
            self.broken_off = BrokenOff(sequence, "changed", message)
            return False
        if kept.hash != expected and self.broken_link is None:
            self.broken_link = (len(self.events), expected)
        self.events.append(kept)
        return True


class _Lines:
    """Lines of bounded length, counted from 1."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.number = 0

    def next(self) -> tuple[str | None, bool] | None:
        """The next line, `None` if its bytes are no text, and whether it has its line
        break. `None` at the end."""
        line = next(self._lines, b"")
        if not line:
            return None
        self.number += 1
        if len(line) > EXPORT_LINE_BYTES_MAX:
            raise _TooLong(self.number)
        is_ended = line.endswith(b"\n")
        try:
            return (line[:-1] if is_ended else line).decode(), is_ended
        except UnicodeDecodeError:
            # With replaced characters, lines of other bytes would come to the same event.
            return None, is_ended


class _TooLong(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(
            f"line {line} is longer than {EXPORT_LINE_BYTES_MAX} bytes, and no event is;"
            " export the log again"
        )


def _no_text(line: int) -> str:
    return f"line {line} is no text in UTF-8, export the log again"


def read_log(source: Source) -> Recording:
    """The log that an export holds, up to the first line that is no event.

    Raises `UnreadableLog` if its first lines are not those of an export, and `OSError`
    if it cannot be read at all.
    """
    if isinstance(source, (bytes, bytearray)):
        return _read(_bounded(io.BytesIO(source)))
    if isinstance(source, (str, PathLike)):
        with open(source, "rb") as file:
            return _read(_bounded(file))
    if isinstance(source, io.BufferedIOBase):
        return _read(_bounded(source))
    return _read(_encoded(source))


def _bounded(file: io.BufferedIOBase) -> Iterator[bytes]:
    while line := file.readline(EXPORT_LINE_BYTES_MAX + 1):
        yield line


def _encoded(lines: Iterable[str | bytes]) -> Iterator[bytes]:
    for line in lines:
        # Surrogates have no bytes in UTF-8: the line is then found to be none.
        encoded = line.encode(errors="surrogatepass") if isinstance(line, str) else line
        yield encoded if encoded.endswith(b"\n") else encoded + b"\n"


def _read(source: Iterator[bytes]) -> Recording:
    lines = _Lines(source)
    try:
        recording, components = _read_header(lines)
        _read_components(lines, components, recording)
    except _TooLong as error:
        raise UnreadableLog("malformed", str(error)) from None
    recording.broken_off = _read_events(lines, recording) or recording.broken_off
    return recording


def _no_export(problem: str) -> UnreadableLog:
    message = f"this is no exported log of the format {FORMAT}: line 1: {problem}"
    return UnreadableLog("malformed", message)


def _is_newer(format_: str) -> bool:
    """Whether a later version of the format has this name."""
    name, _, version = FORMAT.rpartition("/")
    number = format_.removeprefix(f"{name}/")
    digits = number.removeprefix("+")
    is_number = number != format_ and digits.isascii() and digits.isdigit()
    # Python reads only so many digits.
    significant = digits.lstrip("0") or "0"
    return is_number and len(significant) <= 20 and int(version) < int(significant) < 2**64


def _read_header(lines: _Lines) -> tuple[Recording, list[str]]:
    first = lines.next()
    if first is None:
        raise _no_export("it is empty")
    if first[0] is None:
        raise _no_export("it is no text in UTF-8")
    try:
        line = Line(first[0])
        # First of all: another format may have other fields.
        format_ = line.text("format")
        if _is_newer(format_):
            raise UnreadableLog(
                "newer",
                f"line 1 cannot be read: the format {format_} is newer than this program,"
                f" which reads {FORMAT}; use a newer Refrain for it",
            )
        if format_ != FORMAT:
            raise _no_export(f"the format is {quoted(format_)}")
        execution_id = line.text("execution_id")
        workflow = line.text("workflow")
        guest_digest = line.digest("guest_digest")
        sequence = line.number("events", 2**64 - 1)
        head = Head(sequence, line.digest("head"))
        owed_a_step = line.present("owed_a_step") and line.flag("owed_a_step")
        attestation = None
        if line.present("erased"):
            attestation = read_attestation(line.record("erased"))
        components = line.texts("components") if line.present("components") else []
        line.end()
    except LineError as error:
        raise _no_export(str(error)) from None
    recording = Recording(
        execution_id, head, workflow, guest_digest, owed_a_step, attestation, {}
    )
    return recording, components


def _read_components(lines: _Lines, named: list[str], recording: Recording) -> None:
    total = 0
    for digest in named:
        text, _ = lines.next() or ("", True)
        number = max(lines.number, 1)
        if text is None:
            raise UnreadableLog("malformed", _no_text(number))
        try:
            component = _component(Line(text), digest)
        except LineError as error:
            message = f"line {number} is no component, export the log again: {error}"
            raise UnreadableLog("malformed", message) from None
        total += len(component)
        if total > EXPORT_COMPONENTS_BYTES_MAX:
            raise UnreadableLog(
                "malformed",
                f"line {number} is one component too many: those of one export may have"
                f" {EXPORT_COMPONENTS_BYTES_MAX} bytes together; export the log without them",
            )
        recording.components[digest] = component
    if not ids.is_execution_id(recording.execution_id):
        message = f"line 1: {ids.no_execution_id(recording.execution_id)}"
        raise UnreadableLog("malformed", message)


def _component(line: Line, expected: str) -> bytes:
    named = line.text("component")
    if named != expected:
        raise line.error("component", f"the header names the component {expected} here")
    length = line.number("bytes", COMPONENT_BYTES_MAX)
    encoded = line.text("zlib")
    line.end()
    try:
        compressed = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise line.error("zlib", f"it is no base64: {error}") from None
    unpacker = zlib.decompressobj()
    try:
        # At most as many bytes as were announced are ever made of it.
        component = unpacker.decompress(compressed, length + 1)
    except zlib.error as error:
        problem = f"it is not {length} bytes, compressed: {error}"
        raise line.error("zlib", problem) from None
    if len(component) > length or not unpacker.eof:
        raise line.error("zlib", f"it is not {length} bytes, compressed")
    if len(component) != length:
        problem = f"it holds {len(component)} bytes, and {length} are announced"
        raise line.error("zlib", problem)
    found = sha256(component).hexdigest()
    if found != named:
        problem = f"these bytes are another component, whose digest is {found}"
        raise line.error("zlib", problem)
    return component


def _read_events(lines: _Lines, recording: Recording) -> BrokenOff | None:
    """Reads the events. Answers why they do not go on; `None` if they have ended, or
    the end is missing, which the head shows."""
    events = recording.head.sequence
    before = lines.number
    while True:
        next_ = len(recording.events) + 1
        try:
            line = lines.next()
            if line is None:
                return None
            if lines.number - before > events:
                return BrokenOff(
                    next_,
                    "malformed",
                    f"line {lines.number} is one too many: the header says that there are"
                    f" {events} events; export the log again",
                )
            text, is_ended = line
            if text is None:
                broken = BrokenOff(next_, "malformed", _no_text(lines.number))
                return broken if is_ended else None
            last = recording.events[-1].hash if recording.events else Head().hash
            kept, expected = read_kept(text, last)
        except _TooLong as error:
            return BrokenOff(next_, "malformed", str(error))
        except LineError as error:
            if not is_ended:
                return None
            if error.is_newer:
                message = f"line {lines.number} cannot be read: {error}"
                return BrokenOff(next_, "newer", message)
            message = f"line {lines.number} is no event, export the log again: {error}"
            return BrokenOff(next_, "malformed", message)
        if not recording.push(kept, expected):
            return recording.broken_off
