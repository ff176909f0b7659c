"""A guest at work: its functions are called, and it calls those of the host.

Each call has its own fuel and its bound on what is handed over. A call that was cut off
leaves the guest in the middle of a thought: the instance is spent then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import component as wasm

from ..limits import GUEST_MEMORY_MAX, GUEST_TABLE_ELEMENTS_MAX
from . import capi
from .capi import VALUE_BYTES
from .guest import DECISIONS, LOCK, Guest, engine
from .lifting import Lift
from .lowering import Lower, Unfit, delete
from .types import Signature, Type
from .values import Codecs

#: A function of the host: it is given its arguments, and what the call may burn.
Import = Callable[..., Any]

#: What values of some types are read as and written from.
Special = Mapping[Type, tuple[Callable[[Any], Any], Callable[[Any], Any]]]


class GuestFailure(Exception):
    """A guest failed at its work: it crashed, did not end, or broke the contract."""


class Fuel:
    """What is left of a call's fuel, while a function of the host runs."""

    def __init__(self, context: int) -> None:
        self._context = context

    def change(self, gain: int, cost: int) -> None:
        """Takes this cost, and then gives this gain."""
        left = ctypes.c_uint64(0)
        _no_error(capi.get_fuel(self._context, ctypes.addressof(left)))
        now = max(left.value - cost, 0) + gain
        _no_error(capi.set_fuel(self._context, min(now, 2**64 - 1)))


def _no_error(error: int | None) -> None:
    if error:
        capi.delete_error(error)
        raise GuestFailure("wasmtime refuses to count fuel")


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of the guest, and the codecs of what it takes and answers."""

    function: wasm.Func
    lowers: list[Lower]
    lift: Lift | None


class Instance:
    """A fresh instance of a guest. `imports` has, for each interface, its functions."""

    def __init__(
        self, guest: Guest, imports: Mapping[str, Mapping[str, Import]], special: Special
    ) -> None:
        self.guest = guest
        self.is_spent = False
        self._codecs = Codecs(special)
        self._fault: BaseException | None = None
        self._callbacks: list[Any] = []
        with LOCK:
            self._store = wasmtime.Store(engine())
            self._store.set_limits(
                memory_size=GUEST_MEMORY_MAX, table_elements=GUEST_TABLE_ELEMENTS_MAX
            )
            self._linker = wasm.Linker(engine())
            self._link(imports)
            self._functions: dict[str, _Function] = {}

    def start(self, fuel: int) -> None:
        """Instantiates the component; that burns fuel, too.

        Raises `GuestFailure` if it does not start.
        """
        with LOCK:
            self._store.set_fuel(fuel)
            try:
                instance = self._linker.instantiate(self._store, self.guest.component)
            except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
                self._fail(error)
            inner = instance.get_export_index(self._store, DECISIONS)
            for name, signature in self.guest.exports[DECISIONS].items():
                index = instance.get_export_index(self._store, name, inner)
                function = None if index is None else instance.get_func(self._store, index)
                if function is None:
                    raise GuestFailure(f"the guest has no `{name}`")
                lowers = [self._codecs.lower(of) for of in signature.params]
                result = signature.result
                lift = None if result is None else self._codecs.lift(result)
                self._functions[name] = _Function(function, lowers, lift)

    def _link(self, imports: Mapping[str, Mapping[str, Import]]) -> None:
        with self._linker.root() as root:
            for interface, functions in self.guest.imports.items():
                with root.add_instance(interface) as instance:
                    address = ctypes.cast(instance.ptr(), ctypes.c_void_p)
                    for name, signature in functions.items():
                        callback = self._callback(imports[interface][name], signature)
                        self._callbacks.append(callback)
                        encoded = name.encode()
                        error = capi.add_function(
                            address, encoded, len(encoded), callback, None, None
                        )
                        if error:
                            capi.delete_error(error)
                            raise GuestFailure(f"the guest's import `{name}` cannot be linked")

    def _callback(self, function: Import, signature: Signature) -> Any:
        read = self._codecs.params(signature)
        lower = None if signature.result is None else self._codecs.lower(signature.result)

        def called(
            _: int, context: int, __: int, arguments: int, ___: int, results: int, ____: int
        ) -> int:
            try:
                answer = function(Fuel(context), *read(arguments))
                if lower is not None:
                    ctypes.memmove(results, lower(answer), VALUE_BYTES)
            except BaseException as error:
                self._fault = error
                return int(capi.new_error(b"the host gives no answer"))
            return 0

        return capi.Callback(called)

    def call(self, name: str, fuel: int, *arguments: Any) -> Any:
        """Calls a function of the guest with this much fuel.

        Raises `GuestFailure` if the guest gives no answer; and what a function of the
        host has raised.
        """
        if self.is_spent:
            raise GuestFailure("the guest was cut off in an earlier call")
        with LOCK:
            function = self._functions[name]
            self._store.set_fuel(fuel)
            made = _lowered(function.lowers, arguments)
            block = ctypes.create_string_buffer(b"".join(made), VALUE_BYTES * len(made))
            answer = ctypes.create_string_buffer(VALUE_BYTES)
            try:
                error = capi.call(
                    ctypes.byref(function.function._func),
                    self._store._context(),
                    block,
                    len(made),
                    answer,
                    0 if function.lift is None else 1,
                )
            finally:
                start = ctypes.addressof(block)
                for index in range(len(made)):
                    capi.delete_value(start + index * VALUE_BYTES)
            if error:
                self._fail(wasmtime.WasmtimeError._from_ptr(error))
            if function.lift is None:
                return None
            try:
                return function.lift(answer.raw, 0)
            finally:
                capi.delete_value(ctypes.addressof(answer))

    def _fail(self, error: Exception) -> None:
        """Raises what has ended a call: a fault of the host, else the guest's failure."""
        self.is_spent = True
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
        raise GuestFailure(_sentence(str(error))) from None


def _lowered(lowers: list[Lower], arguments: tuple[Any, ...]) -> list[bytes]:
    made: list[bytes] = []
    try:
        for lower, argument in zip(lowers, arguments):
            made.append(lower(argument))
    except Unfit:
        for value in made:
            delete(value)
        raise
    return made


def _sentence(error: str) -> str:
    if "all fuel consumed" in error:
        return "the guest ran out of fuel: its call had not ended by then"
    if "call stack exhausted" in error:
        return "the guest overflowed its call stack"
    if "too much data is being copied" in error:
        return "the guest transferred too much"
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    return f"the guest crashed: {lines[-1] if lines else error}"
