"""A guest at a place of a log, and what it would do there."""

from __future__ import annotations

from typing import Any

from ..contract import Values, item_digest, page
from ..log.event import Event, Kept
from ..log.export import Recording
from ..orders.children import Order


class TravelPorts:
    """A guest at a place of a log. Nothing is compared, and nothing is kept."""

    def __init__(
        self, recording: Recording, shown: int, snapshot: Values | None, now: int
    ) -> None:
        self._recording = recording
        self._shown = shown
        self._snapshot = snapshot
        self._now = now
        self.decided: list[Event] = []
        self.ordered: list[Values] = []

    def load_workflow(self) -> str:
        return self._recording.workflow

    def load_snapshot(self) -> Values | None:
        return self._snapshot

    def read_events(self, first: int, most: int) -> list[Kept]:
        return page(self._recording.events, first, most, self._shown)

    def append_events(self, expected: int, events: list[Event]) -> tuple[bool, Any]:
        last = self._shown + len(self.decided)
        if expected != last:
            return False, ("conflict", last)
        self.decided += events
        return True, None

    def now(self) -> int:
        return self._now

    def order(self, orders: list[Order]) -> tuple[bool, Any]:
        items = [order for what, order in orders if what == "enqueue"]
        self.ordered += items
        return True, [item_digest(item) for item in items]
