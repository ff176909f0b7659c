"""JSON as text.

What belongs to a user is kept verbatim, so that numbers keep their spelling: a value is
found in a text and cut out, and only what has a meaning here is read. An object whose
key stands twice is refused, because two readers could read it differently.
"""

from __future__ import annotations

import json
import json.decoder
import re
from collections.abc import Callable
from typing import Any, NoReturn

#: JSON as Python reads it, with texts in the place of numbers where they must keep
#: their spelling.
Value = Any


#: How deep the values are nested that a report shows, within an event: no payload that a
#: host takes is nested deeper than 100.
SHOWN_DEPTH_MAX = 126


class JsonError(Exception):
    """A text is no JSON, or not what is read here; it says where and why."""


_SPACE = re.compile(r"[ \t\n\r]*")
_SIMPLE = re.compile(
    r"(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"(?![0-9A-Za-z_.+-])"
)
#: A member whose value is a number or a plain text: nearly all of them.
_MEMBER = re.compile(
    r'[ \t\n\r]*"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*'
    r'("[^"\\\x00-\x1f]*"|(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))'
    r"[ \t\n\r]*([,}])"
)
#: What may be half of a character that takes two escapes.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_LIST_END = re.compile(r"[ \t\n\r]*([,\]])")
_OBJECT_END = re.compile(r"[ \t\n\r]*([,}])")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _same(text: str) -> str:
    return text


#: Reads the value that begins at a place, and says where it ends. Numbers are not read,
#: so that none of them is too long for Python.
_scan: Callable[[str, int], tuple[Value, int]] = getattr(
    json.JSONDecoder(parse_int=_same, parse_float=_same, parse_constant=_refuse_constant),
    "scan_once",
)

#: Reads the text behind a quotation mark, and says where it ends.
_scan_string: Callable[[str, int, bool], tuple[str, int]] = getattr(json.decoder, "scanstring")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def value_end(text: str, at: int) -> int:
    """Where the value ends that begins at this place.

    Raises `JsonError` if none does.
    """
    sign = text[at : at + 1]
    if sign == '"':
        return _string_end(text, at)
    if sign and sign in "[{":
        try:
            return _scan(text, at)[1]
        except RecursionError:
            return _deep_end(text, at)
        except ValueError as error:
            raise _no_json(error, at) from None
        except StopIteration as error:
            raise JsonError(f"column {error.value + 1}: a value is expected here") from None
    found = _SIMPLE.match(text, at)
    if found is None:
        raise JsonError(f"column {at + 1}: a value is expected here")
    return found.end()


def _string_end(text: str, at: int) -> int:
    try:
        return _scan_string(text, at + 1, True)[1]
    except ValueError as error:
        raise _no_json(error, at) from None


def _no_json(error: ValueError, at: int) -> JsonError:
    if isinstance(error, json.JSONDecodeError):
        return JsonError(f"column {error.pos + 1}: {error.msg}")
    return JsonError(f"column {at + 1}: {error}")


def _deep_end(text: str, at: int) -> int:
    """The same for a value that is nested deeper than Python's own reader goes."""
    open_: list[str] = []
    expects_value = True
    while True:
        at = _skip(text, at)
        sign = text[at : at + 1]
        if expects_value and sign and sign in "[{":
            open_.append(sign)
            at = _skip(text, at + 1)
            closing = "]" if sign == "[" else "}"
            if text[at : at + 1] == closing:
                open_.pop()
                at += 1
                expects_value = False
            elif sign == "{":
                at = _key_end(text, at)
        elif expects_value:
            at = value_end(text, at)
            expects_value = False
        else:
            ending = _LIST_END if open_[-1] == "[" else _OBJECT_END
            found = ending.match(text, at)
            if found is None:
                raise JsonError(f"column {at + 1}: `,` or the end is expected here")
            at = found.end()
            if found[1] != ",":
                open_.pop()
            else:
                expects_value = True
                if open_[-1] == "{":
                    at = _key_end(text, _skip(text, at))
        if not open_ and not expects_value:
            return at


def _key_end(text: str, at: int) -> int:
    """Where a key and its colon end."""
    if text[at : at + 1] != '"':
        raise JsonError(f"column {at + 1}: a key is expected here")
    at = _skip(text, _string_end(text, at))
    if text[at : at + 1] != ":":
        raise JsonError(f"column {at + 1}: `:` is expected here")
    return at + 1


