"""The places of a log that a cursor can be sent to."""

from __future__ import annotations

from typing import Any, Literal

from .. import json_text
from ..auditing.divergence import node_of
from ..log.event import Event

#: What a cursor looks for: a decision of the scheduler; a fact of the world; or something
#: that failed, an attempt, a node, a child, the execution, or a stall.
What = Literal["decision", "fact", "failure"]

_FAILURES = frozenset(
    {
        "node_failed",
        "node_timed_out",
        "lease_expired",
        "node_exhausted",
        "child_refused",
        "workflow_failed",
        "workflow_timed_out",
        "stalled",
        "host_stalled",
    }
)
_PATCHES = frozenset({"node_completed", "node_settled", "approval_received"})


def is_failure(event: Event) -> bool:
    """Whether an event says that something failed, or that the execution stalled."""
    if event.kind == "child_ended":
        return bool(event.fields["status"] != "completed")
    return event.kind in _FAILURES


def is_of(event: Event, what: What | None, node: str | None) -> bool:
    """Whether an event is what is looked for."""
    if node is not None and node_of(event) != node:
        return False
    if what == "failure":
        return is_failure(event)
    return what is None or event.origin == what


def may_set(event: Event, key: str, workflow: Any) -> bool:
    """Whether an event may give a key of the state another value (rules R10, R21 and
    R22). `workflow` is its text, read."""
    if event.kind in _PATCHES:
        patch = event.fields["state_patch"]
        try:
            return patch is not None and key in json_text.members(patch)
        except json_text.JsonError:
            return False
    if event.kind != "child_ended":
        return False
    node_id = event.fields["node_id"]
    kind = workflow
    for step in ("nodes", node_id, "kind"):
        kind = kind.get(step) if isinstance(kind, dict) else None
    if not isinstance(kind, dict):
        return False
    return kind.get("merge") is True or kind.get("output_key", node_id) == key
