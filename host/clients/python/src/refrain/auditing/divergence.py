"""The finding of an audit: the first place where a log is not what it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .. import explanations, json_text, sentences
from ..log.event import Event
from ..words import quoted

#: What is wrong, in a word for programs.
Code = Literal["log_unsound", "other_decision", "no_decision", "guest_failed", "other_order"]

#: What to do about it, in a word for programs.
Advice = Literal["compare_copies", "keep_guest", "use_newer"]

ADVICE: dict[Advice, str] = {
    "compare_copies": (
        "compare the log with a backup or an export, and trust neither before it is clear"
        " which was changed"
    ),
    "keep_guest": (
        "leave the execution with its own scheduler, which decides what the log says"
    ),
    "use_newer": "use a newer program",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs, by its JSON pointer. `None` where there is none."""

    pointer: str
    expected: Any
    found: Any


@dataclass(slots=True)
class Divergence:
    """The first place where a log is not what it should be."""

    #: The event concerned; 0: what stands before the events.
    sequence: int
    #: What is wrong, in a sentence.
    message: str
    code: Code = "log_unsound"
    #: Who says what is expected. `None` if nothing is compared with a guest.
    compared: Literal["guest_with_log"] | None = None
    #: What should be there, and what is there. `None` if nothing is.
    expected: Any = None
    found: Any = None
    #: The places in which the two differ.
    difference: list[Difference] = field(default_factory=list)
    #: The rule of what the guest decides there; where no guest was asked, the law that is
    #: broken.
    rule: str | None = None
    #: The SHA-256 of the execution's state just before, where it is known.
    state_hash: str | None = None
    #: Why the guest has the node concerned where it is, as the guest says it.
    explanation: dict[str, Any] | None = None
    advice: Advice = "compare_copies"

    def show(self) -> dict[str, Any]:
        """The finding as a value of JSON."""
        explanation = self.explanation
        return {
            "sequence": self.sequence,
            "code": self.code,
            "message": self.message,
            "compared": self.compared,
            "expected": json_text.in_order(self.expected),
            "found": json_text.in_order(self.found),
            "difference": [
                {
                    "pointer": it.pointer,
                    "expected": json_text.in_order(it.expected),
                    "found": json_text.in_order(it.found),
                }
                for it in self.difference
            ],
            "rule": self.rule,
            "state_hash": self.state_hash,
            "explanation": None if explanation is None else explanations.shown(explanation),
            "advice": self.advice,
        }

    def report(self) -> list[tuple[int, str]]:
        """The report for people: how far each line is set in, and what it says. Texts of
        the world stand in it as they came."""
        place = f"event {self.sequence}"
        is_named = self.sequence == 0 or self.message.startswith(place)
        lines = [(0, self.message if is_named else f"{place}: {self.message}")]
        is_guest = self.compared is not None
        by_guest = "the guest decides" if is_guest else "expected"
        by_log = "the log has" if is_guest else "found"
        for name, value in ((by_guest, self.expected), (by_log, self.found)):
            if value is not None:
                lines.append((1, f"{name:{len(by_guest)}}  {_side(value)}"))
        for it in self.difference:
            if it.pointer:
                expected, found = _side(it.expected), _side(it.found)
                pointer = quoted(it.pointer)
                lines.append((1, f"at {pointer}: {by_guest} {expected}, {by_log} {found}"))
        if self.rule is not None:
            lines.append((1, f"rule: {self.rule}"))
        if self.state_hash is not None:
            lines.append((1, f"state before: {self.state_hash}"))
        if self.explanation is not None:
            node_id, state = self.explanation["node_id"], self.explanation["state"]
            lines.append((1, f"the guest on node {quoted(node_id)}, which is {state}:"))
            for reason in self.explanation["reasons"]:
                lines.append((2, sentences.reason(node_id, reason["cause"])))
        return lines


def _side(value: Any) -> str:
    return "nothing" if value is None else json_text.write(json_text.in_order(value))


def between(sequence: int, message: str, expected: Any, found: Any) -> Divergence:
    """A divergence between two values, of which at least one is there."""
    divergence = Divergence(sequence, message, expected=expected, found=found)
    if expected is not None and found is not None:
        divergence.difference = differences(expected, found)
    return divergence


class _Missing:
    """Stands for a value that is not there; `None` is JSON's null."""


_MISSING = _Missing()


def differences(expected: Any, found: Any) -> list[Difference]:
    """The places in which two values differ, in the order of their pointers."""
    all_: list[Difference] = []
    places: list[tuple[str, Any, Any]] = [("", expected, found)]
    while places:
        pointer, a, b = places.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            for key in {**a, **b}:
                step = key.replace("~", "~0").replace("/", "~1")
                sides = a.get(key, _MISSING), b.get(key, _MISSING)
                places.append((f"{pointer}/{step}", *sides))
        elif isinstance(a, list) and isinstance(b, list):
            for index in range(max(len(a), len(b))):
                places.append((f"{pointer}/{index}", _at(a, index), _at(b, index)))
        elif type(a) is not type(b) or a != b:
            all_.append(Difference(pointer, _or_none(a), _or_none(b)))
    return sorted(all_, key=lambda it: it.pointer.encode())


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _or_none(value: Any) -> Any:
    return None if value is _MISSING else value


def node_of(event: Event) -> str | None:
    """The node, instance or compensation that an event is about. `None` if it is about
    the execution."""
    if event.kind == "stalled":
        code, payload = event.fields["reason"]
        node_id: str | None = payload["node_id"] if code == "attempts_exhausted" else None
        return node_id
    named: str | None = event.get("node_id")
    return named
