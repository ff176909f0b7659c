"""Lines, kinds, canonical bytes, the chain, times and ids."""

from __future__ import annotations

from hashlib import sha256

import pytest
from logs import Json, Log, event_of, golden_logs

from refrain import ids, times
from refrain.component.guest import STORAGE, built_in
from refrain.component.types import Enum, ListOf, Option, Record, Scalar, Type, Variant
from refrain.component.values import snake
from refrain.contract import item_digest
from refrain.log import fields as sorts
from refrain.log.compounds import Coded, Fields, Flattened, Records
from refrain.log.compounds import Record as RecordSort
from refrain.log.event import START, canonical, link
from refrain.log.kinds import DECISIONS, KINDS, TERMINAL
from refrain.log.line import LineError

LINE: Json = {
    "sequence": 1,
    "at": "2026-01-01T00:00:00.000Z",
    "origin": "decision",
    "type": "node_timed_out",
    "node_id": "a",
    "timeout_ms": 9,
    "attempt": 2,
}


# ---- the table of kinds is the contract's ------------------------------------------------


def test_the_kinds_are_those_of_the_contract() -> None:
    appended = built_in().imports[STORAGE]["append-events"].params[1]
    assert isinstance(appended, ListOf) and isinstance(appended.element, Record)
    kinds = dict(appended.element.fields)["kind"]
    assert isinstance(kinds, Variant)
    assert [snake(name) for name, _ in kinds.cases] == list(KINDS)
    for name, payload in kinds.cases:
        fields = KINDS[snake(name)]
        if payload is None:
            assert fields == ()
        else:
            assert isinstance(payload, Record)
            assert_fields(fields, payload)


def assert_fields(fields: Fields, record: Record) -> None:
    assert [it.name for it in fields] == [snake(name) for name, _ in record.fields]
    for field, (_, of) in zip(fields, record.fields):
        assert_sort(field.of, of)


def assert_sort(sort: object, of: Type) -> None:
    if isinstance(sort, sorts.Maybe):
        assert isinstance(of, Option)
        assert_sort(sort._of, of.payload)
    elif isinstance(sort, Flattened):
        assert isinstance(of, Option) and isinstance(of.payload, Record)
        assert_fields(sort._fields, of.payload)
    elif isinstance(sort, Records):
        assert isinstance(of, ListOf) and isinstance(of.element, Record)
        assert_fields(sort._of.fields, of.element)
    elif isinstance(sort, RecordSort):
        assert isinstance(of, Record)
        assert_fields(sort.fields, of)
    elif isinstance(sort, Coded):
        assert isinstance(of, Variant)
        assert [snake(name) for name, _ in of.cases] == list(sort.cases)
        for case, (_, payload) in zip(sort.cases.values(), of.cases):
            if payload is None:
                assert case.fields == ()
            elif case.is_record:
                assert isinstance(payload, Record)
                assert_fields(case.fields, payload)
            else:
                assert_sort(case.fields[0].of, payload)
    elif isinstance(sort, sorts.Choice):
        assert isinstance(of, Enum)
        assert sort.names == tuple(map(snake, of.names))
    elif isinstance(sort, sorts.Sha):
        assert of == Scalar("string") or isinstance(of, Record)
    else:
        scalars: dict[object, Type] = {
            sorts.TEXT: Scalar("string"),
            sorts.JSON: Scalar("string"),
            sorts.COUNT: Scalar("u32"),
            sorts.NUMBER: Scalar("u64"),
            sorts.TIME: Scalar("u64"),
            sorts.FLAG: Scalar("bool"),
            sorts.TEXTS: ListOf(Scalar("string")),
        }
        assert scalars[sort] == of


#: What a person, a program or a workflow may have put something into, as law 4 lists it.
PERSONAL = {
    "by",
    "comment",
    "correlation_key",
    "description",
    "edited_by",
    "error",
    "event_id",
    "final_state",
    "gen_ai",
    "initial_input",
    "item_digest",
    "key",
    "labels",
    "output",
    "payload",
    "pointer",
    "reason",
    "state_patch",
    "telemetry",
    "user_id",
    "worker_id",
}

