"""The rule or the law that stands behind a decision, or behind what a guest says of a
node. A reader finds it by its number in the documents."""

from __future__ import annotations

from typing import Any

from .. import ids
from ..log.event import Event

_OF_DECISION = {
    "node_settled": 6,
    "node_timed_out": 14,
    "workflow_timed_out": 14,
    "node_exhausted": 12,
    "retry_scheduled": 12,
    "interrupt_raised": 19,
    "timer_created": 19,
    "timer_fired": 19,
    "map_expanded": 21,
    "workflow_completed": 16,
    "workflow_failed": 16,
    "workflow_cancelled": 17,
}
_SKIPPED = {"unreached": 9, "by_operator": 20, "run_on": 16, "not_needed": 24}
_STOPPED = {
    "cancel_requested": 17,
    "workflow_timed_out": 14,
    "by_operator": 20,
    "map_settled": 21,
    "join_satisfied": 24,
    "terminated": 24,
    "budget_exceeded": 28,
}
_STALLED = {"attempts_exhausted": 12, "budget_exceeded": 28}
_OF_CAUSE = {
    "unmet_predecessor": 3,
    "more_predecessors": 3,
    "failed_predecessor": 15,
    "skipped_predecessor": 9,
    "dead_edge": 9,
    "more_dead_edges": 9,
    "no_edge": 9,
    "other_target": 7,
    "no_target": 7,
    "false_condition": 7,
    "not_at_the_end": 16,
    "earlier_finalizers": 16,
    "other_ending": 16,
    "waits_for_worker": 5,
    "worker_at_work": 5,
    "not_before": 12,
    "failed_for_good": 12,
    "times_out": 14,
    "out_of_time": 14,
    "last_failure": 11,
    "no_room": 4,
    "waits_for_approval": 19,
    "waits_for_event": 19,
    "wait_ends": 19,
    "next_step": 2,
    "skipped_once_lifted": 20,
    "skipped_by_operator": 20,
    "not_needed": 24,
    "paused": 18,
    "being_cancelled": 17,
}


def law(number: int) -> str:
    return f"law {number}"


def scheduling(number: int) -> str:
    return f"R{number}"


def of_decision(event: Event) -> str | None:
    """The rule by which this was decided. `None` for a fact, which nobody decides."""
    number = _number_of(event)
    return None if number is None else scheduling(number)


def _number_of(event: Event) -> int | None:
    fields = event.fields
    if event.kind == "node_scheduled":
        if ids.undone_by(fields["node_id"]) is not None:
            return 27
        return 2 if ids.instance_of(fields["node_id"]) is None else 21
    if event.kind == "node_skipped":
        return _SKIPPED[fields["reason"]]
    if event.kind == "node_cancelled":
        return _STOPPED[fields["reason"]]
    if event.kind == "child_requested":
        return 23 if fields["iteration"] > 0 else 22
    if event.kind == "stalled":
        return _STALLED[fields["reason"][0]]
    return _OF_DECISION.get(event.kind)


def of_cause(code: str, payload: Any) -> str | None:
    """The rule that has a node where a guest says that it is."""
    if code == "stalled_by_host":
        return law(9)
    if code == "has_ended":
        return law(6)
    if code == "was_stopped":
        return scheduling(_STOPPED[payload])
    if code == "stalled_by_policy":
        return scheduling(_STALLED[payload[0]])
    number = _OF_CAUSE.get(code)
    return None if number is None else scheduling(number)
