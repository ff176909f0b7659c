"""The kinds of events and their fields, in the order in which they are hashed.

Names and order are for ever. The table is written by hand from the contract and from
law 4, and not made from the host's: what two readings agree in is what both mean.
"""

from __future__ import annotations

from .compounds import (
    Case,
    Coded,
    Fields,
    Flattened,
    Record,
    Records,
    erasable,
    one,
    plain,
    record,
)
from .fields import (
    COUNT,
    FLAG,
    JSON,
    MAYBE_JSON,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MAYBE_TIME,
    NUMBER,
    SHA,
    TEXT,
    TEXTS,
    Choice,
    Late,
    Maybe,
)

ORIGIN = Choice("fact", "decision")

_CHILD_REFUSAL = Choice("unknown_workflow", "too_deep", "too_many")
_BUDGET = Choice("tokens", "cost_usd")
_STATUS = Choice("running", "paused", "stalled", "completed", "failed", "cancelled")

_SKIPPED = Choice("unreached", "by_operator", "run_on", "not_needed")
_CANCELLED = Choice(
    "cancel_requested",
    "workflow_timed_out",
    "by_operator",
    "join_satisfied",
    "map_settled",
    "terminated",
    "budget_exceeded",
)

_BUDGET_EXCEEDED = record(
    plain("budget", _BUDGET), plain("allowed", JSON), plain("spent", JSON)
)
_TIMEOUT = one(plain("timeout_ms", NUMBER))

WORKFLOW_FAILURE = Coded(
    nodes_failed=one(plain("nodes", TEXTS)),
    timeout=_TIMEOUT,
    terminated=one(erasable("reason", MAYBE_TEXT)),
    budget_exceeded=_BUDGET_EXCEEDED,
)

NODE_FAILURE = Coded(
    attempt_failed=one(erasable("error", TEXT)),
    timeout=_TIMEOUT,
    lease_expired=Case(),
    rejected=record(erasable("user_id", TEXT), erasable("comment", MAYBE_TEXT)),
    approval_timeout=_TIMEOUT,
    event_timeout=record(erasable("correlation_key", TEXT), plain("timeout_ms", NUMBER)),
    limit_exceeded=one(erasable("description", MAYBE_TEXT)),
    instances_failed=record(plain("count", COUNT), plain("nodes", TEXTS)),
    not_a_list=Case(),
    too_many_items=one(plain("count", COUNT)),
    too_large=one(erasable("pointer", TEXT)),
    unresolved_expression=one(erasable("pointer", TEXT)),
    child_failed=one(erasable("error", MAYBE_TEXT)),
    child_cancelled=Case(),
    child_refused=one(plain("code", _CHILD_REFUSAL)),
    repeat_limit=one(plain("count", COUNT)),
)

_EXHAUSTED: Fields = (
    plain("node_id", TEXT),
    plain("attempts", COUNT),
    plain("cause", NODE_FAILURE),
)

STALL_REASON = Coded(
    attempts_exhausted=record(*_EXHAUSTED),
    budget_exceeded=_BUDGET_EXCEEDED,
)

_LIMITS = Record(plain("max_concurrent_nodes", COUNT), plain("max_dispatch_per_tick", COUNT))
_FORK_ORIGIN = Record(
    plain("execution_id", TEXT), plain("sequence", NUMBER), plain("head", SHA)
)
_PARENT_ORIGIN = Record(
    plain("execution_id", TEXT),
    plain("node_id", TEXT),
    plain("attempt", COUNT),
    plain("iteration", COUNT),
    plain("sequence", NUMBER),
    plain("root", TEXT),
    plain("depth", COUNT),
)
_LABELS = Records(plain("name", TEXT), plain("value", TEXT))
_GEN_AI = Flattened(
    plain("system", MAYBE_TEXT, written="gen_ai_system"),
    plain("model", MAYBE_TEXT, written="gen_ai_model"),
    plain("input_tokens", MAYBE_NUMBER),
    plain("output_tokens", MAYBE_NUMBER),
    plain("finish_reason", MAYBE_TEXT),
)
_WORKFLOW_NAME = Record(plain("workflow_id", TEXT), plain("version", TEXT))

_NODE = plain("node_id", TEXT)
_ATTEMPT = plain("attempt", COUNT)
_ITERATION = plain("iteration", COUNT)
_FENCE = plain("fence", NUMBER)
_BY = erasable("by", MAYBE_TEXT)
_NOTE: Fields = (erasable("reason", MAYBE_TEXT), _BY)
_REQUEST: Fields = (_NODE, *_NOTE)

