"""What the log says of work items: which there are behind an event, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ..log.event import Event

#: Where an item is: it waits for a worker, a worker has claimed it, or its attempt failed
#: and no further one was ordered.
ItemState = Literal["waiting", "leased", "dead"]

_REMOVES = frozenset({"node_completed", "node_settled", "node_skipped", "node_cancelled"})
_FAILS = frozenset({"node_failed", "lease_expired", "node_exhausted", "node_timed_out"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A work item of the log, by the event that orders it."""

    ordered: Event
    state: ItemState = "waiting"
    #: The worker that has claimed it, and the fence of the claim.
    worker_id: str | None = None
    fence: int | None = None


def items_after(events: Iterable[Event]) -> list[Placed]:
    """The items behind these events, the first ones of a log, in the order in which they
    were ordered."""
    items: dict[str, Placed] = {}
    for event in events:
        kind, node_id = event.kind, event.get("node_id")
        if kind == "execution_forked":
            for node, placed in items.items():
                if placed.state == "leased":
                    items[node] = Placed(placed.ordered)
        elif kind in ("node_scheduled", "retry_scheduled"):
            items.pop(node_id, None)
            items[node_id] = Placed(event)
        elif node_id not in items:
            continue
        elif kind == "node_started":
            items[node_id] = replace(
                items[node_id],
                state="leased",
                worker_id=event.fields["worker_id"],
                fence=event.sequence,
            )
        elif kind == "node_released":
            items[node_id] = Placed(items[node_id].ordered)
        elif kind in _FAILS:
            items[node_id] = Placed(items[node_id].ordered, "dead")
        elif kind in _REMOVES:
            del items[node_id]
    return list(items.values())
