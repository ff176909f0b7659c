"""The entrance of the audit: it takes logs and answers verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from ..component.guest import Guest
from ..log.export import Recording, Source, UnreadableLog, read_log
from . import child_links, fork_link, integrity, rule
from .anchors import Anchors, checked
from .divergence import Divergence
from .family import Asked, ChildLog, Contradiction, Family, compare, read_child, read_family
from .guests import Guests
from .integrity import Finding
from .missing import Missing
from .verdict import Audit, AuditError, Link, LinkState
from .walk import Walk

_ADVISED_LAW = {"divergent": 2, "illegal": 2}


class Auditor:
    """Audits logs with the guests they name, or with another.

    - `guest`: ask this one, whatever guests the logs name.
    - `anchors`: heads that were noted elsewhere, with which logs are compared.
    - `trusted`: public keys (64 hexadecimal digits) whose word is trusted.
    - `origins`: logs with which forks, children and parents are compared (law 11).
    - `components`: further scheduler components that logs may name.
    """

    def __init__(
        self,
        *,
        guest: Guest | None = None,
        anchors: Anchors | None = None,
        trusted: Iterable[str] = (),
        origins: Iterable[Recording] = (),
        components: Iterable[Guest] = (),
    ) -> None:
        self._other = None if guest is None else guest.digest
        self._anchors = anchors or Anchors()
        self._trusted = frozenset(trusted)
        origins = list(origins)
        self._origins = {it.execution_id: it for it in origins}
        self._families: dict[str, tuple[Recording, Family | None]] = {}
        self._guests = Guests()
        #: What any of the logs brings, for all of them.
        self._brought = {
            digest: component
            for origin in origins
            for digest, component in origin.components.items()
        }
        for component in (*components, *([] if guest is None else [guest])):
            self._guests.add(component)

    def audit(self, log: Source | Recording | UnreadableLog) -> Audit:
        """Audits a log. A fault of the log is the answer, not an error.

        Raises `AuditError` if the audit itself cannot be done, and `OSError` if the log
        cannot be read at all.
        """
        if not isinstance(log, (Recording, UnreadableLog)):
            try:
                log = read_log(log)
            except UnreadableLog as error:
                log = error
        if isinstance(log, UnreadableLog):
            return self._unreadable(log)
        audit = Audit(
            log.execution_id,
            events=len(log.events),
            head=log.events[-1].hash if log.events else None,
        )
        attestation = log.attestation
        if attestation is not None:
            audit.erased = attestation
            signature = attestation.signature
            signed = attestation.signed_bytes(log.execution_id)
            holds = None if signature is None else signature.holds(signed)
            audit.signature = checked(signature, holds, self._trusted)
        audit.anchor = self._anchors.told_of(log, self._trusted)
        try:
            self._judge(log, audit)
        except Finding as finding:
            self._conclude(audit, finding)
        return audit

    def _unreadable(self, error: UnreadableLog) -> Audit:
        audit = Audit(None)
        verdict = integrity.VERDICT_OF_CAUSE[error.cause]
        self._conclude(audit, Finding(verdict, Divergence(0, error.message)))
        return audit

    def _conclude(self, audit: Audit, finding: Finding) -> None:
        """Takes what was found, with the rule that it is about and what to do next."""
        audit.verdict, audit.divergence = finding.verdict, finding.divergence
        found = finding.divergence
        found.advice = "compare_copies"
        if finding.verdict == "newer":
            found.advice = "use_newer"
        else:
            found.rule = found.rule or rule.law(_ADVISED_LAW.get(finding.verdict, 4))
        # Where another guest was asked, a divergence is nothing bad.
        if finding.verdict == "divergent" and self._other is not None:
            found.advice = "keep_guest"

    def _judge(self, log: Recording, audit: Audit) -> None:
        integrity.check(log)
        self._anchors.check(log)
        child_links.check(log)
        self._check_link(log, audit)
        asked: Asked = "unknown"
        inputs: dict[int, str] = {}
        if log.is_erased:
            audit.verdict = "erased"
            if audit.signature is not None and audit.signature.result == "bad":
                message = (
                    "the attestation in the header, line 1, is not what the key"
                    f" {audit.signature.key} has signed for this execution: it was changed, or"
                    " it is that of another execution, or its signature was changed"
                )
                raise Finding("tampered", Divergence(0, message))
        else:
            inputs = self._replay(log, audit)
            asked = "agrees"
        audit.missing += self._check_children(log, asked, inputs)

    # ---- the guest ---------------------------------------------------------------------

    def _replay(self, log: Recording, audit: Audit) -> dict[int, str]:
        """Replays the log. A fault that was found by an instance which has played other
        logs must be found by a fresh one, too. Answers the inputs that the guest ordered
        for children."""
        walk = self._walk(log, may_be_reused=True)
        try:
            return self._walked(walk, audit)
        except Finding:
            if not walk.is_reused:
                raise
        return self._walked(self._walk(log, may_be_reused=False), audit)

    def _walk(self, log: Recording, may_be_reused: bool) -> Walk:
        if self._other is None:
            for digest, component in {**self._brought, **log.components}.items():
                self._guests.add_bytes(digest, component)
        return Walk(self._guests, self._other, log, may_be_reused)

    @staticmethod
    def _walked(walk: Walk, audit: Audit) -> dict[int, str]:
        try:
            walk.replay_all()
        finally:
            audit.decisions = walk.decisions
            audit.owed_a_step = walk.is_owed_a_step
        walk.over()
        return walk.inputs

    # ---- other logs --------------------------------------------------------------------

    def _check_link(self, log: Recording, audit: Audit) -> None:
        """Compares a fork with its origin, and a child with its parent."""
        parent = child_links.parent_of(log)
        if parent is not None:
            state, found = self._check_child(log, parent["execution_id"])
            audit.child_of = Link(parent["execution_id"], parent["sequence"], state)
            self._take(found, audit)
            return
        origin = fork_link.origin_of(log)
        if origin is not None:
            of_origin = self._origins.get(origin["execution_id"])
            audit.forked_from, found = fork_link.check(log, origin, of_origin)
            self._take(found, audit)

    @staticmethod
    def _take(found: Finding | Missing | None, audit: Audit) -> None:
        if isinstance(found, Finding):
            raise found
        if found is not None:
            audit.missing.append(found)

    def _check_child(
        self, log: Recording, parent: str
    ) -> tuple[LinkState, Finding | Missing | None]:
        origin = self._origins.get(parent)
        if origin is None:
            return "origin_missing", None
        family, child = self._family(origin), read_child(log)
        if family is None or child is None:
            return "origin_unsound", None
        try:
            missing = compare(family, child)
        except Contradiction as found:
            return "broken", self._finding(found, found.of_child())
        if family.asked == "diverges":
            return "origin_unsound", missing
        if missing is not None:
            return "cut", missing
        is_whole = family.asked == "agrees" and not child.is_erased
        return ("linked" if is_whole else "partly_compared"), None

    def _family(self, parent: Recording) -> Family | None:
        """What a parent's log and its guest say of its children; asked once. `None` if
        the log is not whole in itself."""
        known = self._families.get(parent.execution_id)
        if known is not None and known[0] is parent:
            return known[1]
        try:
            integrity.check(parent)
            family = read_family(parent, *self._asked(parent))
        except Finding:
            family = None
        self._families[parent.execution_id] = parent, family
        return family

    def _asked(self, parent: Recording) -> tuple[Asked, dict[int, str]]:
        """What the guest of a log orders for its children."""
        if parent.is_erased:
            return "unknown", {}
        try:
            walk = self._walk(parent, may_be_reused=False)
            walk.replay_events()
        except Finding:
            return "diverges", {}
        except AuditError:
            return "unknown", {}
        return "agrees", walk.inputs

    def _check_children(
        self, log: Recording, asked: Asked, inputs: dict[int, str]
    ) -> list[Missing]:
        """Compares a log, which its guest decides again, with those of its children.
        Answers what is missing of them."""
        family = read_family(log, asked, inputs) if self._origins else None
        if family is None:
            return []
        missing = []
        for child_id in family.children:
            origin = self._origins.get(child_id)
            child = None if origin is None else _sound_child(origin)
            if child is None:
                continue
            try:
                missing.append(compare(family, child))
            except Contradiction as found:
                raise self._finding(found, found.of_parent()) from None
        return [it for it in missing if it is not None]

    def _finding(self, found: Contradiction, divergence: Divergence) -> Finding:
        """Another guest that orders something else does not show that anything was
        changed."""
        is_other = found.is_of_guest and self._other is not None
        return Finding("divergent" if is_other else "tampered", divergence)


def _sound_child(log: Recording) -> ChildLog | None:
    """What a child's log says, if nothing is wrong with it in itself: its own audit says
    what is."""
    try:
        integrity.check(log)
    except Finding:
        return None
    return read_child(log)