#: Kinds in which the reason is a code of the guest's.
CODED = {"node_skipped", "node_cancelled", "stalled"}


def test_law4_the_erasable_fields_are_those_that_may_be_personal() -> None:
    for kind, fields in KINDS.items():
        for field in fields:
            is_personal = field.name in PERSONAL and not (
                field.name == "reason" and kind in CODED
            )
            assert field.is_erasable == is_personal, (kind, field.name)
            if isinstance(field.of, Coded):
                for case in field.of.cases.values():
                    for datum in case.fields:
                        assert datum.is_erasable == (datum.name in PERSONAL), (kind, datum)


def test_what_is_late_stands_last_in_its_part() -> None:
    for kind, fields in KINDS.items():
        for is_erasable in (False, True):
            part = [
                isinstance(it.of, sorts.Late) for it in fields if it.is_erasable == is_erasable
            ]
            assert part == sorted(part), kind


def test_every_kind_has_one_author() -> None:
    assert TERMINAL < DECISIONS < KINDS.keys()
    for path in golden_logs():
        for event in Log.read(path).events:
            assert (event["origin"] == "decision") == (event["type"] in DECISIONS)


# ---- lines -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit, said",
    [
        ({"attempt": None}, "field `attempt`: null should be a whole number, not negative"),
        ({"attempt": -2}, "field `attempt`: -2 should be a whole number, not negative"),
        ({"attempt": 2.0}, "field `attempt`: 2.0 should be a whole number, not negative"),
        ({"attempt": 2**32}, "field `attempt`: 4294967296 should be at most 4294967295"),
        ({"timeout_ms": 2**64}, "field `timeout_ms`: 18446744073709551616 should be a whole"),
        ({"colour": "red"}, "field `colour`: there is no such field here; remove it"),
        ({"node_id": 17}, "field `node_id`: 17 should be a string"),
        (
            {"type": "node Melted"},
            "field `type`: node Melted should be one of workflow_started",
        ),
        ({"type": "node_melted"}, "field `type`: node_melted is newer than this program"),
        ({"origin": "rumour"}, "field `origin`: rumour should be one of fact, decision"),
        ({"at": "2026-01-01T00:00:00Z"}, 'should be a time like "2026-01-01T00:00:00.000Z"'),
        ({"at": 5}, "field `at`: 5 should be a time"),
        ({"at": "2026-02-30T00:00:00.000Z"}, "should be a time"),
    ],
)
def test_errors_name_the_field_and_the_remedy(edit: Json, said: str) -> None:
    event_of(LINE)
    with pytest.raises(LineError) as error:
        event_of({**LINE, **edit})
    assert said in str(error.value)
    assert error.value.is_newer == ("newer" in said)


def test_fields_within_fields_are_named() -> None:
    first = Log.golden("timer").events[0]
    edits: list[tuple[Json, str]] = [
        ({"limits": {"max_concurrent_nodes": "x"}}, "field `limits.max_concurrent_nodes`: "),
        ({"limits": {**first["limits"], "x": 1}}, "field `limits.x`: there is no such field"),
        ({"initial_input_text": "x"}, "field `initial_input`: it is there twice"),
        ({"labels": [{"name": "a"}]}, "field `labels.value`: it is missing"),
        ({"labels": {}}, "field `labels`: {} should be a list"),
        ({"simulated": 1}, "field `simulated`: 1 should be true or false"),
        ({"guest_digest": "AB"}, "should be 64 lower-case hexadecimal digits"),
    ]
    for edit, said in edits:
        with pytest.raises(LineError) as error:
            event_of({**first, **edit})
        assert said in str(error.value)


def test_a_payload_may_stand_in_a_text() -> None:
    place = {name: LINE[name] for name in ("sequence", "at", "origin")}
    completed = {**place, "type": "workflow_completed", "final_state_text": ' {"a":\n1.50} '}
    event = event_of(completed)
    assert event.fields["final_state"] == ' {"a":\n1.50} '
    assert event.show()["final_state_text"] == ' {"a":\n1.50} '


