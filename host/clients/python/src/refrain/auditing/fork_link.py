"""Law 11: a fork's event 1 names its origin, the last event that both have in common, and
the head up to it. Whoever has both logs can check that."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NoReturn

from ..log.event import Kept, canonical
from ..log.export import Recording
from . import integrity
from .divergence import Divergence, between
from .integrity import Finding
from .missing import Length, Missing
from .verdict import Link, LinkState


class Broken(Exception):
    """Two logs do not agree."""

    def __init__(self, divergence: Divergence) -> None:
        super().__init__(divergence.message)
        self.divergence = divergence


def origin_of(recording: Recording) -> dict[str, Any] | None:
    """The origin that the log names. `None` if it is of no fork."""
    started = recording.started
    named: dict[str, Any] | None = None if started is None else started.fields["forked_from"]
    return named


def check(
    fork: Recording, named: dict[str, Any], origin: Recording | None
) -> tuple[Link, Finding | Missing | None]:
    """Compares a fork, which is whole in itself, with the log of its origin. Answers what
    does not agree, or what is missing of the origin."""

    def link(state: LinkState) -> Link:
        return Link(named["execution_id"], named["sequence"], state)

    if origin is None:
        return link("origin_missing"), None
    try:
        integrity.check(origin)
    except Finding:
        return link("origin_unsound"), None
    try:
        missing = _compare(fork, named, origin)
    except Broken as broken:
        return link("broken"), Finding("tampered", broken.divergence)
    return link("linked" if missing is None else "cut"), missing


def _broken(sequence: int, message: str) -> NoReturn:
    raise Broken(Divergence(sequence, message))


def _compare(fork: Recording, named: dict[str, Any], origin: Recording) -> Missing | None:
    execution_id, common = named["execution_id"], named["sequence"]
    missing = Length.of(origin).missing(common)
    if missing is None:
        _has_head(origin, named)
    if len(fork.events) <= common:
        _broken(common + 1, f"the log does not go its own way after event {common}")
    _not_within_a_batch(origin, common)
    _first_events(fork, origin)
    for own, others in list(zip(fork.events, origin.events))[1:common]:
        if _committed(own) != _committed(others):
            sequence = own.event.sequence
            _broken(
                sequence,
                f"event {sequence} is not the one of {execution_id}, from which it was copied",
            )
    return missing


def _has_head(origin: Recording, named: dict[str, Any]) -> None:
    """The origin has the last event in common."""
    execution_id, common, head = named["execution_id"], named["sequence"], named["head"]
    if not 1 <= common <= len(origin.events):
        _broken(
            1,
            f"event 1 says that {common} events are those of {execution_id}, and that log has"
            " not so many",
        )
    there = origin.events[common - 1].hash
    if there != head:
        message = f"event 1 names another event {common} of {execution_id}"
        raise Broken(between(1, message, there, head))


def _committed(kept: Kept) -> tuple[bytes, str]:
    """All of an event that does not depend on the execution."""
    plain, erasable = canonical(kept.event)
    if kept.salt is None:
        return plain, kept.commitment
    return plain, sha256(kept.salt + erasable).hexdigest()


def _not_within_a_batch(origin: Recording, common: int) -> None:
    """What was decided at one time is forked as a whole."""
    if common >= len(origin.events):
        return
    last, next_ = origin.events[common - 1].event, origin.events[common].event
    if last.is_decision and next_.is_decision and last.at == next_.at:
        _broken(common, f"the fork cuts apart what was decided with event {common}")


def _first_events(fork: Recording, origin: Recording) -> None:
    """Event 1 of a fork differs from its origin's only in what a fork may change. What is
    erased in one of them is not compared."""
    own, others = fork.started, origin.started
    if own is None or others is None:
        return  # Refused by the integrity check before.

    def same(what: str, is_same: bool) -> None:
        if not is_same:
            _broken(
                1,
                f"event 1 has another {what} than event 1 of the execution that it was forked"
                " from",
            )

    def equal(name: str) -> bool:
        return bool(own.fields[name] == others.fields[name])

    same("time", own.at == others.at)
    same("seed", equal("seed"))
    same("tenant", equal("tenant"))
    same("kind of time", equal("simulated"))
    same("priority", equal("priority"))
    same("limits", equal("limits"))
    if fork.is_erased or origin.is_erased:
        return
    only = own.fields["forked_from"]["sequence"] == 1
    same("input", only or equal("initial_input"))
    same("set of labels", equal("labels"))
