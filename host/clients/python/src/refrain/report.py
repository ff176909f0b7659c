"""An audit for people: the verdict in a line, and below it what was found."""

from __future__ import annotations

from . import times
from .auditing.divergence import ADVICE, Divergence
from .auditing.verdict import AnchorCheck, Audit, Link, SignatureCheck
from .words import counted, escaped


def report(audit: Audit, file: str | None = None) -> str:
    """The audit in lines. Texts of the world are escaped in it. `file`, where the log
    stands, is named of several."""
    owed = "; owed a step: a turn ended before it had decided all" if audit.owed_a_step else ""
    place = "" if file is None else f"; in {file}"
    id_ = audit.execution_id or "(unknown execution)"
    lines = [
        f"{id_}  {audit.verdict}  {counted(audit.events, 'event')},"
        f" {counted(audit.decisions, 'decision')} replayed{owed}{place}"
    ]
    if audit.forked_from is not None:
        lines.append(_forked(audit.forked_from))
    if audit.child_of is not None:
        lines.append(_child(audit.child_of))
    lines += [f"  {missing.sentence()}: not compared" for missing in audit.missing]
    if audit.erased is not None and audit.signature is not None:
        erased = audit.erased
        lines.append(
            f"  erased by {erased.by} on {_stamp(erased.at)}, when its audit said"
            f" {erased.verdict}; what it said is gone for good. {_vouched(audit.signature)}"
        )
    if audit.anchor is not None:
        lines += _anchored(audit, audit.anchor)
    text = "".join(f"{escaped(line)}\n" for line in lines)
    return text if audit.divergence is None else text + _diverged(audit.divergence)


def _stamp(at: int) -> str:
    return times.written(at) or "after the year 9999"


def _forked(link: Link) -> str:
    events = "event 1 is" if link.sequence == 1 else f"events 1 to {link.sequence} are"
    said = {
        "linked": f"{events} the same there",
        "broken": f"{events} not the same there",
        "cut": "its log is cut, and is the same as far as it goes",
        "origin_unsound": f"its log is not sound, so {events} not compared",
    }.get(link.link, f"its log is not at hand, so {events} not compared")
    return f"  forked from {link.execution_id}: {said}"


def _child(link: Link) -> str:
    said = {
        "linked": "both logs name each other",
        "partly_compared": (
            "both logs name each other; the input that was ordered for it is not known"
        ),
        "cut": "one of both logs is cut, and they agree in what is there",
        "broken": "the logs do not agree",
        "origin_unsound": "its log is not sound, so they are not compared",
    }.get(link.link, "its log is not at hand, so they are not compared")
    return f"  child of {link.execution_id}, event {link.sequence}: {said}"


def _vouched(signature: SignatureCheck) -> str:
    return {
        "unsigned": "It is not signed, so by itself it proves nothing",
        "untrusted": (
            f"That is signed with the key {signature.key}, which --trust does not name,"
            " so it proves only that the holder of this key says so"
        ),
        "trusted": f"That is signed with the trusted key {signature.key}",
        "bad": f"The key {signature.key} has not signed that",
        "not_checked": (
            f"Its signature ({signature.algorithm}) was not checked; install the package"
            " `cryptography` to have it checked"
        ),
    }[signature.result]


def _anchored(audit: Audit, anchor: AnchorCheck) -> list[str]:
    """What an anchor says of a log."""
    signature = anchor.signature
    if signature.result == "bad":
        return [
            f"  {anchor.place}: the key {signature.key} has not signed this anchor: it was"
            " changed, or its signature was forged"
        ]
    if not audit.is_good:
        return []
    at = "" if anchor.at is None else f" at {_stamp(anchor.at)}"
    last = ", its last" if anchor.complete else f" of {audit.events}"
    where = f"event {anchor.sequence}{last}{at}"
    if signature.result == "trusted" and anchor.complete:
        said = f"signed and complete: the trusted key {signature.key} has signed {where}"
    elif signature.result == "trusted":
        said = (
            f"signed up to there: the trusted key {signature.key} has signed {where}, and"
            " nobody has signed what came later"
        )
    elif signature.result == "untrusted":
        said = (
            f"whole: the anchor at {where} is signed with the key {signature.key},"
            " which --trust does not name"
        )
    elif signature.result == "unsigned":
        said = f"whole: the anchor at {where} is not signed"
    else:
        said = (
            f"whole: the anchor at {where} is signed with {signature.algorithm}: signature not"
            " checked"
        )
    return [f"  {said}"]


def _diverged(divergence: Divergence) -> str:
    lines = [f"{'  ' * (depth + 1)}{_lines(text)}\n" for depth, text in divergence.report()]
    return "".join([*lines, f"    next: {ADVICE[divergence.advice]}\n"])


def _lines(text: str) -> str:
    """A text that may have several lines. All but the first stand behind a mark, so that
    none of them can be taken for a line of ours."""
    return "\n    | ".join(map(escaped, text.rstrip("\r\n").split("\n")))
