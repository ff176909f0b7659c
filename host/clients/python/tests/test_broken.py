"""Logs that were changed: the chain shows it, or the guest does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from logs import Json, Log, rewritable_logs

import refrain

NAMES = ("timer", "retries", "expanded", "child", "cancel", "tasks", "forked", "wide")


@pytest.fixture(scope="module")
def auditor() -> refrain.Auditor:
    return refrain.Auditor()


def found(audit: refrain.Audit) -> tuple[str, int | None]:
    return audit.verdict, audit.sequence


# ---- the chain is not made whole again --------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_law4_each_edit_of_a_line_is_found_there(name: str, auditor: refrain.Auditor) -> None:
    log = Log.golden(name).chain()
    for place in range(len(log.events)):
        sequence = place + 1
        edits: list[tuple[Callable[[Json], object], str]] = [
            (lambda it: it.update(salt="00" * 16), "tampered"),
            (lambda it: it.update(hash="0" * 64), "tampered"),
            (lambda it: it.update(sequence=it["sequence"] + 1), "tampered"),
            (lambda it: it.update(colour="red"), "unreadable"),
            (lambda it: it.pop("salt"), "unreadable"),
            (lambda it: it.update(type="node_melted"), "newer"),
            (lambda it: it.update(type="node melted"), "unreadable"),
        ]
        for edit, verdict in edits:
            edited = log.copy()
            edit(edited.events[place])
            assert found(auditor.audit(edited.bytes())) == (verdict, sequence)


@pytest.mark.parametrize("name", NAMES)
def test_law1_lines_are_neither_missing_nor_doubled_nor_moved(
    name: str, auditor: refrain.Auditor
) -> None:
    lines = Log.golden(name).chain().lines()
    for place in range(1, len(lines)):
        without = lines[:place] + lines[place + 1 :]
        assert found(auditor.audit(without)) == ("tampered", place)
        doubled = lines[:place] + lines[place - 1 : place] + lines[place:]
        if place > 1:
            assert found(auditor.audit(doubled)) == ("tampered", place)
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert found(auditor.audit(swapped)) == ("tampered", 1)


def test_law4_a_tail_that_was_cut_is_found_by_the_head() -> None:
    lines = Log.golden("timer").lines()
    assert found(refrain.audit(lines[:-1])) == ("tampered", len(lines) - 1)
    whole = "\n".join(lines)
    assert found(refrain.audit(whole[:-10].encode())) == ("tampered", len(lines) - 1)


def test_more_than_the_header_says_is_no_export() -> None:
    lines = Log.golden("timer").lines()
    for more in ("", "{}", lines[-1]):
        assert found(refrain.audit([*lines, more])) == ("unreadable", len(lines))


def header_edits() -> list[tuple[str, Json, str, int]]:
    digest = "0" * 64
    attested = {
        "at": "2026-01-01T00:00:00.000Z",
        "verdict": "clean",
        "guest_digest": digest,
        "events": 8,
        "head": digest,
        "by": "ada",
    }
    return [
        ("format", {"format": "refrain-log/3"}, "newer", 0),
        ("padded format", {"format": f"refrain-log/{'0' * 99}3"}, "newer", 0),
        ("no format", {"format": f"refrain-log/{'9' * 5000}"}, "unreadable", 0),
        ("old format", {"format": "refrain-log/1"}, "unreadable", 0),
        ("execution", {"execution_id": "exec_" + "1" * 32}, "tampered", 1),
        ("no execution", {"execution_id": "exec_1"}, "unreadable", 0),
        ("workflow", {"workflow": "{}"}, "tampered", 1),
        ("guest", {"guest_digest": digest}, "tampered", 1),
        ("head", {"head": digest}, "tampered", 8),
        ("attestation", {"erased": attested}, "tampered", 1),
        ("unknown", {"colour": "red"}, "unreadable", 0),
        ("number", {"events": -8}, "unreadable", 0),
    ]


@pytest.mark.parametrize("what, edit, verdict, sequence", header_edits())
def test_the_header_is_believed_as_far_as_event_1_binds_it(
    what: str, edit: Json, verdict: str, sequence: int
) -> None:
    log = Log.golden("timer")
    log.header.update(edit)
    assert found(refrain.audit(log.bytes())) == (verdict, sequence), what


@pytest.mark.parametrize(
    "text",
    ["", "\n", "{}", "[]", "log", '{"format":"refrain-log/2"}', "\ufeff{}", "\x00"],
)
def test_what_is_no_export_is_unreadable(text: str) -> None:
    audit = refrain.audit(text.encode())
    assert found(audit) == ("unreadable", 0)
    assert audit.execution_id is None


def test_law4_a_line_that_is_no_text_is_refused() -> None:
    content = Log.golden("timer").bytes()
    for place in range(0, len(content), 97):
        broken = content[:place] + b"\xff" + content[place + 1 :]
        audit = refrain.audit(broken)
        line = content[:place].count(b"\n")
        if content[place : place + 1] == b"\n":
            continue
        assert found(audit) == ("unreadable", line), place
        assert audit.divergence is not None
        assert f"line {line + 1}" in audit.divergence.message
        assert "no text in UTF-8" in audit.divergence.message


def test_law4_no_other_line_comes_to_the_same_event() -> None:
    log = Log.golden("timer")
    log.events[0]["initial_input"] = "\ufffd"
    whole = log.chain().bytes()
    assert refrain.audit(whole).verdict not in ("tampered", "unreadable")
    broken = whole.replace("\ufffd".encode(), b"\xff")
    assert found(refrain.audit(broken)) == ("unreadable", 1)
    lines = broken.decode(errors="surrogateescape").splitlines()
    assert found(refrain.audit(lines)) == ("unreadable", 1)
    # A line without its end is cut, perhaps within a character.
    assert found(refrain.audit(broken[: broken.index(b"\xff") + 1])) == ("tampered", 1)


def test_a_value_that_is_nested_without_end_is_read_without_a_crash() -> None:
    log = Log.golden("timer")
    deep = "[" * 100_000 + "]" * 100_000
    lines = log.lines()
    assert '"initial_input":{}' in lines[1]
    lines[1] = lines[1].replace('"initial_input":{}', f'"initial_input":{deep}')
    assert found(refrain.audit(lines)) == ("tampered", 1)
    lines[1] = lines[1].replace("]]", "]", 1)
    assert found(refrain.audit(lines)) == ("unreadable", 1)


# ---- the chain is made whole again ------------------------------------------------------


@pytest.mark.parametrize("path", rewritable_logs(), ids=lambda it: it.stem)
def test_law2_nothing_is_missing_at_the_end(path: Path, auditor: refrain.Auditor) -> None:
    log = Log.read(path)
    for place in range(1, len(log.events)):
        before, cut_off = log.events[place - 1], log.events[place]
        if cut_off["origin"] == "fact":
            continue
        cut = Log(log.header, log.events[:place]).copy().chain()
        audit = auditor.audit(cut.bytes())
        # What only time has led to is not missing while no time has passed.
        if before["at"] < cut_off["at"]:
            assert audit.verdict == "clean"
        else:
            assert found(audit) == ("divergent", place + 1)
            assert audit.divergence is not None
            assert audit.divergence.code == "other_decision"
            assert audit.divergence.found is None
            # What follows next may be owed, as a whole.
            cut.header["owed_a_step"] = True
            owed = auditor.audit(cut.bytes())
            if first_of_time(log, place) == place:
                assert (owed.verdict, owed.owed_a_step) == ("clean", True)


def changed(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and len(value) == 64:
        return "0" * 64
    return None


@pytest.mark.parametrize("path", rewritable_logs(), ids=lambda it: it.stem)
def test_law2_each_decision_is_derived(path: Path, auditor: refrain.Auditor) -> None:
    log = Log.read(path)
    for place, event in enumerate(log.events):
        if event["origin"] == "fact":
            continue
        names = ("item_digest", "timeout_ms", "attempts", "delay_ms", "count", "iteration")
        for name in names:
            if changed(event.get(name)) is None:
                continue
            forged = log.copy()
            forged.events[place][name] = changed(event[name])
            audit = auditor.audit(forged.chain().bytes())
            assert found(audit) == ("divergent", place + 1), name
            assert audit.divergence is not None and audit.divergence.rule is not None
            assert [it.pointer for it in audit.divergence.difference] == [f"/{name}"]
            first = decisions_in(log, first_of_time(log, place))
            assert first <= audit.decisions <= decisions_in(log, place)


def decisions_in(log: Log, places: int) -> int:
    return sum(it["origin"] == "decision" for it in log.events[:places])


def first_of_time(log: Log, place: int) -> int:
    """The first of the decisions of one time that lead to this one: its batch begins there
    or later."""
    at = log.events[place]["at"]
    while place and log.events[place - 1]["origin"] == "decision":
        if log.events[place - 1]["at"] != at:
            break
        place -= 1
    return place


@pytest.mark.parametrize("name", NAMES)
def test_no_event_is_of_another_author(name: str, auditor: refrain.Auditor) -> None:
    log = Log.golden(name)
    for place, event in enumerate(log.events):
        forged = log.copy()
        forged.events[place]["origin"] = "fact" if event["origin"] == "decision" else "decision"
        assert found(auditor.audit(forged.chain().bytes())) == ("illegal", place + 1)


def test_law5_time_does_not_go_back(auditor: refrain.Auditor) -> None:
    log = Log.golden("timer")
    for place in range(1, len(log.events)):
        forged = log.copy()
        forged.events[place]["at"] = "2000-01-01T00:00:00.000Z"
        assert found(auditor.audit(forged.chain().bytes())) == ("illegal", place + 1)


def test_law6_nothing_comes_after_the_end(auditor: refrain.Auditor) -> None:
    log = Log.golden("timer")
    for place in range(1, len(log.events)):
        forged = log.copy()
        forged.events.append({**log.events[place], "at": log.events[-1]["at"]})
        sequence = len(forged.events)
        assert found(auditor.audit(forged.chain().bytes())) == ("illegal", sequence)


def test_event_1_begins_a_log_and_no_other_does(auditor: refrain.Auditor) -> None:
    log = Log.golden("timer")
    without = Log(log.header, log.events[1:]).copy().chain()
    assert found(auditor.audit(without.bytes())) == ("illegal", 1)
    twice = log.copy()
    twice.events.insert(3, {**log.events[0], "at": log.events[2]["at"]})
    assert found(auditor.audit(twice.chain().bytes())) == ("illegal", 4)
    none = Log(log.header, []).copy().chain()
    assert found(auditor.audit(none.bytes())) == ("illegal", 1)


@pytest.mark.parametrize("payload", ["1e400", '"\\ud800"', "[" * 200 + "]" * 200])
def test_an_event_that_cannot_be_shown_is_not_said_to_be_missing(
    auditor: refrain.Auditor, payload: str
) -> None:
    log = Log.golden("timer")
    del log.events[7]["final_state"]
    log.events[7]["final_state_text"] = payload
    divergence = auditor.audit(log.chain().bytes()).divergence
    assert divergence is not None and divergence.found is None
    assert divergence.message == "the guest decides otherwise, at event 8"


def test_law7_a_fact_must_be_legal_where_it_stands(auditor: refrain.Auditor) -> None:
    log = Log.golden("joins")
    for place, event in enumerate(log.events):
        if event["type"] != "node_completed":
            continue
        edits: list[Json] = [{"fence": 999}, {"attempt": 7}, {"node_id": "nobody"}]
        for edit in edits:
            forged = log.copy()
            forged.events[place].update(edit)
            audit = auditor.audit(forged.chain().bytes())
            assert found(audit) == ("illegal", place + 1), edit
            assert audit.divergence is not None and audit.divergence.found is not None


def test_law10_a_log_of_a_guest_that_is_not_at_hand_is_not_audited() -> None:
    log = Log.golden("timer")
    log.header["guest_digest"] = log.events[0]["guest_digest"] = "1" * 64
    with pytest.raises(refrain.AuditError, match=r"1{64} is not at hand"):
        refrain.audit(log.chain().bytes())
