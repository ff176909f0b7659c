"""Values on their way between Python and a guest."""

from __future__ import annotations

import ctypes
import mmap
import threading
from pathlib import Path
from typing import Any

import pytest
from logs import Log

import refrain
from refrain.component.capi import VALUE_BYTES
from refrain.component.guest import DECISIONS, LOCK, built_in
from refrain.component.lowering import Unfit, delete
from refrain.component.types import (
    Enum,
    ListOf,
    Option,
    OtherType,
    Record,
    Result,
    Scalar,
    Type,
    Variant,
    read_type,
)
from refrain.component.values import Codecs

U32, U64, TEXT = Scalar("u32"), Scalar("u64"), Scalar("string")
PLACE = Record((("node-id", TEXT), ("attempt", U32)))
KIND = Variant((("at-rest", None), ("moved-on", PLACE), ("said", TEXT)))


@pytest.mark.parametrize(
    "of, value",
    [
        (Scalar("bool"), True),
        (Scalar("u8"), 255),
        (U32, 2**32 - 1),
        (U64, 2**64 - 1),
        (TEXT, ""),
        (TEXT, "é\0😀"),
        (ListOf(U64), []),
        (ListOf(TEXT), ["a", "", "b"]),
        (ListOf(Scalar("u8")), b""),
        (ListOf(Scalar("u8")), bytes(range(256))),
        (PLACE, {"node_id": "a", "attempt": 1}),
        (Enum(("by-hand", "other")), "by_hand"),
        (KIND, ("at_rest", None)),
        (KIND, ("moved_on", {"node_id": "a", "attempt": 7})),
        (KIND, ("said", "x")),
        (Option(TEXT), None),
        (Option(PLACE), {"node_id": "", "attempt": 0}),
        (Result(None, TEXT), (True, None)),
        (Result(None, TEXT), (False, "why")),
        (Result(ListOf(KIND), KIND), (True, [("at_rest", None), ("said", "")])),
    ],
    ids=str,
)
def test_values_come_back(of: Type, value: Any) -> None:
    codecs = Codecs({})
    with LOCK:
        made = codecs.lower(of)(value)
        try:
            assert len(made) == VALUE_BYTES
            buffer = ctypes.create_string_buffer(made, VALUE_BYTES)
            assert codecs.lift(of)(buffer.raw, 0) == value
        finally:
            delete(made)


@pytest.mark.parametrize(
    "of, value",
    [(U32, 2**32), (U32, -1), (U64, 2**64), (ListOf(U32), [1, -1])],
    ids=str,
)
def test_a_number_that_does_not_fit_is_refused_and_not_cut_off(of: Type, value: Any) -> None:
    with LOCK, pytest.raises(Unfit):
        Codecs({}).lower(of)(value)


def test_types_that_the_contract_has_nowhere_are_told() -> None:
    from wasmtime import component as wasm

    with pytest.raises(OtherType, match="no S8"):
        read_type(wasm.S8())


def test_the_scheduler_has_the_functions_of_the_contract() -> None:
    functions = built_in().exports[DECISIONS]
    expected = {"validate", "step", "explain", "inspect", "snapshot", "forget", "describe"}
    assert functions.keys() == expected


def test_nothing_is_lost_from_log_to_log() -> None:
    """What is handed over is freed: a hundred audits more take no more memory."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system does not say how much memory a process has")
    log = Log.golden("wide").bytes()
    auditor = refrain.Auditor()

    def memory_after(audits: int) -> int:
        for _ in range(audits):
            assert auditor.audit(log).verdict == "clean"
        return int(statm.read_text().split()[1]) * mmap.PAGESIZE

    before = memory_after(30)
    # Each audit hands over some hundred kilobytes.
    assert memory_after(120) - before < 4 << 20


def test_several_threads_may_audit() -> None:
    log = Log.golden("joins").bytes()
    verdicts: list[str] = []

    def audit() -> None:
        auditor = refrain.Auditor()
        verdicts.extend(auditor.audit(log).verdict for _ in range(5))

    threads = [threading.Thread(target=audit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == ["clean"] * 20
