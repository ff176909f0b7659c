"""What a workflow lets be ordered: a guest decides when, the workflow says what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refrain.log.event import Event
from refrain.orders.awaited import Awaited, concerns_children, said_of_child, uncancelled
from refrain.orders.children import Order, unfounded
from refrain.orders.literal import LiteralKind
from refrain.orders.rules import Attempts, OrderRules, follow_attempts
from refrain.orders.templates import parts

KIND = '{"type":"tool", "tool_ref":"harmless\\u0021"}'
WORKFLOW = (
    '{"workflow_id":"w","version":"1.0.0","start_node":"a","edges":[],'
    '"retry_policies":{"twice":{"max_attempts":2}},"nodes":{'
    f'"a":{{"kind":{KIND}, "retry_policy":"twice","compensate":{{"type":"tool"}}}},'
    '"b":{"kind":{"type":"parallel","branches":["a"]}},'
    '"c":{"kind":{"type":"condition","branches":[ ]}, "retry_policy": null},'
    '"d":{"kind":{"type":"task","queue":"gpu","n":1}, "priority":9, "lease_secs":60},'
    '"e":{"kind":{"type":"tool","tool_ref":"t","queue":7}, "queue":"mail"},'
    '"f":{"kind":{"type":"http","url":"http://h/${state.x}","headers":{"A":"${secret.K}"}}},'
    '"j":{"kind":{"type":"join","merge_strategy":{"custom":"f"}},"retry_policy":"io_default"},'
    '"k":{"kind":{"type":"join"},"retry_policy":"no_retry"},'
    '"m":{"kind":{"type":"map","over":"input","body":{"type":"model"}}}}}'
)
PRIORITY = 5


def payload(node: str, kind: str, more: str = "") -> str:
    return f'{{"node_id":"{node}","kind":{kind},"input":{{}}{more}}}'


def item(**changes: Any) -> dict[str, Any]:
    return {
        "node_id": "a",
        "attempt": 1,
        "max_attempts": 2,
        "queue": "tool",
        "tenant": "default",
        "priority": PRIORITY,
        "not_before": 0,
        "payload": payload("a", KIND),
        **changes,
    }


def fault(ordered: dict[str, Any], last: int = 0, budget_after: int = 0) -> str | None:
    return OrderRules(WORKFLOW).fault(ordered, PRIORITY, Attempts(last, budget_after))


def http(url: str, header: str, templates: str) -> str:
    headers = json.dumps({"A": header}, separators=(",", ":"))
    kind = f'{{"type":"http","url":"{url}","headers":{headers}}}'
    return payload("f", kind, f',"templates":{templates}')


def of(node: str, queue: str, attempts: int, kind: str, **more: Any) -> dict[str, Any]:
    made = payload(node, kind)
    return item(node_id=node, queue=queue, max_attempts=attempts, payload=made, **more)


@pytest.mark.parametrize(
    "ordered, last, budget_after",
    [
        (item(), 0, 0),
        (item(attempt=2), 1, 0),
        (item(attempt=3, max_attempts=4), 2, 2),
        # The order of members, the space between them and the way in which a text is
        # escaped are a guest's own matter.
        (item(payload=f' {{"input":1, "kind": {KIND} ,"node_id":"\\u0061"}} '), 0, 0),
        (of("c", "general", 3, '{"type":"condition","branches":[ ]}'), 0, 0),
        (of("d", "gpu", 3, '{"type":"task","queue":"gpu","n":1}', priority=9), 0, 0),
        (of("e", "mail", 3, '{"type":"tool","tool_ref":"t","queue":7}'), 0, 0),
        (of("j", "general", 5, '{"type":"join","merge_strategy":{"custom":"f"}}'), 0, 0),
        (of("m[7]", "model", 3, '{"type":"model"}'), 0, 0),
        (of("a!undo", "tool", 2, '{"type":"tool"}'), 0, 0),
        (
            item(
                node_id="f",
                queue="http",
                max_attempts=3,
                payload=http("http://h/1", "${secret.K}", '["/kind/headers/A"]'),
            ),
            0,
            0,
        ),
    ],
)
def test_what_the_workflow_holds_may_be_ordered(
    ordered: dict[str, Any], last: int, budget_after: int
) -> None:
    assert fault(ordered, last, budget_after) is None


def refused() -> list[tuple[dict[str, Any], int, str]]:
    sh = '{"type":"command","argv":["sh","-c","id"]}'
    whole = payload("a", KIND)
    twice = whole.replace(',"input"', f',"kind":{sh},"input"')
    url = {"node_id": "f", "queue": "http", "max_attempts": 3}
    pointers = '["/kind/headers/A"]'
    return [
        (item(node_id="z"), 0, "does not have"),
        (item(node_id="a[0]"), 0, "does not have"),
        (item(node_id="m!undo"), 0, "does not have"),
        (item(node_id="c!undo"), 0, "does not have"),
        (item(node_id="b"), 0, "settles itself"),
        (item(node_id="m"), 0, "settles itself"),
        (item(node_id="k"), 0, "settles itself"),
        (item(queue="command"), 0, '"command", and the node belongs on "tool"'),
        (item(attempt=2), 0, "attempt 1, the next one"),
        (item(), 1, "attempt 2, the next one"),
        (item(attempt=0), 0, "attempt 1, the next one"),
        (
            item(max_attempts=3),
            0,
            "until attempt 3, and the node's retry policy ends at attempt 2",
        ),
        (item(max_attempts=1), 0, "until attempt 1, and"),
        (item(attempt=3), 2, "ends at attempt 2"),
        (item(priority=9), 0, "priority 9, and the node's is 5"),
        (item(payload=payload("a", sh)), 0, "`kind`"),
        (item(payload=payload("a", KIND.replace("\\u0021", "!"))), 0, "`kind`"),
        (item(payload=payload("c", KIND)), 0, "`node_id`"),
        (item(payload=twice), 0, "the field `kind` is there twice"),
        (item(payload=twice.replace('"kind"', '"\\u006bind"', 1)), 0, "there twice"),
        (item(payload=f"{whole}1"), 0, "the object has ended"),
        (item(payload=whole.replace("{", '{"argv":[],', 1)), 0, "unknown field `argv`"),
        (item(payload=whole.replace("{}}", f'1,"kind":{sh}}}')), 0, "there twice"),
        (item(payload=whole.replace("{}}", "}")), 0, "a value is expected"),
        (item(payload="{}"), 0, "missing field"),
        (item(payload=f'["a",{KIND},{{}}]'), 0, "an object is expected"),
        (item(**url, payload=http("http://evil/1", "${secret.K}", pointers)), 0, "`kind`"),
        (item(**url, payload=http("http://h/1", "${secret.L}", pointers)), 0, "`kind`"),
        (item(**url, payload=http("http://h/1", "${secret.K}", "[]")), 0, "`templates`"),
        (item(**url, payload=http("http://h/1", "${secret.K}", "[1]")), 0, "no list of texts"),
    ]


@pytest.mark.parametrize("ordered, last, said", refused())
def test_what_it_does_not_hold_is_named(ordered: dict[str, Any], last: int, said: str) -> None:
    assert said in (fault(ordered, last) or "")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"nodes":[]}', '{"nodes":{"a":{}}}', '{"nodes":{"a":{"kind":1}}}']
)
def test_a_workflow_of_another_form_holds_nothing(text: str) -> None:
    assert OrderRules(text).fault(item(), PRIORITY, Attempts()) is not None


def event(kind: str, **fields: Any) -> Event:
    return Event(1, 0, "decision", kind, fields)


def test_r20_a_retry_of_a_map_gives_its_instances_a_fresh_budget() -> None:
    rules, attempts = OrderRules(WORKFLOW), dict[str, Attempts]()
    for node in ("m[0]", "m[1]", "a"):
        follow_attempts(attempts, rules, event("node_scheduled", node_id=node, attempt=3))
    follow_attempts(attempts, rules, event("retry_requested", node_id="m"))
    assert attempts["m[0]"] == attempts["m[1]"] == Attempts(3, 3)
    assert attempts["a"] == Attempts(3, 0)
    follow_attempts(attempts, rules, event("retry_requested", node_id="a"))
    assert attempts["a"] == Attempts(3, 3)


# ---- texts with expressions --------------------------------------------------------------

COMMAND = (
    '{"type":"command", "argv":["sh", "a ${state.x} b ${\'}\'}\\n", "${input}", "$${HOME}"],'
    '"env":{"${A}":"${node_id}-"}, "input_mapping": {"x": "\'${\'"}}'
)
RESOLVED = (
    '{"type":"command", "argv":["sh", "a 1 b 2\\n", {"any": [1]}, "${HOME}"],'
    '"env":{"${A}":"x-"}, "input_mapping": {"x": "\'${\'"}}'
)


def test_r29_the_literal_parts_must_be_the_workflows() -> None:
    kind = LiteralKind.of("command", COMMAND)
    assert kind is not None and kind.is_in(RESOLVED)
    for old, new in [
        ('"a 1 b 2\\n"', '"a ${state.x} b }\\n"'),
        ('"a 1 b 2\\n"', '"a  b  b \\n"'),
        ('"a 1 b 2\\n"', '"a \\u0031 b 2\\u000a"'),
        ('{"any": [1]}', "1.50"),
        ('"x-"', '"--"'),
    ]:
        assert kind.is_in(RESOLVED.replace(old, new)), new
    for old, new in [
        ('"sh"', '"zsh"'),
        ('"a 1 b 2\\n"', '"b 1 b 2\\n"'),
        ('"a 1 b 2\\n"', '"a 1 c 2\\n"'),
        ('"a 1 b 2\\n"', '"a 1 b 2"'),
        ('"a 1 b 2\\n"', '"a b\\n"'),
        ('"a 1 b 2\\n"', "7"),
        ('{"any": [1]}', "null"),
        ('{"any": [1]}', '1, "more"'),
        ('"${HOME}"', '"$${HOME}"'),
        ('"${HOME}"', '"/root"'),
        ('"${A}":', '"B":'),
        ('"x-"', '"x-", "PATH": ""'),
        ('"x-"', '"x"'),
        ('"type":"command", ', '"type":"command",'),
        ("}}", '},"cwd":"/"}'),
        ("}}", "}} "),
    ]:
        other = RESOLVED.replace(old, new)
        assert other != RESOLVED and not kind.is_in(other), new
    assert not kind.is_in(RESOLVED[:-1])


@pytest.mark.parametrize(
    "name, kind",
    [
        ("command", '{"type":"command","argv":["a$","{b}"]}'),
        ("command", '{"argv":["a"],"input_mapping":{"a":"\'${\'"}}'),
        ("command", '{"argv":["a"],"env":{"${x}":"b"}}'),
        ("tool", '{"type":"tool","tool_ref":"${state.x}"}'),
    ],
)
def test_r29_kinds_without_expressions_have_no_such_parts(name: str, kind: str) -> None:
    assert LiteralKind.of(name, kind) is None


def test_r29_a_guest_adds_nothing_to_what_the_worker_puts_in() -> None:
    kind = (
        '{"headers":{"A":"Bearer ${ secret.KEY }",'
        '"B":"${state.x}-${secret.K}-${execution_id}"},"url":"${state.u}"}'
    )
    read = LiteralKind.of("http", kind)
    assert read is not None
    assert read.for_worker == ["/kind/headers/A", "/kind/headers/B"]
    good = (
        '{"headers":{"A":"Bearer ${secret.KEY}","B":"x-${secret.K}-${execution_id}"},'
        '"url":"http://h"}'
    )
    assert read.is_in(good)
    for old, new in [
        ('"x-', '"$${secret.X}-'),
        ('"x-', "\"${'$'}-"),
        ("http://h", "${secret.X}"),
    ]:
        assert read.is_in(good.replace(old, new)), new
    for old, new in [
        ("secret.KEY", "secret.OTHER"),
        ("secret.KEY", " secret.KEY "),
        ("${secret.KEY}", "$${secret.KEY}"),
        ("${secret.KEY}", "value"),
        ("${secret.KEY}", "${execution_id}"),
        ('"x-', '"${secret.X}-'),
        ('"x-', '"x-${secret.K}-'),
        ('"x-', '"x'),
        ("${secret.K}-${execution_id}", "${execution_id}-${secret.K}"),
        ('"Bearer ${secret.KEY}"', "7"),
    ]:
        other = good.replace(old, new)
        assert other != good and not read.is_in(other), new


@pytest.mark.parametrize(
    "template, expected",
    [
        ("", ([], [""])),
        ("a $ {b}", ([], ["a $ {b}"])),
        ("a ${secret.A_1}${execution_id}.", (["secret.A_1", "execution_id"], ["a ", "", "."])),
        ("$${secret.A} ${secret.B}", (["secret.B"], ["${secret.A} ", ""])),
        ("$$${secret.A}", ([], ["$${secret.A}"])),
        ("${'$'}${'$'}${secret.B}$", (["secret.B"], ["$$", "$"])),
        ("${secret.A", None),
        ("${secret.}", None),
        ("${secret.1A}", None),
        ("${secret.A-B}", None),
        ("${ secret.A}", None),
        ("${state.x}", None),
    ],
)
def test_r29_a_template_is_read_as_the_contract_has_it(template: str, expected: object) -> None:
    assert parts(template) == expected


# ---- children ----------------------------------------------------------------------------

FAMILY = json.dumps(
    {
        "nodes": {
            "a": {"kind": {"type": "tool", "tool_ref": "t"}},
            "s": {
                "kind": {
                    "type": "subgraph",
                    "workflow_id": "c",
                    "version": "1.0.0",
                    "repeat": {"while": "true", "max": 3},
                }
            },
            "d": {
                "kind": {
                    "type": "subgraph",
                    "workflow_id": "c",
                    "version": "1.0.0",
                    "detached": True,
                }
            },
            "m": {
                "kind": {
                    "type": "map",
                    "over": "input",
                    "body": {"type": "subgraph", "body": {"nodes": {}}},
                }
            },
        }
    }
)
NAMED = {"workflow_id": "c", "version": "1.0.0"}


def child(node: str, attempt: int = 1, iteration: int = 0) -> dict[str, Any]:
    return {"node_id": node, "attempt": attempt, "iteration": iteration}


def start(
    node: str, workflow: dict[str, str] | None, attempt: int = 1, iteration: int = 0
) -> Order:
    name = child(node, attempt, iteration)
    return "start_child", {"name": name, "workflow": workflow, "input": "{}"}


def test_r22_a_child_is_one_that_the_workflow_holds() -> None:
    rules = OrderRules(FAMILY)
    for _, order in (start("s", NAMED), start("s", NAMED, 2, 2), start("m[4]", None)):
        assert rules.child_fault(order) is None
    for (_, order), said in [
        (start("a", NAMED), "is of a node that starts none"),
        (start("m", None), "is of a node that starts none"),
        (start("s", None), "is of another workflow"),
        (start("m[0]", NAMED), "is of another workflow"),
        (start("s", NAMED, 0), "is attempt 0"),
        (start("s", NAMED, 1, 3), "of iteration 3, and the node has attempts from 1, and 3"),
    ]:
        assert said in (rules.child_fault(order) or "")
    in_place = rules.child("m[0]")
    assert in_place is not None and in_place.in_place == '{"nodes": {}}'


def test_r22_children_are_ordered_as_they_are_decided() -> None:
    requested = event("child_requested", **child("s"), workflow=NAMED)
    assert unfounded([requested], [start("s", NAMED)]) is None
    for decisions, orders, said in [
        ([requested], [], "was not ordered so"),
        ([requested], [start("s", NAMED, 2)], "was not ordered so"),
        ([requested], [start("s", None)], "was not ordered so"),
        ([], [start("s", NAMED)], "without a decision"),
    ]:
        assert said in (unfounded(decisions, orders) or "")


def judged(
    before: list[Event], decisions: list[Event], orders: list[Order]
) -> tuple[bool, str | None]:
    rules, awaited = OrderRules(FAMILY), Awaited()
    for it in before:
        said = said_of_child(it, rules)
        if said is not None:
            awaited.follow(said)
    return concerns_children(decisions, orders, rules), uncancelled(
        awaited, decisions, orders, rules
    )


def test_r22_who_is_stopped_while_it_waits_has_its_child_cancelled() -> None:
    def asked(node: str, attempt: int = 1) -> Event:
        return event("child_requested", **child(node, attempt), workflow=None)

    started = event("child_started", **child("s"))
    left = [asked("d"), event("child_started", **child("d"))]
    ended = event("child_ended", **child("s"), status="cancelled")
    stop = event("node_cancelled", node_id="s")
    timed_out = event("node_timed_out", node_id="s")
    cancel: Order = ("cancel_child", child("s"))
    waits = [asked("s"), started]
    forked = event("execution_forked")
    for before, decisions, orders in [
        (waits, [stop], [cancel]),
        (waits, [timed_out], [cancel]),
        (waits[:1], [stop], [cancel]),
        (
            [asked("m[3]", 2)],
            [event("node_cancelled", node_id="m[3]")],
            [("cancel_child", child("m[3]", 2))],
        ),
        ([*waits, ended], [stop], []),
        ([*waits, forked], [stop], []),
        (left, [event("node_cancelled", node_id="d")], []),
        ([], [asked("s"), stop, event("node_cancelled", node_id="a")], [cancel]),
    ]:
        assert judged(before, decisions, orders) == (True, None)
    for before, decisions, orders, said in [
        (waits, [stop], [], "was not cancelled"),
        (waits, [timed_out], [], "was not cancelled"),
        (waits, [stop], [("cancel_child", child("s", 2))], "was not cancelled"),
        (waits, [stop], [cancel, cancel], "was not stopped"),
        ([*waits, ended], [stop], [cancel], "was not stopped"),
        (waits, [], [cancel], "was not stopped"),
    ]:
        concerned, found = judged(before, decisions, orders)
        assert concerned and said in (found or "")
    assert judged(waits, [event("node_cancelled", node_id="a")], []) == (False, None)
