"""Codes become sentences, and every code has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from driven import Driven, chain_of

import refrain
from refrain import explanations, json_text, sentences, words
from refrain.auditing import rule
from refrain.auditing.divergence import Divergence, between, differences
from refrain.component.guest import DECISIONS, STORAGE, built_in
from refrain.component.types import (
    Enum,
    ListOf,
    Option,
    Record,
    Result,
    Scalar,
    Type,
    Variant,
)
from refrain.component.values import snake
from refrain.log.event import Event
from refrain.report import report

BOOM = ("attempt_failed", "boom")


def samples(of: Type) -> Iterator[Any]:
    """Values of a type: of a variant, one of each case; of an option, both."""
    if isinstance(of, Scalar):
        yield {"string": "x", "bool": True}.get(of.name, 7)
    elif isinstance(of, ListOf):
        yield list(samples(of.element))
    elif isinstance(of, Enum):
        yield from map(snake, of.names)
    elif isinstance(of, Option):
        yield None
        yield from samples(of.payload)
    elif isinstance(of, Variant):
        for name, payload in of.cases:
            for value in [None] if payload is None else samples(payload):
                yield snake(name), value
    elif isinstance(of, Record):
        columns = [(snake(name), list(samples(it))) for name, it in of.fields]
        for place in range(max(len(values) for _, values in columns)):
            yield {name: values[min(place, len(values) - 1)] for name, values in columns}


def causes() -> list[tuple[str, Any]]:
    answer = built_in().exports[DECISIONS]["explain"].result
    assert isinstance(answer, Result) and isinstance(answer.ok, Record)
    reasons = dict(answer.ok.fields)["reasons"]
    assert isinstance(reasons, ListOf) and isinstance(reasons.element, Record)
    fields = dict(reasons.element.fields)
    return list(samples(fields["cause"]))


def test_every_reason_has_a_sentence_data_and_a_rule() -> None:
    found = causes()
    assert len({code for code, _ in found}) >= 35
    for code, payload in found:
        reason = {"cause": (code, payload), "remedies": []}
        shown = explanations.shown({"node_id": "n", "state": "ready", "reasons": [reason]})
        [told] = shown["reasons"]
        assert told["reason"] == code
        assert len(told["message"]) > 10 and "None" not in told["message"], told
        assert json_text.parse(json_text.write(told["data"])) == told["data"]
        if code != "was_completed":
            assert rule.of_cause(code, payload) is not None, code


def test_every_remedy_is_shown() -> None:
    for remedy, data in [
        (("approve", "a"), {"remedy": "approve", "node_id": "a"}),
        (("signal", "k"), {"remedy": "signal", "correlation_key": "k"}),
        (("lift", None), {"remedy": "lift"}),
        (("start_worker", "q"), {"remedy": "start_worker", "queue": "q"}),
    ]:
        reason = {"cause": ("paused", None), "remedies": [remedy]}
        shown = explanations.shown({"node_id": "n", "state": "ready", "reasons": [reason]})
        assert shown["reasons"][0]["remedies"] == [data]


def test_every_decision_is_of_a_rule() -> None:
    from refrain.log.kinds import DECISIONS as DECIDED

    appended = built_in().imports[STORAGE]["append-events"].params[1]
    assert isinstance(appended, ListOf) and isinstance(appended.element, Record)
    for kind, payload in samples(dict(appended.element.fields)["kind"]):
        event = Event(2, 0, "decision", kind, payload or {})
        assert (rule.of_decision(event) is not None) == (kind in DECIDED), kind
    for node, number in [("a", "R2"), ("a[1]", "R21"), ("a!undo", "R27"), ("a[1]!undo", "R27")]:
        scheduled = Event(2, 0, "decision", "node_scheduled", {"node_id": node})
        assert rule.of_decision(scheduled) == number


@pytest.mark.parametrize(
    "failure, said",
    [
        (BOOM, "boom"),
        (("timeout", 5_000), "timed out after 5 s"),
        (("timeout", 1_500), "timed out after 1500 ms"),
        (("lease_expired", None), "lease expired: worker presumed dead"),
        (("rejected", {"user_id": "bob", "comment": "too dear"}), "rejected by bob: too dear"),
        (("rejected", {"user_id": "bob", "comment": None}), "rejected by bob"),
        (("approval_timeout", 60_000), "nobody approved or rejected it within 60 s"),
        (
            ("event_timeout", {"correlation_key": "k", "timeout_ms": 5_000}),
            "no external event `k` within 5 s",
        ),
        (("instances_failed", {"count": 1, "nodes": ["a[0]"]}), "1 instance failed: a[0]"),
        (("instances_failed", {"count": 3, "nodes": ["a"]}), "3 instances failed: a, …"),
        (("too_many_items", 7), "what it maps over has 7 elements, more than it may"),
        (("child_failed", None), "its child failed"),
        (
            ("repeat_limit", 3),
            "its condition still held after 3 iterations, the most there may be",
        ),
    ],
)
def test_failures_in_words(failure: sentences.Code, said: str) -> None:
    assert sentences.node_failure(failure) == said


@pytest.mark.parametrize(
    "cause, said",
    [
        (
            ("unmet_predecessor", {"node_id": "a", "state": "backing_off"}),
            "node `n` needs node `a`, which is backing_off",
        ),
        (
            ("failed_predecessor", {"node_id": "a", "cause": BOOM}),
            "node `n` needs node `a`, which failed for good: boom",
        ),
        (
            ("worker_at_work", {"attempt": 1, "worker_id": "", "since": 0}),
            "attempt 1 of node `n` has asked for its child since 1970-01-01T00:00:00.000Z",
        ),
        (
            ("waits_for_approval", "really?"),
            'node `n` waits for a person to decide on "really?"',
        ),
        (("waits_for_approval", ""), "node `n` waits for a person to decide"),
        (("wait_ends", 2**62), "the wait of node `n` ends by itself at after the year 9999"),
        (("has_ended", "failed"), "the execution has ended (failed)"),
    ],
)
def test_reasons_in_words(cause: sentences.Code, said: str) -> None:
    assert sentences.reason("n", cause) == said


def test_of_an_instance_both_bounds_are_named_that_it_may_wait_for() -> None:
    cause = ("no_room", {"used": 2, "allowed": 2})
    bound = "max_concurrent_nodes) are in flight"
    said = "could run, but 2 of 2 nodes ("
    assert sentences.reason("n", cause) == f"node `n` {said}{bound}"
    of_map = f"node `m[3]` {said}max_concurrent of its map, or {bound}"
    assert sentences.reason("m[3]", cause) == of_map


def test_the_guest_explains_a_divergence() -> None:
    log = Driven(chain_of("a", "b")).start().complete("a").log()
    skipped = {"type": "node_skipped", "node_id": "b", "reason": "unreached"}
    place = {
        name: log.events[-1][name] for name in ("sequence", "at", "origin", "salt", "hash")
    }
    log.events[-1] = {**place, **skipped}
    audit = refrain.audit(log.chain().bytes())
    assert (audit.verdict, audit.sequence) == ("divergent", 5)
    text = report(audit)
    assert "    rule: R2\n" in text
    assert '    the guest on node "b", which is ready:\n' in text
    assert "      node `b` is dispatched at the next step" in text


def test_differences_name_every_place_once() -> None:
    for a, b, pointers in [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["/a"]),
        ({"a": 1}, {"b": 1}, ["/a", "/b"]),
        ({"a": None}, {}, ["/a"]),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3, 4]}}, ["/a/b/1", "/a/b/2"]),
        ({"a/b": 1, "c~d": 1}, {"a/b": 2, "c~d": 2}, ["/a~1b", "/c~0d"]),
        ({"a": {}}, {"a": []}, ["/a"]),
        (1, 2, [""]),
    ]:
        assert [it.pointer for it in differences(a, b)] == pointers


def test_a_report_names_the_place_once() -> None:
    assert Divergence(3, "event 3 is odd").report() == [(0, "event 3 is odd")]
    assert Divergence(3, "odd").report() == [(0, "event 3: odd")]
    assert Divergence(0, "odd").report() == [(0, "odd")]
    lines = between(3, "odd", {"a": 1}, {"a": 2}).report()
    assert lines[1:] == [
        (1, 'expected  {"a":1}'),
        (1, 'found     {"a":2}'),
        (1, 'at "/a": expected 1, found 2'),
    ]


def test_lines_of_the_world_stand_behind_a_mark() -> None:
    divergence = Divergence(3, "event 3: bad\nexec_1  clean\x1b\n\n")
    text = report(refrain.Audit("exec_1\n", "illegal", 3, divergence=divergence))
    assert text.splitlines() == [
        "exec_1\\n  illegal  3 events, 0 decisions replayed",
        "  event 3: bad",
        "    | exec_1  clean\\u{1b}",
        "    next: compare the log with a backup or an export, and trust neither before it is"
        " clear which was changed",
    ]


def test_texts_of_the_world_steer_no_terminal() -> None:
    text = 'a\x1b[2J\n"\u202e\U000e0041'
    assert words.escaped(text) == 'a\\u{1b}[2J\\n"\\u{202e}\\u{e0041}'
    assert words.quoted(text) == '"a\\u{1b}[2J\\n\\"\\u{202e}\\u{e0041}"'
    written = words.escaped_json(json_text.write({"a": text}, indent=2))
    assert json_text.parse(written) == {"a": text}
    assert not set(written) & {"\x1b", "\u202e", "\U000e0041"}
