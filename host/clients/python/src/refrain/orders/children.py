"""What a guest orders about children, held against the workflow and its decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import json_text
from ..log.event import Event
from ..log.fields import U32_MAX
from ..words import quoted

SUBGRAPH = "subgraph"

#: An order as a guest gives it: what it is, and its record.
Order = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChildRules:
    """What a node, or each instance of a map, lets be ordered about children (rule R22)."""

    #: The workflow that it names. `None` if the workflow is written in place.
    workflow: dict[str, str] | None
    #: The text of a workflow that is written in place.
    in_place: str | None
    #: Whether nobody waits for the child.
    is_detached: bool
    #: The most iterations (rule R23).
    iterations: int

    @classmethod
    def of(cls, kind: dict[str, str]) -> ChildRules | None:
        """The rules of a kind, given by its members. `None` if it starts no child."""
        if json_text.string(kind.get("type", "")) != SUBGRAPH:
            return None
        detached = kind.get("detached", "null")
        iterations = _iterations(kind.get("repeat", "null"))
        if detached not in ("true", "false", "null") or iterations is None:
            return None
        body = kind.get("body", "null")
        if body != "null":
            return cls(None, body, detached == "true", iterations)
        workflow_id = json_text.string(kind.get("workflow_id", ""))
        version = json_text.string(kind.get("version", ""))
        if workflow_id is None or version is None:
            return None
        named = {"workflow_id": workflow_id, "version": version}
        return cls(named, None, detached == "true", iterations)

    def fault(self, order: dict[str, Any]) -> str | None:
        """Why this child is none that the workflow holds, if it is none."""
        if order["workflow"] != self.workflow:
            return "is of another workflow than the node's"
        attempt, iteration = order["name"]["attempt"], order["name"]["iteration"]
        if iteration >= self.iterations or attempt == 0:
            return (
                f"is attempt {attempt} of iteration {iteration}, and the node has attempts"
                f" from 1, and {self.iterations} iterations"
            )
        return None


def _iterations(repeat: str) -> int | None:
    if repeat == "null":
        return 1
    try:
        most = json_text.members(repeat).get("max", "")
    except json_text.JsonError:
        return None
    number = int(most) if most.isascii() and most.isdigit() and len(most) <= 10 else U32_MAX + 1
    return number if number <= U32_MAX else None


def unfounded(decisions: Iterable[Event], orders: list[Order]) -> str | None:
    """Holds the children that were ordered in a step against what it decided. Says what
    is wrong, if anything is."""
    started = [order for what, order in orders if what == "start_child"]
    place = 0
    for event in decisions:
        if event.kind != "child_requested":
            continue
        asked = event.fields
        name = {it: asked[it] for it in ("node_id", "attempt", "iteration")}
        order = started[place] if place < len(started) else None
        place += 1
        if order is None or order["name"] != name or order["workflow"] != asked["workflow"]:
            node_id = quoted(asked["node_id"])
            return f"node {node_id} was decided to have a child, and it was not ordered so"
    if place < len(started):
        node_id = quoted(started[place]["name"]["node_id"])
        return f"a child of node {node_id} was ordered without a decision"
    return None
