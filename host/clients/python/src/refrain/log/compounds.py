"""Fields with their names and marks, and the sorts that are made of them.

Each field of an event, and each datum of a code, is marked: *plain* fields are never
personal, *erasable* ones may be, and are hashed with a salt, apart from the others (law
4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .fields import Codec, Part, put_text
from .line import Line


@dataclass(frozen=True)
class Field:
    """A field of an event, of a record, or of the data of a code.

    `written` is its name in a line, where JamJet's logs have another than the contract.
    """

    name: str
    of: Codec
    is_erasable: bool = False
    written: str = ""

    @property
    def line_name(self) -> str:
        return self.written or self.name


Fields = tuple[Field, ...]


def plain(name: str, of: Codec, written: str = "") -> Field:
    """A field that is never personal."""
    return Field(name, of, False, written)


def erasable(name: str, of: Codec) -> Field:
    """A field that a person, a program or a workflow's state may have put something
    into."""
    return Field(name, of, True)


def read_fields(fields: Fields, line: Line) -> dict[str, Any]:
    """The values of all these fields; blanks in the place of those that were erased."""
    is_erased = line.is_erased
    return {
        it.name: it.of.blank if is_erased and it.is_erasable else it.of.read(it.line_name, line)
        for it in fields
    }


def put_fields(fields: Fields, values: dict[str, Any], own: Part, erased: Part) -> None:
    for it in fields:
        it.of.put(values[it.name], erased if it.is_erasable else own, erased)


def show_fields(fields: Fields, values: dict[str, Any], to: dict[str, Any]) -> None:
    for it in fields:
        it.of.show(it.line_name, values[it.name], to)


def are_fit(fields: Fields, values: dict[str, Any]) -> bool:
    return all(it.of.is_fit(values[it.name]) for it in fields)


class Record:
    """Some fields in an object of their own."""

    blank: Any = None

    def __init__(self, *fields: Field) -> None:
        self.fields = fields

    def read(self, name: str, line: Line) -> dict[str, Any]:
        return self.read_from(line.record(name))

    def read_from(self, inner: Line) -> dict[str, Any]:
        """The record that this object is."""
        values = read_fields(self.fields, inner)
        inner.end()
        return values

    def put(self, value: dict[str, Any], own: Part, erasable: Part) -> None:
        put_fields(self.fields, value, own, erasable)

    def show(self, name: str, value: dict[str, Any], to: dict[str, Any]) -> None:
        to[name] = self.shown(value)

    def shown(self, value: dict[str, Any]) -> dict[str, Any]:
        """The record as an object of JSON."""
        inner: dict[str, Any] = {}
        show_fields(self.fields, value, inner)
        return inner

    def is_fit(self, value: dict[str, Any]) -> bool:
        return are_fit(self.fields, value)


class Records:
    """Some records, in their order."""

    def __init__(self, *fields: Field) -> None:
        self._of = Record(*fields)

    @property
    def blank(self) -> list[dict[str, Any]]:
        return []

    def read(self, name: str, line: Line) -> list[dict[str, Any]]:
        return (
            [self._of.read_from(it) for it in line.records(name)] if line.present(name) else []
        )

    def put(self, value: list[dict[str, Any]], own: Part, erasable: Part) -> None:
        own += len(value).to_bytes(8, "little")
        for each in value:
            self._of.put(each, own, erasable)

    def show(self, name: str, value: list[dict[str, Any]], to: dict[str, Any]) -> None:
        if value:
            to[name] = [self._of.shown(it) for it in value]

    def is_fit(self, value: list[dict[str, Any]]) -> bool:
        return all(self._of.is_fit(it) for it in value)


class Flattened:
    """An optional record of optional fields that stand among those of the event itself.
    A record without any is the same as none, and reads as none."""

    blank: Any = None

    def __init__(self, *fields: Field) -> None:
        self._fields = fields
        self._none = {it.name: None for it in fields}

    def read(self, name: str, line: Line) -> dict[str, Any] | None:
        values = read_fields(self._fields, line)
        return None if values == self._none else values

    def put(self, value: dict[str, Any] | None, own: Part, erasable: Part) -> None:
        put_fields(self._fields, value or self._none, own, erasable)

    def show(self, name: str, value: dict[str, Any] | None, to: dict[str, Any]) -> None:
        show_fields(self._fields, value or self._none, to)

    def is_fit(self, value: Any) -> bool:
        return True


@dataclass(frozen=True)
class Case:
    """A code, and the data that stand next to it.

    `is_record`: its payload is a record of these fields; else it is the value of the one
    field, or nothing.
    """

    fields: Fields = ()
    is_record: bool = False

    def values(self, payload: Any) -> dict[str, Any]:
        """The values of the fields, by their names."""
        if self.is_record:
            record: dict[str, Any] = payload
            return record
        return {it.name: payload for it in self.fields}

    def payload(self, values: dict[str, Any]) -> Any:
        if self.is_record:
            return values
        return values[self.fields[0].name] if self.fields else None


def one(field: Field) -> Case:
    """A code with one datum."""
    return Case((field,))


def record(*fields: Field) -> Case:
    """A code with a record of data."""
    return Case(fields, is_record=True)


class Coded:
    """A code with its data, which stand among the fields of the event itself."""

    blank: Any = None

    def __init__(self, **cases: Case) -> None:
        self.cases = cases
        self._names = tuple(cases)

    def read(self, name: str, line: Line) -> tuple[str, Any]:
        code = line.choice(name, self._names)
        case = self.cases[code]
        return code, case.payload(read_fields(case.fields, line))

    def put(self, value: tuple[str, Any], own: Part, erasable: Part) -> None:
        code, payload = value
        case = self.cases[code]
        put_text(code, own)
        put_fields(case.fields, case.values(payload), own, erasable)

    def show(self, name: str, value: tuple[str, Any], to: dict[str, Any]) -> None:
        code, payload = value
        case = self.cases[code]
        to[name] = code
        show_fields(case.fields, case.values(payload), to)

    def is_fit(self, value: tuple[str, Any]) -> bool:
        code, payload = value
        case = self.cases[code]
        return are_fit(case.fields, case.values(payload))
