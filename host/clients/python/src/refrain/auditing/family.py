"""What the log of a parent, and its guest, say of its children; what the log of a child
says of itself; and whether the two agree (law 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from .. import ids, sentences
from ..log.event import Event, Head
from ..log.export import Recording
from .child_links import child_of, own_events
from .divergence import Divergence, differences
from .missing import Length, Missing

#: What a parent's guest says of its log: it decides the same, it does not, or it cannot be
#: asked.
Asked = Literal["agrees", "diverges", "unknown"]


class Contradiction(Exception):
    """The first place in which two logs do not agree."""

    def __init__(
        self,
        message: str,
        *,
        in_child: int = 1,
        in_parent: int = 1,
        values: tuple[Any, Any] | None = None,
        is_of_guest: bool = False,
    ) -> None:
        super().__init__(message)
        self._message = message
        self._in_child = in_child
        self._in_parent = in_parent
        self._values = values
        #: Whether it is about what a guest was asked for.
        self.is_of_guest = is_of_guest

    def of_child(self) -> Divergence:
        """As what is wrong with the child's log."""
        return self._at(self._in_child)

    def of_parent(self) -> Divergence:
        """As what is wrong with the parent's log."""
        return self._at(self._in_parent)

    def _at(self, sequence: int) -> Divergence:
        if self._values is None:
            return Divergence(sequence, self._message)
        expected, found = self._values
        divergence = Divergence(sequence, self._message, expected=expected, found=found)
        # That one of the two is nothing is a difference, too.
        divergence.difference = differences(expected, found)
        return divergence


@dataclass(slots=True)
class Told:
    """What a log says of one child."""

    #: The event that asks for it.
    requested: Event
    #: The digest of the input that was ordered. `None` if the guest was not asked.
    input: str | None
    #: The event that says that it was started, and the guest that had the parent then.
    started: tuple[Event, str] | None = None
    #: The event that says that it cannot be started.
    refused: int | None = None
    #: The event that says that it has ended.
    ended: Event | None = None


@dataclass(slots=True)
class Family:
    """A parent and its children, as its log has them."""

    parent: str
    started: Event
    length: Length
    is_erased: bool
    asked: Asked
    children: dict[str, Told] = field(default_factory=dict)


def read_family(recording: Recording, asked: Asked, inputs: dict[int, str]) -> Family | None:
    """`None` if the log does not begin with a start: it is refused for that."""
    started = recording.started
    if started is None:
        return None
    parent = recording.execution_id
    family = Family(parent, started, Length.of(recording), recording.is_erased, asked)
    guest = started.fields["guest_digest"]
    own = {event.sequence for event in own_events(recording)}
    for kept in recording.events:
        event = kept.event
        if event.kind == "guest_changed":
            guest = event.fields["guest_digest"]
        if event.sequence not in own or not event.kind.startswith("child_"):
            continue
        child = child_of(parent, event)
        if event.kind == "child_requested":
            family.children[child] = Told(event, inputs.get(event.sequence))
            continue
        told = family.children.get(child)
        if told is None:
            continue
        if event.kind == "child_started":
            told.started = event, guest
        elif event.kind == "child_refused":
            told.refused = event.sequence
        else:
            told.ended = event
    return family


@dataclass(frozen=True, slots=True)
class ChildLog:
    """The beginning and the end of a child's log."""

    execution_id: str
    started: Event
    last: Event
    length: Length
    head: Head
    is_erased: bool

    @property
    def input(self) -> str | None:
        """The digest of its input. `None` if the log is erased."""
        return None if self.is_erased else _digest(self.started.fields["initial_input"])

    def end(self) -> tuple[str, str | None, str | None] | None:
        """How it ended, and the digests of what it came to. `None` if it has not."""
        fields = self.last.fields
        if self.last.kind == "workflow_completed":
            return "completed", _digest(fields["final_state"]), None
        if self.last.kind == "workflow_failed":
            return "failed", None, _digest(sentences.workflow_failure(fields["cause"]))
        return ("cancelled", None, None) if self.last.kind == "workflow_cancelled" else None


def read_child(recording: Recording) -> ChildLog | None:
    """`None` if the log does not begin with a start: it is refused for that."""
    started = recording.started
    if started is None:
        return None
    return ChildLog(
        recording.execution_id,
        started,
        recording.events[-1].event,
        Length.of(recording),
        recording.head,
        recording.is_erased,
    )


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def compare(family: Family, child: ChildLog) -> Missing | None:
    """Compares a child's log with what its parent's says; both are whole in themselves.
    Answers what is missing of one of them. Raises `Contradiction` where they do not
    agree."""
    named = child.started.fields["parent"]
    told = family.children.get(child.execution_id)
    if named is None:
        raise Contradiction(
            f"{child.execution_id} does not say that it is a child",
            in_parent=1 if told is None else told.requested.sequence,
        )
    if told is None and named["execution_id"] == family.parent:
        missing = family.length.missing(named["sequence"])
        if missing is not None:
            return missing
    if told is None or named != {
        **_origin(told.requested, family.parent),
        "root": named["root"],
        "depth": named["depth"],
    }:
        raise Contradiction(
            f"event {named['sequence']} of {family.parent} does not ask for"
            f" {child.execution_id}"
        )
    _begins_as_ordered(family, child, told)
    return _is_told(family, child, told)


