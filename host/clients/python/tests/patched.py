"""Schedulers that mean harm: the package's own, with the code of one function replaced.

The types of such a component are those of the contract, so that it passes for a guest
until it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from refrain.component.guest import built_in_bytes

#: A function that does nothing but this. The code stands between the locals and the end.
TRAP = bytes([0x00])  # unreachable
LOOP = bytes([0x03, 0x40, 0x0C, 0x00, 0x0B, 0x00])  # loop (br 0) end, unreachable
#: Grows the memory by a hundred pages, as long as it can; then it traps.
MEMORY_BOMB = bytes(
    [0x03, 0x40]  # loop
    + [0x41, 0xE4, 0x00, 0x40, 0x00]  # i32.const 100, memory.grow
    + [0x41, 0x7F, 0x47, 0x0D, 0x00, 0x0B]  # i32.const -1, i32.ne, br_if 0, end
    + [0x00]
)

STEP = "refrain:scheduler/decisions@0.2.0#step"

_CORE_MODULE = 1
_IMPORTS, _EXPORTS, _CODE = 2, 7, 10


def scheduler_that(code: bytes, function: str = STEP) -> bytes:
    """The scheduler, with this as the code of a function that it exports."""
    component = bytearray(built_in_bytes())
    for section, start, end in _sections(component, 8, len(component)):
        if section != _CORE_MODULE:
            continue
        place = _body(component, start, end, function)
        if place is not None:
            at, size = place
            # No locals, the code, and nops up to the last byte, which is the end.
            body = b"\0" + code
            assert len(body) < size
            component[at : at + size - 1] = body + b"\x01" * (size - 1 - len(body))
            return bytes(component)
    raise AssertionError(f"no module exports {function}")


def recursion(function: str = STEP) -> bytes:
    """Code that has the function call itself."""
    component = built_in_bytes()
    for section, start, end in _sections(component, 8, len(component)):
        index = _exported(component, start, end, function) if section == _CORE_MODULE else None
        if index is not None:
            # Its parameters are i64, i64, i64, i32 and i32; its answer is an i32.
            arguments = bytes([0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4])
            return arguments + b"\x10" + _leb(index) + b"\x1a\x00"
    raise AssertionError(f"no module exports {function}")


def _sections(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    at = start
    while at < end:
        section = data[at]
        size, at = _read(data, at + 1)
        yield section, at, at + size
        at += size


def _exported(data: bytes | bytearray, start: int, end: int, name: str) -> int | None:
    """The index of the function of this name in a core module."""
    for section, at, _ in _sections(data, start + 8, end):
        if section != _EXPORTS:
            continue
        count, at = _read(data, at)
        for _ in range(count):
            size, at = _read(data, at)
            found = bytes(data[at : at + size]).decode()
            kind = data[at + size]
            index, at = _read(data, at + size + 1)
            if found == name and kind == 0:
                return index
    return None


def _body(data: bytes | bytearray, start: int, end: int, name: str) -> tuple[int, int] | None:
    """Where the body of the function of this name stands, and how long it is."""
    index = _exported(data, start, end, name)
    if index is None:
        return None
    for section, at, _ in _sections(data, start + 8, end):
        if section == _IMPORTS:
            index -= _imported_functions(data, at)
        if section == _CODE:
            count, at = _read(data, at)
            for place in range(count):
                size, at = _read(data, at)
                if place == index:
                    return at, size
                at += size
    return None


def _imported_functions(data: bytes | bytearray, at: int) -> int:
    count, at = _read(data, at)
    functions = 0
    for _ in range(count):
        for _ in range(2):
            size, at = _read(data, at)
            at += size
        assert data[at] == 0, "the scheduler's modules import functions only"
        functions += 1
        _, at = _read(data, at + 1)
    return functions


def _read(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A number in LEB128, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _leb(number: int) -> bytes:
    made = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        made.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(made)
