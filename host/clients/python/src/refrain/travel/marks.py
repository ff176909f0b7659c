"""Snapshots on the way through a log, so that going back is not going from the
beginning."""

from __future__ import annotations

from ..contract import Values
from ..limits import MARKS_BYTES_MAX


class Marks:
    """Snapshots of one log, in the order of their events, and about as far from each
    other."""

    def __init__(self) -> None:
        self._marks: list[Values] = []
        # One of so many that come is kept.
        self._every = 1
        self._come = 0

    def push(self, snapshot: Values) -> None:
        """Takes a snapshot that is further on than all others. Where those that are kept
        are too many bytes, every other one goes, now and from now on."""
        self._come += 1
        if self._come % self._every:
            return
        self._marks.append(snapshot)
        while self._bytes() > MARKS_BYTES_MAX and len(self._marks) > 1:
            self._every *= 2
            self._marks = self._marks[1::2]

    def _bytes(self) -> int:
        return sum(len(mark["state"]) for mark in self._marks)

    def before(self, events: int, guest_digest: str) -> Values | None:
        """The last one of this guest that holds no more than so many events."""
        for mark in reversed(self._marks):
            if mark["sequence"] <= events and mark["guest_digest"] == guest_digest:
                return mark
        return None