# ---- bytes -------------------------------------------------------------------------------


def test_canonical_bytes_are_as_specified() -> None:
    event = event_of(LINE)
    word = (2).to_bytes(8, "little")
    plain, erasable = canonical(event)
    assert plain == b"".join(
        [
            (1).to_bytes(8, "little"),
            (1_767_225_600_000).to_bytes(8, "little"),
            (8).to_bytes(8, "little") + b"decision",
            (14).to_bytes(8, "little") + b"node_timed_out",
            (1).to_bytes(8, "little") + b"a",
            word,
            (9).to_bytes(8, "little"),
        ]
    )
    assert erasable == b""


def test_law4_a_link_is_as_specified() -> None:
    assert START == sha256(b"refrain-log/2").hexdigest()
    committed = sha256(b"salterasable").digest()
    expected = sha256(bytes.fromhex(START) + b"plain" + committed).hexdigest()
    assert link(START, b"plain", committed) == expected


def test_law4_a_work_item_s_digest_is_as_specified() -> None:
    item = {
        "node_id": "nn",
        "attempt": 1,
        "max_attempts": 2,
        "queue": "",
        "tenant": "t",
        "priority": 5,
        "not_before": 258,
        "payload": "{}",
    }
    zeros = b"\0" * 7
    expected = b"".join(
        [
            b"\2" + zeros + b"nn",
            b"\1" + zeros + b"\2" + zeros,
            b"\0" + zeros,
            b"\1" + zeros + b"t",
            b"\5" + zeros,
            b"\2\1" + b"\0" * 6,
            b"\2" + zeros + b"{}",
        ]
    )
    assert item_digest(item) == sha256(expected).hexdigest()


# ---- times and ids -----------------------------------------------------------------------


def test_times_come_back_from_their_text() -> None:
    for time, text in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
        (times.WRITTEN_MAX, "9999-12-31T23:59:59.999Z"),
    ]:
        assert times.written(time) == text
        assert times.read(text) == time
    assert times.written(times.WRITTEN_MAX + 1) is None
    for text in (
        "2026-01-01T00:00:00.000+00:00",
        "2026-01-01 00:00:00.000Z",
        "1969-12-31T23:59:59.999Z",
        "2026-01-01T00:00:60.000Z",
        "2026-01-01T24:00:00.000Z",
        "٢026-01-01T00:00:00.000Z",
    ):
        assert times.read(text) is None, text


def test_runs_of_nodes_are_told_by_their_names() -> None:
    for run, instance, undone, node in [
        ("a", None, None, "a"),
        ("a[3]", ("a", 3), None, "a"),
        ("a[0]", ("a", 0), None, "a"),
        ("a[03]", None, None, "a[03]"),
        ("a[4294967296]", None, None, "a[4294967296]"),
        ("[3]", None, None, "[3]"),
        ("a!undo", None, "a", "a"),
        ("a[3]!undo", None, "a[3]", "a"),
        ("!undo", None, None, "!undo"),
    ]:
        assert ids.instance_of(run) == instance, run
        assert ids.undone_by(run) == undone, run
        assert ids.node_of(run) == node, run


def test_the_id_of_a_child_is_a_uuid_in_the_shard_of_its_parent() -> None:
    parent = f"exec_{'ab' * 16}"
    child = ids.of_child(parent, "é", 1, 0)
    assert ids.is_execution_id(child) and child[5:9] == "abab"
    assert child[17] == "8" and child[21] in "89ab"
    others = {ids.of_child(parent, *it) for it in (("é", 1, 1), ("é", 2, 0), ("e", 1, 0))}
    assert len({child, *others}) == 4


def test_events_are_shown_as_lines_have_them() -> None:
    for path in golden_logs():
        for event in Log.read(path).events:
            shown = event_of(event).show()
            assert shown.keys() == event.keys() - {"salt", "hash"}
