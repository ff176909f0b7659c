"""Law 11: forks and children, and the logs that they come from."""

from __future__ import annotations

from typing import Any

import pytest
from driven import Driven, Family, chain_of
from logs import Json, Log

import refrain
from refrain.auditing.missing import Missing
from refrain.log.export import read_log
from refrain.report import report


@pytest.fixture(scope="module")
def origin() -> Driven:
    return (
        Driven(chain_of("a", "b", "c"), labels=[{"name": "of", "value": "x"}])
        .start()
        .complete("a")
    )


@pytest.fixture(scope="module")
def fork(origin: Driven) -> Driven:
    """It goes its own way while `b` is claimed."""
    origin.claim("b")
    fork = Driven.fork(origin, len(origin.events), f"exec_{'2' * 32}")
    return fork.complete("b").complete("c")


def found(audit: refrain.Audit) -> tuple[str, int | None]:
    return audit.verdict, audit.sequence


def linked(log: bytes, *others: bytes) -> refrain.Audit:
    return refrain.audit(log, origins=others)


# ---- forks -----------------------------------------------------------------------------


def test_a_fork_is_one_of_its_origin(origin: Driven, fork: Driven) -> None:
    audit = linked(fork.bytes(), origin.bytes())
    assert (audit.verdict, audit.divergence) == ("clean", None)
    common = len(origin.events)
    assert audit.forked_from == refrain.Link(origin.execution_id, common, "linked")
    alone = linked(fork.bytes())
    assert alone.verdict == "clean"
    assert alone.forked_from == refrain.Link(origin.execution_id, common, "origin_missing")


def test_a_fork_of_an_origin_that_is_not_sound_is_not_compared(
    origin: Driven, fork: Driven
) -> None:
    tampered = origin.log()
    tampered.events[1]["salt"] = "00" * 16
    audit = linked(fork.bytes(), tampered.bytes())
    assert audit.verdict == "clean"
    assert audit.forked_from is not None and audit.forked_from.link == "origin_unsound"


@pytest.mark.parametrize(
    "edit",
    [
        {"at": "2025-01-01T00:00:00.000Z"},
        {"seed": 8},
        {"tenant": "other"},
        {"simulated": True},
        {"priority": 6},
        {"limits": {"max_concurrent_nodes": 15, "max_dispatch_per_tick": 8}},
        {"initial_input": {"a": 1}},
        {"labels": [{"name": "of", "value": "y"}]},
        {"forked_from": {"sequence": 3}},
        {"forked_from": {"head": "0" * 64}},
    ],
    ids=str,
)
def test_event_1_of_a_fork_is_that_of_its_origin(
    origin: Driven, fork: Driven, edit: Json
) -> None:
    log = fork.log()
    first = log.events[0]
    for name, value in edit.items():
        first[name] = {**first[name], **value} if name == "forked_from" else value
    audit = linked(log.chain().bytes(), origin.bytes())
    assert found(audit) == ("tampered", 1)
    assert audit.forked_from is not None and audit.forked_from.link == "broken"


def test_the_common_events_of_a_fork_are_those_of_its_origin(
    origin: Driven, fork: Driven
) -> None:
    for place in range(1, len(origin.events)):
        log = fork.log()
        log.events[place]["salt"] = "00" * 16
        audit = linked(log.chain().bytes(), origin.bytes())
        assert found(audit) == ("tampered", place + 1)


def test_a_fork_goes_its_own_way(origin: Driven, fork: Driven) -> None:
    common = len(origin.events)
    log = fork.log()
    short = Log(log.header, log.events[:common]).chain()
    assert found(linked(short.bytes(), origin.bytes())) == ("tampered", common + 1)


def test_a_fork_has_more_events_than_those_in_common(origin: Driven, fork: Driven) -> None:
    log = fork.log()
    log.events[0]["forked_from"]["sequence"] = 99
    audit = linked(log.chain().bytes(), origin.bytes())
    assert found(audit) == ("tampered", 100)


