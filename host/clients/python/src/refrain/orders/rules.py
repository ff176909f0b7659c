"""What one workflow lets be ordered: a guest decides *when*, the workflow says *what*.

Whatever a guest orders must be a work item that the workflow holds: one of its nodes, the
`kind` of that node to the letter (but for what the expressions in its texts come to), the
queue of that kind, the attempts of its retry policy. Of `input` nothing is said here: it
comes from expressions and from the state, and is the guest's word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .. import ids, json_text
from ..log.event import Event
from ..log.fields import U32_MAX
from ..words import quoted
from .children import SUBGRAPH, ChildRules
from .literal import TASK, LiteralKind
from .templates import TEMPLATES

#: The attempts of policies that are built in (rule R12); of all others, three.
_ATTEMPTS = {"no_retry": 1, "io_default": 5}
_ATTEMPTS_ELSE = 3

_MAP = "map"

#: The queue of each kind (rule R5); of all others, `general`.
_QUEUES = {
    "command": "command",
    "http": "http",
    "model": "model",
    "tool": "tool",
    "finalizer": "tool",
    "mcp_tool": "tool",
    "a2a_task": "tool",
    "python_fn": "python_tool",
    "java_fn": "java_tool",
    "memory_retrieval": "retrieval",
}

#: The kinds that a scheduler settles itself, or by their instances and children.
_WITHOUT_WORKER = frozenset(
    {"parallel", "wait", "human_approval", "limit_exceeded", "terminate", _MAP, SUBGRAPH}
)


class _Malformed(Exception):
    """The workflow is not of the form that the contract gives it."""


@dataclass(slots=True)
class Attempts:
    """How often a node was ordered before, and from where its attempts count."""

    #: The last attempt that was ordered; 0: there was none.
    last: int = 0
    #: The attempt after which an operator gave the node a fresh budget (rule R20).
    budget_after: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """What an item of a node, of an instance, or of a compensation does."""

    #: The JSON of its kind, verbatim.
    kind: str
    #: `None` if the scheduler settles it itself.
    queue: str | None
    literal: LiteralKind | None
    child: ChildRules | None

    @classmethod
    def of(cls, kind: str, own_queue: str | None) -> _Work | None:
        """`None` if the kind has no name."""
        try:
            members = json_text.members(kind)
        except json_text.JsonError:
            return None
        name = json_text.string(members.get("type", ""))
        if name is None:
            return None
        queue = _queue(name, members)
        if queue is not None and own_queue is not None and name != TASK:
            queue = own_queue
        return cls(kind, queue, LiteralKind.of(name, kind), ChildRules.of(members))


@dataclass(frozen=True, slots=True)
class _Node:
    work: _Work
    priority: int | None
    max_attempts: int
    #: What each of its instances does, if it is a map (rule R21).
    body: _Work | None
    #: What undoes it, or each of its instances (rule R27).
    undo: _Work | None


class OrderRules:
    """What a workflow of this text lets be ordered. A text of another form holds no
    node, so that nothing of it can be ordered."""

    def __init__(self, text: str) -> None:
        try:
            self._nodes = _nodes(text)
        except (_Malformed, json_text.JsonError):
            self._nodes = {}

    def is_map(self, node_id: str) -> bool:
        """Whether this node runs its body for each element of a list."""
        node = self._nodes.get(node_id)
        return node is not None and node.body is not None

    def child(self, node_id: str) -> ChildRules | None:
        """What this node, or instance, lets be ordered about children. `None` if it
        starts none."""
        node = self._nodes.get(node_id)
        if node is not None:
            return node.work.child
        of_map = self._map_of(node_id)
        return of_map.body.child if of_map is not None and of_map.body is not None else None

    def child_fault(self, order: dict[str, Any]) -> str | None:
        """Why this child is none that the workflow holds, if it is none."""
        node_id = order["name"]["node_id"]
        rules = self.child(node_id)
        fault = "is of a node that starts none" if rules is None else rules.fault(order)
        return None if fault is None else f"the child of node {quoted(node_id)} {fault}"

    def fault(self, item: dict[str, Any], priority: int, before: Attempts) -> str | None:
        """Why this item is none that the workflow holds, if it is none, as the end of a
        sentence; `priority` is the execution's."""
        found = self._lawful(item["node_id"])
        if found is None:
            return "is of a node that the workflow does not have"
        node, work = found
        if work.queue is None:
            return "is of a node that the scheduler settles itself, without a worker"
        if item["queue"] != work.queue:
            found_on, due_on = quoted(item["queue"]), quoted(work.queue)
            return f"is for the queue {found_on}, and the node belongs on {due_on}"
        due = priority if node.priority is None else node.priority
        if item["priority"] != due:
            return f"is of priority {item['priority']}, and the node's is {due}"
        next_ = min(before.last + 1, U32_MAX)
        if item["attempt"] != next_:
            return f"should be of attempt {next_}, the next one of the node"
        last = min(before.budget_after + node.max_attempts, U32_MAX)
        if item["max_attempts"] != last or item["attempt"] > last:
            return (
                f"may be tried until attempt {item['max_attempts']}, and the node's retry"
                f" policy ends at attempt {last}"
            )
        return self._payload_fault(item, work)

    def _lawful(self, node_id: str) -> tuple[_Node, _Work] | None:
        """What an item of this node, instance or compensation has to be."""
        node = self._nodes.get(node_id)
        if node is not None:
            return node, node.work
        undone = ids.undone_by(node_id)
        if undone is not None:
            node = self._nodes.get(undone)
            # Of a map, its instances are undone.
            if node is None:
                node = self._map_of(undone)
            elif node.body is not None:
                return None
            return None if node is None or node.undo is None else (node, node.undo)
        node = self._map_of(node_id)
        return None if node is None or node.body is None else (node, node.body)

    def _map_of(self, node_id: str) -> _Node | None:
        """The map that this is an instance of."""
        instance = ids.instance_of(node_id)
        node = None if instance is None else self._nodes.get(instance[0])
        return node if node is not None and node.body is not None else None

    def _payload_fault(self, item: dict[str, Any], work: _Work) -> str | None:
        payload, node_id = item["payload"], item["node_id"]
        if work.literal is None and self._is_usual(payload, node_id, work):
            return None
        try:
            found = _payload(payload)
        except json_text.JsonError as error:
            return f"has a payload that is not {{node_id, kind, input, templates?}}: {error}"
        named, kind, templates = found
        due = [] if work.literal is None else work.literal.for_worker
        if named != node_id:
            differs = "node_id"
        elif not (kind == work.kind if work.literal is None else work.literal.is_in(kind)):
            differs = "kind"
        # The worker looks for the member as it is spelt here.
        elif templates != due or (templates and TEMPLATES not in payload):
            differs = "templates"
        else:
            return None
        return f"has a `{differs}` in its payload that is not the workflow's"

    @staticmethod
    def _is_usual(payload: str, node_id: str, work: _Work) -> bool:
        """Whether this payload is spelt as our own scheduler spells it. Then nothing but
        its input is left to be read."""
        named = json.dumps(node_id, ensure_ascii=False)
        usual = f'{{"node_id":{named},"kind":{work.kind},"input":'
        if not payload.startswith(usual) or not payload.endswith("}"):
            return False
        return json_text.is_json(payload[len(usual) : -1])


