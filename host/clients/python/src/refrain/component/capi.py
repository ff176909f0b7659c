"""What of wasmtime's C interface is used by address: how its values are laid out, and the
functions that make and free them.

The Python package of wasmtime has these, and describes their structures. What it makes of
them asks for types anew at each call; see `values`.
"""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import Any

from wasmtime import _ffi as ffi

#: The bytes of a value, and where in it its payload stands.
VALUE_BYTES: int = ctypes.sizeof(ffi.wasmtime_component_val)
OF: int = getattr(ffi.wasmtime_component_val.of, "offset")

#: The bytes of a field of a record, and where in it its value stands, behind its name.
ENTRY_BYTES: int = ctypes.sizeof(ffi.wasmtime_component_valrecord_entry)
ENTRY_VALUE: int = getattr(ffi.wasmtime_component_valrecord_entry.val, "offset")

#: Where, in a payload, the address of a result's value stands, and that of a variant's.
ANSWER: int = getattr(ffi.wasmtime_component_valresult.val, "offset")
PAYLOAD: int = getattr(ffi.wasmtime_component_valvariant.val, "offset")

U32 = Struct("<I")
WORD = Struct("<Q")

#: A length and an address.
SIZED = Struct("<QQ")

string_at = ctypes.string_at
move = ctypes.memmove


def function(name: str, *arguments: Any, result: Any = None) -> Any:
    """A function of wasmtime's C interface that takes addresses as numbers."""
    found = ffi.dll[name]
    found.argtypes = arguments
    found.restype = result
    return found


new_bytes = function("wasm_byte_vec_new", ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
new_list = function("wasmtime_component_vallist_new_uninit", ctypes.c_void_p, ctypes.c_size_t)
new_record = function(
    "wasmtime_component_valrecord_new_uninit", ctypes.c_void_p, ctypes.c_size_t
)
new_value = function("wasmtime_component_val_new", ctypes.c_void_p, result=ctypes.c_void_p)
delete_value = function("wasmtime_component_val_delete", ctypes.c_void_p)
get_fuel = function(
    "wasmtime_context_get_fuel", ctypes.c_void_p, ctypes.c_void_p, result=ctypes.c_void_p
)
set_fuel = function(
    "wasmtime_context_set_fuel", ctypes.c_void_p, ctypes.c_uint64, result=ctypes.c_void_p
)
new_error = function("wasmtime_error_new", ctypes.c_char_p, result=ctypes.c_void_p)
delete_error = function("wasmtime_error_delete", ctypes.c_void_p)

#: A function of the host: it is given its data, the context, its type, the arguments and
#: their number, and the results and their number.
Callback = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_size_t,
)

add_function = function(
    "wasmtime_component_linker_instance_add_func",
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    Callback,
    ctypes.c_void_p,
    ctypes.c_void_p,
    result=ctypes.c_void_p,
)
call = function(
    "wasmtime_component_func_call",
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_size_t,
    result=ctypes.POINTER(ffi.wasmtime_error_t),
)

assert ENTRY_VALUE == SIZED.size and PAYLOAD == SIZED.size, "a text is a length and an address"
