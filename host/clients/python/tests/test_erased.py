"""Erased logs, and who vouches for what is attested of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from driven import Driven, chain_of
from logs import Json, Log, written

import refrain
from refrain import signing
from refrain.log.attestation import read_attestation
from refrain.log.line import Line


def ended() -> Log:
    return Driven(chain_of("a", "b")).start().complete("a").complete("b").log()


@pytest.fixture(scope="module")
def erased() -> Log:
    return ended().erase()


def found(audit: refrain.Audit) -> tuple[str, int | None]:
    return audit.verdict, audit.sequence


def test_what_is_left_of_a_log_is_whole(erased: Log) -> None:
    audit = refrain.audit(erased.bytes())
    assert found(audit) == ("erased", None)
    assert audit.decisions == 0
    assert audit.head == erased.header["head"]
    assert audit.signature == refrain.SignatureCheck("unsigned")
    assert audit.erased is not None and audit.erased.by == "ada"


def partly(log: Log) -> None:
    log.events[3] = ended().events[3]


def edits() -> list[tuple[str, Callable[[Log], object], str, int]]:
    return [
        ("no attestation", lambda it: it.header.pop("erased"), "tampered", 1),
        ("partly", partly, "tampered", 4),
        ("another head", lambda it: it.header["erased"].update(head="0" * 64), "tampered", 8),
        ("commitment", lambda it: it.events[2].update(commitment="0" * 64), "tampered", 3),
        ("a plain field", lambda it: it.events[1].update(attempt=2), "tampered", 2),
        ("an erasable field", lambda it: it.events[2].update(worker_id="w"), "unreadable", 3),
        ("no commitment", lambda it: it.events[2].pop("commitment"), "unreadable", 3),
        ("a salt besides", lambda it: it.events[2].update(salt="0" * 32), "unreadable", 3),
        ("a verdict", lambda it: it.header["erased"].update(verdict="good"), "unreadable", 0),
    ]


@pytest.mark.parametrize("what, edit, verdict, sequence", edits(), ids=lambda it: str(it)[:20])
def test_an_erased_log_that_was_changed(
    erased: Log, what: str, edit: Callable[[Log], object], verdict: str, sequence: int
) -> None:
    log = erased.copy()
    assert len(log.events) == 8
    edit(log)
    assert found(refrain.audit(log.bytes())) == (verdict, sequence), what


def test_only_what_has_ended_is_erased() -> None:
    log = Driven(chain_of("a", "b")).start().complete("a").log().erase()
    assert found(refrain.audit(log.bytes())) == ("illegal", len(log.events))


def test_an_attestation_about_a_log_that_is_not_erased() -> None:
    log = ended()
    log.header["erased"] = ended().erase().header["erased"]
    assert found(refrain.audit(log.bytes())) == ("tampered", 1)


# ---- signatures ------------------------------------------------------------------------


def key() -> tuple[Ed25519PrivateKey, str]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return private, public.hex()


def signed(log: Log) -> tuple[Log, str]:
    private, public = key()
    copy = log.copy()
    attestation: Json = copy.header["erased"]
    message = read_attestation(Line(written(attestation))).signed_bytes(
        copy.header["execution_id"]
    )
    attestation["signature"] = {
        "algorithm": "ed25519",
        "key": public,
        "bytes": private.sign(message).hex(),
    }
    return copy, public


def test_a_signed_attestation_is_worth_as_much_as_its_key(erased: Log) -> None:
    log, public = signed(erased)
    named = signing.fingerprint(public)
    untrusted = refrain.audit(log.bytes())
    assert untrusted.signature == refrain.SignatureCheck("untrusted", named)
    trusted = refrain.audit(log.bytes(), trusted=[public])
    assert trusted.signature == refrain.SignatureCheck("trusted", named)
    assert (untrusted.verdict, trusted.verdict) == ("erased", "erased")


@pytest.mark.parametrize("name, value", [("by", "eve"), ("verdict", "divergent")])
def test_a_signature_holds_for_what_was_signed(erased: Log, name: str, value: str) -> None:
    log, _ = signed(erased)
    log.header["erased"][name] = value
    audit = refrain.audit(log.bytes())
    assert found(audit) == ("tampered", 0)
    assert audit.signature is not None and audit.signature.result == "bad"


def test_without_the_package_a_signature_is_not_checked(
    erased: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "_ed25519", lambda: None)
    log, public = signed(erased)
    log.header["erased"]["by"] = "eve"
    audit = refrain.audit(log.bytes(), trusted=[public])
    assert found(audit) == ("erased", None)
    assert audit.signature == refrain.SignatureCheck("not_checked", algorithm="ed25519")


def test_public_keys_come_in_files() -> None:
    private, public = key()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = pem.decode()
    assert signing.public_key(f"sha256:…\n{text}") == public
    for broken, said in [
        ("", "no line says"),
        (text + text, "2 PEM blocks"),
        (text.replace("PUBLIC", "PRIVATE"), "labelled `PRIVATE KEY`"),
        (text.replace("END", "MID"), "no line says `-----END"),
        (text.replace("MCow", "*"), "no base64"),
        (text.replace("MCow", "MCoA"), "SubjectPublicKeyInfo"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "only algorithm"),
    ]:
        with pytest.raises(signing.KeyFault, match=said):
            signing.public_key(broken)
