"""One line of a log, as an object whose members are read one after the other."""

from __future__ import annotations

import re
from collections.abc import Collection

from .. import json_text, times

_HASH = re.compile(r"[0-9a-f]{64}")
_SALT = re.compile(r"[0-9a-f]{32}")
_WHOLE = re.compile(r"0|[1-9][0-9]*")
_KIND = re.compile(r"[a-z_]{1,64}")

#: How much of what was found stands in an error.
_EXCERPT = 60


class LineError(Exception):
    """A line is not what it should be. It says in which field, and what is wrong."""

    def __init__(self, field: str, problem: str, is_newer: bool = False) -> None:
        super().__init__(f"field `{field}`: {problem}")
        #: The field, with those that it is in: `limits.max_concurrent_nodes`.
        self.field = field
        self.problem = problem
        #: It may well be of a newer program.
        self.is_newer = is_newer


class Line:
    """Reads one object. Members leave it as they are read, so that in the end those are
    left that nobody knows."""

    __slots__ = ("is_erased", "_left", "_path")

    def __init__(self, text: str, path: tuple[str, ...] = ()) -> None:
        self._path = path
        #: Whether the fields that can be erased are not there.
        self.is_erased = False
        try:
            self._left = json_text.members(text)
        except json_text.JsonError as error:
            field = ".".join(path) or "the whole line"
            raise LineError(field, f"it should be one JSON object: {error}") from None

    def has(self, name: str) -> bool:
        """Whether this member is there, and was not read."""
        return name in self._left

    def end(self) -> None:
        """Nothing may be left: an unknown member could only be a mistake, or an edit
        that no hash covers."""
        for name in sorted(self._left):
            if self.is_erased:
                raise self.error(name, "an erased event has no such field; remove it")
            raise self.error(name, "there is no such field here; remove it")

    def leave_rest(self) -> None:
        """What is left is of a form that is not known here, and is left aside."""
        self._left.clear()

    def error(self, name: str, problem: str, is_newer: bool = False) -> LineError:
        return LineError(".".join((*self._path, name)), problem, is_newer)

    def mismatch(self, name: str, found: str, what: str) -> LineError:
        dots = "…" if len(found) > _EXCERPT else ""
        return self.error(name, f"{found[:_EXCERPT]}{dots} should be {what}")

    def take(self, name: str) -> str:
        """The value of a member, as it is written."""
        raw = self._left.pop(name, None)
        if raw is None:
            raise self.error(name, "it is missing; add it, or take the line from the original")
        return raw

    def text(self, name: str) -> str:
        raw = self.take(name)
        text = json_text.string(raw)
        if text is None:
            raise self.mismatch(name, raw, "a string")
        return text

    def json(self, name: str) -> str:
        """JSON of the user's: as it stands there, or as a text in a field of its own."""
        as_text = f"{name}_text"
        raw = self._left.pop(as_text, None)
        if raw is None:
            return self.take(name)
        if name in self._left:
            problem = f"it is there twice, as itself and as `{as_text}`; remove one"
            raise self.error(name, problem)
        text = json_text.string(raw)
        if text is None:
            raise self.mismatch(as_text, raw, "a string")
        return text

    def number(self, name: str, greatest: int) -> int:
        raw = self.take(name)
        if len(raw) > 20 or _WHOLE.fullmatch(raw) is None or int(raw) >= 2**64:
            raise self.mismatch(name, raw, "a whole number, not negative")
        number = int(raw)
        if number > greatest:
            raise self.mismatch(name, raw, f"at most {greatest}")
        return number

    def time(self, name: str) -> int:
        raw = self.take(name)
        text = json_text.string(raw)
        if text is not None:
            time = times.read(text)
        else:
            # Only times that cannot be written as text are numbers.
            is_whole = len(raw) <= 20 and _WHOLE.fullmatch(raw) is not None
            time = int(raw) if is_whole and times.WRITTEN_MAX < int(raw) < 2**64 else None
        if time is None:
            raise self.mismatch(name, raw, 'a time like "2026-01-01T00:00:00.000Z"')
        return time

    def flag(self, name: str) -> bool:
        raw = self.take(name)
        if raw not in ("true", "false"):
            raise self.mismatch(name, raw, "true or false")
        return raw == "true"

    def choice(self, name: str, names: Collection[str]) -> str:
        found = self.text(name)
        if found not in names:
            raise self.mismatch(name, found, f"one of {', '.join(names)}")
        return found

    def kind(self, name: str, names: Collection[str]) -> str:
        """The kind of an event: of all names, this is the one that a newer program may
        have more of."""
        found = self.text(name)
        if found in names:
            return found
        if _KIND.fullmatch(found) is not None:
            problem = f"{found} is newer than this program; use a newer Refrain for it"
            raise self.error(name, problem, is_newer=True)
        raise self.mismatch(name, found, f"one of {', '.join(names)}")

    def digest(self, name: str) -> str:
        text = self.text(name)
        if _HASH.fullmatch(text) is None:
            raise self.mismatch(name, text, "64 lower-case hexadecimal digits")
        return text

    def salt(self, name: str) -> bytes:
        text = self.text(name)
        if _SALT.fullmatch(text) is None:
            raise self.mismatch(name, text, "32 lower-case hexadecimal digits")
        return bytes.fromhex(text)

    def present(self, name: str) -> bool:
        """Whether the field is there, as itself or as a text."""
        return name in self._left or f"{name}_text" in self._left

    def texts(self, name: str) -> list[str]:
        raw = self.take(name)
        found = [json_text.string(it) for it in self._elements(name, raw, "a list of strings")]
        texts = [it for it in found if it is not None]
        if len(texts) < len(found):
            raise self.mismatch(name, raw, "a list of strings")
        return texts

    def record(self, name: str) -> Line:
        """The object in a field, which has to be ended by who reads it."""
        return Line(self.take(name), (*self._path, name))

    def records(self, name: str) -> list[Line]:
        """The objects in a list, each of which has to be ended."""
        raw = self.take(name)
        path = (*self._path, name)
        return [Line(it, path) for it in self._elements(name, raw, "a list")]

    def _elements(self, name: str, raw: str, what: str) -> list[str]:
        try:
            return json_text.elements(raw)
        except json_text.JsonError:
            raise self.mismatch(name, raw, what) from None
