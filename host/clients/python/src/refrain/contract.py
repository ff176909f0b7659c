"""The contract's functions, over events as logs have them.

A `Scheduler` is a guest that is asked about executions; `Ports` are what it may ask for
meanwhile. Fuel is counted as every host counts it: a base for each call, and more for
each byte of workflow, snapshot and log that is handed over for the first time in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

from . import ids
from .component.guest import CLOCK, QUEUE, STORAGE, Guest, built_in
from .component.instance import Fuel, GuestFailure, Instance
from .component.types import ListOf, Record, Scalar, Type
from .limits import (
    EVENTS_PAGE_BYTES_MAX,
    EVENTS_PAGE_MAX,
    FUEL_PER_BYTE,
    FUEL_PER_BYTE_AGAIN,
    FUEL_PER_CALL,
    FUEL_PER_IMPORT,
    GUEST_TEXT_MAX,
    GUEST_TRANSFER_BYTES_MAX,
)
from .log.event import Event, Kept, canonical
from .log.fields import Part, put_text
from .words import quoted

#: A record of the contract, with `_` for `-` in the names of its fields.
Values = dict[str, Any]

_U64 = Scalar("u64")
_ITEM_DIGEST = Record((("a", _U64), ("b", _U64), ("c", _U64), ("d", _U64)))
_EXECUTION_ID = Record((("high", _U64), ("low", _U64)))


class Refusal(Exception):
    """A guest did its work, and its answer is a refusal: the code, and what belongs to
    it."""

    def __init__(self, code: str, payload: Any) -> None:
        super().__init__(_sentence(code, payload))
        self.code = code
        self.payload = payload


class Ports(Protocol):
    """What a guest may ask for in a call. Answers that can fail are pairs of whether
    they are good and a payload."""

    def load_workflow(self) -> str: ...

    def load_snapshot(self) -> Values | None: ...

    def read_events(self, first: int, most: int) -> list[Kept]: ...

    def append_events(self, expected: int, events: list[Event]) -> tuple[bool, Any]: ...

    def now(self) -> int: ...

    def order(self, orders: list[tuple[str, Values]]) -> tuple[bool, Any]: ...


def page(events: list[Kept], first: int, most: int, end: int) -> list[Kept]:
    """The first `end` events from this sequence on, as much of them as a guest is handed
    at once."""
    start = min(max(first - 1, 0), end)
    found: list[Kept] = []
    size = 0
    for kept in events[start : min(end, start + min(most, EVENTS_PAGE_MAX))]:
        size += kept.size
        if found and size > EVENTS_PAGE_BYTES_MAX:
            break
        found.append(kept)
    return found


def item_digest(item: Values) -> str:
    """The digest of a work item: its fields in their order."""
    made: Part = bytearray()
    put_text(item["node_id"], made)
    made += item["attempt"].to_bytes(8, "little") + item["max_attempts"].to_bytes(8, "little")
    put_text(item["queue"], made)
    put_text(item["tenant"], made)
    made += item["priority"].to_bytes(8, "little") + item["not_before"].to_bytes(8, "little")
    put_text(item["payload"], made)
    return sha256(made).hexdigest()


@dataclass
class _Meter:
    """What was handed over in a call."""

    taken: int = 0
    has_workflow: bool = False
    has_snapshot: bool = False
    events_up_to: int = 0

    def take(self, size: int) -> None:
        """The guest has handed over so many bytes."""
        self.taken += size
        if self.taken > GUEST_TRANSFER_BYTES_MAX:
            raise GuestFailure("the guest transferred too much")


class Scheduler:
    """An instance of a guest, which is asked about executions."""

    def __init__(self, guest: Guest) -> None:
        self.digest = guest.digest
        self._ports: Ports | None = None
        self._meter = _Meter()
        self._instance = Instance(
            guest,
            {
                STORAGE: {
                    "load-workflow": self._load_workflow,
                    "load-snapshot": self._load_snapshot,
                    "read-events": self._read_events,
                    "append-events": self._append_events,
                },
                CLOCK: {"now": self._now},
                QUEUE: {"order": self._order},
            },
            _special(),
        )
        self._instance.start(FUEL_PER_CALL)

    # ---- what it is asked -----------------------------------------------------------

    def step(self, ports: Ports, execution_id: str, last: int, facts: list[Event]) -> Values:
        """Lets it decide, with these facts behind the log's last event.

        Raises `Refusal` or `GuestFailure`, as all that follow do.
        """
        size = sum(sum(map(len, canonical(it))) for it in facts)
        kinds = [(it.kind, it.fields) for it in facts]
        outcome: Values = self._about(ports, "step", size, execution_id, last, kinds)
        return outcome

    def explain(self, ports: Ports, execution_id: str, node_id: str) -> Values:
        """Why is this node where it is?"""
        explanation: Values = self._about(ports, "explain", 0, execution_id, node_id)
        return explanation

    def inspect(self, ports: Ports, execution_id: str) -> Values:
        """The state of an execution, and its digest."""
        inspection: Values = self._about(ports, "inspect", 0, execution_id)
        return inspection

    def snapshot(self, ports: Ports, execution_id: str) -> Values:
        """A snapshot of an execution, without a head."""
        snapshot: Values = self._about(ports, "snapshot", 0, execution_id)
        return snapshot

    def forget(self, execution_id: str) -> None:
        """Drops what is kept of an execution."""
        self._call("forget", 0, execution_id)

    def _about(self, ports: Ports, name: str, size: int, *arguments: Any) -> Any:
        self._ports = ports
        try:
            is_good, payload = self._call(name, size, *arguments)
        finally:
            self._ports = None
        if not is_good:
            raise Refusal(*payload)
        return payload

    def _call(self, name: str, size: int, *arguments: Any) -> Any:
        self._meter = _Meter()
        return self._instance.call(name, FUEL_PER_CALL + FUEL_PER_BYTE * size, *arguments)

    # ---- what it asks for -----------------------------------------------------------

    def _of_call(self, name: str) -> Ports:
        if self._ports is None:
            raise GuestFailure(
                f"the guest called `{name}` while it was asked about no execution, where it has"
                " no access to one"
            )
        return self._ports

    def _load_workflow(self, fuel: Fuel) -> tuple[bool, Any]:
        text = self._of_call("load-workflow").load_workflow()
        is_again, self._meter.has_workflow = self._meter.has_workflow, True
        _hand_over(fuel, len(text.encode()), is_again)
        return True, text

    def _load_snapshot(self, fuel: Fuel) -> tuple[bool, Any]:
        snapshot = self._of_call("load-snapshot").load_snapshot()
        is_again, self._meter.has_snapshot = self._meter.has_snapshot, True
        _hand_over(fuel, 0 if snapshot is None else len(snapshot["state"]), is_again)
        return True, snapshot

    def _read_events(self, fuel: Fuel, first: int, most: int) -> tuple[bool, Any]:
        events = self._of_call("read-events").read_events(first, most)
        meter = self._meter
        new = again = 0
        for kept in events:
            if kept.event.sequence > meter.events_up_to:
                meter.events_up_to = kept.event.sequence
                new += kept.size
            else:
                again += kept.size
        fuel.change(FUEL_PER_BYTE * new, FUEL_PER_BYTE_AGAIN * again + FUEL_PER_IMPORT)
        return True, [kept.event for kept in events]

    def _append_events(
        self, fuel: Fuel, expected: int, events: list[Event]
    ) -> tuple[bool, Any]:
        for event in events:
            if not event.is_fit():
                raise GuestFailure(
                    f"the guest broke the contract: a digest of its event {event.sequence} is"
                    " none"
                )
        ports = self._of_call("append-events")
        self._meter.take(sum(_texts_of(event.fields) for event in events))
        fuel.change(0, FUEL_PER_IMPORT)
        return ports.append_events(expected, events)

    def _now(self, fuel: Fuel) -> int:
        now = self._of_call("now").now()
        fuel.change(0, FUEL_PER_IMPORT)
        return now

    def _order(self, fuel: Fuel, orders: list[tuple[str, Values]]) -> tuple[bool, Any]:
        ports = self._of_call("order")
        self._meter.take(sum(_texts_of(payload) for _, payload in orders))
        fuel.change(0, FUEL_PER_IMPORT)
        return ports.order(orders)


def _hand_over(fuel: Fuel, size: int, is_again: bool) -> None:
    if is_again:
        fuel.change(0, FUEL_PER_BYTE_AGAIN * size + FUEL_PER_IMPORT)
    else:
        fuel.change(FUEL_PER_BYTE * size, FUEL_PER_IMPORT)


def _texts_of(values: Values) -> int:
    return sum(len(it) for it in values.values() if isinstance(it, str))


# ---- what values are read as ---------------------------------------------------------


@cache
def _special() -> dict[Type, Any]:
    # Others have the same types, and need not import all that there is.
    events = built_in().imports[STORAGE]["append-events"].params[1]
    assert isinstance(events, ListOf), "our own component has the types of the contract"
    return {
        _ITEM_DIGEST: (_digest_of, _numbers_of),
        _EXECUTION_ID: (_same, _named),
        events.element: (_event_of, _values_of),
    }


def _digest_of(record: Values) -> str:
    return f"{record['a']:016x}{record['b']:016x}{record['c']:016x}{record['d']:016x}"


def _numbers_of(digest: str) -> Values:
    return {
        "a": int(digest[:16], 16),
        "b": int(digest[16:32], 16),
        "c": int(digest[32:48], 16),
        "d": int(digest[48:], 16),
    }


def _same(record: Values) -> Values:
    return record


def _named(execution_id: str) -> Values:
    high, low = ids.numbers_of(execution_id)
    return {"high": high, "low": low}


def _event_of(record: Values) -> Event:
    kind, fields = record["kind"]
    return Event(record["sequence"], record["at"], record["origin"], kind, fields or {})


def _values_of(event: Event) -> Values:
    return {
        "sequence": event.sequence,
        "at": event.at,
        "origin": event.origin,
        "kind": (event.kind, event.fields),
    }


# ---- refusals in words ---------------------------------------------------------------


def _sentence(code: str, payload: Any) -> str:
    if code == "illegal":
        return f"event {payload['sequence']} may not stand there: {_short(payload['reason'])}"
    if code == "invalid_workflow":
        faults = "".join(
            f"\n  at {quoted(_short(it['pointer']))}: {_short(it['message'])};"
            f" {_short(it['remedy'])}"
            for it in payload[:1000]
        )
        return f"the workflow is not valid, {len(payload)} fault(s):{faults}"
    if code == "storage":
        why, said = payload
        if why == "conflict":
            return (
                f"the log ends at event {said}, which is not what the guest had seen: someone"
                " else wrote to it; try again"
            )
        if why == "failed":
            return f"the guest could not get at what is stored: {_short(said)}"
        return f"the log did not take the guest's decisions: {_short(said)}"
    if code == "queue":
        return f"the queue did not take the guest's order: {_short(payload)}"
    if code == "bad_snapshot":
        return f"the guest cannot read its snapshot: {_short(payload)}"
    return (
        f"the workflow has no node {quoted(_short(payload))}; its text says which nodes it has"
    )


def _short(text: str) -> str:
    return text if len(text) <= GUEST_TEXT_MAX else f"{text[:GUEST_TEXT_MAX]}…"