def string(raw: str) -> str | None:
    """The text that this JSON value is. `None` if it is no string, or one that has half
    a character."""
    if len(raw) < 2 or raw[0] != '"':
        return None
    if "\\" not in raw:
        return raw[1:-1]
    text = _scan_string(raw, 1, True)[0]
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def members(text: str) -> dict[str, str]:
    """The members of an object, each with its value as it is written.

    Raises `JsonError` if the text is no object, or has a key twice.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise JsonError(f"column {at + 1}: an object is expected here")
    found: dict[str, str] = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return _ended(text, at + 1, found)
    match = _MEMBER.match
    while True:
        member = match(text, at)
        if member is not None:
            key, value, sign = member.groups()
            at = member.end()
        else:
            key, value, sign, at = _member(text, at)
        if key in found:
            raise JsonError(f"the field `{key}` is there twice")
        found[key] = value
        if sign == "}":
            return _ended(text, at, found)


def _member(text: str, at: int) -> tuple[str, str, str, int]:
    at = _skip(text, at)
    if text[at : at + 1] != '"':
        raise JsonError(f"column {at + 1}: a key is expected here")
    end = _string_end(text, at)
    key = string(text[at:end])
    if key is None:
        raise JsonError(f"column {at + 1}: the key has half a character")
    at = _skip(text, end)
    if text[at : at + 1] != ":":
        raise JsonError(f"column {at + 1}: `:` is expected here")
    at = _skip(text, at + 1)
    end = value_end(text, at)
    sign = _OBJECT_END.match(text, end)
    if sign is None:
        raise JsonError(f"column {end + 1}: `,` or `}}` is expected here")
    return key, text[at:end], sign[1], sign.end()


def _ended(text: str, at: int, found: dict[str, str]) -> dict[str, str]:
    at = _skip(text, at)
    if at != len(text):
        raise JsonError(f"column {at + 1}: the object has ended, and more follows")
    return found


def elements(text: str) -> list[str]:
    """The elements of a list, as they are written.

    Raises `JsonError` if the text is no list.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise JsonError(f"column {at + 1}: a list is expected here")
    found: list[str] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        at += 1
    else:
        while True:
            end = value_end(text, at)
            found.append(text[at:end])
            sign = _LIST_END.match(text, end)
            if sign is None:
                raise JsonError(f"column {end + 1}: `,` or `]` is expected here")
            at = sign.end()
            if sign[1] == "]":
                break
            at = _skip(text, at)
    if _skip(text, at) != len(text):
        raise JsonError(f"column {at + 1}: the list has ended, and more follows")
    return found


def is_json(text: str) -> bool:
    """Whether the text is one value of JSON, with space around it or without."""
    try:
        return _skip(text, value_end(text, _skip(text, 0))) == len(text)
    except JsonError:
        return False


def is_value(text: str) -> bool:
    """Whether the text is one value of JSON, and nothing else."""
    try:
        return value_end(text, 0) == len(text)
    except JsonError:
        return False


# ---- reading into Python ------------------------------------------------------------


class Number(float):
    """A number that is not written as an integer, compared as one of its own kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and float(self) == float(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return float.__hash__(self)


_INTEGERS = range(-(2**63), 2**64)


def _number(text: str) -> Number:
    value = Number(text)
    if value in (Number("inf"), Number("-inf")):
        raise ValueError(f"{text} is larger than any number here")
    return value


def _integer(text: str) -> int | Number:
    if len(text) <= 20:
        value = int(text)
        if value in _INTEGERS and text != "-0":
            return value
    return _number(text)


def parse(text: str, depth_max: int = SHOWN_DEPTH_MAX) -> Value:
    """The value that the text is, for a report: numbers are read.

    Raises `JsonError` if it is none, is nested deeper than that, or has a number that is
    too large or half a character.
    """
    try:
        value: Value = json.loads(
            text, parse_int=_integer, parse_float=_number, parse_constant=_refuse_constant
        )
        if _HALF.search(text):
            write(value).encode()
    except (ValueError, RecursionError) as error:
        raise JsonError(f"it is no JSON: {error}") from None
    level = [value]
    for _ in range(depth_max + 1):
        nested = [it for it in level if isinstance(it, (dict, list))]
        if not nested:
            return value
        level = [
            inner for it in nested for inner in (it.values() if isinstance(it, dict) else it)
        ]
    raise JsonError(f"it is nested deeper than {depth_max} levels")


def first_value_end(text: str, at: int) -> int | None:
    """Where the value ends that stands at this place, perhaps behind space. `None` if
    none does."""
    try:
        return value_end(text, _skip(text, at))
    except JsonError:
        return None


def in_order(value: Value) -> Value:
    """The value with the keys of each object in their order, as reports have them."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(it) for it in value] if isinstance(value, list) else value


def write(value: Value, indent: int | None = None) -> str:
    """A value as JSON, in one line or laid out."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
