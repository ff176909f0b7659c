"""Heads that were noted elsewhere (law 4)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from driven import Driven, chain_of
from logs import Json, Log, written

import refrain
from refrain import times
from refrain.auditing.anchors import AnchorFault
from refrain.log.fields import put_text
from refrain.signing import fingerprint


@pytest.fixture(scope="module")
def log() -> Log:
    return Driven(chain_of("a", "b")).start().complete("a").complete("b").log()


def anchor(log: Log, sequence: int, **more: object) -> Json:
    return {
        "format": "refrain-anchor/1",
        "execution_id": log.header["execution_id"],
        "sequence": sequence,
        "head": log.events[sequence - 1]["hash"],
        "at": "2026-01-02T00:00:00.000Z",
        **more,
    }


def noted(*anchors: Json) -> refrain.Anchors:
    return refrain.Anchors.read("".join(f"{written(it)}\n" for it in anchors), "heads")


def cut(log: Log) -> Log:
    """The log without its end, and with no trace of that. What it would go on with is
    not yet decided there."""
    place = next(n for n, it in enumerate(log.events) if it["type"] == "node_started")
    return Log(log.header, log.events[: place + 1]).copy().chain()


def test_a_tail_that_was_cut_is_found_by_an_anchor(log: Log) -> None:
    short = cut(log)
    assert refrain.audit(short.bytes()).verdict == "clean"
    audit = refrain.audit(short.bytes(), anchors=noted(anchor(log, 8)))
    assert (audit.verdict, audit.sequence) == ("tampered", len(short.events) + 1)
    before = refrain.audit(short.bytes(), anchors=noted(anchor(log, 2)))
    assert before.verdict == "clean"
    assert before.anchor == refrain.AnchorCheck(
        "heads, line 1",
        2,
        times.read("2026-01-02T00:00:00.000Z"),
        False,
        refrain.SignatureCheck("unsigned"),
    )


def test_a_log_that_was_rewritten_is_found_by_an_anchor(log: Log) -> None:
    rewritten = log.copy()
    rewritten.events[2]["worker_id"] = "another"
    rewritten.chain()
    assert refrain.audit(rewritten.bytes()).verdict == "clean"
    audit = refrain.audit(rewritten.bytes(), anchors=noted(anchor(log, 8)))
    assert (audit.verdict, audit.sequence) == ("tampered", 8)


def test_anchors_of_other_logs_say_nothing(log: Log) -> None:
    other = anchor(log, 8, execution_id=f"exec_{'9' * 32}", head="0" * 64)
    audit = refrain.audit(log.bytes(), anchors=noted(other))
    assert (audit.verdict, audit.anchor) == ("clean", None)


def test_heads_are_read_from_each_of_our_documents(log: Log) -> None:
    entry = {
        "execution_id": log.header["execution_id"],
        "events": 8,
        "head": log.header["head"],
        "more": [1.50],
    }
    documents = [
        written({"executions": [entry]}),
        written(entry),
        log.bytes().decode(),
    ]
    for document in documents:
        anchors = refrain.Anchors.read(document, "heads")
        audit = refrain.audit(log.bytes(), anchors=anchors)
        assert audit.anchor is not None and audit.anchor.complete
        assert (audit.anchor.place, audit.anchor.at) == ("heads", None)


def test_what_holds_no_heads_is_refused(log: Log) -> None:
    line = written(anchor(log, 8))
    for text, said in [
        ("", "it is empty"),
        ("heads", "it is no JSON"),
        ("{}", "missing field `execution_id`"),
        ('{"executions":[{"execution_id":"exec_1","events":7,"head":"ab"}]}', "exec_1"),
        (f"{line}\n{line}", "line 2 is no anchor: it has no end"),
        (f"{line}\n{line[:50]}\n", "line 2 is no anchor: field"),
        (line[:60], "line 1 is no anchor: it has no end"),
        (f"{line}\n\n{line}\n", "line 2 is no anchor: "),
        (f"{line.replace('anchor/1', 'anchor/2')}\n", "field `format`"),
        (f"{written(anchor(log, 8) | {'sequence': 0})}\n", "it should be 1 or more"),
    ]:
        with pytest.raises(AnchorFault, match=said):
            refrain.Anchors.read(text, "heads")


def signed(log: Log, sequence: int) -> tuple[Json, str]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    made = anchor(log, sequence)
    message = bytearray()
    put_text("refrain-anchor/1", message)
    put_text(made["execution_id"], message)
    message += sequence.to_bytes(8, "little") + bytes.fromhex(made["head"])
    at = times.read(made["at"])
    assert at is not None
    message += at.to_bytes(8, "little")
    put_text(fingerprint(public), message)
    made["key_id"] = fingerprint(public)
    signature = private.sign(bytes(message)).hex()
    made["signature"] = {"algorithm": "ed25519", "key": public, "bytes": signature}
    return made, public


def test_a_log_is_signed_and_complete_if_a_trusted_key_has_signed_its_end(log: Log) -> None:
    made, public = signed(log, 8)
    unknown = refrain.audit(log.bytes(), anchors=noted(made))
    assert unknown.anchor is not None and unknown.anchor.signature.result == "untrusted"
    assert not unknown.is_signed_and_complete
    trusted = refrain.audit(log.bytes(), anchors=noted(made), trusted=[public])
    assert trusted.is_signed_and_complete
    earlier, public = signed(log, 3)
    partly = refrain.audit(log.bytes(), anchors=noted(earlier), trusted=[public])
    assert partly.anchor is not None and partly.anchor.signature.result == "trusted"
    assert not partly.is_signed_and_complete


def test_a_forged_anchor_is_told_first_and_says_nothing_of_the_log(log: Log) -> None:
    made, public = signed(log, 8)
    forged = {**made, "head": "0" * 64}
    audit = refrain.audit(log.bytes(), anchors=noted(made, forged), trusted=[public])
    assert audit.verdict == "clean"
    assert audit.anchor is not None and audit.anchor.signature.result == "bad"


def test_a_signature_of_an_unknown_algorithm_is_not_checked(log: Log) -> None:
    made, _ = signed(log, 8)
    made["key_id"] = "k1"
    made["signature"] = {"algorithm": "ml-dsa", "more": [1]}
    audit = refrain.audit(log.bytes(), anchors=noted(made))
    assert audit.anchor is not None
    assert audit.anchor.signature == refrain.SignatureCheck("not_checked", algorithm="ml-dsa")
