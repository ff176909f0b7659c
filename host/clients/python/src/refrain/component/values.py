"""Values on their way between Python and a guest.

wasmtime's own Python values ask for their types anew at each call, and hand over
results without saying which case they are. So values are read and written here by the C
interface of wasmtime, whose structures are described once; the codec of a type is made
once. What is read is plain:

- a record is a dict, with `_` for `-` in the names of its fields;
- a case of a variant is a pair of its name (`_` for `-`) and its payload;
- a value of an enum is its name (`_` for `-`);
- an option is its value or `None`;
- a result is a pair of whether it is good and its payload.

A number that does not fit its type is refused; wasmtime would cut it off silently.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

from wasmtime import _ffi as ffi

from .types import Enum, ListOf, Option, Record, Result, Scalar, Signature, Type, Variant

#: Reads the value that stands in these bytes at this place.
Lift = Callable[[bytes, int], Any]

#: The bytes of a value, as wasmtime has it. Who makes them hands them over.
Lower = Callable[[Any], bytes]

VALUE_BYTES: int = ctypes.sizeof(ffi.wasmtime_component_val)
_ENTRY_BYTES: int = ctypes.sizeof(ffi.wasmtime_component_valrecord_entry)
_ENTRY_VALUE: int = getattr(ffi.wasmtime_component_valrecord_entry.val, "offset")
_OF: int = getattr(ffi.wasmtime_component_val.of, "offset")
_ANSWER: int = getattr(ffi.wasmtime_component_valresult.val, "offset")
_PAYLOAD: int = getattr(ffi.wasmtime_component_valvariant.val, "offset")

_WORD = Struct("<Q")
_U32 = Struct("<I")
_SIZED = Struct("<QQ")

_BOOL: int = ffi.WASMTIME_COMPONENT_BOOL.value
_STRING: int = ffi.WASMTIME_COMPONENT_STRING.value
_LIST: int = ffi.WASMTIME_COMPONENT_LIST.value
_RECORD: int = ffi.WASMTIME_COMPONENT_RECORD.value
_VARIANT: int = ffi.WASMTIME_COMPONENT_VARIANT.value
_ENUM: int = ffi.WASMTIME_COMPONENT_ENUM.value
_OPTION: int = ffi.WASMTIME_COMPONENT_OPTION.value
_RESULT: int = ffi.WASMTIME_COMPONENT_RESULT.value
_U8_KIND: int = ffi.WASMTIME_COMPONENT_U8.value

_NUMBERS: dict[str, tuple[int, int, Struct]] = {
    "u32": (ffi.WASMTIME_COMPONENT_U32.value, 2**32 - 1, _U32),
    "u64": (ffi.WASMTIME_COMPONENT_U64.value, 2**64 - 1, _WORD),
}


def _function(name: str, *arguments: Any, result: Any = None) -> Any:
    """A function of wasmtime's C interface that takes addresses as numbers."""
    function = ffi.dll[name]
    function.argtypes = arguments
    function.restype = result
    return function


_new_bytes = _function("wasm_byte_vec_new", ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
_new_list = _function(
    "wasmtime_component_vallist_new_uninit", ctypes.c_void_p, ctypes.c_size_t
)
_new_record = _function(
    "wasmtime_component_valrecord_new_uninit", ctypes.c_void_p, ctypes.c_size_t
)
_new_value = _function("wasmtime_component_val_new", ctypes.c_void_p, result=ctypes.c_void_p)
_delete_value = _function("wasmtime_component_val_delete", ctypes.c_void_p)

_string_at = ctypes.string_at
_move = ctypes.memmove


class Unfit(Exception):
    """A value is none of the type that is asked for."""


class _Pair(ctypes.Structure):
    """The length and the address of what wasmtime has allocated."""

    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]


_pair = _Pair()
_PAIR_ADDRESS = ctypes.addressof(_pair)
_cell = ctypes.create_string_buffer(VALUE_BYTES)
_CELL_ADDRESS = ctypes.addressof(_cell)


def _allocated_bytes(text: bytes) -> bytes:
    _new_bytes(_PAIR_ADDRESS, len(text), text)
    return _string_at(_PAIR_ADDRESS, 16)


def _allocated_value(value: bytes) -> int:
    _move(_CELL_ADDRESS, value, VALUE_BYTES)
    address = _new_value(_CELL_ADDRESS)
    return int(address)


def _value(kind: int, of: bytes) -> bytes:
    head = bytes([kind]) + b"\0" * (_OF - 1) + of
    return head + b"\0" * (VALUE_BYTES - len(head))


def delete(value: bytes) -> None:
    """Frees a value that was made here and is not handed over after all."""
    _move(_CELL_ADDRESS, value, VALUE_BYTES)
    _delete_value(_CELL_ADDRESS)


def delete_at(address: int) -> None:
    """Frees the value at this address."""
    _delete_value(address)


def snake(name: str) -> str:
    """A name of the contract, as a name of Python."""
    return name.replace("-", "_")


