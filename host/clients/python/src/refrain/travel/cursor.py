"""A cursor over a log.

Only the log is read. The guest is shown the events up to the cursor, and asked. On the
way back it begins at a snapshot that was taken on the way, so that each step costs about
the same wherever it leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from .. import explanations, json_text
from ..auditing.guests import Guests
from ..auditing.ports import ordered_by
from ..auditing.verdict import AuditError
from ..component.guest import load
from ..component.instance import GuestFailure
from ..contract import Ports, Refusal, Scheduler, Values, item_digest
from ..limits import EVENTS_BETWEEN_MARKS
from ..log.event import Event
from ..log.export import Recording, Source, UnreadableLog, read_log
from .marks import Marks
from .ports import TravelPorts
from .queue import ItemState, items_after
from .seek import What, is_of, may_set

_T = TypeVar("_T")


class TravelError(Exception):
    """A log cannot be travelled, or its guest does not answer there."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What would happen next."""

    #: The decisions, as they would be appended; none if the execution waits.
    decisions: list[Event]
    #: The work items that they order, by the names of the contract.
    items: list[Values]
    #: What the guest says of the execution then.
    outcome: Values


@dataclass(frozen=True, slots=True)
class QueuedItem:
    """A work item, and where it is."""

    node_id: str
    attempt: int
    queue: str
    state: ItemState
    #: The worker that has claimed it, and the fence of the claim.
    worker_id: str | None
    fence: int | None
    #: The whole item, with its payload, as the guest orders it again. `None` if it orders
    #: another: audit the log.
    item: Values | None


