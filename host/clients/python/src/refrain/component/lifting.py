"""Values of a guest are read: from the bytes in which wasmtime has them, into plain values
of Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .capi import (
    ANSWER,
    ENTRY_BYTES,
    ENTRY_VALUE,
    OF,
    PAYLOAD,
    SIZED,
    U32,
    VALUE_BYTES,
    WORD,
    string_at,
)

#: Reads the value that stands in these bytes at this place.
Lift = Callable[[bytes, int], Any]


def _lift_bool(block: bytes, place: int) -> bool:
    return block[place + OF] != 0


def _lift_u8(block: bytes, place: int) -> int:
    return block[place + OF]


def _lift_u32(block: bytes, place: int) -> int:
    number: int = U32.unpack_from(block, place + OF)[0]
    return number


def _lift_u64(block: bytes, place: int) -> int:
    number: int = WORD.unpack_from(block, place + OF)[0]
    return number


def _lift_string(block: bytes, place: int) -> str:
    size, address = SIZED.unpack_from(block, place + OF)
    return string_at(address, size).decode() if size else ""


SCALARS: dict[str, Lift] = {
    "bool": _lift_bool,
    "u8": _lift_u8,
    "u32": _lift_u32,
    "u64": _lift_u64,
    "string": _lift_string,
}


def list_of(element: Lift) -> Lift:
    is_bytes = element is _lift_u8

    def lift(block: bytes, place: int) -> Any:
        count, address = SIZED.unpack_from(block, place + OF)
        if not count:
            return b"" if is_bytes else []
        inner = string_at(address, count * VALUE_BYTES)
        if is_bytes:
            return inner[OF::VALUE_BYTES]
        return [element(inner, at) for at in range(0, len(inner), VALUE_BYTES)]

    return lift


def record(fields: list[tuple[str, Lift]]) -> Lift:
    size = ENTRY_BYTES * len(fields)
    placed = [
        (name, lift, index * ENTRY_BYTES + ENTRY_VALUE)
        for index, (name, lift) in enumerate(fields)
    ]

    def lift(block: bytes, place: int) -> dict[str, Any]:
        address = WORD.unpack_from(block, place + OF + 8)[0]
        inner = string_at(address, size)
        return {name: field(inner, at) for name, field, at in placed}

    return lift


def variant(cases: dict[bytes, tuple[str, Lift | None]]) -> Lift:
    def lift(block: bytes, place: int) -> tuple[str, Any]:
        size, address = SIZED.unpack_from(block, place + OF)
        name, payload = cases[string_at(address, size)]
        if payload is None:
            return name, None
        at = WORD.unpack_from(block, place + OF + PAYLOAD)[0]
        return name, payload(string_at(at, VALUE_BYTES), 0)

    return lift


def enum(names: dict[bytes, str]) -> Lift:
    def lift(block: bytes, place: int) -> str:
        size, address = SIZED.unpack_from(block, place + OF)
        return names[string_at(address, size)]

    return lift


def option(payload: Lift) -> Lift:
    def lift(block: bytes, place: int) -> Any:
        at = WORD.unpack_from(block, place + OF)[0]
        return payload(string_at(at, VALUE_BYTES), 0) if at else None

    return lift


def result(ok: Lift | None, err: Lift | None) -> Lift:
    def lift(block: bytes, place: int) -> tuple[bool, Any]:
        is_ok = block[place + OF] != 0
        payload = ok if is_ok else err
        at = WORD.unpack_from(block, place + OF + ANSWER)[0]
        if payload is None or not at:
            return is_ok, None
        return is_ok, payload(string_at(at, VALUE_BYTES), 0)

    return lift
