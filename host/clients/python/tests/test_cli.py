"""`python -m refrain audit`, as it is typed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from logs import ROOT, Log, golden_folder, golden_logs

import refrain
from refrain.cli import main


@pytest.fixture
def clean(tmp_path: Path) -> str:
    return written(tmp_path, "clean.ndjson", Log.golden("timer"))


@pytest.fixture
def forged(tmp_path: Path) -> str:
    log = Log.golden("timer")
    log.events.pop()
    return written(tmp_path, "forged.ndjson", log.chain())


def written(folder: Path, name: str, log: Log) -> str:
    path = folder / name
    path.write_bytes(log.bytes())
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["audit", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_clean_log(capsys: pytest.CaptureFixture[str], clean: str) -> None:
    code, out, err = run(capsys, clean)
    id_ = Log.golden("timer").header["execution_id"]
    assert (code, err) == (0, "")
    assert out == f"{id_}  clean  8 events, 5 decisions replayed\n"


PROGRAM = os.environ.get("REFRAIN_PROGRAM")


@pytest.mark.skipif(PROGRAM is None, reason="REFRAIN_PROGRAM names no program")
def test_of_several_logs_each_names_its_file_word_for_word_as_refrain_does(
    clean: str, forged: str, tmp_path: Path
) -> None:
    no_log = tmp_path / "no\alog.ndjson"
    no_log.write_text("{}\n")
    guest = ["--guest", str(ROOT / "tests/guests/divergent.wasm")]
    for logs in ([clean], [forged, str(no_log), clean]):
        for options in ([], ["--json"], guest, [*guest, "--json"]):
            said = [
                subprocess.run([*command, *logs, *options], capture_output=True)
                for command in (
                    [sys.executable, "-m", "refrain", "audit"],
                    [str(PROGRAM), "audit", "--file"],
                )
            ]
            ours, theirs = [(it.returncode, it.stdout, it.stderr) for it in said]
            assert ours == theirs


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_audited(
    capsys: pytest.CaptureFixture[str], clean: str, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.ndjson")
    code, out, err = run(capsys, missing, clean, "--json")
    document = json.loads(out)
    assert code == 2
    assert [it["verdict"] for it in document["executions"]] == ["clean"]
    (failed,) = document["failed"]
    assert (failed["execution_id"], failed["error"]["code"]) == (missing, "log_unreadable")
    assert "error: 1 of 2 executions could not be audited\n" in err
    code, out, _ = run(capsys, missing, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "log_unreadable")


def test_json_is_the_document_of_refrain_audit(
    capsys: pytest.CaptureFixture[str], clean: str, forged: str
) -> None:
    code, out, _ = run(capsys, clean, forged, "--json")
    document = json.loads(out)
    assert code == 1
    assert [it["verdict"] for it in document["executions"]] == ["clean", "divergent"]
    assert document["failed"] == []
    of_clean, of_forged = document["executions"]
    assert [it["file"] for it in document["executions"]] == [clean, forged]
    assert list(of_clean) == [
        "file",
        "execution_id",
        "verdict",
        "events",
        "head",
        "decisions",
        "divergence",
    ]
    divergence = of_forged["divergence"]
    assert list(divergence) == [
        "sequence",
        "code",
        "message",
        "compared",
        "expected",
        "found",
        "difference",
        "rule",
        "state_hash",
        "explanation",
        "advice",
    ]
    assert divergence["sequence"] == 8
    assert divergence["expected"]["type"] == "workflow_completed"
    assert divergence["rule"] == "R16"


def test_a_report_for_people(capsys: pytest.CaptureFixture[str], forged: str) -> None:
    code, out, _ = run(capsys, forged)
    assert code == 1
    assert "divergent  7 events, 4 decisions replayed\n" in out
    assert "the log ends before event 8, which is missing\n" in out
    assert "    the guest decides  {" in out
    assert out.endswith("which was changed\n")


def test_texts_of_the_world_are_escaped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = Log.golden("timer")
    log.header["execution_id"] = "exec_\x1b[2J\u202e\n"
    code, out, _ = run(capsys, written(tmp_path, "odd.ndjson", log))
    assert code == 1
    assert "\\u{1b}[2J\\u{202e}\\n" in out
    assert not set(out) & {"\x1b", "\u202e"}
    _, out, _ = run(capsys, written(tmp_path, "odd.ndjson", log), "--json")
    assert not set(out) & {"\x1b", "\u202e"}
    assert "exec_" in json.loads(out)["executions"][0]["divergence"]["message"]


def test_what_is_nested_too_deep_is_not_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = Log.golden("timer")
    nested: list[object] = []
    log.events[0]["initial_input"] = nested
    for _ in range(700):
        inner: list[object] = []
        nested.append(inner)
        nested = inner
    log.events[1]["type"] = "workflow_timed_out"
    del log.events[1]["node_id"], log.events[1]["fire_at"]
    code, out, _ = run(capsys, written(tmp_path, "deep.ndjson", log.chain()), "--json")
    divergence = json.loads(out)["executions"][0]["divergence"]
    assert (code, divergence["sequence"], divergence["found"]) == (1, 1, None)


def test_a_folder_of_logs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, str(golden_folder()), "--json")
    assert code == 0
    assert len(json.loads(out)["executions"]) == len(golden_logs())
    code, _, err = run(capsys, str(tmp_path))
    assert code == 2 and "none of its files ends in .ndjson" in err


def test_another_guest(capsys: pytest.CaptureFixture[str], clean: str) -> None:
    guest = str(ROOT / "tests/guests/divergent.wasm")
    log = str(golden_folder() / "cancel.ndjson")
    code, out, _ = run(capsys, clean, log, "--guest", guest, "--json")
    document = json.loads(out)
    assert code == 1
    assert document["mode"] == "exact"
    assert [it["outcome"] for it in document["executions"]] == ["same", "diverges"]
    assert document["summary"]["same"] == document["summary"]["diverge"] == 1
    _, out, _ = run(capsys, clean, "--guest", guest)
    assert (
        "exact: no decision would be another, 1 the same; 1 log with 8 events replayed\n" in out
    )


def test_anchors_and_keys(
    capsys: pytest.CaptureFixture[str], clean: str, tmp_path: Path
) -> None:
    heads = tmp_path / "heads.json"
    header = Log.golden("timer").header
    heads.write_text(json.dumps(header))
    key = tmp_path / "key.pem"
    public = Ed25519PrivateKey.generate().public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    code, out, _ = run(capsys, clean, "--anchors", str(heads))
    assert code == 0
    assert "  whole: the anchor at event 8, its last is not signed\n" in out
    code, _, _ = run(capsys, clean, "--trust", str(key))
    assert code == 0
    # With anchors, a trusted key must have signed the last event.
    code, _, _ = run(capsys, clean, "--anchors", str(heads), "--trust", str(key))
    assert code == 1


def test_a_log_of_a_newer_program(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = Log.golden("timer")
    log.events[3]["type"] = "node_melted"
    code, out, err = run(capsys, written(tmp_path, "newer.ndjson", log), "--json")
    assert code == 2
    assert '"verdict": "newer"' in out
    assert "use a newer Refrain" in err


def test_a_log_that_cannot_be_audited_does_not_keep_the_others_from_it(
    capsys: pytest.CaptureFixture[str], clean: str, tmp_path: Path
) -> None:
    log = Log.golden("timer")
    log.header["guest_digest"] = log.events[0]["guest_digest"] = "1" * 64
    unknown = written(tmp_path, "unknown.ndjson", log.chain())
    code, out, err = run(capsys, unknown, clean, "--json")
    document = json.loads(out)
    assert code == 2
    assert [it["verdict"] for it in document["executions"]] == ["clean"]
    (failed,) = document["failed"]
    assert (failed["execution_id"], failed["error"]["code"]) == (unknown, "not_audited")
    assert f"error: cannot audit {unknown}: " in err
    assert "error: 1 of 2 executions could not be audited\n" in err
    code, out, _ = run(capsys, unknown, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "not_audited")


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        ([], "usage", "the following arguments are required"),
        (["no.ndjson"], "log_unreadable", "cannot read the log no.ndjson: No such file"),
        (["LOG", "--guest", "no.wasm"], "component_unreadable", "no.wasm"),
        (["LOG", "--guest", "LOG"], "invalid_component", "is not a scheduler component"),
        (["LOG", "--guest", "FEW"], "invalid_component", "built for version 0.1.0-few"),
        (["LOG", "--anchors", "no"], "anchors_unreadable", "cannot read the anchors"),
        (["LOG", "--anchors", "KEY"], "invalid_anchors", "it holds no heads"),
        (["LOG", "--trust", "no"], "key_unreadable", "cannot read the key"),
        (["LOG", "--trust", "LOG"], "invalid_key", "it holds no key in PEM form"),
        (["LOG", "--trust", "LONG"], "key_unreadable", "longer than 65536 bytes"),
        (["LOG", "--anchors", "MARKED"], "anchors_unreadable", "a byte order mark"),
        (["LOG", "-"], "usage", "stdin holds one log"),
        (["-", "--anchors", "-"], "usage", "stdin is named twice"),
        ([""], "usage", "a log has no name"),
        (["LOG", "--colour"], "usage", "unrecognized arguments: --colour"),
    ],
)
def test_what_cannot_be_done_is_said(
    capsys: pytest.CaptureFixture[str],
    clean: str,
    tmp_path: Path,
    arguments: list[str],
    code: str,
    said: str,
) -> None:
    key = tmp_path / "key"
    key.write_text("no heads")
    long = tmp_path / "long"
    long.write_text("x" * 65_537)
    marked = tmp_path / "marked"
    marked.write_text("\ufeff{}", encoding="utf-8")
    files = {"LOG": clean, "KEY": str(key), "LONG": str(long), "MARKED": str(marked)}
    files["FEW"] = str(ROOT / "tests/guests/few.wasm")
    given = [files.get(it, it) for it in arguments]
    exit_code, out, err = run(capsys, *given, "--json")
    assert exit_code == 2
    assert said in err and err.startswith("error: ")
    assert json.loads(out)["error"]["code"] == code


def test_it_runs_as_a_module_and_reads_stdin(clean: str) -> None:
    command = [sys.executable, "-m", "refrain", "audit", "-"]
    done = subprocess.run(
        command, input=Path(clean).read_bytes(), capture_output=True, check=True
    )
    assert b"  clean  8 events, 5 decisions replayed" in done.stdout


def test_a_log_that_is_cut_is_the_same_from_stdin() -> None:
    cut = Log.golden("timer").bytes()[:-9]
    assert refrain.audit(io.BytesIO(cut)) == refrain.audit(cut)


def typed(log: str, redirected: str) -> tuple[int, str]:
    """What the program answers whose output goes where a shell sends it."""
    command = f'"$0" -m refrain audit "$1" {redirected}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, log], stderr=subprocess.PIPE, text=True
    )
    return done.returncode, done.stderr


def test_whoever_hears_no_more_leaves_the_verdict_as_it_is(clean: str, forged: str) -> None:
    assert typed(clean, '| true; exit "${PIPESTATUS[0]}"') == (0, "")
    assert typed(forged, '| true; exit "${PIPESTATUS[0]}"') == (1, "")
    assert typed(clean, ">&-") == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk is full here")
def test_an_answer_that_cannot_be_written_is_an_error(clean: str) -> None:
    said = "error: cannot write to stdout: No space left on device\n"
    assert typed(clean, "--json > /dev/full") == (2, said)