KINDS: dict[str, Fields] = {
    "workflow_started": (
        plain("format", COUNT),
        plain("execution_id", TEXT),
        plain("workflow_id", TEXT),
        plain("workflow_version", TEXT),
        plain("workflow_digest", SHA),
        plain("guest_digest", SHA),
        erasable("initial_input", JSON),
        plain("limits", _LIMITS),
        plain("seed", NUMBER),
        plain("tenant", TEXT),
        plain("simulated", FLAG),
        erasable("key", MAYBE_TEXT),
        plain("forked_from", Maybe(_FORK_ORIGIN)),
        plain("parent", Maybe(_PARENT_ORIGIN)),
        erasable("labels", _LABELS),
        plain("priority", COUNT),
        _BY,
    ),
    "workflow_completed": (erasable("final_state", JSON),),
    "workflow_failed": (plain("cause", WORKFLOW_FAILURE), erasable("final_state", JSON)),
    "workflow_cancelled": (erasable("reason", MAYBE_TEXT), erasable("final_state", JSON)),
    "workflow_timed_out": (),
    "node_scheduled": (
        _NODE,
        plain("queue", TEXT, written="queue_type"),
        _ATTEMPT,
        erasable("item_digest", SHA),
    ),
    "node_started": (_NODE, erasable("worker_id", TEXT), _ATTEMPT),
    "node_completed": (
        _NODE,
        _ATTEMPT,
        _FENCE,
        erasable("output", JSON),
        erasable("state_patch", JSON),
        plain("duration_ms", NUMBER),
        plain("chosen_target", MAYBE_TEXT),
        erasable("gen_ai", _GEN_AI),
        erasable("telemetry", MAYBE_JSON),
        erasable("edited_by", Late("edited_by", TEXT)),
    ),
    "node_settled": (
        _NODE,
        erasable("output", JSON),
        erasable("state_patch", JSON),
        plain("chosen_target", MAYBE_TEXT),
    ),
    "node_failed": (
        _NODE,
        _ATTEMPT,
        _FENCE,
        erasable("error", TEXT),
        plain("error_class", MAYBE_TEXT),
        plain("retryable", FLAG),
        plain("retry_after_ms", Late("retry_after_ms", NUMBER)),
    ),
    "lease_expired": (_NODE, _ATTEMPT, _FENCE),
    "node_released": (_NODE, _ATTEMPT, _FENCE, _BY),
    "node_timed_out": (_NODE, _ATTEMPT, plain("timeout_ms", NUMBER)),
    "node_exhausted": _EXHAUSTED,
    "node_skipped": (_NODE, plain("reason", _SKIPPED)),
    "node_cancelled": (_NODE, plain("reason", _CANCELLED)),
    "retry_scheduled": (
        _NODE,
        _ATTEMPT,
        plain("delay_ms", NUMBER),
        erasable("item_digest", SHA),
    ),
    "interrupt_raised": (_NODE, erasable("reason", TEXT), plain("expires_at", MAYBE_TIME)),
    "approval_received": (
        _NODE,
        erasable("user_id", TEXT),
        plain("decision", Choice("approved", "rejected")),
        erasable("comment", MAYBE_TEXT),
        erasable("state_patch", MAYBE_JSON),
        _BY,
    ),
    "timer_created": (
        _NODE,
        plain("fire_at", MAYBE_TIME),
        erasable("correlation_key", MAYBE_TEXT),
    ),
    "timer_fired": (_NODE, erasable("correlation_key", MAYBE_TEXT)),
    "external_event_received": (
        erasable("correlation_key", TEXT),
        erasable("payload", JSON),
        erasable("event_id", MAYBE_TEXT),
        _BY,
    ),
    "map_expanded": (_NODE, plain("count", COUNT)),
    "child_requested": (
        _NODE,
        _ATTEMPT,
        _ITERATION,
        plain("workflow", Maybe(_WORKFLOW_NAME)),
    ),
    "child_started": (
        _NODE,
        _ATTEMPT,
        _ITERATION,
        plain("child_id", TEXT),
        plain("workflow_digest", SHA),
    ),
    "child_refused": (_NODE, _ATTEMPT, _ITERATION, plain("code", _CHILD_REFUSAL)),
    "child_ended": (
        _NODE,
        _ATTEMPT,
        _ITERATION,
        plain("child_id", TEXT),
        plain("status", _STATUS),
        plain("sequence", NUMBER, written="child_sequence"),
        plain("head", SHA),
        erasable("output", MAYBE_JSON),
        erasable("error", MAYBE_TEXT),
    ),
    "cancel_requested": _NOTE,
    "execution_paused": _NOTE,
    "execution_unpaused": _NOTE,
    "retry_requested": _REQUEST,
    "skip_requested": _REQUEST,
    "stalled": (plain("reason", STALL_REASON),),
    "host_stalled": (erasable("reason", TEXT),),
    "stall_lifted": _NOTE,
    "guest_changed": (plain("guest_digest", SHA), _BY),
    "execution_forked": (_BY,),
}

#: The kinds that a guest concludes. All others are facts, which the world reports.
DECISIONS = frozenset(
    {
        "workflow_completed",
        "workflow_failed",
        "workflow_cancelled",
        "workflow_timed_out",
        "node_scheduled",
        "node_settled",
        "node_timed_out",
        "node_exhausted",
        "node_skipped",
        "node_cancelled",
        "retry_scheduled",
        "interrupt_raised",
        "timer_created",
        "timer_fired",
        "map_expanded",
        "child_requested",
        "stalled",
    }
)

#: The kinds after which nothing comes.
TERMINAL = frozenset({"workflow_completed", "workflow_failed", "workflow_cancelled"})