def _origin(requested: Event, parent: str) -> dict[str, Any]:
    asked = requested.fields
    return {
        "execution_id": parent,
        "node_id": asked["node_id"],
        "attempt": asked["attempt"],
        "iteration": asked["iteration"],
        "sequence": requested.sequence,
    }


def _begins_as_ordered(family: Family, child: ChildLog, told: Told) -> None:
    """Checks event 1 of a child."""
    asked = told.requested.sequence

    def differs(
        what: str, expected: Any, found: Any, is_of_guest: bool = False
    ) -> Contradiction:
        return Contradiction(
            f"{child.execution_id} does not begin as event {asked} of {family.parent} asks"
            f" for it: {what}",
            in_parent=asked,
            values=(expected, found),
            is_of_guest=is_of_guest,
        )

    expected, found = _expected_start(family, child, told), child.started.fields
    if expected != found:
        what = "its event 1 has other values"
        raise differs(what, _start_shown(expected), _start_shown(found))
    if child.started.at < told.requested.at:
        what = "it begins before it is asked for"
        raise differs(what, {"at": told.requested.at}, {"at": child.started.at})
    if told.input is not None and child.input is not None and told.input != child.input:
        raise differs(
            "the guest of its parent orders another input",
            {"input_digest": told.input},
            {"input_digest": child.input},
            is_of_guest=True,
        )


def _expected_start(family: Family, child: ChildLog, told: Told) -> dict[str, Any]:
    """Event 1 of a child as it follows from its parent's log. What does not follow from
    that is as the child has it."""
    parent, asked = family.started.fields, told.requested.fields
    above = parent["parent"]
    named = asked["workflow"]
    if named is None:
        name = f"{parent['workflow_id']}/{ids.node_of(asked['node_id'])}"
        named = {"workflow_id": name, "version": parent["workflow_version"]}
    expected = {
        **child.started.fields,
        "workflow_id": named["workflow_id"],
        "workflow_version": named["version"],
        "limits": parent["limits"],
        "tenant": parent["tenant"],
        "simulated": parent["simulated"],
        "key": None,
        "forked_from": None,
        "parent": {
            **_origin(told.requested, family.parent),
            "root": family.parent if above is None else above["root"],
            "depth": (0 if above is None else above["depth"]) + 1,
        },
        "labels": [],
        "priority": parent["priority"],
        "by": None,
    }
    if told.started is not None:
        event, guest = told.started
        expected["workflow_digest"] = event.fields["workflow_digest"]
        expected["guest_digest"] = guest
    return expected


def _start_shown(started: dict[str, Any]) -> dict[str, Any]:
    names = (
        "workflow_id",
        "workflow_version",
        "workflow_digest",
        "guest_digest",
        "limits",
        "tenant",
        "simulated",
        "key",
        "priority",
        "by",
    )
    parent, origin = started["parent"], started["forked_from"]
    return {
        **{name: started[name] for name in names},
        "forked_from": None if origin is None else origin["execution_id"],
        "labels": len(started["labels"]),
        "root": None if parent is None else parent["root"],
        "depth": None if parent is None else parent["depth"],
    }


def _is_told(family: Family, child: ChildLog, told: Told) -> Missing | None:
    """Checks what the parent was told of a child. Answers what is missing of that."""

    def refuted(
        in_parent: int, in_child: int, what: str, values: tuple[Any, Any] | None = None
    ) -> Contradiction:
        return Contradiction(
            f"event {in_parent} of {family.parent} {what} {child.execution_id}",
            in_child=in_child,
            in_parent=in_parent,
            values=values,
        )

    if told.refused is not None:
        raise refuted(told.refused, 1, "says that there is no")
    if told.started is not None and told.started[0].at < child.started.at:
        sequence = told.started[0].sequence
        raise refuted(sequence, 1, "was told before it was so of the start of")
    ended = told.ended
    if ended is None:
        return None
    missing = child.length.missing(ended.fields["sequence"])
    if missing is not None:
        return missing
    named = Head(ended.fields["sequence"], ended.fields["head"])
    if named != child.head:
        values = _head_shown(named), _head_shown(child.head)
        what = "names another last event of"
        raise refuted(ended.sequence, named.sequence, what, values)
    last = child.head.sequence
    if ended.at < child.last.at:
        raise refuted(ended.sequence, last, "was told before it was so of the end of")
    is_readable = not family.is_erased and not child.is_erased
    output, error = (
        None if text is None else _digest(text)
        for text in (ended.fields["output"], ended.fields["error"])
    )
    said = _end_shown((ended.fields["status"], output, error), is_readable)
    end = child.end()
    own = None if end is None else _end_shown(end, is_readable)
    if own != said:
        raise refuted(ended.sequence, last, "tells another end of", (own, said))
    return None


def _head_shown(head: Head) -> dict[str, Any]:
    return {"sequence": head.sequence, "head": head.hash}


def _end_shown(end: tuple[str, str | None, str | None], is_readable: bool) -> dict[str, Any]:
    status, output, error = end
    return {
        "status": status,
        "output_digest": output if is_readable else None,
        "error_digest": error if is_readable else None,
    }
