"""Schedulers that somebody brings: refused, contained, or believed."""

from __future__ import annotations

from time import monotonic

import pytest
from logs import ROOT, Log
from patched import LOOP, MEMORY_BOMB, TRAP, recursion, scheduler_that

import refrain
from refrain.component.guest import built_in_bytes, load

DIVERGENT = ROOT / "tests/guests/divergent.wasm"

#: No call has so much fuel that it takes as long, on any machine that this runs on.
SECONDS_MAX = 120


@pytest.mark.parametrize(
    "code, said",
    [
        (TRAP, "the guest crashed: wasm trap: wasm `unreachable` instruction executed"),
        (LOOP, "the guest ran out of fuel"),
        (MEMORY_BOMB, "the guest crashed"),
        (recursion(), "the guest overflowed its call stack"),
    ],
    ids=["trap", "loop", "memory", "recursion"],
)
def test_a_guest_that_fails_is_a_verdict(code: bytes, said: str) -> None:
    start = monotonic()
    audit = refrain.audit(Log.golden("timer").bytes(), guest=scheduler_that(code))
    assert monotonic() - start < SECONDS_MAX
    assert (audit.verdict, audit.sequence, audit.decisions) == ("divergent", 2, 0)
    assert audit.divergence is not None
    assert audit.divergence.code == "guest_failed"
    assert audit.divergence.advice == "keep_guest"
    assert f"the guest gives no answer: {said}" in audit.divergence.message


def test_a_guest_that_cannot_forget_is_made_anew() -> None:
    guest = load(scheduler_that(TRAP, "refrain:scheduler/decisions@0.2.0#forget"))
    auditor = refrain.Auditor(guest=guest)
    for name in ("timer", "joins", "timer"):
        assert auditor.audit(Log.golden(name).bytes()).verdict == "clean"


def test_another_guest_decides_otherwise() -> None:
    guest = DIVERGENT.read_bytes()
    log = Log.golden("cancel")
    audit = refrain.audit(log.bytes(), guest=guest)
    assert audit.verdict == "divergent"
    assert audit.divergence is not None
    assert audit.divergence.code == "other_decision"
    assert audit.divergence.expected is not None and audit.divergence.found is not None
    assert audit.divergence.state_hash is not None
    assert audit.divergence.rule is not None


def test_a_log_is_audited_with_the_guest_that_it_brings_or_that_is_given() -> None:
    # The same decisions, by another component: only its bytes differ.
    other = built_in_bytes() + custom_section()
    digest = load(other).digest
    log = Log.golden("timer")
    log.header["guest_digest"] = log.events[0]["guest_digest"] = digest
    named = log.chain().bytes()
    with pytest.raises(refrain.AuditError, match="not at hand"):
        refrain.audit(named)
    # The state says which guest has the execution, and its decisions do not.
    assert refrain.audit(named, components=[other]).verdict == "clean"
    assert refrain.audit(brought(log, digest, other)).verdict == "clean"


def custom_section() -> bytes:
    content = b"\x04note" + b"another"
    return bytes([0, len(content)]) + content


def brought(log: Log, digest: str, component: bytes) -> list[str]:
    import base64
    import zlib

    from logs import written

    log.header["components"] = [digest]
    lines = log.lines()
    packed = base64.b64encode(zlib.compress(component)).decode()
    line = written({"component": digest, "bytes": len(component), "zlib": packed})
    return [lines[0], line, *lines[1:]]


def test_what_a_log_brings_is_held_against_its_digest() -> None:
    component = b"\0asm of a scheduler"
    from hashlib import sha256

    digest = sha256(component).hexdigest()
    lines = brought(Log.golden("timer"), digest, component)
    assert refrain.audit(lines).verdict == "clean"
    for old, new in [
        (digest, "0" * 64),
        ('"bytes":19', '"bytes":18'),
        ('"bytes":19', '"bytes":20'),
        ('"bytes":19', '"bytes":99999999999'),
        ('"zlib":"', '"zlib":"*'),
        ('"zlib":"', '"zlib":"AAAA'),
    ]:
        assert old in lines[1]
        edited = [lines[0], lines[1].replace(old, new), *lines[2:]]
        audit = refrain.audit(edited)
        assert (audit.verdict, audit.sequence) == ("unreadable", 0), new
        assert audit.divergence is not None
        assert "line 2 is no component" in audit.divergence.message


def test_what_is_no_guest_is_refused() -> None:
    import wasmtime

    wasi = '(component (import "wasi:cli/exit@0.2.0" (instance)))'
    for component, said in [
        (b"", "no WebAssembly component"),
        (b"\0asm\x01\0\0\0", "core WebAssembly module"),
        (b"\0asm\x0d\0\x01\0\xff", "cannot be loaded"),
        (b"\0asm\x0d\0\x01\0", "does not export `refrain:scheduler/decisions@0.2.0`"),
        (bytes(wasmtime.wat2wasm(wasi)), "imports `wasi:cli/exit@0.2.0`"),
        (built_in_bytes()[:-100], "cannot be loaded"),
        ((ROOT / "tests/guests/few.wasm").read_bytes(), "version 0.1.0-few"),
        (b"\0asm\x0d\0\x01\0" + bytes(40 << 20), "more than"),
    ]:
        with pytest.raises(refrain.ComponentFault, match=said):
            refrain.audit(Log.golden("timer").bytes(), guest=component)


def test_what_compiles_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refrain.component.guest.COMPILE_SECONDS_BASE", 0)
    monkeypatch.setattr("refrain.component.guest.COMPILE_SECONDS_PER_MIB", 1)
    other = built_in_bytes() + custom_section()
    with pytest.raises(refrain.ComponentFault, match="within 1 seconds of processor time"):
        load(other)


def test_a_component_with_other_types_is_of_another_contract() -> None:
    import wasmtime

    text = """(component
        (type $now (func (result string)))
        (import "refrain:scheduler/clock@0.2.0" (instance
            (export "now" (func (type $now)))))
        (instance $none)
        (export "refrain:scheduler/decisions@0.2.0" (instance $none)))"""
    with pytest.raises(refrain.ComponentFault, match="it imports another `now`"):
        load(bytes(wasmtime.wat2wasm(text)))