class Travel:
    """A cursor over a log. It stands behind one of the events, at first the last.

    `components` are scheduler components that the log names and does not bring. Travel
    does not audit: audit a log before you believe it.

    Raises `TravelError` if the log cannot be read, is erased, or does not begin; and
    `OSError` if its file cannot be read at all.
    """

    def __init__(self, log: Source | Recording, *, components: Iterable[bytes] = ()) -> None:
        try:
            recording = log if isinstance(log, Recording) else read_log(log)
        except UnreadableLog as error:
            raise TravelError(str(error)) from None
        execution_id = recording.execution_id
        if recording.is_erased:
            raise TravelError(
                f"the log of {execution_id} is erased: its scheduler cannot be asked about it"
                " any more"
            )
        if recording.started is None:
            raise TravelError(f"the log of {execution_id} has no beginning: audit it")
        self._recording = recording
        self._guests = Guests()
        for digest, component in recording.components.items():
            self._guests.add_bytes(digest, component)
        for component in components:
            self._guests.add(load(component))
        # The guests that the log names, each with the number of events before it is asked.
        self._named = [
            (place, kept.event.fields["guest_digest"])
            for place, kept in enumerate(recording.events)
            if kept.event.kind in ("workflow_started", "guest_changed")
        ]
        self._asked: Scheduler | None = None
        # So many events it has seen.
        self._seen = 0
        self._marks = Marks()
        # Up to this event, snapshots were taken.
        self._marked_to = 0
        self._place = len(recording.events)

    # ---- where it stands ---------------------------------------------------------------

    @property
    def execution_id(self) -> str:
        return self._recording.execution_id

    @property
    def sequence(self) -> int:
        """The event that the cursor stands behind; 0 before the first."""
        return self._place

    @property
    def last(self) -> int:
        """The log's last event."""
        return len(self._recording.events)

    @property
    def event(self) -> Event | None:
        """The event that the cursor stands behind. `None` before the first."""
        return self._recording.events[self._place - 1].event if self._place else None

    @property
    def at(self) -> int:
        """What time it is there: that of the event that the cursor stands behind."""
        event = self.event
        return 0 if event is None else event.at

    def go(self, sequence: int) -> None:
        """Goes behind this event; 0 is before the first.

        Raises `TravelError` if the log has no such event.
        """
        if not 0 <= sequence <= self.last:
            raise TravelError(f"the log has {self.last} events, and {sequence} is none of them")
        self._place = sequence

    def step(self) -> int | None:
        """Goes behind the next event. `None`, and it stays, if there is none."""
        if self._place == self.last:
            return None
        self._place += 1
        return self._place

    def back(self) -> int | None:
        """Goes back before the event that it stands behind. `None`, and it stays, at the
        beginning."""
        if self._place == 0:
            return None
        self._place -= 1
        return self._place

    def next(
        self, what: What | None = None, *, node: str | None = None, key: str | None = None
    ) -> int | None:
        """Goes on, behind the next event that is this, is about this node, and changes
        this key of the state; as far as they are given. `None`, and it stays, if there is
        none.

        Raises `TravelError`, of the guest: changes of the state are its to say.
        """
        return self._sought(range(self._place + 1, self.last + 1), what, node, key)

    def previous(
        self, what: What | None = None, *, node: str | None = None, key: str | None = None
    ) -> int | None:
        """The same back, from before the event that it stands behind."""
        return self._sought(range(self._place - 1, 0, -1), what, node, key)

    def _sought(
        self, places: Iterable[int], what: What | None, node: str | None, key: str | None
    ) -> int | None:
        start, found = self._place, None
        try:
            for place in places:
                event = self._recording.events[place - 1].event
                if is_of(event, what, node) and (key is None or self._changes(place, key)):
                    found = place
                    break
        finally:
            self._place = start if found is None else found
        return found

    def _changes(self, place: int, key: str) -> bool:
        """Whether this event gives a key of the state another value."""
        event = self._recording.events[place - 1].event
        if not may_set(event, key, self._workflow):
            return False
        self._place = place - 1
        before = self.value(key) if self._place else None
        self._place = place
        return before != self.value(key)

    @cached_property
    def _workflow(self) -> Any:
        try:
            return json_text.parse(self._recording.workflow)
        except json_text.JsonError:
            return None

    # ---- what its guest says there -------------------------------------------------------

    def inspect(self) -> str:
        """All that the guest holds of the execution, as JSON text."""
        text: str = self._ask(lambda guest, ports, id_: guest.inspect(ports, id_))["state"]
        return text

    def state(self) -> str:
        """The state of the execution, a JSON object, as text: numbers keep their
        spelling."""
        inspected = self.inspect()
        try:
            return json_text.members(inspected).get("state", inspected)
        except json_text.JsonError:
            return inspected

    def value(self, key: str) -> str | None:
        """The value of a key of the state, as JSON text. `None` if there is no such
        key."""
        return json_text.members(self.state()).get(key)

    def explain(self, node_id: str) -> dict[str, Any]:
        """Why this node was where it was: codes, their data, and sentences."""
        explained = self._ask(lambda guest, ports, id_: guest.explain(ports, id_, node_id))
        return explanations.shown(explained)

    def next_step(self, now: int | None = None) -> NextStep:
        """What the guest would decide there, if nothing happened, and the clock showed
        this: the time of the event that the cursor stands behind, if nothing is said."""
        place = self._place
        ports = self._ports(self.at if now is None else now)
        try:
            outcome = self._answered(
                lambda guest, of, id_: guest.step(of, id_, place, []), ports
            )
        finally:
            # It takes what it decided for appended.
            self._forget()
        return NextStep(ports.decided, ports.ordered, outcome)

    def queue(self) -> list[QueuedItem]:
        """The work items that there are behind the cursor, in the order in which they
        were ordered."""
        behind = (kept.event for kept in self._recording.events[: self._place])
        found = []
        for placed in items_after(behind):
            node_id, attempt, digest = ordered_by(placed.ordered) or ("", 0, "")
            item = self.item(node_id, attempt)
            is_same = item is not None and item_digest(item) == digest
            queue = item["queue"] if item is not None else ""
            found.append(
                QueuedItem(
                    node_id,
                    attempt,
                    placed.ordered.get("queue") or queue,
                    placed.state,
                    placed.worker_id,
                    placed.fence,
                    item if is_same else None,
                )
            )
        return found

    def item(self, node_id: str, attempt: int) -> Values | None:
        """The work item of an attempt of a node, as it was ordered before the cursor.
        `None` if it was not. The log has its digest alone, so that the guest is asked for
        it again."""
        start = self._place
        try:
            for place in self._places_of_order(node_id, attempt):
                self._place = place
                at = self._recording.events[place].event.at
                for item in self.next_step(at).items:
                    if item["node_id"] == node_id and item["attempt"] == attempt:
                        return item
        finally:
            self._place = start
        return None

    def _places_of_order(self, node_id: str, attempt: int) -> Iterator[int]:
        """The places at which the guest may order this attempt, the most likely first:
        before the decision that names it, and before those of one time that lead to it."""
        events = self._recording.events
        for place in range(self._place - 1, -1, -1):
            order = ordered_by(events[place].event)
            if order is not None and order[:2] == (node_id, attempt):
                break
        else:
            return
        at = events[place].event.at
        while (
            place and events[place - 1].event.is_decision and events[place - 1].event.at == at
        ):
            yield place
            place -= 1
        yield place

    # ---- the guest -----------------------------------------------------------------------

    def _ports(self, now: int) -> TravelPorts:
        """The ports for a question at the cursor, with the guest made ready for it."""
        digest = self._digest()
        mark = self._marks.before(self._place, digest)
        marked = 0 if mark is None else mark["sequence"]
        if self._asked is not None and self._asked.digest != digest:
            self._asked, self._seen = None, 0
        elif self._seen and not marked <= self._seen <= self._place:
            self._forget()
        if self._asked is None:
            try:
                self._asked = self._guests.scheduler(digest)
            except AuditError as error:
                raise TravelError(str(error)) from None
        snapshot = mark if self._seen == 0 else None
        return TravelPorts(self._recording, self._place, snapshot, now)

    def _digest(self) -> str:
        """The guest that the log names at the cursor."""
        found = ""
        for place, digest in self._named:
            if place < self._place:
                found = digest
        if not found:
            raise TravelError(
                "before its first event there is nothing of an execution: go to event 1 or"
                " later"
            )
        return found

    def _ask(self, call: Callable[[Scheduler, Ports, str], _T]) -> _T:
        self._mark_the_way()
        return self._answered(call, self._ports(self.at))

    def _mark_the_way(self) -> None:
        """Takes snapshots on the way to the cursor, where none were taken yet."""
        start = self._place
        while self._marked_to + EVENTS_BETWEEN_MARKS < start:
            self._place = place = self._marked_to + EVENTS_BETWEEN_MARKS
            try:
                snapshot = self._answered(
                    lambda guest, ports, id_: guest.snapshot(ports, id_), self._ports(self.at)
                )
            finally:
                self._place = start
            head = self._recording.events[place - 1].hash
            self._marks.push({**snapshot, "head": head})
            self._marked_to = place

    def _answered(self, call: Callable[[Scheduler, Ports, str], _T], ports: TravelPorts) -> _T:
        guest = self._asked
        assert guest is not None, "the ports were made with a guest"
        try:
            answer = call(guest, ports, self.execution_id)
        except Refusal as refusal:
            self._forget()
            raise self._no_answer(refusal) from None
        except GuestFailure as failure:
            self._asked, self._seen = None, 0
            raise self._no_answer(failure) from None
        self._seen = self._place
        return answer

    def _no_answer(self, error: Exception) -> TravelError:
        return TravelError(
            f"behind event {self._place}, the scheduler does not answer: {error}"
        )

    def _forget(self) -> None:
        """What the guest holds of the log is gone."""
        self._seen = 0
        if self._asked is not None:
            try:
                self._asked.forget(self.execution_id)
            except GuestFailure:
                self._asked = None
