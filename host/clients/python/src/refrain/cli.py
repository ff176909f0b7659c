"""The command line: `python -m refrain audit LOG.ndjson…`.

It answers as `refrain audit --file LOG.ndjson…` does. Exit codes: 0 if all logs are clean
or erased; 1 if one is not, or nobody who is trusted vouches for what is attested of it;
2 if one could not be audited, or is newer than this program.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from . import json_text
from .auditing.anchors import AnchorFault, Anchors
from .auditing.auditor import Auditor
from .auditing.verdict import Audit, AuditError
from .component.guest import ComponentFault, Guest, load
from .limits import ANCHORS_BYTES_MAX, COMPONENT_BYTES_MAX, KEY_BYTES_MAX
from .log.export import Recording, UnreadableLog, read_log
from .report import report
from .signing import KeyFault, public_key
from .words import escaped, escaped_json

_GOOD, _BAD, _UNDONE = 0, 1, 2

_STDIN = "-"

_OUTCOMES = {
    "clean": "same",
    "erased": "erased",
    "divergent": "diverge",
    "illegal": "diverge",
    "tampered": "unsound",
    "unreadable": "unsound",
    "newer": "newer",
}
_OUTCOME_WORDS = {"diverge": "diverges"}

_T = TypeVar("_T")


class _CommandError(Exception):
    """The command cannot do what was asked; `code` says why for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Question:
    """What is asked about the logs, and what came of it."""

    arguments: argparse.Namespace
    has_anchors: bool
    guest: Guest | None

    def is_good(self, audit: Audit) -> bool:
        signature, anchor = audit.signature, audit.anchor
        if not audit.is_good or (anchor is not None and anchor.signature.result == "bad"):
            return False
        if not self.arguments.trust:
            return True
        is_vouched_for = signature is None or signature.result == "trusted"
        return is_vouched_for and (not self.has_anchors or audit.is_signed_and_complete)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _CommandError("usage", message)


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says. Answers its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(_parser().parse_args(given))
    except _CommandError as error:
        sys.stderr.write(f"error: {escaped(str(error))}\n")
        if "--json" in given:
            fields = {"code": error.code, "message": str(error), "remedy": None}
            _print(_document({"error": fields}))
        return _UNDONE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m refrain", description="Audit Refrain's logs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    audit = commands.add_parser(
        "audit",
        help="replay logs, and compare every decision",
        description="Replay exported logs, and compare every decision with the log's own.",
    )
    audit.add_argument(
        "logs",
        nargs="+",
        metavar="LOG.ndjson",
        help="a log that `refrain export` wrote, or a folder of them; - is stdin. Of several,"
        " forks and children are compared with those that they come from",
    )
    audit.add_argument("--json", action="store_true", help="answer with one JSON document")
    audit.add_argument(
        "--guest",
        metavar="FILE.wasm",
        help="ask this scheduler component instead of those that the logs name",
    )
    audit.add_argument(
        "--anchors",
        metavar="FILE",
        help="heads that were noted before: a log that lost its end since is found by them",
    )
    audit.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PUBLICKEY.pem",
        help="the public key of somebody whose word is trusted; may be given several times",
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    guest = _guest(arguments.guest) if arguments.guest else None
    anchors = _anchors(arguments.anchors) if arguments.anchors else None
    trusted = [_key(path) for path in arguments.trust]
    question = _Question(arguments, anchors is not None, guest)
    logs = [log for path in arguments.logs for log in _logs(path)]
    if len(logs) > 1 and _STDIN in logs:
        raise _CommandError("usage", "stdin holds one log; write it to a file to audit several")
    read = {path: _read(path) for path in logs}
    auditor = Auditor(
        guest=guest,
        anchors=anchors,
        trusted=trusted,
        origins=[it for it in read.values() if isinstance(it, Recording)]
        if len(logs) > 1
        else [],
    )
    audits, failed = _audited(auditor, [(path, read[path]) for path in logs])
    _show(question, audits, failed)
    if failed:
        return _undone(f"{len(failed)} of {len(logs)} executions could not be audited")
    newer = sum(audit.verdict == "newer" for audit in audits)
    if newer:
        return _undone(
            f"{newer} of {len(audits)} executions are of a newer program than this one, or hold"
            " events of one, and nothing is said of them; use a newer Refrain"
        )
    return _GOOD if all(map(question.is_good, audits)) else _BAD


def _undone(problem: str) -> int:
    """What was found is said already; of some logs nothing can be."""
    sys.stderr.write(f"error: {escaped(problem)}\n")
    return _UNDONE


def _audited(
    auditor: Auditor, logs: list[tuple[str, Recording | UnreadableLog]]
) -> tuple[list[Audit], dict[str, str]]:
    """The audits, and why the others cannot be audited, by their paths. An error of the only
    one is the command's."""
    audits, failed = [], {}
    for path, log in logs:
        try:
            audits.append(auditor.audit(log))
        except AuditError as error:
            message = f"cannot audit {path}: {error}"
            if len(logs) == 1:
                raise _CommandError("not_audited", message) from None
            sys.stderr.write(f"error: {escaped(message)}\n")
            failed[path] = message
    return audits, failed


# ---- what is given ---------------------------------------------------------------------