def follow_attempts(all_: dict[str, Attempts], rules: OrderRules, event: Event) -> None:
    """Takes one event of the log, in order, for the nodes that it orders or is asked to
    retry."""
    if event.kind == "retry_requested":
        node_id = event.fields["node_id"]
        attempts = all_.setdefault(node_id, Attempts())
        attempts.budget_after = attempts.last
        # A map that is retried gives each of its instances a fresh budget.
        if rules.is_map(node_id):
            for run, of_run in all_.items():
                instance = ids.instance_of(run)
                if instance is not None and instance[0] == node_id:
                    of_run.budget_after = of_run.last
    elif event.kind in ("node_scheduled", "retry_scheduled"):
        all_.setdefault(event.fields["node_id"], Attempts()).last = event.fields["attempt"]


def _payload(text: str) -> tuple[str, str, list[str]]:
    """The node, the kind and the templates of a payload. A repeated member or one too
    many is refused: nothing that two readers could read differently is handed on."""
    members = json_text.members(text)
    unknown = members.keys() - {"node_id", "kind", "input", "templates"}
    if unknown:
        raise json_text.JsonError(f"unknown field `{min(unknown)}`")
    for name in ("node_id", "kind", "input"):
        if name not in members:
            raise json_text.JsonError(f"missing field `{name}`")
    node_id = json_text.string(members["node_id"])
    if node_id is None:
        raise json_text.JsonError("`node_id` is no text")
    read = map(json_text.string, json_text.elements(members.get("templates", "[]")))
    templates: list[str] = []
    for pointer in read:
        if pointer is None:
            raise json_text.JsonError("`templates` is no list of texts")
        templates.append(pointer)
    return node_id, members["kind"], templates


