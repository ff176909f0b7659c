"""The sorts of fields that an event can have.

A sort says how a value is read from a line (`read`), which bytes are hashed of it
(`put`), and what stands for it in a report (`show`).
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from .. import json_text, times
from .line import Line

#: The bytes of one part of an event, in the making.
Part = bytearray

U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1


class Codec(Protocol):
    """A sort of field."""

    #: What stands in the place of a value that was erased.
    @property
    def blank(self) -> Any: ...

    def read(self, name: str, line: Line) -> Any: ...

    def put(self, value: Any, own: Part, erasable: Part) -> None:
        """Adds what is hashed. `own` is the part that the field stands in."""

    def show(self, name: str, value: Any, to: dict[str, Any]) -> None:
        """Adds the value to an object of JSON, as a line has it."""

    def is_fit(self, value: Any) -> bool:
        """Whether a value that a guest gave is what the contract's text asks for, and
        not only what its types do."""


def put_text(text: str, own: Part) -> None:
    encoded = text.encode()
    own += len(encoded).to_bytes(8, "little") + encoded


class Simple:
    """A sort whose values stand in reports as they are."""

    blank: Any = None

    def show(self, name: str, value: Any, to: dict[str, Any]) -> None:
        to[name] = value

    def is_fit(self, value: Any) -> bool:
        return True


class Text(Simple):
    blank = ""

    def read(self, name: str, line: Line) -> str:
        return line.text(name)

    def put(self, value: str, own: Part, erasable: Part) -> None:
        encoded = value.encode()
        own += len(encoded).to_bytes(8, "little") + encoded


class Json(Text):
    """JSON of the user's, kept verbatim."""

    blank = "null"

    def read(self, name: str, line: Line) -> str:
        return line.json(name)

    def show(self, name: str, value: str, to: dict[str, Any]) -> None:
        if "\n" in value or "\r" in value or not json_text.is_value(value):
            to[f"{name}_text"] = value
        else:
            to[name] = json_text.parse(value)


_DIGEST = re.compile(r"[0-9a-f]{64}")


class Sha(Simple):
    """A SHA-256, as 64 hexadecimal digits."""

    blank = "0" * 64

    def read(self, name: str, line: Line) -> str:
        return line.digest(name)

    def put(self, value: str, own: Part, erasable: Part) -> None:
        own += bytes.fromhex(value)

    def is_fit(self, value: Any) -> bool:
        return _DIGEST.fullmatch(value) is not None


class Number(Simple):
    """A whole number up to a greatest one."""

    def __init__(self, greatest: int) -> None:
        self._greatest = greatest

    def read(self, name: str, line: Line) -> int:
        return line.number(name, self._greatest)

    def put(self, value: int, own: Part, erasable: Part) -> None:
        own += value.to_bytes(8, "little")


class Time(Simple):
    def read(self, name: str, line: Line) -> int:
        return line.time(name)

    def put(self, value: int, own: Part, erasable: Part) -> None:
        own += value.to_bytes(8, "little")

    def show(self, name: str, value: int, to: dict[str, Any]) -> None:
        text = times.written(value)
        to[name] = value if text is None else text


class Flag(Simple):
    def read(self, name: str, line: Line) -> bool:
        return line.flag(name)

    def put(self, value: bool, own: Part, erasable: Part) -> None:
        own.append(value)


class Choice(Simple):
    """One of a few names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def read(self, name: str, line: Line) -> str:
        return line.choice(name, self.names)

    def put(self, value: str, own: Part, erasable: Part) -> None:
        put_text(value, own)


class Maybe:
    """A field that may be missing."""

    blank: Any = None

    def __init__(self, of: Codec) -> None:
        self._of = of

    def read(self, name: str, line: Line) -> Any:
        return self._of.read(name, line) if line.present(name) else None

    def put(self, value: Any, own: Part, erasable: Part) -> None:
        if value is None:
            own.append(0)
        else:
            own.append(1)
            self._of.put(value, own, erasable)

    def show(self, name: str, value: Any, to: dict[str, Any]) -> None:
        if value is not None:
            self._of.show(name, value, to)

    def is_fit(self, value: Any) -> bool:
        return value is None or self._of.is_fit(value)


class Late(Maybe):
    """A field that may be missing, and leaves no byte then: one that is seldom there, or
    came later. Such fields stand last in their part."""

    def __init__(self, name: str, of: Codec) -> None:
        super().__init__(of)
        self._name = name

    def put(self, value: Any, own: Part, erasable: Part) -> None:
        if value is not None:
            put_text(self._name, own)
            self._of.put(value, own, erasable)


class Texts(Simple):
    """Some texts, in their order."""

    def read(self, name: str, line: Line) -> list[str]:
        return line.texts(name) if line.present(name) else []

    def put(self, value: list[str], own: Part, erasable: Part) -> None:
        own += len(value).to_bytes(8, "little")
        for text in value:
            put_text(text, own)

    def show(self, name: str, value: list[str], to: dict[str, Any]) -> None:
        if value:
            to[name] = value


TEXT = Text()
JSON = Json()
SHA = Sha()
COUNT = Number(U32_MAX)
NUMBER = Number(U64_MAX)
TIME = Time()
FLAG = Flag()
TEXTS = Texts()
MAYBE_TEXT = Maybe(TEXT)
MAYBE_JSON = Maybe(JSON)
MAYBE_NUMBER = Maybe(NUMBER)
MAYBE_TIME = Maybe(TIME)
