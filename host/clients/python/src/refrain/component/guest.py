"""Components: is this a guest? If not, what is it, and what to do about that?

A component that was brought is compiled in a process of its own, with a deadline: for
some small files a compiler takes far more than linear time, and only a process can be
stopped.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as wasm

from ..limits import (
    COMPILE_PATIENCE,
    COMPILE_SECONDS_BASE,
    COMPILE_SECONDS_PER_MIB,
    COMPONENT_BYTES_MAX,
    GUEST_STACK_MAX,
    MIB,
)
from .types import Interfaces, OtherType, read_interfaces

PACKAGE = "refrain:scheduler"
VERSION = "0.2.0"
DECISIONS = f"{PACKAGE}/decisions@{VERSION}"
STORAGE = f"{PACKAGE}/storage@{VERSION}"
CLOCK = f"{PACKAGE}/clock@{VERSION}"
QUEUE = f"{PACKAGE}/queue@{VERSION}"
_TYPES = f"{PACKAGE}/types@{VERSION}"

#: All that a guest may import.
_IMPORTS = (_TYPES, STORAGE, CLOCK, QUEUE)

_COMPONENT_HEADER = b"\0asm\x0d\0\x01\0"
_MODULE_HEADER = b"\0asm\x01\0\0\0"

#: How a process ends that has used up its processor time: by the signal for that, or by
#: the one that follows.
_OUT_OF_TIME = tuple(
    -getattr(signal, name) for name in ("SIGXCPU", "SIGKILL") if hasattr(signal, name)
)

#: One use of wasmtime at a time: what is handed over stands in buffers that all share.
LOCK = threading.RLock()


class ComponentFault(Exception):
    """These bytes are no guest; it says why, and what to do about that."""


@dataclass(frozen=True)
class Guest:
    """A component that is a guest, compiled."""

    digest: str
    component: wasm.Component
    imports: Interfaces
    exports: Interfaces


@cache
def engine() -> wasmtime.Engine:
    """The sandbox: the same bytes give the same answers on every machine, and fuel
    bounds what a call may take."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_nan_canonicalization = True
    config.wasm_relaxed_simd = False
    config.wasm_relaxed_simd_deterministic = True
    config.wasm_memory64 = False
    config.wasm_multi_memory = True
    config.wasm_threads = False
    config.max_wasm_stack = GUEST_STACK_MAX
    # No function of the contract is asynchronous.
    ffi.wasmtime_config_concurrency_support_set(config.ptr(), False)
    return wasmtime.Engine(config)


@cache
def built_in_bytes() -> bytes:
    """The bytes of the component that this package holds."""
    folder = resources.files(__package__)
    return folder.joinpath("refrain-scheduler.wasm").read_bytes()


@cache
def built_in() -> Guest:
    """The guest that this package holds."""
    with LOCK:
        bytes_ = built_in_bytes()
        component = wasm.Component(engine(), bytes_)
        return Guest(sha256(bytes_).hexdigest(), component, *_interfaces(component))


def load(bytes_: bytes) -> Guest:
    """The guest that these bytes are.

    Raises `ComponentFault` if they are none.
    """
    digest = sha256(bytes_).hexdigest()
    known = built_in()
    if digest == known.digest:
        return known
    _check_bytes(bytes_)
    with LOCK:
        component = _compiled(bytes_)
        _check_names(component)
        try:
            imports, exports = _interfaces(component)
        except OtherType as error:
            raise _other_contract(str(error)) from None
        _check_contract(known, imports, exports)
        return Guest(digest, component, imports, exports)


def _interfaces(component: wasm.Component) -> tuple[Interfaces, Interfaces]:
    of = component.type
    imports = read_interfaces(engine(), of.imports(engine()))
    return imports, read_interfaces(engine(), of.exports(engine()))


def _check_bytes(bytes_: bytes) -> None:
    if bytes_.startswith(_MODULE_HEADER):
        raise ComponentFault(
            "this is a core WebAssembly module, not a component; encode it with"
            " `wasm-tools component new`"
        )
    if not bytes_.startswith(_COMPONENT_HEADER):
        raise ComponentFault(
            "this is no WebAssembly component (it does not begin as one); give the .wasm"
            " file of a scheduler guest"
        )
    if len(bytes_) > COMPONENT_BYTES_MAX:
        raise ComponentFault(
            f"the component has more than {COMPONENT_BYTES_MAX} bytes, which is the limit;"
            ' build it with `opt-level = "s"` and `strip = true`'
        )


def _compiled(bytes_: bytes) -> wasm.Component:
    if not sys.executable:
        raise ComponentFault(
            "a component that was brought is compiled in a process of its own, and this"
            " Python cannot start one; run it from a Python that is installed"
        )
    seconds = COMPILE_SECONDS_BASE + COMPILE_SECONDS_PER_MIB * (len(bytes_) // MIB)
    command = [sys.executable, "-m", "refrain.component.compiling", str(seconds)]
    is_late = False
    try:
        done = subprocess.run(
            command,
            input=bytes_,
            capture_output=True,
            check=False,
            timeout=seconds * COMPILE_PATIENCE,
        )
        is_late = done.returncode in _OUT_OF_TIME
    except subprocess.TimeoutExpired:
        is_late = True
    if is_late:
        raise ComponentFault(
            f"the component was not compiled within {seconds} seconds of processor time;"
            " build it anew, optimised for size, or split its largest functions"
        )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise ComponentFault(
            "the component cannot be loaded; build it anew, for wasm32-unknown-unknown and"
            f" without extensions: {said or 'it makes the compiler crash'}"
        )
    return wasm.Component.deserialize(engine(), done.stdout)


def _check_names(component: wasm.Component) -> None:
    of = component.type
    imports = list(of.imports(engine()))
    exports = list(of.exports(engine()))
    if DECISIONS not in exports:
        for name in [*exports, *imports]:
            family, _, version = name.rpartition("@")
            if family.startswith(f"{PACKAGE}/") and version != VERSION:
                raise ComponentFault(
                    f"the component was built for version {version} of the contract, and this"
                    f" program speaks {VERSION}; build it for that, and hand its executions"
                    " over to a guest of that"
                )
    for name in imports:
        if name not in _IMPORTS:
            raise ComponentFault(
                f"the component imports `{name}`, and a guest may import only {PACKAGE}'s"
                f" types, storage, clock and queue of version {VERSION}; build it without"
                " WASI, for wasm32-unknown-unknown"
            )
    if DECISIONS not in exports:
        raise ComponentFault(
            f"the component does not export `{DECISIONS}`; build it for the world `scheduler`"
            " of Refrain's wit/"
        )


def _check_contract(known: Guest, imports: Interfaces, exports: Interfaces) -> None:
    """Compares the types with those of the guest that this package holds."""
    for name, functions in imports.items():
        for function, signature in functions.items():
            if known.imports.get(name, {}).get(function) != signature:
                raise _other_contract(f"it imports another `{function}` of `{name}`")
    for function, signature in known.exports[DECISIONS].items():
        if exports[DECISIONS].get(function) != signature:
            raise _other_contract(f"its `{function}` is another")


def _other_contract(problem: str) -> ComponentFault:
    return ComponentFault(
        "the component was built for another form of the contract; build it anew for the"
        f" world `scheduler` of Refrain's wit/: {problem}"
    )
