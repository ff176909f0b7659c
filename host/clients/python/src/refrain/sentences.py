"""Codes and their data in sentences: a guest says no sentence itself, so that another
wording is never another decision.

Texts of the world stand in them as they came.
"""

from __future__ import annotations

from typing import Any

from . import ids, times
from .limits import CHILD_DEPTH_MAX, DESCENDANTS_MAX
from .times import exact_span
from .words import counted

#: A code and its payload.
Code = tuple[str, Any]

_UNKNOWN_WORKFLOW = (
    "its workflow is not registered in the version that is asked for, or it is written in"
    " place and its name, `WORKFLOW/NODE`, is that of another registered text: register what"
    " is missing, or give this workflow another id, then fork the execution from before this"
    " node"
)
_CHILD_REFUSALS = {
    "unknown_workflow": _UNKNOWN_WORKFLOW,
    "too_deep": f"it would be more than {CHILD_DEPTH_MAX} levels below its root",
    "too_many": f"its root has {DESCENDANTS_MAX} descendants, as many as it may have",
}
_STOPPED = {
    "cancel_requested": "the execution is cancelled",
    "workflow_timed_out": "the workflow's time ran out",
    "by_operator": "an operator asked for it",
    "join_satisfied": "the join that it led to is satisfied without it",
    "map_settled": "its map is settled without it",
    "terminated": "the workflow was terminated",
    "budget_exceeded": "the workflow's budget is spent",
}


def node_failure(failure: Code) -> str:
    """Why a node failed."""
    code, it = failure
    if code == "attempt_failed":
        return str(it)
    if code == "timeout":
        return f"timed out after {exact_span(it)}"
    if code == "lease_expired":
        return "lease expired: worker presumed dead"
    if code == "rejected":
        return _said(f"rejected by {it['user_id']}", it["comment"])
    if code == "approval_timeout":
        return f"nobody approved or rejected it within {exact_span(it)}"
    if code == "event_timeout":
        span = exact_span(it["timeout_ms"])
        return f"no external event `{it['correlation_key']}` within {span}"
    if code == "limit_exceeded":
        return _said("limit exceeded", it)
    if code == "instances_failed":
        rest = ", …" if len(it["nodes"]) < it["count"] else ""
        return f"{counted(it['count'], 'instance')} failed: {', '.join(it['nodes'])}{rest}"
    if code == "not_a_list":
        return "what it maps over is not a list"
    if code == "too_many_items":
        return f"what it maps over has {counted(it, 'element')}, more than it may"
    if code == "too_large":
        return f"what the expression at `{it}` comes to is too large or too deep"
    if code == "unresolved_expression":
        return f"an expression at `{it}` comes to null"
    if code == "child_failed":
        return _said("its child failed", it)
    if code == "child_cancelled":
        return "its child was cancelled"
    if code == "child_refused":
        return f"its child cannot be started: {_CHILD_REFUSALS[it]}"
    return f"its condition still held after {it} iterations, the most there may be"


def _said(what: str, text: str | None) -> str:
    return what if text is None else f"{what}: {text}"


def workflow_failure(failure: Code) -> str:
    """Why an execution failed."""
    code, it = failure
    if code == "nodes_failed":
        return f"node(s) failed terminally: {', '.join(it)}"
    if code == "timeout":
        return f"workflow timed out after {exact_span(it)}"
    if code == "terminated":
        return _said("terminated", it)
    return _budget(it)


def stall(reason: Code) -> str:
    """Why a policy stalled an execution."""
    code, it = reason
    if code == "budget_exceeded":
        return f"{_budget(it)}, and the workflow asks for a person"
    if it["cause"][0] == "lease_expired":
        why = f"exhausted {it['attempts']} attempts: lease expired"
    else:
        why = node_failure(it["cause"])
    return (
        f"node `{it['node_id']}` failed at attempt {it['attempts']} ({why}), and its policy"
        " asks for a person"
    )


def _budget(excess: dict[str, Any]) -> str:
    spent, allowed = excess["spent"], excess["allowed"]
    if excess["budget"] == "tokens":
        return f"{spent} tokens are used, and the workflow allows {allowed}"
    return f"{spent} US dollars are spent, and the workflow allows {allowed}"


def reason(node: str, cause: Code) -> str:
    """Why a node is where it is, with names, numbers and times."""
    for say in (_edges, _finalizers, _attempts, _waits, _ends):
        sentence = say(node, *cause)
        if sentence is not None:
            return sentence
    return _execution(*cause)


def _edges(node: str, code: str, it: Any) -> str | None:
    if code == "unmet_predecessor":
        return f"node `{node}` needs node `{it['node_id']}`, which is {it['state']}"
    if code == "failed_predecessor":
        needs = f"node `{node}` needs node `{it['node_id']}`, which failed for good"
        return needs if it["cause"] is None else f"{needs}: {node_failure(it['cause'])}"
    if code == "more_predecessors":
        return f"{it} more predecessors are not settled"
    if code == "skipped_predecessor":
        return f"node `{node}` comes after node `{it}`, which was skipped"
    if code == "other_target":
        return f"node `{it['node_id']}` chose `{it['chosen_target']}`, not `{node}`"
    if code == "no_target":
        return f"node `{it}` chose no target, and `{node}` runs only when chosen"
    if code == "false_condition":
        return _false_condition(node, it)
    if code == "dead_edge":
        return f"the edge from `{it}` to `{node}` is dead"
    if code == "more_dead_edges":
        return f"{it} more incoming edges are dead"
    if code == "no_edge":
        return f"nothing leads to node `{node}`"
    return None