class Codecs:
    """The codecs of types, each made once.

    `special` has, for some types, what is made of a value when it is read, and what a
    value is made of when it is written.
    """

    def __init__(
        self,
        special: Mapping[Type, tuple[Callable[[Any], Any], Callable[[Any], Any]]],
    ) -> None:
        self._special = special
        self._lifts: dict[Type, Lift] = {}
        self._lowers: dict[Type, Lower] = {}

    def params(self, signature: Signature) -> Callable[[int], list[Any]]:
        """Reads the arguments of a function, which stand at an address."""
        lifts = [self.lift(of) for of in signature.params]
        places = range(0, VALUE_BYTES * len(lifts), VALUE_BYTES)
        size = VALUE_BYTES * len(lifts)

        def read(address: int) -> list[Any]:
            block = _string_at(address, size)
            return [lift(block, place) for lift, place in zip(lifts, places)]

        return read

    def lift(self, of: Type) -> Lift:
        found = self._lifts.get(of)
        if found is None:
            found = self._made_lift(of)
            special = self._special.get(of)
            if special is not None:
                found = _then(found, special[0])
            self._lifts[of] = found
        return found

    def lower(self, of: Type) -> Lower:
        found = self._lowers.get(of)
        if found is None:
            found = self._made_lower(of)
            special = self._special.get(of)
            if special is not None:
                found = _before(found, special[1])
            self._lowers[of] = found
        return found

    def _made_lift(self, of: Type) -> Lift:
        if isinstance(of, Scalar):
            return _SCALAR_LIFTS[of.name]
        if isinstance(of, ListOf):
            return _list_lift(self.lift(of.element))
        if isinstance(of, Record):
            return _record_lift([(snake(name), self.lift(it)) for name, it in of.fields])
        if isinstance(of, Variant):
            return _variant_lift(
                {
                    name.encode(): (snake(name), None if it is None else self.lift(it))
                    for name, it in of.cases
                }
            )
        if isinstance(of, Enum):
            return _enum_lift({name.encode(): snake(name) for name in of.names})
        if isinstance(of, Option):
            return _option_lift(self.lift(of.payload))
        return _result_lift(
            None if of.ok is None else self.lift(of.ok),
            None if of.err is None else self.lift(of.err),
        )

    def _made_lower(self, of: Type) -> Lower:
        if isinstance(of, Scalar):
            if of.name in _NUMBERS:
                return _number_lower(*_NUMBERS[of.name])
            return _SCALAR_LOWERS[of.name]
        if isinstance(of, ListOf):
            return _bytes_lower if of.element == Scalar("u8") else _list_lower(self.lower(of.element))
        if isinstance(of, Record):
            return _record_lower(
                [(name.encode(), snake(name), self.lower(it)) for name, it in of.fields]
            )
        if isinstance(of, Variant):
            return _variant_lower(
                {
                    snake(name): (name.encode(), None if it is None else self.lower(it))
                    for name, it in of.cases
                }
            )
        if isinstance(of, Enum):
            return _enum_lower({snake(name): name.encode() for name in of.names})
        if isinstance(of, Option):
            return _option_lower(self.lower(of.payload))
        return _result_lower(
            None if of.ok is None else self.lower(of.ok),
            None if of.err is None else self.lower(of.err),
        )


def _then(lift: Lift, made: Callable[[Any], Any]) -> Lift:
    return lambda block, place: made(lift(block, place))


def _before(lower: Lower, made: Callable[[Any], Any]) -> Lower:
    return lambda value: lower(made(value))


# ---- reading ------------------------------------------------------------------------


def _lift_bool(block: bytes, place: int) -> bool:
    return block[place + _OF] != 0


def _lift_u8(block: bytes, place: int) -> int:
    return block[place + _OF]


def _lift_u32(block: bytes, place: int) -> int:
    number: int = _U32.unpack_from(block, place + _OF)[0]
    return number


def _lift_u64(block: bytes, place: int) -> int:
    number: int = _WORD.unpack_from(block, place + _OF)[0]
    return number


def _lift_string(block: bytes, place: int) -> str:
    size, address = _SIZED.unpack_from(block, place + _OF)
    return _string_at(address, size).decode() if size else ""


_SCALAR_LIFTS: dict[str, Lift] = {
    "bool": _lift_bool,
    "u8": _lift_u8,
    "u32": _lift_u32,
    "u64": _lift_u64,
    "string": _lift_string,
}


def _list_lift(element: Lift) -> Lift:
    is_bytes = element is _lift_u8

    def lift(block: bytes, place: int) -> Any:
        count, address = _SIZED.unpack_from(block, place + _OF)
        if not count:
            return b"" if is_bytes else []
        inner = _string_at(address, count * VALUE_BYTES)
        if is_bytes:
            return inner[_OF::VALUE_BYTES]
        return [element(inner, at) for at in range(0, len(inner), VALUE_BYTES)]

    return lift


def _record_lift(fields: list[tuple[str, Lift]]) -> Lift:
    size = _ENTRY_BYTES * len(fields)
    placed = [
        (name, lift, index * _ENTRY_BYTES + _ENTRY_VALUE)
        for index, (name, lift) in enumerate(fields)
    ]

    def lift(block: bytes, place: int) -> dict[str, Any]:
        address = _WORD.unpack_from(block, place + _OF + 8)[0]
        inner = _string_at(address, size)
        return {name: field(inner, at) for name, field, at in placed}

    return lift


