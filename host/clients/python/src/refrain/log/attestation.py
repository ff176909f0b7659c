"""What is left of an erased log's audit: an attestation; and how documents are signed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .. import times
from ..signing import ALGORITHM, Signature
from .event import FORMAT, Head
from .fields import Part, put_text
from .line import Line

_SIGNED = "refrain-attestation/1"
_SIGNATURE = re.compile(r"[0-9a-f]{128}")

#: The verdicts about a log that may be erased.
_VERDICTS = ("clean", "divergent", "illegal")


@dataclass(frozen=True, slots=True)
class Attestation:
    """That a log was erased, by whom, and what its audit said before."""

    at: int
    verdict: str
    guest_digest: str
    head: Head
    by: str
    signature: Signature | None

    def signed_bytes(self, execution_id: str) -> bytes:
        """What is signed of it, for this execution."""
        signed: Part = bytearray()
        put_text(_SIGNED, signed)
        put_text(FORMAT, signed)
        put_text(execution_id, signed)
        signed += self.at.to_bytes(8, "little")
        put_text(self.verdict, signed)
        signed += bytes.fromhex(self.guest_digest)
        signed += self.head.sequence.to_bytes(8, "little")
        signed += bytes.fromhex(self.head.hash)
        put_text(self.by, signed)
        return bytes(signed)

    def show(self) -> dict[str, Any]:
        """The attestation as a value of JSON, as it stands in an export's header."""
        at = times.written(self.at)
        shown: dict[str, Any] = {
            "at": self.at if at is None else at,
            "verdict": self.verdict,
            "guest_digest": self.guest_digest,
            "events": self.head.sequence,
            "head": self.head.hash,
            "by": self.by,
        }
        if self.signature is not None:
            shown["signature"] = {
                "algorithm": ALGORITHM,
                "key": self.signature.key,
                "bytes": self.signature.value,
            }
        return shown


def read_attestation(line: Line) -> Attestation:
    """The attestation that an object of a header is."""
    at = line.time("at")
    verdict = line.choice("verdict", _VERDICTS)
    guest_digest = line.digest("guest_digest")
    sequence = line.number("events", 2**64 - 1)
    head = Head(sequence, line.digest("head"))
    by = line.text("by")
    signature = None
    if line.present("signature"):
        inner = line.record("signature")
        inner.choice("algorithm", (ALGORITHM,))
        signature = read_ed25519(inner)
        inner.end()
    line.end()
    return Attestation(at, verdict, guest_digest, head, by, signature)


def read_ed25519(line: Line) -> Signature:
    """The key and the signature that stand behind the name of the algorithm."""
    key = line.digest("key")
    signature = line.text("bytes")
    if _SIGNATURE.fullmatch(signature) is None:
        raise line.error("bytes", "it should be 128 lower-case hexadecimal digits")
    return Signature(key, signature)