def _false_condition(node: str, it: dict[str, Any]) -> str:
    source, condition = it["node_id"], it["condition"]
    if source == node:
        sentence = f"node `{node}` was settled by what it read at `{condition}`"
    else:
        sentence = (
            f"the condition `{condition}` from `{source}` to `{node}` was false when node"
            f" `{source}` was settled"
        )
    seen = ", ".join(map(_seen, it["seen"]))
    return f"{sentence}: {seen}" if seen else sentence


def _seen(value: dict[str, Any]) -> str:
    path, (code, it) = value["path"], value["value"]
    if code == "missing":
        return f"`{path}` was missing"
    if code == "value":
        return f"`{path}` was {it}"
    return f"`{path}` was a value of {it} bytes"


def _finalizers(node: str, code: str, it: Any) -> str | None:
    if code == "not_at_the_end":
        return (
            f"finalizer `{node}` runs when the execution ends; {it['under_way']} node(s) are"
            f" under way, and {it['ready']} can go on"
        )
    if code == "earlier_finalizers":
        return f"finalizer `{node}` comes after {it} other finalizer(s) that have not ended"
    if code == "other_ending":
        return f"finalizer `{node}` does not run on the ending that the execution comes to"
    return None


def _attempts(node: str, code: str, it: Any) -> str | None:
    if code == "waits_for_worker":
        return (
            f"attempt {it['attempt']} of node `{node}` waits on the queue `{it['queue']}` for"
            f" a worker, since {_time(it['since'])}"
        )
    if code == "worker_at_work":
        return _at_work(node, it)
    if code == "not_before":
        return f"the next attempt of node `{node}` may begin at {_time(it)}"
    if code == "times_out":
        return f"the attempt of node `{node}` times out at {_time(it)}"
    if code == "last_failure":
        class_ = "" if it["error_class"] is None else f" of class {it['error_class']}"
        return (
            f"node `{node}` is at attempt {it['attempt']} of {it['max_attempts']}; the last"
            f" failure{class_}: {_why(it)}"
        )
    if code == "no_room":
        # A scheduler says of the bound of a map and of that of the execution the same.
        of_map = "max_concurrent of its map, or " if ids.instance_of(node) is not None else ""
        return (
            f"node `{node}` could run, but {it['used']} of {it['allowed']} nodes"
            f" ({of_map}max_concurrent_nodes) are in flight"
        )
    return None


def _at_work(node: str, it: dict[str, Any]) -> str:
    worker, attempt, since = it["worker_id"], it["attempt"], _time(it["since"])
    if ids.is_execution_id(worker):
        doing = "has been running for attempt"
        return f"child {worker} {doing} {attempt} of node `{node}` since {since}"
    if not worker:
        return f"attempt {attempt} of node `{node}` has asked for its child since {since}"
    return f"worker `{worker}` has been doing attempt {attempt} of node `{node}` since {since}"


def _why(failure: dict[str, Any]) -> str:
    return "no error given" if failure["cause"] is None else node_failure(failure["cause"])


def _waits(node: str, code: str, it: Any) -> str | None:
    if code == "waits_for_approval":
        on = f' on "{it}"' if it else ""
        return f"node `{node}` waits for a person to decide{on}"
    if code == "waits_for_event":
        return f"node `{node}` waits for the external event `{it}`"
    if code == "wait_ends":
        return f"the wait of node `{node}` ends by itself at {_time(it)}"
    if code == "next_step":
        return _next_step(node, it)
    if code == "skipped_once_lifted":
        return (
            f"an operator asked for node `{node}` to be skipped; this is done when the stall"
            " is lifted"
        )
    return None


def _next_step(node: str, step: str) -> str:
    return {
        "dispatch": (
            f"node `{node}` is dispatched at the next step, as far as max_dispatch_per_tick"
            " reaches"
        ),
        "settle": f"node `{node}` is settled by the scheduler at its next step",
        "skip": f"node `{node}` is skipped at the next step",
        "judge_failure": (
            f"what follows the failure of node `{node}` is decided at the next step"
        ),
        "skip_by_operator": (
            f"an operator asked for node `{node}` to be skipped; this is done at the next step"
        ),
    }[step]


def _ends(node: str, code: str, it: Any) -> str | None:
    if code == "was_completed":
        worker = it["worker_id"]
        by = f"worker `{worker}` at attempt {it['attempt']}" if worker is not None else None
        target = it["chosen_target"]
        chosen = "" if target is None else f", with `{target}` as the chosen target"
        who = by or "the scheduler itself"
        return f"node `{node}` was completed by {who} at {_time(it['at'])}{chosen}"
    if code == "failed_for_good":
        if it["attempt"] == 0:
            return f"node `{node}` failed for good: {_why(it)}"
        return (
            f"node `{node}` failed for good after {it['attempt']} of {it['max_attempts']}"
            f" attempts: {_why(it)}"
        )
    if code == "skipped_by_operator":
        return f"an operator asked for node `{node}` to be skipped; it counts as completed"
    if code == "was_stopped":
        return f"node `{node}` was stopped because {_STOPPED[it]}"
    if code == "not_needed":
        return (
            f"node `{node}` was skipped because the join that it led to is satisfied without it"
        )
    return None


def _execution(code: str, it: Any) -> str:
    if code == "stalled_by_policy":
        return f"the execution is stalled: {stall(it)}"
    if code == "stalled_by_host":
        return f"the execution is stalled: the scheduler could not go on: {it}"
    return {
        "paused": "the execution is paused",
        "being_cancelled": "the execution is being cancelled",
        "out_of_time": "the workflow's time ran out, and the execution is ending",
        "has_ended": f"the execution has ended ({it})",
    }[code]


def _time(at: int) -> str:
    return times.written(at) or "after the year 9999"
