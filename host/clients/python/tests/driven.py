"""Logs that are made here: the scheduler is driven by hand, as a host drives it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from logs import Json, Log

from refrain import ids
from refrain.component.guest import built_in
from refrain.contract import Scheduler, Values, item_digest, page
from refrain.log.event import START, Event, Kept, canonical, link
from refrain.log.kinds import KINDS

#: 2026-01-01.
BEGINNING = 1_767_225_600_000

DIGEST = built_in().digest


class Driven:
    """An execution and its host. Each fact is one turn, a second after the one before."""

    def __init__(
        self,
        workflow: Json | str,
        *,
        execution_id: str = f"exec_{'1' * 32}",
        **started: Any,
    ) -> None:
        text = workflow if isinstance(workflow, str) else json.dumps(workflow)
        read = json.loads(text)
        self.workflow = text
        self.execution_id = execution_id
        self.events: list[Kept] = []
        self.at = BEGINNING
        self.orders: list[tuple[str, Values]] = []
        self._scheduler = Scheduler(built_in())
        self._decided: list[Event] = []
        self._expected = 0
        self._first = {
            "format": 2,
            "execution_id": execution_id,
            "workflow_id": read.get("workflow_id", ""),
            "workflow_version": read.get("version", ""),
            "workflow_digest": sha256(text.encode()).hexdigest(),
            "guest_digest": DIGEST,
            "initial_input": "{}",
            "limits": {"max_concurrent_nodes": 16, "max_dispatch_per_tick": 8},
            "seed": 7,
            "tenant": "default",
            "simulated": False,
            "key": None,
            "forked_from": None,
            "parent": None,
            "labels": [],
            "priority": 5,
            "by": None,
            **started,
        }

    def start(self) -> Driven:
        self._turn(Event(0, 0, "fact", "workflow_started", self._first))
        return self

    @classmethod
    def fork(cls, origin: Driven, sequence: int, execution_id: str) -> Driven:
        """An execution that goes its own way behind this event of another one."""
        of_origin = origin.events[0].event.fields
        head = origin.events[sequence - 1].hash
        named = {"execution_id": origin.execution_id, "sequence": sequence, "head": head}
        first = {**of_origin, "execution_id": execution_id, "forked_from": named}
        fork = cls(origin.workflow, **first)
        for kept in origin.events[:sequence]:
            event = kept.event
            fields = first if event.sequence == 1 else event.fields
            own = Event(event.sequence, event.at, event.origin, event.kind, fields)
            fork._append(own, kept.salt or b"")
        fork.at = origin.at
        return fork.take("execution_forked", by="ada")

    # ---- what happens to it ------------------------------------------------------------

    def take(self, kind: str, **fields: Any) -> Driven:
        """A fact, with `None` for the fields that are not said."""
        self.at += 1000
        whole = {**{it.name: None for it in KINDS[kind]}, **fields}
        self._turn(Event(0, 0, "fact", kind, whole))
        return self

    def claim(self, node_id: str, attempt: int = 1) -> Driven:
        return self.take("node_started", node_id=node_id, worker_id="w", attempt=attempt)

    def complete(self, node_id: str, attempt: int = 1, **fields: Any) -> Driven:
        self.claim(node_id, attempt)
        return self.take(
            "node_completed",
            node_id=node_id,
            attempt=attempt,
            fence=len(self.events),
            output=json.dumps(node_id),
            state_patch="{}",
            duration_ms=1,
            **fields,
        )

    def tick(self, milliseconds: int) -> Driven:
        """Time passes."""
        self.at += milliseconds
        self._turn(None)
        return self

    def _turn(self, fact: Event | None) -> None:
        while True:
            self._decided = []
            self._expected = len(self.events) + (fact is not None)
            facts = [] if fact is None else [fact]
            last = len(self.events)
            outcome = self._scheduler.step(self, self.execution_id, last, facts)
            assert not outcome["refused"], outcome["refused"]
            for event in facts:
                own = Event(last + 1, self.at, "fact", event.kind, event.fields)
                self._append(own)
            for event in self._decided:
                self._append(event)
            fact = None
            if not outcome["more"]:
                return

    def _append(self, event: Event, salt: bytes | None = None) -> None:
        own_salt = salt or bytes([event.sequence % 256]) * 16
        plain, erasable = canonical(event)
        commitment = sha256(own_salt + erasable).digest()
        previous = self.events[-1].hash if self.events else START
        hash_ = link(previous, plain, commitment)
        size = len(plain) + len(erasable)
        self.events.append(Kept(event, own_salt, commitment.hex(), hash_, size))

    # ---- its ports ---------------------------------------------------------------------

    def load_workflow(self) -> str:
        return self.workflow

    def load_snapshot(self) -> Values | None:
        return None

    def read_events(self, first: int, most: int) -> list[Kept]:
        return page(self.events, first, most, len(self.events))

    def append_events(self, expected: int, events: list[Event]) -> tuple[bool, Any]:
        assert expected == self._expected
        self._expected += len(events)
        self._decided += events
        return True, None

    def now(self) -> int:
        return self.at

    def order(self, orders: list[tuple[str, Values]]) -> tuple[bool, Any]:
        self.orders += orders
        return True, [item_digest(item) for what, item in orders if what == "enqueue"]

    # ---- its log -------------------------------------------------------------------------

    def kinds(self) -> list[str]:
        return [kept.event.kind for kept in self.events]

    def log(self) -> Log:
        header: Json = {
            "format": "refrain-log/2",
            "execution_id": self.execution_id,
            "workflow": self.workflow,
            "guest_digest": DIGEST,
            "events": len(self.events),
            "head": self.events[-1].hash,
        }
        events = [
            {**kept.event.show(), "salt": (kept.salt or b"").hex(), "hash": kept.hash}
            for kept in self.events
        ]
        log = Log(header, events)
        assert log.copy().chain().header["head"] == header["head"], "payloads stay as they are"
        return log

    def bytes(self) -> bytes:
        return self.log().bytes()


def chain_of(*nodes: str, **kinds: Json) -> Json:
    """A workflow whose nodes follow one another; tools, unless said otherwise."""
    tool = {"type": "tool", "tool_ref": "t"}
    return {
        "workflow_id": "w",
        "version": "1.0.0",
        "start_node": nodes[0],
        "edges": [{"from": a, "to": b} for a, b in zip(nodes, nodes[1:])],
        "nodes": {it: {"id": it, "kind": kinds.get(it, tool)} for it in nodes},
    }


class Family:
    """A parent whose node `s` has a child, and that child."""

    def __init__(self) -> None:
        body = {
            "start_node": "c",
            "edges": [],
            "nodes": {"c": {"id": "c", "kind": {"type": "tool", "tool_ref": "t"}}},
        }
        self.body = json.dumps(body)
        subgraph = {"type": "subgraph", "body": body}
        self.parent = Driven(chain_of("a", "s", s=subgraph)).start().complete("a")
        self.asked = self.parent.kinds().index("child_requested") + 1
        self.child_id = ids.of_child(self.parent.execution_id, "s", 1, 0)
        input_ = next(it["input"] for what, it in self.parent.orders if what == "start_child")
        named = {"node_id": "s", "attempt": 1, "iteration": 0}
        self.child = Driven(
            self.body,
            execution_id=self.child_id,
            workflow_id="w/s",
            workflow_version="1.0.0",
            initial_input=input_,
            parent={
                "execution_id": self.parent.execution_id,
                **named,
                "sequence": self.asked,
                "root": self.parent.execution_id,
                "depth": 1,
            },
        )
        self.child.at = self.parent.at
        self.child.start()
        digest = sha256(self.body.encode()).hexdigest()
        self.parent.take(
            "child_started", **named, child_id=self.child_id, workflow_digest=digest
        )
        self.child.at = self.parent.at
        self.child.complete("c")
        last = self.child.events[-1]
        self.parent.at = self.child.at
        self.parent.take(
            "child_ended",
            **named,
            child_id=self.child_id,
            status="completed",
            sequence=last.event.sequence,
            head=last.hash,
            output=last.event.fields["final_state"],
        )
