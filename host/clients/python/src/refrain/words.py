"""Texts of the world, as they may stand in sentences and be printed.

Whatever stands in a log came from somebody. A control character could move a terminal's
cursor and overwrite a verdict, a direction character could turn a line around, and a
line feed could begin a line that looks like ours.
"""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_IN_QUOTES = {'"': '\\"', "\\": "\\\\", "\0": "\\0", **_SHORT}
_QUOTED = re.compile(f'["\\\\]|{_STEERING.pattern}')


def _spelt(found: re.Match[str]) -> str:
    sign = found[0]
    return _SHORT.get(sign) or f"\\u{{{ord(sign):x}}}"


def escaped(text: str) -> str:
    """The text in one line, each character that steers a terminal spelled out."""
    return _STEERING.sub(_spelt, text)


def quoted(text: str) -> str:
    """The text between quotation marks, in one line."""

    def spelt(found: re.Match[str]) -> str:
        return _IN_QUOTES.get(found[0]) or _spelt(found)

    return f'"{_QUOTED.sub(spelt, text)}"'


def escaped_json(text: str) -> str:
    """JSON with the same value, in which each such character is spelled `\\uXXXX`: it can
    only stand in a string there."""

    def spelt(found: re.Match[str]) -> str:
        sign = found[0]
        if sign in "\n\t\r":
            return sign
        units = sign.encode("utf-16-be")
        return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

    return _STEERING.sub(spelt, text)


def counted(count: int, noun: str) -> str:
    """How many there are of something."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
