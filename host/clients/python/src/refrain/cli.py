"""The command line: `python -m refrain audit LOG.ndjson…`.

It answers as `refrain audit --file LOG.ndjson…` does. Exit codes: 0 if all logs are clean
or erased; 1 if one is not, or nobody who is trusted vouches for what is attested of it;
2 if one could not be audited, or is newer than this program.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

from . import given, json_text
from .auditing.auditor import Auditor
from .auditing.verdict import Audit, AuditError
from .component.guest import Guest
from .given import CommandError
from .log.export import Recording, UnreadableLog
from .report import report
from .words import counted, escaped, escaped_json

_GOOD, _BAD, _UNDONE = 0, 1, 2

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
        raise CommandError("usage", message)


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says. Answers its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(_parser().parse_args(words))
    except CommandError as error:
        sys.stderr.write(f"error: {escaped(str(error))}\n")
        if "--json" in words:
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
        "--with",
        dest="components",
        action="append",
        default=[],
        metavar="FILE.wasm",
        help="a scheduler component that a log names and does not hold; may be given several"
        " times. Refrain's own is at hand",
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
    _refuse_stdin_twice(arguments)
    guest = given.guest(arguments.guest) if arguments.guest else None
    anchors = given.anchors(arguments.anchors) if arguments.anchors else None
    trusted = [given.key(path) for path in arguments.trust]
    components = [given.guest(path) for path in arguments.components]
    question = _Question(arguments, anchors is not None, guest)
    paths = [log for path in arguments.logs for log in given.logs(path)]
    if len(paths) > 1 and given.STDIN in paths:
        raise CommandError("usage", "stdin holds one log; write it to a file to audit several")
    logs = [_log(path) for path in paths]
    auditor = Auditor(
        guest=guest,
        anchors=anchors,
        trusted=trusted,
        origins=[it for it in logs if isinstance(it, Recording)] if len(paths) > 1 else [],
        components=components,
    )
    found = _Found(len(paths) == 1)
    for path, log in zip(paths, logs, strict=True):
        if isinstance(log, CommandError):
            found.fail(path, log)
            continue
        try:
            found.audits.append((path, auditor.audit(log)))
        except AuditError as error:
            found.fail(path, CommandError("not_audited", f"cannot audit {path}: {error}"))
    _show(question, found)
    audits = [audit for _, audit in found.audits]
    if found.failed:
        return _undone(f"{len(found.failed)} of {len(paths)} executions could not be audited")
    newer = sum(audit.verdict == "newer" for audit in audits)
    if newer:
        return _undone(
            f"{newer} of {len(audits)} executions are of a newer program than this one, or hold"
            " events of one, and nothing is said of them; use a newer Refrain"
        )
    return _GOOD if all(map(question.is_good, audits)) else _BAD


@dataclass
class _Found:
    """What came of the logs, by their paths. One that cannot be audited does not keep the
    others from it; an error of the only one is the command's."""

    is_alone: bool
    audits: list[tuple[str, Audit]] = field(default_factory=list)
    failed: list[tuple[str, CommandError]] = field(default_factory=list)

    def fail(self, path: str, error: CommandError) -> None:
        if self.is_alone:
            raise error
        sys.stderr.write(f"error: {escaped(str(error))}\n")
        self.failed.append((path, error))


def _log(path: str) -> Recording | UnreadableLog | CommandError:
    """The log in a file, or why that cannot be read."""
    try:
        return given.log(path)
    except CommandError as error:
        return error


def _refuse_stdin_twice(arguments: argparse.Namespace) -> None:
    named = [arguments.guest, arguments.anchors]
    named += arguments.logs + arguments.components + arguments.trust
    if named.count(given.STDIN) > 1:
        raise CommandError(
            "usage", "stdin is named twice, and can be read once; write it to a file"
        )


def _undone(problem: str) -> int:
    """What was found is said already; of some logs nothing can be."""
    sys.stderr.write(f"error: {escaped(problem)}\n")
    return _UNDONE


# ---- what is answered ------------------------------------------------------------------


def _show(question: _Question, found: _Found) -> None:
    summary = _summary([audit for _, audit in found.audits])
    failed = [
        {
            "execution_id": path,
            "error": {"code": error.code, "message": str(error), "remedy": None},
        }
        for path, error in found.failed
    ]
    if not question.arguments.json:
        for path, audit in found.audits:
            _print(report(audit, None if found.is_alone else path))
        if question.guest is not None:
            _print(f"{_summed_up(summary)}\n")
        return
    executions = [(audit, {"file": path, **audit.show()}) for path, audit in found.audits]
    if question.guest is None:
        shown = [it for _, it in executions]
        _print(_document({"executions": shown, "failed": failed}))
    else:
        document = {
            "mode": "exact",
            "guest": question.guest.digest,
            "summary": summary,
            "executions": [{"outcome": _outcome_word(of), **it} for of, it in executions],
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
    """What another guest would have decided, in a line."""
    diverge = summary["diverge"]
    said = {
        0: "no decision would be another",
        1: "1 log would be decided otherwise",
    }.get(diverge, f"{diverge} logs would be decided otherwise")
    logs = sum(summary[it] for it in ("same", "diverge", "unsound", "erased", "newer"))
    rest = (
        ("unsound", "not sound, whoever is asked"),
        ("erased", "erased, so that no scheduler can be asked"),
        ("newer", "of a newer program"),
    )
    line = (
        f"exact: {said}, {summary['same']} the same; {counted(logs, 'log')} with"
        f" {counted(summary['events'], 'event')} replayed"
    )
    return "; ".join([line, *(f"{summary[it]} {what}" for it, what in rest if summary[it])])


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
            raise CommandError("output_failed", message) from None
