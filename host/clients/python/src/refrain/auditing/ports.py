"""The log answers instead of the world.

Storage serves the log's first events, the clock reads what the log says, append compares
instead of writing, and orders are held against the decisions when the call ends. What
does not compare is noted: whatever the guest makes of a refusal, the note is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ..contract import Values, item_digest, page
from ..log.event import Event, Kept
from ..log.export import Recording
from ..orders.awaited import Awaited, concerns_children, said_of_child, uncancelled
from ..orders.children import Order, unfounded
from ..orders.rules import Attempts, OrderRules, follow_attempts

_OF_CHILDREN = frozenset({"child_requested", "node_cancelled", "node_timed_out"})


@dataclass(frozen=True, slots=True)
class OtherDecision:
    """The guest decided this where the log has something else."""

    event: Event


@dataclass(frozen=True, slots=True)
class OtherHead:
    """The guest builds on another last event than the log's."""

    expected: int


@dataclass(frozen=True, slots=True)
class UnnamedOrder:
    """The guest ordered an item that no decision of its batch names."""

    item: Values
    digest: str


@dataclass(frozen=True, slots=True)
class ChildFault:
    """The guest ordered something about a child that it may not."""

    fault: str


@dataclass(frozen=True, slots=True)
class UnlawfulOrder:
    """The guest ordered an item that the workflow does not hold."""

    item: Values
    fault: str


#: Something that the guest did, and the log says otherwise.
Mismatch = OtherDecision | OtherHead | UnnamedOrder | ChildFault | UnlawfulOrder


def ordered_by(event: Event) -> tuple[str, int, str] | None:
    """The node, the attempt and the digest of the work item that an event orders."""
    if event.kind in ("node_scheduled", "retry_scheduled"):
        fields = event.fields
        return fields["node_id"], fields["attempt"], fields["item_digest"]
    return None


class ReplayPorts:
    """One execution's log, opened as far as it has been replayed."""

    def __init__(self, recording: Recording, rules: OrderRules) -> None:
        self._recording = recording
        self._rules = rules
        #: The guest sees the first so many events.
        self.revealed = 0
        self._now = 0
        # It saw so many before this call: what lies between, it decided.
        self._batch_start = 0
        self.orders: list[Values] = []
        self._digests: list[str] = []
        self._children: list[Order] = []
        #: The first thing that the guest did in the last call and the log does not have.
        self.mismatch: Mismatch | None = None
        self._attempts: dict[str, Attempts] = {}
        self._followed = 0
        self._awaited = Awaited()
        self._awaited_at = 0

    def begin(self, now: int) -> None:
        """Prepares for one call with the clock at `now`."""
        self._now = now
        self._batch_start = self.revealed
        self.orders = []
        self._digests = []
        self._children = []
        self.mismatch = None

    def show_first(self, events: int) -> None:
        """Shows the guest the first `events` events."""
        self.revealed = events
        self._batch_start = events

    @property
    def last_at(self) -> int:
        """The time of the last event that the guest sees."""
        return self._recording.events[self.revealed - 1].event.at if self.revealed else 0

    def batch(self) -> list[Event]:
        """The decisions of the last call."""
        return self._events(self._batch_start, self.revealed)

    def inputs_of_children(self) -> dict[int, str]:
        """The digests of the inputs of the children that were ordered in the last call,
        which compared, by the events that ask for them."""
        inputs = [
            sha256(order["input"].encode()).hexdigest()
            for what, order in self._children
            if what == "start_child"
        ]
        # Such decisions and orders are of the same children, in the same order.
        asked = [it.sequence for it in self.batch() if it.kind == "child_requested"]
        return dict(zip(asked, inputs))

    def _events(self, start: int, end: int) -> list[Event]:
        return [kept.event for kept in self._recording.events[start:end]]

    # ---- what the guest may ask for -------------------------------------------------

    def load_workflow(self) -> str:
        return self._recording.workflow

    def load_snapshot(self) -> Values | None:
        """Never: an audit trusts the log alone (law 10)."""
        return None

    def read_events(self, first: int, most: int) -> list[Kept]:
        # Not what the current call has appended: that is not in the log yet.
        return page(self._recording.events, first, most, self._batch_start)

    def append_events(self, expected: int, events: list[Event]) -> tuple[bool, Any]:
        if expected != self.revealed:
            self._note(OtherHead(expected))
            return False, ("conflict", self.revealed)
        log = self._recording.events
        for event in events:
            if self.revealed >= len(log) or log[self.revealed].event != event:
                self._note(OtherDecision(event))
                return False, ("refused", "the log says otherwise")
            self.revealed += 1
        return True, None

    def now(self) -> int:
        return self._now

    def order(self, orders: list[Order]) -> tuple[bool, Any]:
        before = len(self._digests)
        for what, order in orders:
            if what == "enqueue":
                self._digests.append(item_digest(order))
                self.orders.append(order)
            elif what != "cancel":
                # What is cancelled follows from the decisions, and those are compared.
                self._children.append((what, order))
        return True, self._digests[before:]

    def _note(self, mismatch: Mismatch) -> None:
        """Notes a mismatch, unless one is noted already; later ones are its echo."""
        if self.mismatch is None:
            self.mismatch = mismatch

    # ---- when the call has ended -----------------------------------------------------

    def check_orders(self) -> None:
        """All that the call decided is in the log. Notes the first order without such a
        decision, or that the workflow does not hold."""
        batch = self.batch()
        if self.orders:
            self._check_items(batch)
        if self._children or any(it.kind in _OF_CHILDREN for it in batch):
            fault = self._child_fault(batch)
            if fault is not None:
                self._note(ChildFault(fault))

    def _check_items(self, batch: list[Event]) -> None:
        named = {ordered_by(event) for event in batch}
        seen: set[str] = set()
        for item, digest in zip(self.orders, self._digests):
            node_id = item["node_id"]
            if (node_id, item["attempt"], digest) not in named or node_id in seen:
                self._note(UnnamedOrder(item, digest))
                return
            seen.add(node_id)
        started = self._recording.started
        if started is None:
            return  # Refused by the integrity check before.
        for event in self._events(self._followed, self._batch_start):
            follow_attempts(self._attempts, self._rules, event)
        self._followed = self._batch_start
        priority, tenant = started.fields["priority"], started.fields["tenant"]
        for item in self.orders:
            before = self._attempts.get(item["node_id"], Attempts())
            fault = self._rules.fault(item, priority, before)
            if item["tenant"] != tenant:
                fault = "is not this execution's"
            if fault is not None:
                self._note(UnlawfulOrder(item, fault))
                return

    def _child_fault(self, batch: list[Event]) -> str | None:
        fault = unfounded(batch, self._children)
        if fault is not None:
            return fault
        for what, order in self._children:
            fault = self._rules.child_fault(order) if what == "start_child" else None
            if fault is not None:
                return fault
        if not concerns_children(batch, self._children, self._rules):
            return None
        for event in self._events(self._awaited_at, self._batch_start):
            said = said_of_child(event, self._rules)
            if said is not None:
                self._awaited.follow(said)
        self._awaited_at = self.revealed
        return uncancelled(self._awaited, batch, self._children, self._rules)
