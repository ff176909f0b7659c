"""The literal parts of a node's kind whose texts hold expressions (rule R29).

What expressions come to is the guest's word. All else of the kind is the workflow's, to
the letter: also what stands beside an expression in its text. Of what the worker puts in,
nothing is the guest's: neither what it is, nor where.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import json_text
from .templates import PutIn, parts, put_in, texts_within

#: The fields whose texts may hold expressions, by kind.
_FIELDS = {
    "command": frozenset({"argv", "cwd", "env"}),
    "http": frozenset({"url", "headers", "body"}),
}

#: The fields of a task that hold none; all others may.
_LITERAL_OF_TASKS = frozenset({"type", "queue", "input_mapping"})

TASK = "task"

#: The characters that count as white space (Unicode's White_Space).
_WHITE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

#: What stands before, between and behind the expressions of a text. One alone: the text
#: has none.
_Around = list[str]


@dataclass(frozen=True, slots=True)
class _Text:
    """What is known of a text before its values are.

    Into `puts_in`, the worker puts something; `between` stand before, between and behind
    that, and are one more. Without any, `between` is a single one.
    """

    puts_in: list[PutIn]
    between: list[_Around]

    @property
    def is_any_value(self) -> bool:
        """Whether it is one expression, which can come to any value."""
        return not self.puts_in and self.between == [["", ""]]

    def may_become(self, raw: str) -> bool:
        """Whether this JSON can be what the text comes to. Null never is."""
        if self.is_any_value:
            return raw != "null"
        text = json_text.string(raw.lstrip(" \t\n\r"))
        if text is None:
            return False
        if not self.puts_in:
            return _is_in(self.between[0], text)
        found = parts(text)
        if found is None or found[0] != self.puts_in:
            return False
        return all(map(_is_in, self.between, found[1]))


def _is_in(around: _Around, text: str) -> bool:
    """Whether this is the text, with values in the place of its expressions."""
    first, *others = around
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    *between, last = others
    for literal in between:
        place = text.find(literal, at)
        if place < 0:
            return False
        at = place + len(literal)
    return text[at:].endswith(last)


class LiteralKind:
    """A kind, cut where a text holds expressions."""

    def __init__(
        self, texts: list[tuple[str, _Text]], rest: str, for_worker: list[str]
    ) -> None:
        # The JSON before each text, and the text.
        self._texts = texts
        self._rest = rest
        #: The pointers of the texts into which the worker puts something, in their order.
        self.for_worker = for_worker

    @classmethod
    def of(cls, name: str, kind: str) -> LiteralKind | None:
        """The literal parts of a kind of this name. `None` if no text in it holds
        expressions."""
        texts: list[tuple[str, _Text]] = []
        for_worker: list[str] = []
        start = 0
        for place in texts_within(kind):
            text = json_text.string(kind[place.start : place.end])
            if text is None:
                return None
            read = _read(text) if _may_hold(name, place.field) else None
            if read is not None:
                if read.puts_in:
                    for_worker.append(place.pointer)
                texts.append((kind[start : place.start], read))
                start = place.end
        return cls(texts, kind[start:], for_worker) if texts else None

    def is_in(self, kind: str) -> bool:
        """Whether this is the kind with values in the place of its expressions."""
        at = 0
        for before, text in self._texts:
            if not kind.startswith(before, at):
                return False
            at += len(before)
            end = json_text.first_value_end(kind, at)
            if end is None or not text.may_become(kind[at:end]):
                return False
            at = end
        return kind[at:] == self._rest


def _may_hold(name: str, field: str) -> bool:
    fields = _FIELDS.get(name)
    if fields is not None:
        return field in fields
    return name == TASK and field not in _LITERAL_OF_TASKS


def _read(text: str) -> _Text | None:
    """`None` if the text stands for itself."""
    if "${" not in text:
        return None
    puts_in: list[PutIn] = []
    between: list[_Around] = []
    around: _Around = []
    literal = ""
    rest = text
    while "${" in rest:
        before, _, after = rest.partition("${")
        if before.endswith("$"):
            literal += f"{before[:-1]}${{"
            rest = after
            continue
        around.append(literal + before)
        literal = ""
        end = _expression_end(after)
        found = put_in(after[:end].removesuffix("}").strip(_WHITE))
        if found is not None:
            puts_in.append(found)
            between.append(around)
            around = []
        rest = after[end:]
    around.append(literal + rest)
    return _Text(puts_in, [*between, around])


def _expression_end(text: str) -> int:
    """Where an expression and the brace behind it end. A brace within a text of the
    expression closes nothing."""
    quote = ""
    is_escaped = False
    for place, sign in enumerate(text):
        if quote and is_escaped:
            is_escaped = False
        elif quote and sign == "\\":
            is_escaped = True
        elif quote and sign == quote:
            quote = ""
        elif not quote and sign in "\"'":
            quote = sign
        elif not quote and sign == "}":
            return place + 1
    return len(text)
