"""What a guest says of a node, as a value of JSON: codes and their data, and each reason
in a sentence."""

from __future__ import annotations

from typing import Any

from . import sentences, times
from .log.compounds import Coded
from .log.kinds import NODE_FAILURE, STALL_REASON

#: The name of the one datum of a reason whose payload is no record.
_DATUM = {
    "more_predecessors": "count",
    "skipped_predecessor": "node_id",
    "no_target": "node_id",
    "dead_edge": "node_id",
    "more_dead_edges": "count",
    "earlier_finalizers": "count",
    "waits_for_approval": "question",
    "waits_for_event": "correlation_key",
    "next_step": "step",
    "was_stopped": "why",
    "stalled_by_host": "why",
    "has_ended": "status",
}

_TIMES = frozenset({"not_before", "times_out", "wait_ends"})

#: The same for what somebody can do.
_REMEDY_DATUM = {
    "approve": "node_id",
    "signal": "correlation_key",
    "retry": "node_id",
    "skip": "node_id",
    "start_worker": "queue",
}


def shown(explanation: dict[str, Any]) -> dict[str, Any]:
    """An explanation of a guest's as a value of JSON."""
    node_id = explanation["node_id"]
    return {
        "node_id": node_id,
        "state": explanation["state"],
        "reasons": [_reason(node_id, it) for it in explanation["reasons"]],
    }


def _reason(node_id: str, reason: dict[str, Any]) -> dict[str, Any]:
    code, payload = reason["cause"]
    return {
        "reason": code,
        "data": _data(code, payload),
        "message": sentences.reason(node_id, (code, payload)),
        "remedies": [_remedy(*it) for it in reason["remedies"]],
    }


def _remedy(code: str, payload: Any) -> dict[str, Any]:
    remedy = {"remedy": code}
    if code in _REMEDY_DATUM:
        remedy[_REMEDY_DATUM[code]] = payload
    return remedy


def _data(code: str, payload: Any) -> dict[str, Any]:
    if payload is None:
        return {}
    if code in _DATUM:
        return {_DATUM[code]: payload}
    if code in _TIMES:
        return {"at": times.written(payload)}
    if code == "stalled_by_policy":
        return _coded("why", STALL_REASON, payload)
    data: dict[str, Any] = {}
    for name, value in payload.items():
        if name == "cause":
            data.update({} if value is None else _coded("cause", NODE_FAILURE, value))
        elif name in ("since", "at"):
            data[name] = times.written(value)
        elif name == "seen":
            data[name] = [_seen(it) for it in value]
        else:
            data[name] = value
    return data


def _coded(name: str, of: Coded, value: tuple[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    of.show(name, value, data)
    return data


def _seen(seen: dict[str, Any]) -> dict[str, Any]:
    code, payload = seen["value"]
    if code == "missing":
        return {"path": seen["path"], "missing": True}
    # As text: it keeps the spelling of its numbers.
    return {"path": seen["path"], "value" if code == "value" else "bytes": payload}
