"""The conformance kit: what every auditor has to say of each of its logs.

`refrain conformance tests/conformance -o FOLDER` writes it; REFRAIN_CONFORMANCE names the
folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import refrain
from refrain.component.guest import Guest, load
from refrain.log.export import Recording, UnreadableLog, read_log

FOLDER = os.environ.get("REFRAIN_CONFORMANCE")

#: A smaller kit is not the kit.
CASES_MIN = 500


def said(audit: refrain.Audit) -> dict[str, Any]:
    divergence = audit.divergence
    said: dict[str, Any] = {
        "verdict": audit.verdict,
        "exit": 0 if audit.is_good else 2 if audit.verdict == "newer" else 1,
        "sequence": audit.sequence,
        "decisions": audit.decisions,
        "code": None if divergence is None else divergence.code,
    }
    if audit.owed_a_step:
        said["owed_a_step"] = True
    if audit.signature is not None:
        said["signature"] = audit.signature.result
    link = audit.child_of or audit.forked_from
    if link is not None and link.link != "origin_missing":
        said["link"] = link.link
    if audit.missing:
        said["missing"] = [it.show() for it in audit.missing]
    return said


def audited(logs: list[Path], components: list[Guest]) -> list[dict[str, Any]]:
    """What is said of each of these logs, which are given together."""
    # An auditor for each case, so that none knows what another has brought.
    origins = [it for it in map(recording, logs) if it is not None] if len(logs) > 1 else []
    auditor = refrain.Auditor(components=components, origins=origins)
    return [answer(auditor, log) for log in logs]


def recording(log: Path) -> Recording | None:
    try:
        return read_log(log)
    except UnreadableLog:
        return None


def answer(auditor: refrain.Auditor, log: Path) -> dict[str, Any]:
    try:
        return said(auditor.audit(log))
    except refrain.AuditError:
        return {"verdict": None, "exit": 2, "sequence": None, "decisions": 0, "code": None}


@pytest.mark.skipif(FOLDER is None, reason="REFRAIN_CONFORMANCE names no folder")
def test_each_case_of_the_kit_is_judged_as_expected() -> None:
    folder = Path(FOLDER or "")
    components = [load(path.read_bytes()) for path in sorted(folder.glob("*.wasm"))]
    cases = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert len(cases) >= CASES_MIN
    assert any("logs" in case for case in cases)
    differing = []
    for case in cases:
        logs = case.get("logs", [case])
        found = audited([folder / log["file"] for log in logs], components)
        differing += [
            f"{case['name']}, {log['file']}: {log['expected']} was expected, and not {it}"
            for log, it in zip(logs, found)
            if log["expected"] != it
        ]
    assert not differing, "\n".join(differing[:20])
