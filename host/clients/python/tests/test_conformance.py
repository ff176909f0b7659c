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
    return said


def audited(log: Path, components: list[Guest]) -> dict[str, Any]:
    try:
        # One for each log, so that none knows what another has brought.
        return said(refrain.Auditor(components=components).audit(log))
    except refrain.AuditError:
        return {"verdict": None, "exit": 2, "sequence": None, "decisions": 0, "code": None}


@pytest.mark.skipif(FOLDER is None, reason="REFRAIN_CONFORMANCE names no folder")
def test_each_case_of_the_kit_is_judged_as_expected() -> None:
    folder = Path(FOLDER or "")
    components = [load(path.read_bytes()) for path in sorted(folder.glob("*.wasm"))]
    cases = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert len(cases) >= CASES_MIN
    differing = []
    for case in cases:
        found = audited(folder / case["file"], components)
        if found != case["expected"]:
            differing.append(
                f"{case['name']}: {case['expected']} was expected, and not {found}"
            )
    assert not differing, "\n".join(differing[:20])
