"""Travel through logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driven import Driven, chain_of
from logs import Log, golden_folder, golden_logs

import refrain
from refrain.contract import item_digest
from refrain.travel import cursor
from refrain.travel.marks import Marks


@pytest.fixture
def driven() -> Driven:
    workflow = chain_of("a", "b")
    workflow["nodes"]["a"]["retry_policy"] = "io_default"
    driven = Driven(workflow).start().claim("a")
    failed = {"node_id": "a", "attempt": 1, "fence": 3, "error": "boom", "retryable": True}
    driven.take("node_failed", **failed, error_class="io_error").tick(60_000)
    driven.claim("a", 2)
    return driven.take(
        "node_completed",
        node_id="a",
        attempt=2,
        fence=len(driven.events),
        output="1",
        state_patch='{"x":15}',
        duration_ms=1,
    ).complete("b")


@pytest.mark.parametrize("path", golden_logs(), ids=lambda it: it.stem)
def test_behind_each_event_the_guest_says_what_there_was(path: Path) -> None:
    travel = refrain.Travel(path)
    forwards = []
    for sequence in range(1, travel.last + 1):
        travel.go(sequence)
        forwards.append(travel.inspect())
    for sequence in range(travel.last, 0, -1):
        assert travel.sequence == sequence
        assert travel.inspect() == forwards[sequence - 1]
        assert travel.back() == sequence - 1
    last = Log.read(path).events[-1]
    travel.go(travel.last)
    if "final_state" in last:
        assert json.loads(travel.state()) == last["final_state"]


@pytest.mark.parametrize("name", ["wide", "race", "operators", "forked", "map_retried"])
def test_the_queue_holds_the_items_that_the_log_names(name: str) -> None:
    travel = refrain.Travel(golden_folder() / f"{name}.ndjson")
    found = 0
    while travel.sequence:
        view = json.loads(travel.inspect())["nodes"]
        for it in travel.queue():
            found += 1
            assert it.item is not None
            assert (it.item["node_id"], it.item["queue"]) == (it.node_id, it.queue)
            node = view.get(it.node_id)
            if node is not None and it.state == "leased":
                assert node["state"] == "running" and node["worker_id"] == it.worker_id
        travel.back()
    assert found > 3


def test_where_the_cursor_stands(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    assert travel.execution_id == driven.execution_id
    assert travel.sequence == travel.last == len(driven.events)
    assert travel.step() is None
    assert travel.event is not None and travel.event.kind == "workflow_completed"
    assert travel.at == driven.at
    travel.go(0)
    assert travel.event is None and travel.at == 0 and travel.back() is None
    assert travel.step() == 1
    with pytest.raises(refrain.TravelError, match="has 11 events, and 12 is none"):
        travel.go(12)


def test_values_are_found_where_they_were_written(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    assert travel.state() == '{"x":15}'
    assert (travel.value("x"), travel.value("y")) == ("15", None)
    place = travel.previous(key="x")
    assert travel.event is not None and travel.event.kind == "node_completed"
    assert travel.sequence == place
    assert travel.previous(key="x") is None
    assert travel.sequence == place
    travel.back()
    assert travel.value("x") is None
    assert travel.next(key="x") == place
    assert travel.next(key="y") is None


def test_places_are_sought_by_what_happened_there(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    failed = driven.kinds().index("node_failed") + 1
    assert travel.previous("failure") == failed
    assert travel.previous("failure") is None
    assert travel.next("decision") == driven.kinds().index("retry_scheduled") + 1
    assert travel.next("fact", node="b") == len(driven.events) - 2
    travel.go(0)
    assert travel.next(node="b") == len(driven.events) - 3


def test_nodes_are_explained(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    travel.previous("failure")
    explained = travel.explain("b")
    assert explained["state"] == "pending"
    assert explained["reasons"][0]["message"] == "node `b` needs node `a`, which is failing"
    with pytest.raises(refrain.TravelError, match="has no node"):
        travel.explain("z")


def test_items_are_ordered_again(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    for attempt in (1, 2):
        item = travel.item("a", attempt)
        assert item is not None
        ordered = [it for _, it in driven.orders if it.get("node_id") == "a"]
        assert item == ordered[attempt - 1]
    assert travel.item("a", 3) is None
    travel.go(2)
    assert [it.state for it in travel.queue()] == ["waiting"]
    travel.go(3)
    [leased] = travel.queue()
    assert (leased.state, leased.worker_id, leased.fence) == ("leased", "w", 3)
    travel.go(4)
    assert [it.state for it in travel.queue()] == ["dead"]


def test_what_would_happen_next(driven: Driven) -> None:
    travel = refrain.Travel(driven.bytes())
    travel.previous("failure")
    step = travel.next_step()
    assert [it.kind for it in step.decisions] == ["retry_scheduled"]
    assert step.decisions[0] == driven.events[travel.sequence].event
    digest = step.decisions[0].fields["item_digest"]
    assert [item_digest(it) for it in step.items] == [digest]
    # It was asked, and no more.
    assert json.loads(travel.inspect())["nodes"]["a"]["state"] == "failing"


def test_a_change_of_guest_is_a_change_of_who_is_asked() -> None:
    path = golden_folder() / "guest_changed.ndjson"
    travel = refrain.Travel(path)
    changes = [it for it in Log.read(path).events if it["type"] == "guest_changed"]
    assert changes
    for event in changes:
        travel.go(event["sequence"])
        assert json.loads(travel.inspect())["guest_digest"] == event["guest_digest"]


@pytest.mark.parametrize("between", [1, 3])
def test_snapshots_on_the_way_change_nothing(
    between: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = refrain.Travel(golden_folder() / "operators.ndjson")
    monkeypatch.setattr(cursor, "EVENTS_BETWEEN_MARKS", between)
    marked = refrain.Travel(golden_folder() / "operators.ndjson")
    for sequence in (plain.last, 5, 17, 1, 30, 16, 2):
        plain.go(sequence)
        marked.go(sequence)
        assert plain.inspect() == marked.inspect()


def test_snapshots_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refrain.travel.marks.MARKS_BYTES_MAX", 100)
    marks = Marks()
    for sequence in range(10, 1001, 10):
        marks.push({"guest_digest": "a", "sequence": sequence, "state": bytes(10)})
    assert marks.before(9, "a") is None and marks.before(1000, "b") is None
    for events in range(200, 1001, 100):
        mark = marks.before(events, "a")
        assert mark is not None and events - 200 <= mark["sequence"] <= events


def test_what_cannot_be_travelled() -> None:
    log = Driven(chain_of("a")).start().complete("a").log()
    for text, said in [
        (b"", "no exported log"),
        (log.copy().erase().bytes(), "is erased"),
        (Log(log.header, log.events[1:]).copy().chain().bytes(), "no beginning"),
    ]:
        with pytest.raises(refrain.TravelError, match=said):
            refrain.Travel(text)
    travel = refrain.Travel(log.bytes())
    travel.go(0)
    with pytest.raises(refrain.TravelError, match="go to event 1 or later"):
        travel.state()
    other = log.copy()
    other.events[0]["guest_digest"] = "1" * 64
    with pytest.raises(refrain.TravelError, match="not at hand"):
        refrain.Travel(other.bytes()).state()
