"""Values for a guest are written: from plain values of Python, into the bytes in which
wasmtime takes them.

What a value points to is allocated by wasmtime, and belongs to who has the value. The
buffers here are shared: only one thread may use them at a time (`guest.LOCK`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from struct import Struct
from typing import Any

from wasmtime import _ffi as ffi

from .capi import (
    ANSWER,
    OF,
    SIZED,
    U32,
    VALUE_BYTES,
    WORD,
    delete_value,
    move,
    new_bytes,
    new_list,
    new_record,
    new_value,
    string_at,
)

#: The bytes of a value, as wasmtime has it. Who makes them hands them over, or deletes
#: them.
Lower = Callable[[Any], bytes]

_BOOL: int = ffi.WASMTIME_COMPONENT_BOOL.value
_U8: int = ffi.WASMTIME_COMPONENT_U8.value
_U32: int = ffi.WASMTIME_COMPONENT_U32.value
_U64: int = ffi.WASMTIME_COMPONENT_U64.value
_STRING: int = ffi.WASMTIME_COMPONENT_STRING.value
_LIST: int = ffi.WASMTIME_COMPONENT_LIST.value
_RECORD: int = ffi.WASMTIME_COMPONENT_RECORD.value
_VARIANT: int = ffi.WASMTIME_COMPONENT_VARIANT.value
_ENUM: int = ffi.WASMTIME_COMPONENT_ENUM.value
_OPTION: int = ffi.WASMTIME_COMPONENT_OPTION.value
_RESULT: int = ffi.WASMTIME_COMPONENT_RESULT.value


class Unfit(Exception):
    """A value is none of the type that is asked for."""


class _Pair(ctypes.Structure):
    """The length and the address of what wasmtime has allocated."""

    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]


_pair = _Pair()
_PAIR_ADDRESS = ctypes.addressof(_pair)
_cell = ctypes.create_string_buffer(VALUE_BYTES)
_CELL_ADDRESS = ctypes.addressof(_cell)

_EMPTY = b"\0" * SIZED.size


def _allocated_bytes(text: bytes) -> bytes:
    new_bytes(_PAIR_ADDRESS, len(text), text)
    return string_at(_PAIR_ADDRESS, SIZED.size)


def _allocated_value(value: bytes) -> int:
    move(_CELL_ADDRESS, value, VALUE_BYTES)
    return int(new_value(_CELL_ADDRESS))


def _value(kind: int, of: bytes) -> bytes:
    head = bytes([kind]) + b"\0" * (OF - 1) + of
    return head + b"\0" * (VALUE_BYTES - len(head))


def delete(value: bytes) -> None:
    """Frees a value that was made here and is not handed over after all."""
    move(_CELL_ADDRESS, value, VALUE_BYTES)
    delete_value(_CELL_ADDRESS)


def _lower_bool(value: bool) -> bytes:
    return _value(_BOOL, b"\1" if value else b"\0")


def _lower_u8(value: int) -> bytes:
    return _value(_U8, bytes([value]))


def _number(kind: int, greatest: int, packed: Struct) -> Lower:
    def lower(value: int) -> bytes:
        if not 0 <= value <= greatest:
            raise Unfit(f"{value} should be a number from 0 to {greatest}")
        return _value(kind, packed.pack(value))

    return lower


def _lower_string(value: str) -> bytes:
    return _value(_STRING, _allocated_bytes(value.encode()))


SCALARS: dict[str, Lower] = {
    "bool": _lower_bool,
    "u8": _lower_u8,
    "u32": _number(_U32, 2**32 - 1, U32),
    "u64": _number(_U64, 2**64 - 1, WORD),
    "string": _lower_string,
}


def _allocated(new: Any, count: int, made: list[bytes]) -> bytes:
    """The values that were made, where wasmtime has allocated room for so many."""
    new(_PAIR_ADDRESS, count)
    pair = string_at(_PAIR_ADDRESS, SIZED.size)
    block = b"".join(made)
    move(_pair.data, block, len(block))
    return pair


def list_of(element: Lower) -> Lower:
    def lower(values: list[Any]) -> bytes:
        made: list[bytes] = []
        try:
            made.extend(map(element, values))
        except BaseException:
            for value in made:
                delete(value)
            raise
        if not made:
            return _value(_LIST, _EMPTY)
        return _value(_LIST, _allocated(new_list, len(made), made))

    return lower


def bytes_(value: bytes) -> bytes:
    if not value:
        return _value(_LIST, _EMPTY)
    each = {byte: _lower_u8(byte) for byte in set(value)}
    return _value(_LIST, _allocated(new_list, len(value), [each[byte] for byte in value]))


def record(fields: list[tuple[bytes, str, Lower]]) -> Lower:
    def lower(record: dict[str, Any]) -> bytes:
        made: list[bytes] = []
        try:
            for _, name, field in fields:
                made.append(field(record[name]))
        except BaseException:
            for value in made:
                delete(value)
            raise
        block: list[bytes] = []
        for (name_bytes, _, _), value in zip(fields, made):
            block.append(_allocated_bytes(name_bytes))
            block.append(value)
        return _value(_RECORD, _allocated(new_record, len(made), block))

    return lower


def variant(cases: dict[str, tuple[bytes, Lower | None]]) -> Lower:
    def lower(value: tuple[str, Any]) -> bytes:
        case, payload = value
        name, payload_lower = cases[case]
        address = 0 if payload_lower is None else _allocated_value(payload_lower(payload))
        return _value(_VARIANT, _allocated_bytes(name) + WORD.pack(address))

    return lower


def enum(names: dict[str, bytes]) -> Lower:
    return lambda value: _value(_ENUM, _allocated_bytes(names[value]))


def option(payload: Lower) -> Lower:
    none = _value(_OPTION, WORD.pack(0))

    def lower(value: Any) -> bytes:
        if value is None:
            return none
        return _value(_OPTION, WORD.pack(_allocated_value(payload(value))))

    return lower


def result(ok: Lower | None, err: Lower | None) -> Lower:
    def lower(value: tuple[bool, Any]) -> bytes:
        is_ok, payload = value
        payload_lower = ok if is_ok else err
        address = 0 if payload_lower is None else _allocated_value(payload_lower(payload))
        flag = (b"\1" if is_ok else b"\0") + b"\0" * (ANSWER - 1)
        return _value(_RESULT, flag + WORD.pack(address))

    return lower
