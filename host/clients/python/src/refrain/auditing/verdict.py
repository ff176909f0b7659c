"""The answer of an audit: a verdict, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .. import times
from ..log.attestation import Attestation
from .divergence import Divergence
from .missing import Missing

#: The conclusion about one log.
#:
#: - `clean`: it is whole and legal, and its guest decides the same.
#: - `erased`: it is erased; its chain is whole, and what is left of it is legal. No guest
#:   can be asked any more: `Audit.signature` says who vouches for what its attestation
#:   says.
#: - `divergent`: the guest decides something else.
#: - `tampered`: an event was edited, removed, inserted or moved.
#: - `illegal`: an event may not stand where it stands.
#: - `unreadable`: it does not decode.
#: - `newer`: it has something that this program does not know, so that nothing is said.
Verdict = Literal["clean", "erased", "divergent", "tampered", "illegal", "unreadable", "newer"]

#: Who vouches for an attestation or an anchor.
#:
#: `unsigned` proves nothing. `untrusted`: it is signed with a key that nobody named as
#: trusted. `trusted`: with one that was named. `not_checked`: in a way that cannot be
#: checked here. `bad`: its key has not signed this.
SignatureResult = Literal["unsigned", "untrusted", "trusted", "not_checked", "bad"]

#: Whether two logs were compared, and whether they agree. `cut`: they agree in what is
#: there, and one of them ends before an event that the other one names.
LinkState = Literal[
    "linked", "partly_compared", "cut", "broken", "origin_missing", "origin_unsound"
]

_GOOD = frozenset({"clean", "erased"})


class AuditError(Exception):
    """An audit could not be done: its guest is not at hand, or does not run."""


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Who vouches for an attestation or an anchor."""

    result: SignatureResult
    #: The fingerprint of the key that is said to have signed it.
    key: str | None = None
    #: The algorithm, where the signature was not checked.
    algorithm: str | None = None

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"result": self.result}
        if self.key is not None:
            shown["key"] = self.key
        if self.algorithm is not None:
            shown["algorithm"] = self.algorithm
        return shown


@dataclass(frozen=True, slots=True)
class AnchorCheck:
    """What an anchor says of a log (law 4): that it was whole up to an event."""

    #: Where the anchor stands.
    place: str
    #: The event whose hash it names.
    sequence: int
    #: When it was noted. `None` where the document does not say.
    at: int | None
    #: Whether that is the log's last event.
    complete: bool
    signature: SignatureCheck

    def show(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "sequence": self.sequence,
            "at": None if self.at is None else times.written(self.at),
            "complete": self.complete,
            "signature": self.signature.show(),
        }


@dataclass(frozen=True, slots=True)
class Link:
    """The link of a fork with its origin, or of a child with its parent (law 11)."""

    #: The execution that it was forked from, or that asked for it.
    execution_id: str
    #: The last event that both have in common; of a parent, the event that asks for it.
    sequence: int
    link: LinkState

    def show(self) -> dict[str, Any]:
        return {
            "execution_id": self.execution_id,
            "sequence": self.sequence,
            "link": self.link,
        }


@dataclass(slots=True)
class Audit:
    """The audit of one log."""

    #: The execution. `None` if even that cannot be read.
    execution_id: str | None
    verdict: Verdict = "clean"
    #: The number of events, as far as they can be read.
    events: int = 0
    #: The hash of the last of them. `None` if there is none.
    head: str | None = None
    #: The number of decisions that were asked for again and came out the same.
    decisions: int = 0
    #: Whether the log ends where a turn's budget cut its guest off. Nothing is wrong with
    #: that.
    owed_a_step: bool = False
    #: For a fork: its link with its origin.
    forked_from: Link | None = None
    #: For a child: its link with its parent.
    child_of: Link | None = None
    #: The events that other logs at hand name of this one, or this one of them, and that
    #: are not there: what they say was not compared.
    missing: list[Missing] = field(default_factory=list)
    #: That the log was erased, and what its audit said before.
    erased: Attestation | None = None
    #: Who vouches for that.
    signature: SignatureCheck | None = None
    #: What the anchors say of it. `None` if none is of this execution.
    anchor: AnchorCheck | None = None
    #: The first fault. `None` if there is none.
    divergence: Divergence | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong with the log."""
        return self.verdict in _GOOD

    @property
    def sequence(self) -> int | None:
        """The event of the first fault. `None` if there is none."""
        return None if self.divergence is None else self.divergence.sequence

    @property
    def is_signed_and_complete(self) -> bool:
        """Whether nothing is wrong with the log, and a key that was named as trusted has
        signed its last event."""
        anchor = self.anchor
        if anchor is None or not anchor.complete:
            return False
        return self.is_good and anchor.signature.result == "trusted"

    def show(self) -> dict[str, Any]:
        """The audit as a value of JSON."""
        shown: dict[str, Any] = {
            "execution_id": self.execution_id,
            "verdict": self.verdict,
            "events": self.events,
            "head": self.head,
            "decisions": self.decisions,
        }
        if self.owed_a_step:
            shown["owed_a_step"] = True
        for name in ("forked_from", "child_of", "missing", "erased", "signature", "anchor"):
            value = getattr(self, name)
            if name == "missing" and value:
                shown[name] = [it.show() for it in value]
            elif name != "missing" and value is not None:
                shown[name] = value.show()
        shown["divergence"] = None if self.divergence is None else self.divergence.show()
        return shown