def _opened(path: str, code: str, what: str, read: Callable[[Path], _T]) -> _T:
    try:
        return read(Path(path))
    except OSError as error:
        message = f"cannot read {what} {path}: {error.strerror or error}"
        raise _CommandError(code, message) from None
    except UnicodeDecodeError as error:
        raise _CommandError(
            code, f"cannot read {what} {path}: it is no UTF-8: {error}"
        ) from None


def _logs(path: str) -> list[str]:
    """The file, or the logs in the folder, by their names."""
    if path == "":
        raise _CommandError("usage", "a log has no name; give that of its file")
    if path == _STDIN or not Path(path).is_dir():
        return [path]

    def found_in(folder: Path) -> list[str]:
        return sorted(str(it) for it in folder.iterdir() if it.suffix == ".ndjson")

    found = _opened(path, "log_unreadable", "the folder", found_in)
    if not found:
        raise _CommandError(
            "log_unreadable",
            f"there is no log in the folder {path}: none of its files ends in .ndjson",
        )
    return found


def _read(path: str) -> Recording | UnreadableLog:
    def read(place: Path) -> Recording | UnreadableLog:
        try:
            return read_log(sys.stdin.buffer if path == _STDIN else place)
        except UnreadableLog as error:
            return error

    return _opened(path, "log_unreadable", "the log", read)


def _guest(path: str) -> Guest:
    component = _opened(
        path, "component_unreadable", "the component", _up_to(COMPONENT_BYTES_MAX)
    )
    try:
        return load(component)
    except ComponentFault as error:
        message = f"{path} is not a scheduler component: {error}"
        raise _CommandError("invalid_component", message) from None


def _up_to(bytes_max: int) -> Callable[[Path], bytes]:
    def read(path: Path) -> bytes:
        with open(path, "rb") as file:
            content = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            problem = f"it is longer than {bytes_max} bytes, which is the limit"
            raise OSError(errno.EFBIG, problem)
        return content

    return read


def _text(path: str, code: str, what: str, bytes_max: int) -> str:
    text = _opened(path, code, what, lambda place: _up_to(bytes_max)(place).decode())
    if text.startswith("\ufeff"):
        problem = "it begins with a byte order mark; save it as UTF-8 without one"
        raise _CommandError(code, f"cannot read {what} {path}: {problem}")
    return text


def _anchors(path: str) -> Anchors:
    text = _text(path, "anchors_unreadable", "the anchors", ANCHORS_BYTES_MAX)
    try:
        return Anchors.read(text, path)
    except AnchorFault as error:
        raise _CommandError(
            "invalid_anchors", f"cannot use the anchors {path}: {error}"
        ) from None


def _key(path: str) -> str:
    text = _text(path, "key_unreadable", "the key", KEY_BYTES_MAX)
    try:
        return public_key(text)
    except KeyFault as error:
        raise _CommandError("invalid_key", f"cannot use the key in {path}: {error}") from None


# ---- what is answered ------------------------------------------------------------------


def _show(question: _Question, audits: list[Audit], failures: dict[str, str]) -> None:
    summary = _summary(audits)
    failed = [
        {
            "execution_id": path,
            "error": {"code": "not_audited", "message": message, "remedy": None},
        }
        for path, message in failures.items()
    ]
    if not question.arguments.json:
        _print("".join(map(report, audits)))
        if question.guest is not None:
            _print(_summed_up(summary))
    elif question.guest is None:
        _print(_document({"executions": [it.show() for it in audits], "failed": failed}))
    else:
        executions = [{"outcome": _outcome_word(it), **it.show()} for it in audits]
        document = {
            "mode": "exact",
            "guest": question.guest.digest,
            "summary": summary,
            "executions": executions,
            "failed": failed,
        }
        _print(_document(document))


def _outcome_word(audit: Audit) -> str:
    outcome = _OUTCOMES[audit.verdict]
    return _OUTCOME_WORDS.get(outcome, outcome)


def _summary(audits: list[Audit]) -> dict[str, int]:
    """How many logs another guest would decide otherwise."""
    summary = dict.fromkeys(("same", "diverge", "unsound", "erased", "newer"), 0)
    for audit in audits:
        summary[_OUTCOMES[audit.verdict]] += 1
    summary["events"] = sum(audit.events for audit in audits)
    summary["decisions"] = sum(audit.decisions for audit in audits)
    return summary


def _summed_up(summary: dict[str, int]) -> str:
    diverge = summary["diverge"]
    said = {
        0: "exact: no decision would be another",
        1: "exact: 1 log would be decided otherwise",
    }.get(diverge, f"exact: {diverge} logs would be decided otherwise")
    return f"{said}, {summary['same']} the same; {summary['events']} events replayed\n"


def _document(value: Any) -> str:
    return f"{escaped_json(json_text.write(value, indent=2))}\n"


def _print(text: str) -> None:
    out: IO[str] = sys.stdout
    try:
        out.write(text)
        out.flush()
    except OSError as error:
        # What is left in the buffer must not fail once more when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        # `… | head` closes the pipe: that is no failure of ours, and the verdict stands.
        if not isinstance(error, BrokenPipeError):
            message = f"cannot write to stdout: {error.strerror or error}"
            raise _CommandError("output_failed", message) from None