# ---- what a workflow holds -----------------------------------------------------------


def _nodes(text: str) -> dict[str, _Node]:
    workflow = json_text.members(text)
    policies: dict[str, int] = {}
    for name, policy in _object(workflow.get("retry_policies", "null")).items():
        policies[name] = _u32(_object(policy).get("max_attempts", ""))
    nodes: dict[str, _Node] = {}
    for node_id, node in json_text.members(workflow.get("nodes", "")).items():
        read = _node(json_text.members(node), policies)
        if read is not None:
            nodes[node_id] = read
    return nodes


def _node(members: dict[str, str], policies: dict[str, int]) -> _Node | None:
    kind = members.get("kind")
    if kind is None:
        raise _Malformed
    own_queue = _text(members, "queue")
    priority = members.get("priority", "null")
    policy = _text(members, "retry_policy")
    work = _Work.of(kind, own_queue)
    if work is None:
        return None
    compensate = members.get("compensate", "null")
    built_in = _ATTEMPTS.get(policy or "", _ATTEMPTS_ELSE)
    return _Node(
        work,
        None if priority == "null" else _u32(priority),
        policies.get(policy, built_in) if policy is not None else _ATTEMPTS_ELSE,
        _body(kind, own_queue),
        None if compensate == "null" else _Work.of(compensate, own_queue),
    )


def _body(kind: str, own_queue: str | None) -> _Work | None:
    """What each instance does, where this is the kind of a map."""
    members = json_text.members(kind)
    body = members.get("body", "null")
    if json_text.string(members.get("type", "")) != _MAP or body == "null":
        return None
    return _Work.of(body, own_queue)


def _queue(name: str, kind: dict[str, str]) -> str | None:
    """The queue of a kind (rule R5). `None` if the scheduler settles it itself (rule
    R6)."""
    if name in _WITHOUT_WORKER:
        return None
    if name == "condition" and _holds_some(kind.get("branches", "null")):
        return None
    # A join that merges by a function of its own has a worker.
    if name == "join" and not _is_custom(kind.get("merge_strategy", "null")):
        return None
    if name == TASK:
        return json_text.string(kind.get("queue", ""))
    return _QUEUES.get(name, "general")


def _holds_some(list_: str) -> bool:
    return list_.startswith("[") and not list_[1:].lstrip(" \t\n\r").startswith("]")


def _is_custom(strategy: str) -> bool:
    """Whether a merge strategy names a function: `{"custom": …}`."""
    return strategy.startswith("{") and "custom" in json_text.members(strategy)


def _object(raw: str) -> dict[str, str]:
    return {} if raw == "null" else json_text.members(raw)


def _text(members: dict[str, str], name: str) -> str | None:
    raw = members.get(name, "null")
    text = json_text.string(raw)
    if text is None and raw != "null":
        raise _Malformed
    return text


def _u32(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 10) or int(raw) > U32_MAX:
        raise _Malformed
    return int(raw)
