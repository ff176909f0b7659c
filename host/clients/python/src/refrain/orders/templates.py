"""Texts of a payload that are templates for the worker (rule R29).

`${secret.NAME}` and `${execution_id}` are put in by the worker, `$${` is a literal `${`,
and `${'$'}` a dollar. A text that holds anything else behind `${` is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import json_text
from ..limits import SECRET_NAME_BYTES_MAX

#: The member of a payload that lists the pointers of its templates, as it is spelt.
TEMPLATES = '"templates"'

_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{SECRET_NAME_BYTES_MAX - 1}}}")

#: What stands between `${` and `}` where the worker puts something in.
PutIn = str


def put_in(inner: str) -> PutIn | None:
    """What the worker puts in for this, if it does."""
    name = inner.removeprefix("secret.")
    if name != inner:
        return inner if _NAME.fullmatch(name) else None
    return inner if inner == "execution_id" else None


def parts(template: str) -> tuple[list[PutIn], list[str]] | None:
    """What is put into a template, and the texts before, between and behind that, which
    are one more. `None` if the text is no template."""
    puts_in: list[PutIn] = []
    texts = [""]
    rest = template
    while True:
        before, sign, inner = rest.partition("${")
        if not sign:
            texts[-1] += rest
            return puts_in, texts
        if before.endswith("$"):
            texts[-1] += f"{before[:-1]}${{"
            rest = inner
            continue
        texts[-1] += before
        expression, sign, rest = inner.partition("}")
        if not sign:
            return None
        if expression == "'$'":
            texts[-1] += "$"
            continue
        found = put_in(expression)
        if found is None:
            return None
        puts_in.append(found)
        texts.append("")


@dataclass(frozen=True, slots=True)
class TextPlace:
    """A text that is a value in the JSON of a node's kind."""

    start: int
    end: int
    #: The field of the kind that it stands in.
    field: str
    #: Its JSON pointer into the node.
    pointer: str


def texts_within(kind: str) -> list[TextPlace]:
    """The texts of a kind, however deep, in their order. The JSON must be valid."""
    found: list[TextPlace] = []
    # A key in an object, an index in a list.
    open_: list[str | int] = []
    field = ""
    is_key = False
    at = 0
    while at < len(kind):
        sign = kind[at]
        end = at + 1
        if sign in "{[":
            is_key = sign == "{"
            open_.append("" if is_key else 0)
        elif sign in "}]":
            open_.pop()
        elif sign == ",":
            index = open_[-1]
            if isinstance(index, int):
                open_[-1] = index + 1
            else:
                is_key = True
        elif sign == ":":
            is_key = False
        elif sign == '"':
            end = json_text.value_end(kind, at)
            if is_key:
                key = json_text.string(kind[at:end]) or ""
                open_[-1] = key
                if len(open_) == 1:
                    field = key
            else:
                found.append(TextPlace(at, end, field, _pointer(open_)))
        at = end
    return found


def _pointer(open_: list[str | int]) -> str:
    steps = [str(it).replace("~", "~0").replace("/", "~1") for it in open_]
    return "/".join(["/kind", *steps])
