"""Audit the logs of Refrain's executions, and travel through them.

A log is audited by the very scheduler component that decided it: wherever the log has a
decision, the component must come to the same again.

    import refrain

    audit = refrain.audit("log.ndjson")
    print(audit.verdict, audit.divergence)

    travel = refrain.Travel("log.ndjson")
    if travel.previous("failure"):
        print(travel.sequence, travel.state())
"""

from __future__ import annotations

from collections.abc import Iterable

from .auditing.anchors import AnchorFault, Anchors
from .auditing.auditor import Auditor
from .auditing.divergence import Difference, Divergence
from .auditing.verdict import AnchorCheck, Audit, AuditError, Link, SignatureCheck
from .component.guest import ComponentFault, load
from .log.event import Event
from .log.export import Source, UnreadableLog, read_log
from .signing import KeyFault, public_key
from .travel.cursor import NextStep, QueuedItem, Travel, TravelError

__all__ = [
    "AnchorCheck",
    "AnchorFault",
    "Anchors",
    "Audit",
    "AuditError",
    "Auditor",
    "ComponentFault",
    "Difference",
    "Divergence",
    "Event",
    "KeyFault",
    "Link",
    "NextStep",
    "QueuedItem",
    "SignatureCheck",
    "Travel",
    "TravelError",
    "audit",
    "public_key",
]


def audit(
    log: Source,
    *,
    guest: bytes | None = None,
    components: Iterable[bytes] = (),
    anchors: Anchors | None = None,
    trusted: Iterable[str] = (),
    origins: Iterable[Source] = (),
) -> Audit:
    """Audits an exported log: its path, its bytes, or its lines.

    - `guest`: a scheduler component to ask instead of those that the log names.
    - `components`: scheduler components that the log names and does not bring. The one
      that this package holds is always at hand.
    - `anchors`: heads that were noted elsewhere.
    - `trusted`: public keys whose word is trusted, in 64 hexadecimal digits as `public_key`
      reads them from a file.
    - `origins`: exported logs of the execution that a fork was forked from, of a child's
      parent, or of children.

    A fault of the log is the answer, not an error. Raises `AuditError` if the audit cannot
    be done, `ComponentFault` if a component is no scheduler, and `OSError` if a file cannot
    be read.
    """
    others = []
    for origin in origins:
        try:
            others.append(read_log(origin))
        except UnreadableLog:
            # It is an answer of its own audit; here nothing can be compared with it.
            continue
    auditor = Auditor(
        guest=None if guest is None else load(guest),
        components=map(load, components),
        anchors=anchors,
        trusted=trusted,
        origins=others,
    )
    return auditor.audit(log)
