"""Public keys of Ed25519, and the signatures of attestations and anchors.

Checking a signature needs the package `cryptography`. Where it is not installed, a
signature is not checked: it counts neither as good nor as bad.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

#: The only algorithm that is known here.
ALGORITHM = "ed25519"

#: What stands before a key's 32 bytes in DER: a SubjectPublicKeyInfo of RFC 8410.
_BEFORE = bytes.fromhex("302a300506032b6570032100")
_ED25519 = bytes.fromhex("06032b6570")
_BEGIN = re.compile(r"-----BEGIN (.*)-----")
_LABEL = "PUBLIC KEY"
_REMEDY = (
    "`openssl pkey -in KEYFILE -pubout -out PUBLICKEY.pem` writes the public key of a"
    " private one"
)


class KeyFault(Exception):
    """A text holds no key that can be used."""


def public_key(pem: str) -> str:
    """The key of a PEM file, as `openssl pkey -pubout` writes it: 64 hexadecimal digits.

    Raises `KeyFault` if the text is anything else.
    """
    lines = [line.strip() for line in pem.splitlines()]
    labels = [found[1] for found in map(_BEGIN.fullmatch, lines) if found]
    if not labels:
        raise KeyFault(
            f"it holds no key in PEM form: no line says `-----BEGIN {_LABEL}-----`; {_REMEDY}"
        )
    if len(labels) > 1:
        raise KeyFault(
            f"it holds {len(labels)} PEM blocks, and a key file holds one key; put each key"
            " into a file of its own"
        )
    if labels[0] != _LABEL:
        raise KeyFault(
            f"it holds a PEM block labelled `{labels[0]}`, where `{_LABEL}` is needed;"
            f" {_REMEDY}"
        )
    end = f"-----END {_LABEL}-----"
    if end not in lines:
        raise KeyFault(f"its PEM block is damaged: no line says `{end}`")
    body = "".join(lines[lines.index(f"-----BEGIN {_LABEL}-----") + 1 : lines.index(end)])
    try:
        der = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise KeyFault(f"its PEM block is damaged: it is no base64: {error}") from None
    if der.startswith(_BEFORE) and len(der) == len(_BEFORE) + 32:
        return der[len(_BEFORE) :].hex()
    if _ED25519 in der:
        raise KeyFault(
            "its block is no SubjectPublicKeyInfo of an Ed25519 key; it may be damaged"
        )
    raise KeyFault("its key is not one of Ed25519, which is the only algorithm here")


def fingerprint(key: str) -> str:
    """`sha256:` and the SHA-256 of the key in DER."""
    return f"sha256:{sha256(_BEFORE + bytes.fromhex(key)).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, with the public key that is said to have made it, both in hexadecimal
    digits."""

    key: str
    value: str

    def holds(self, message: bytes) -> bool | None:
        """Whether the key has signed this. `None` if that cannot be checked here."""
        module = _ed25519()
        if module is None:
            return None
        try:
            key = module.Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.value), message)
        except (_invalid_signature(), ValueError):
            return False
        return True


@cache
def _ed25519() -> Any:
    try:
        return importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    except ImportError:
        return None


@cache
def _invalid_signature() -> type[Exception]:
    exceptions = importlib.import_module("cryptography.exceptions")
    found: type[Exception] = exceptions.InvalidSignature
    return found