def test_a_batch_is_forked_as_a_whole() -> None:
    workflow = chain_of("a", "b", "c")
    workflow["edges"] = [{"from": "a", "to": "b"}, {"from": "a", "to": "c"}]
    origin = Driven(workflow).start().complete("a")
    kinds = origin.kinds()
    assert kinds[-2:] == ["node_scheduled", "node_scheduled"]
    within = len(kinds) - 1
    fork = Driven.fork(origin, within, f"exec_{'3' * 32}")
    assert found(linked(fork.bytes(), origin.bytes())) == ("tampered", within)


# ---- children --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def family() -> Family:
    return Family()


def test_a_child_and_its_parent_name_each_other(family: Family) -> None:
    child, parent = family.child.bytes(), family.parent.bytes()
    audit = linked(child, parent)
    assert (audit.verdict, audit.divergence) == ("clean", None)
    named = family.parent.execution_id
    assert audit.child_of == refrain.Link(named, family.asked, "linked")
    assert linked(parent, child).verdict == "clean"
    alone = linked(child)
    assert alone.verdict == "clean"
    assert alone.child_of == refrain.Link(named, family.asked, "origin_missing")


def test_an_erased_child_is_compared_as_far_as_it_can_be(family: Family) -> None:
    erased = family.child.log().erase().bytes()
    audit = linked(erased, family.parent.bytes())
    assert audit.verdict == "erased"
    assert audit.child_of is not None and audit.child_of.link == "partly_compared"
    assert linked(family.parent.bytes(), erased).verdict == "clean"


def edits_of_a_child() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("workflow_id", {"workflow_id": "other"}),
        ("tenant", {"tenant": "other"}),
        ("priority", {"priority": 9}),
        ("limits", {"limits": {"max_concurrent_nodes": 1, "max_dispatch_per_tick": 1}}),
        ("by", {"by": "ada"}),
        ("key", {"key": "k"}),
        ("labels", {"labels": [{"name": "a", "value": "b"}]}),
        ("input", {"initial_input": {"a": 1}}),
        ("sequence", {"parent": {"sequence": 2}}),
    ]


@pytest.mark.parametrize("what, edit", edits_of_a_child(), ids=lambda it: str(it)[:20])
def test_a_child_begins_as_its_parent_asks_for_it(
    family: Family, what: str, edit: Json
) -> None:
    log = family.child.log()
    first = log.events[0]
    for name, value in edit.items():
        first[name] = {**first[name], **value} if name == "parent" else value
    child = log.chain().bytes()
    audit = linked(child, family.parent.bytes())
    assert found(audit) == ("tampered", 1), what
    assert audit.child_of is not None and audit.child_of.link == "broken"
    of_parent = linked(family.parent.bytes(), child)
    assert of_parent.verdict == "tampered"


@pytest.mark.parametrize(
    "edit", [{"node_id": "a"}, {"attempt": 2}, {"depth": 2}, {"root": "x"}]
)
def test_the_id_of_a_child_follows_from_who_asks_for_it(family: Family, edit: Json) -> None:
    log = family.child.log()
    log.events[0]["parent"].update(edit)
    assert found(refrain.audit(log.chain().bytes())) == ("illegal", 1)


def test_a_parent_names_its_own_children_and_their_workflow(family: Family) -> None:
    for place, event in enumerate(family.parent.log().events):
        edits: list[Json] = []
        if event["type"] in ("child_started", "child_ended"):
            edits.append({"child_id": f"exec_{'9' * 32}"})
        if event["type"] == "child_started":
            edits.append({"workflow_digest": "0" * 64})
        for edit in edits:
            log = family.parent.log()
            log.events[place].update(edit)
            assert found(refrain.audit(log.chain().bytes())) == ("illegal", place + 1), edit