def _variant_lift(cases: dict[bytes, tuple[str, Lift | None]]) -> Lift:
    def lift(block: bytes, place: int) -> tuple[str, Any]:
        size, address = _SIZED.unpack_from(block, place + _OF)
        name, payload = cases[_string_at(address, size)]
        if payload is None:
            return name, None
        at = _WORD.unpack_from(block, place + _OF + _PAYLOAD)[0]
        return name, payload(_string_at(at, VALUE_BYTES), 0)

    return lift


def _enum_lift(names: dict[bytes, str]) -> Lift:
    def lift(block: bytes, place: int) -> str:
        size, address = _SIZED.unpack_from(block, place + _OF)
        return names[_string_at(address, size)]

    return lift


def _option_lift(payload: Lift) -> Lift:
    def lift(block: bytes, place: int) -> Any:
        at = _WORD.unpack_from(block, place + _OF)[0]
        return payload(_string_at(at, VALUE_BYTES), 0) if at else None

    return lift


def _result_lift(ok: Lift | None, err: Lift | None) -> Lift:
    def lift(block: bytes, place: int) -> tuple[bool, Any]:
        is_ok = block[place + _OF] != 0
        payload = ok if is_ok else err
        at = _WORD.unpack_from(block, place + _OF + _ANSWER)[0]
        if payload is None or not at:
            return is_ok, None
        return is_ok, payload(_string_at(at, VALUE_BYTES), 0)

    return lift


# ---- writing ------------------------------------------------------------------------


def _lower_bool(value: bool) -> bytes:
    return _value(_BOOL, b"\1" if value else b"\0")


def _lower_u8(value: int) -> bytes:
    return _value(_U8_KIND, bytes([value]))


def _number_lower(kind: int, greatest: int, packed: Struct) -> Lower:
    def lower(value: int) -> bytes:
        if not 0 <= value <= greatest:
            raise Unfit(f"{value} should be a number from 0 to {greatest}")
        return _value(kind, packed.pack(value))

    return lower


def _lower_string(value: str) -> bytes:
    return _value(_STRING, _allocated_bytes(value.encode()))


_SCALAR_LOWERS: dict[str, Lower] = {
    "bool": _lower_bool,
    "u8": _lower_u8,
    "string": _lower_string,
}


def _allocated(new: Any, count: int, made: list[bytes]) -> bytes:
    """The values that were made, where wasmtime has allocated room for so many."""
    new(_PAIR_ADDRESS, count)
    pair = _string_at(_PAIR_ADDRESS, 16)
    block = b"".join(made)
    _move(_pair.data, block, len(block))
    return pair


def _list_lower(element: Lower) -> Lower:
    def lower(values: list[Any]) -> bytes:
        made: list[bytes] = []
        try:
            made.extend(map(element, values))
        except BaseException:
            for value in made:
                delete(value)
            raise
        if not made:
            return _value(_LIST, b"\0" * 16)
        return _value(_LIST, _allocated(_new_list, len(made), made))

    return lower


def _bytes_lower(value: bytes) -> bytes:
    if not value:
        return _value(_LIST, b"\0" * 16)
    each = {byte: _lower_u8(byte) for byte in set(value)}
    return _value(_LIST, _allocated(_new_list, len(value), [each[byte] for byte in value]))


def _record_lower(fields: list[tuple[bytes, str, Lower]]) -> Lower:
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
        return _value(_RECORD, _allocated(_new_record, len(made), block))

    return lower


def _variant_lower(cases: dict[str, tuple[bytes, Lower | None]]) -> Lower:
    def lower(value: tuple[str, Any]) -> bytes:
        case, payload = value
        name, payload_lower = cases[case]
        address = 0 if payload_lower is None else _allocated_value(payload_lower(payload))
        return _value(_VARIANT, _allocated_bytes(name) + _WORD.pack(address))

    return lower


def _enum_lower(names: dict[str, bytes]) -> Lower:
    return lambda value: _value(_ENUM, _allocated_bytes(names[value]))


def _option_lower(payload: Lower) -> Lower:
    none = _value(_OPTION, _WORD.pack(0))

    def lower(value: Any) -> bytes:
        if value is None:
            return none
        return _value(_OPTION, _WORD.pack(_allocated_value(payload(value))))

    return lower


def _result_lower(ok: Lower | None, err: Lower | None) -> Lower:
    def lower(value: tuple[bool, Any]) -> bytes:
        is_ok, payload = value
        payload_lower = ok if is_ok else err
        address = 0 if payload_lower is None else _allocated_value(payload_lower(payload))
        flag = (b"\1" if is_ok else b"\0") + b"\0" * (_ANSWER - 1)
        return _value(_RESULT, flag + _WORD.pack(address))

    return lower


assert _ENTRY_VALUE == 16 and _PAYLOAD == 16, "a text is a length and an address"
