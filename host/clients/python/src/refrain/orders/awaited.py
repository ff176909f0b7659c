"""Children that nodes wait for. A node that is stopped while it waits orders that its
child is cancelled: that very child, and no other (rule R22)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..log.event import Event
from ..words import quoted
from .children import Order
from .rules import OrderRules

_STOPS = frozenset({"node_cancelled", "node_timed_out"})
_ENDS = frozenset({"node_cancelled", "node_timed_out", "node_exhausted"})
_TOLD = frozenset({"child_refused", "child_ended"})


class Said(NamedTuple):
    """What an event says of children."""

    #: The node that it is about. `None`: no node waits for any child any more.
    node_id: str | None
    #: The attempt and the iteration of the child that the node waits for. `None` if it
    #: waits for none.
    waits_for: tuple[int, int] | None


def said_of_child(event: Event, rules: OrderRules) -> Said | None:
    """What an event says of a child. `None` if it says nothing of one."""
    kind, fields = event.kind, event.fields
    if kind == "execution_forked":
        return Said(None, None)
    if kind == "child_requested":
        return Said(fields["node_id"], (fields["attempt"], fields["iteration"]))
    if kind == "child_started":
        own = rules.child(fields["node_id"])
        if own is not None and own.is_detached:
            return Said(fields["node_id"], None)
        return Said(fields["node_id"], (fields["attempt"], fields["iteration"]))
    if kind in _TOLD:
        return Said(fields["node_id"], None)
    if kind in _ENDS and rules.child(fields["node_id"]) is not None:
        return Said(fields["node_id"], None)
    return None


class Awaited:
    """The children that nodes wait for, by node."""

    def __init__(self) -> None:
        self._waits: dict[str, tuple[int, int]] = {}

    def follow(self, said: Said) -> dict[str, Any] | None:
        """Takes in what an event says. Answers the name of the child that was waited for
        up to it, if that is over."""
        if said.node_id is None:
            self._waits.clear()
            return None
        if said.waits_for is not None:
            self._waits[said.node_id] = said.waits_for
            return None
        over = self._waits.pop(said.node_id, None)
        if over is None:
            return None
        return {"node_id": said.node_id, "attempt": over[0], "iteration": over[1]}


def concerns_children(
    decisions: Iterable[Event], orders: list[Order], rules: OrderRules
) -> bool:
    """Whether a step stops a node that may have a child, or cancels a child. Most do
    not."""
    return any(what == "cancel_child" for what, _ in orders) or any(
        it.kind in _STOPS and rules.child(it.fields["node_id"]) is not None for it in decisions
    )


def uncancelled(
    awaited: Awaited, decisions: Iterable[Event], orders: list[Order], rules: OrderRules
) -> str | None:
    """Holds what a step cancelled against what it stopped; `awaited` is what was waited
    for before it, and is after it what is waited for then. Says what is wrong, if
    anything is."""
    cancelled = [order for what, order in orders if what == "cancel_child"]
    for event in decisions:
        said = said_of_child(event, rules)
        over = None if said is None else awaited.follow(said)
        if over is None or event.kind not in _STOPS:
            continue
        if over not in cancelled:
            return (
                f"node {quoted(over['node_id'])} was stopped while it waited for a child, and"
                " that was not cancelled"
            )
        cancelled.remove(over)
    if not cancelled:
        return None
    name = cancelled[0]
    return (
        f"the child of attempt {name['attempt']} and iteration {name['iteration']} of node"
        f" {quoted(name['node_id'])} was cancelled, and its node was not stopped while it"
        " waited for it"
    )