def test_a_parent_is_told_how_its_child_ended(family: Family) -> None:
    ended = family.parent.kinds().index("child_ended")
    edits: list[Json] = [
        {"child_sequence": 2},
        {"head": "0" * 64},
        {"output": {"c": 2}},
        {"at": family.parent.log().events[ended - 1]["at"]},
    ]
    for edit in edits:
        log = family.parent.log()
        log.events[ended].update(edit)
        for event in log.events[ended + 1 :]:
            event["at"] = log.events[ended]["at"]
        cut = Log(log.header, log.events[: ended + 1]).chain()
        audit = linked(family.child.bytes(), cut.bytes())
        assert audit.verdict == "tampered", edit
        assert audit.child_of is not None and audit.child_of.link == "broken"


# ---- logs that are not of one moment, and copies ------------------------------------------


def early(log: Log, events: int) -> bytes:
    """The log as it was when it had so many events."""
    kept = log.copy()
    kept.events = kept.events[:events]
    return kept.chain().bytes()


def test_law11_a_copy_of_a_parent_is_not_believed_for_the_head_that_it_claims(
    family: Family,
) -> None:
    whole, child = family.parent.bytes(), family.child.bytes()
    log = family.parent.log()
    log.events[1]["salt"] = "00" * 16
    changed = log.bytes()
    for origin, link in ((changed, "origin_unsound"), (whole, "linked")):
        auditor = refrain.Auditor(origins=[read_log(whole), read_log(origin)])
        for other in (whole, changed):
            auditor.audit(other)
            audit = auditor.audit(child)
            assert audit.child_of is not None and audit.child_of.link == link


def test_law11_what_is_missing_of_a_child_is_named_and_nobody_is_blamed(
    family: Family,
) -> None:
    parent, child = family.parent.bytes(), family.child.log()
    cut, last = early(child, 2), len(child.events)
    missing = [Missing(family.child.execution_id, 3, last)]
    of_child = linked(cut, parent)
    assert (of_child.verdict, of_child.divergence) == ("clean", None)
    assert of_child.child_of is not None and of_child.child_of.link == "cut"
    assert of_child.missing == missing
    named = {"execution_id": family.child.execution_id, "from": 3, "to": last}
    assert of_child.show()["missing"] == [named]
    assert "missing: its log ends with event 2: not compared" in report(of_child)
    of_parent = linked(parent, cut)
    assert (of_parent.verdict, of_parent.missing) == ("clean", missing)

    # A log that lost its end, and not its header, says so itself.
    torn = b"".join(child.bytes().splitlines(keepends=True)[:4])
    assert found(linked(torn, parent)) == ("tampered", 4)
    of_parent = linked(parent, torn)
    assert (of_parent.verdict, of_parent.missing) == ("clean", [])

    # What is there is compared all the same.
    child.events[0]["priority"] = 9
    assert found(linked(early(child, 2), parent)) == ("tampered", 1)


def test_law11_what_is_missing_of_a_parent_or_an_origin_is_named_too(
    family: Family, origin: Driven, fork: Driven
) -> None:
    asked = family.asked
    audit = linked(family.child.bytes(), early(family.parent.log(), asked - 1))
    assert audit.verdict == "clean"
    assert audit.child_of is not None and audit.child_of.link in ("cut", "origin_unsound")
    assert audit.missing == [Missing(family.parent.execution_id, asked, asked)]

    common = len(origin.events)
    cut = early(origin.log(), 3)
    audit = linked(fork.bytes(), cut)
    assert audit.verdict == "clean"
    assert audit.forked_from == refrain.Link(origin.execution_id, common, "cut")
    assert audit.missing == [Missing(origin.execution_id, 4, common)]
    log = fork.log()
    log.events[1]["salt"] = "00" * 16
    assert found(linked(log.chain().bytes(), cut)) == ("tampered", 2)


def test_law11_nobody_is_a_child_and_a_fork(family: Family) -> None:
    log = family.child.log()
    log.events[0]["forked_from"] = {
        "execution_id": f"exec_{'7' * 32}",
        "sequence": 1,
        "head": "0" * 64,
    }
    audit = refrain.audit(log.chain().bytes())
    assert found(audit) == ("illegal", 1)
    assert audit.divergence is not None
    assert "a fork is nobody's child" in audit.divergence.message
