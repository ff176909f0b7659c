"""Logs that are what they should be."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import Path

import pytest
from logs import COMPONENT, ROOT, Log, golden_logs

import refrain


@pytest.fixture(scope="module")
def auditor() -> refrain.Auditor:
    """One for all logs, so that its instances go from one to the next."""
    return refrain.Auditor()


def test_the_component_is_that_of_the_host() -> None:
    own = resources.files("refrain.component").joinpath("refrain-scheduler.wasm").read_bytes()
    theirs = COMPONENT.read_bytes()
    assert sha256(own).hexdigest() == sha256(theirs).hexdigest(), (
        "the scheduler has moved on: copy host/component/refrain-scheduler.wasm to"
        " host/clients/python/src/refrain/component/"
    )


def test_there_are_golden_logs_of_this_component() -> None:
    assert len(golden_logs()) >= 40


@pytest.mark.parametrize("path", golden_logs(), ids=lambda it: it.stem)
def test_golden_logs_are_clean(path: Path, auditor: refrain.Auditor) -> None:
    log = Log.read(path)
    audit = auditor.audit(path)
    assert (audit.verdict, audit.divergence) == ("clean", None)
    assert audit.events == log.header["events"] == len(log.events)
    assert audit.head == log.header["head"]
    assert audit.decisions == sum(it["origin"] == "decision" for it in log.events)


def test_the_golden_logs_hold_nearly_every_kind_of_event() -> None:
    from refrain.log.kinds import KINDS

    found = {event["type"] for path in golden_logs() for event in Log.read(path).events}
    assert found <= KINDS.keys()
    assert len(KINDS.keys() - found) <= 1, KINDS.keys() - found


def test_a_log_can_be_given_in_each_form() -> None:
    path = golden_logs()[0]
    content = path.read_bytes()
    lines = content.decode().splitlines()
    with path.open("rb") as file:
        audits = [refrain.audit(it) for it in (path, str(path), content, lines, file)]
    assert {audit.verdict for audit in audits} == {"clean"}


def test_a_log_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        refrain.audit(ROOT / "no such log")
